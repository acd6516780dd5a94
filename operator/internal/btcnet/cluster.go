package btcnet

import (
	"context"
	"fmt"
	"time"

	sealedsecrets "github.com/bitnami/sealed-secrets/pkg/apis/sealedsecrets/v1alpha1"
	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/client-go/kubernetes"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
)

const (
	// fieldManager is who changes networks. It begins with "kubectl", as does what Flux
	// takes back when it applies what Git says.
	fieldManager = "kubectl-btcnet"
	// callTimeout bounds what the API server is asked once.
	callTimeout = 30 * time.Second
)

// cluster is the one that the flags name, and who they say speaks to it.
type cluster struct {
	flags *genericclioptions.ConfigFlags
}

// config returns how the API server is spoken to.
func (c cluster) config() (*rest.Config, error) {
	config, err := c.flags.ToRESTConfig()
	if err != nil {
		return nil, fmt.Errorf("read the kubeconfig: %w", err)
	}
	config = rest.CopyConfig(config)
	config.QPS, config.Burst = 50, 100 // a few calls at once, and then no more
	return config, nil
}

// api returns a client of the kinds that the command knows.
func (c cluster) api() (client.WithWatch, error) {
	config, err := c.config()
	if err != nil {
		return nil, err
	}
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{clientgoscheme.AddToScheme, v1alpha1.AddToScheme, sealedsecrets.AddToScheme} {
		if err := add(scheme); err != nil {
			return nil, err
		}
	}
	api, err := client.NewWithWatch(config, client.Options{Scheme: scheme})
	if err != nil {
		return nil, fmt.Errorf("connect to the cluster: %w", err)
	}
	return api, nil
}

// clientset returns a client for what is no object, as logs are.
func (c cluster) clientset() (kubernetes.Interface, error) {
	config, err := c.config()
	if err != nil {
		return nil, err
	}
	return kubernetes.NewForConfig(config)
}

// namespace returns the one that the flags or the kubeconfig name.
func (c cluster) namespace() (string, error) {
	namespace, _, err := c.flags.ToRawKubeConfigLoader().Namespace()
	if err != nil {
		return "", fmt.Errorf("read the kubeconfig: %w", err)
	}
	return namespace, nil
}

// network reads a network of the namespace.
func (c cluster) network(ctx context.Context, api client.Reader, name string) (*v1alpha1.BitcoinNetwork, error) {
	namespace, err := c.namespace()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	network := &v1alpha1.BitcoinNetwork{}
	if err := api.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, network); err != nil {
		return nil, fmt.Errorf("read network %s/%s: %w", namespace, name, err)
	}
	return network, nil
}

// completeNetworks completes the names of the namespace's networks, as the first argument.
func (c cluster) completeNetworks(cmd *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	api, err := c.api()
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	namespace, err := c.namespace()
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	ctx, cancel := context.WithTimeout(cmd.Context(), 5*time.Second)
	defer cancel()
	var networks v1alpha1.BitcoinNetworkList
	if err := api.List(ctx, &networks, client.InNamespace(namespace)); err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	var names []cobra.Completion
	for _, network := range networks.Items {
		names = append(names, cobra.CompletionWithDesc(network.Name, string(network.Spec.Chain)))
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}
