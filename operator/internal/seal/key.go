// Package seal makes and changes SealedSecrets with the credentials of networks, as files
// that anybody may see. It never holds a plain value for longer than it takes to seal it,
// and none is in what it returns.
package seal

import (
	"bytes"
	"crypto/rsa"
	"fmt"
	"strings"

	sealedsecrets "github.com/bitnami/sealed-secrets/pkg/apis/sealedsecrets/v1alpha1"
	"github.com/bitnami/sealed-secrets/pkg/kubeseal"
	"k8s.io/apimachinery/pkg/types"
)

// Where the certificate to seal with is published, for whoever has an account.
const (
	CertificateNamespace = "sealing"
	CertificateName      = "certificate"
	CertificateKey       = "pem"
)

// Key is what seals: only the cluster that it is of can open that again.
type Key struct {
	public *rsa.PublicKey
}

// ParseCertificate takes the key out of a certificate. One that has expired is refused.
func ParseCertificate(pem []byte) (Key, error) {
	public, err := kubeseal.ParseKey(bytes.NewReader(pem))
	if err != nil {
		return Key{}, fmt.Errorf("read the certificate to seal with: %w", err)
	}
	return Key{public}, nil
}

// value seals a value, so that it opens in a Secret of this namespace and name and in no
// other. Under which key is not part of what is sealed.
func (k Key) value(secret types.NamespacedName, plain string) (string, error) {
	var sealed strings.Builder
	err := kubeseal.EncryptSecretItem(&sealed, secret.Name, secret.Namespace, []byte(plain), sealedsecrets.StrictScope, k.public)
	if err != nil {
		return "", fmt.Errorf("seal a value for %s: %w", secret, err)
	}
	return sealed.String(), nil
}
