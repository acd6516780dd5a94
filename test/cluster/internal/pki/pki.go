// Package pki makes the certificates, keys and kubeconfigs of a cluster. They
// are made anew for each, and end with it.
package pki

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// An Identity is whom a certificate speaks for. Users and groups are
// Kubernetes' names for them.
type Identity struct {
	Name   string // of the files
	User   string
	Groups []string
	// Of a server: the names and addresses that it may be reached by.
	DNS []string
	IPs []string
	// Kubeconfig is where to write one, for those who talk to the API server.
	Kubeconfig string
}

// lifetime is long enough for any local cluster.
const lifetime = 365 * 24 * time.Hour

// Make writes to dir a certificate authority (ca.crt, ca.key), the key that
// signs service accounts' tokens (service-account.key, .pub) and, for each
// identity, NAME.crt and NAME.key.
func Make(dir, server string, identities []Identity) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	serviceAccounts, err := newKey(filepath.Join(dir, "service-account.key"))
	if err != nil {
		return err
	}
	public, err := x509.MarshalPKIXPublicKey(serviceAccounts.Public())
	if err != nil {
		return err
	}
	if err := writePEM(filepath.Join(dir, "service-account.pub"), "PUBLIC KEY", public); err != nil {
		return err
	}
	caKey, err := newKey(filepath.Join(dir, "ca.key"))
	if err != nil {
		return err
	}
	ca := template("bitcoin-operator-local-cluster", nil)
	ca.IsCA, ca.BasicConstraintsValid, ca.KeyUsage = true, true, x509.KeyUsageCertSign
	if err := sign(filepath.Join(dir, "ca.crt"), ca, ca, caKey.Public(), caKey); err != nil {
		return err
	}
	for _, id := range identities {
		key, err := newKey(filepath.Join(dir, id.Name+".key"))
		if err != nil {
			return err
		}
		crt := template(id.User, id.Groups)
		crt.KeyUsage = x509.KeyUsageDigitalSignature
		crt.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
		if len(id.DNS)+len(id.IPs) > 0 {
			crt.ExtKeyUsage = append(crt.ExtKeyUsage, x509.ExtKeyUsageServerAuth)
			crt.DNSNames = id.DNS
			for _, ip := range id.IPs {
				crt.IPAddresses = append(crt.IPAddresses, net.ParseIP(ip))
			}
		}
		if err := sign(filepath.Join(dir, id.Name+".crt"), crt, ca, key.Public(), caKey); err != nil {
			return fmt.Errorf("certificate of %s: %w", id.Name, err)
		}
		if id.Kubeconfig != "" {
			if err := kubeconfig(id.Kubeconfig, dir, id.Name, server); err != nil {
				return err
			}
		}
	}
	return nil
}

func template(user string, groups []string) *x509.Certificate {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		panic(err) // the kernel gives no random numbers
	}
	return &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: user, Organization: groups},
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().Add(lifetime),
	}
}

func newKey(file string) (*ecdsa.PrivateKey, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return nil, err
	}
	return key, writePEM(file, "EC PRIVATE KEY", der)
}

func sign(file string, crt, by *x509.Certificate, public crypto.PublicKey, key crypto.Signer) error {
	der, err := x509.CreateCertificate(rand.Reader, crt, by, public, key)
	if err != nil {
		return err
	}
	return writePEM(file, "CERTIFICATE", der)
}

func writePEM(file, kind string, der []byte) error {
	return os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600)
}

// kubeconfig writes one that needs no other file.
func kubeconfig(file, dir, name, server string) error {
	var parts [3]string
	for i, f := range []string{"ca.crt", name + ".crt", name + ".key"} {
		data, err := os.ReadFile(filepath.Join(dir, f))
		if err != nil {
			return err
		}
		parts[i] = base64.StdEncoding.EncodeToString(data)
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	return os.WriteFile(file, fmt.Appendf(nil, `apiVersion: v1
kind: Config
clusters:
- name: local
  cluster: {server: %q, certificate-authority-data: %s}
users:
- name: %s
  user: {client-certificate-data: %s, client-key-data: %s}
contexts:
- name: local
  context: {cluster: local, user: %s}
current-context: local
`, server, parts[0], name, parts[1], parts[2], name), 0o600)
}
