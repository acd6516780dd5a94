package fleet

import (
	"context"
	"fmt"
	"os"
	"strings"

	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// As returns the cluster as it is to a service account, with a token of its own: as to
// whoever has taken over what runs as that account.
func (c *Cluster) As(ctx context.Context, namespace, account string) (*Cluster, error) {
	token, err := c.Kubectl(ctx, "create", "token", account, "--namespace="+namespace)
	if err != nil {
		return nil, err
	}
	config, err := clientcmd.LoadFromFile(c.Kubeconfig())
	if err != nil {
		return nil, fmt.Errorf("read the cluster's kubeconfig: %w", err)
	}
	for name := range config.AuthInfos {
		config.AuthInfos[name] = &clientcmdapi.AuthInfo{Token: strings.TrimSpace(token)}
	}
	if err := os.MkdirAll(c.local("work"), 0o755); err != nil {
		return nil, err
	}
	file := c.local("work", namespace+"."+account+".kubeconfig")
	if err := clientcmd.WriteToFile(*config, file); err != nil {
		return nil, fmt.Errorf("write the account's kubeconfig: %w", err)
	}
	return connect(c.root, file)
}
