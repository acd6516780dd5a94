package fleet

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// NewCredentials returns credentials for JSON-RPC with a password that nobody
// has seen.
func NewCredentials(user string) map[string]string {
	return map[string]string{"BC_RPC_USER": user, "BC_RPC_PASSWORD": rand.Text()}
}

// A Sealer seals Secrets with kubeseal, which needs only the cluster's public
// certificate.
type Sealer struct {
	cluster     *Cluster
	certificate string
}

// anybody is how kubectl speaks as somebody who has an account, and no right of his own.
var anybody = []string{"--as=anybody@example.com", "--as-group=system:authenticated"}

// Certificate returns the certificate that is published for whoever seals, as whoever has
// an account gets it. It is empty where there is none yet.
func (c *Cluster) Certificate(ctx context.Context) (string, error) {
	certificate, err := c.Kubectl(ctx, slices.Concat(anybody, []string{
		"get", "configmap", "certificate", "--namespace=sealing", "--output=jsonpath={.data.pem}"})...)
	if err != nil {
		return "", fmt.Errorf("get the cluster's certificate: %w", err)
	}
	return certificate, nil
}

// Sealer gets the cluster's certificate.
func (c *Cluster) Sealer(ctx context.Context) (*Sealer, error) {
	certificate, err := c.Certificate(ctx)
	if err != nil {
		return nil, err
	}
	if certificate == "" {
		return nil, errors.New("get the cluster's certificate: none is published yet")
	}
	file := c.local("work", "sealed-secrets.pem")
	if err := os.MkdirAll(c.local("work"), 0o755); err != nil {
		return nil, err
	}
	return &Sealer{c, file}, os.WriteFile(file, []byte(certificate), 0o644)
}

// Seal returns a SealedSecret, as YAML, that only the cluster can open, and only
// under that namespace and name. The data goes to kubeseal through a pipe.
func (s *Sealer) Seal(ctx context.Context, namespace, name string, data map[string]string) ([]byte, error) {
	secret, err := json.Marshal(corev1.Secret{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "Secret"},
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
		Type:       corev1.SecretTypeOpaque,
		StringData: data,
	})
	if err != nil {
		return nil, err
	}
	sealed, err := s.cluster.tool(ctx, secret, "kubeseal", "--cert", s.certificate,
		"--scope", "strict", "--namespace", namespace, "--name", name, "--format", "yaml")
	if err != nil {
		return nil, fmt.Errorf("seal %s/%s: %w", namespace, name, err)
	}
	return []byte(sealed), nil
}

// Opens tells whether the cluster can open a SealedSecret: one that was sealed
// for an earlier cluster it can not. Only the platform may ask.
func (s *Sealer) Opens(ctx context.Context, sealed []byte) (bool, error) {
	_, err := s.cluster.tool(ctx, sealed, "kubeseal", "--validate")
	var failed *CommandError
	if errors.As(err, &failed) && strings.Contains(failed.Stderr, "unable to decrypt") {
		return false, nil
	}
	return err == nil, err
}
