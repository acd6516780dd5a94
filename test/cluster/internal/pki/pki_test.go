package pki

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestMake(t *testing.T) {
	dir := t.TempDir()
	config := filepath.Join(dir, "sub", "kubeconfig")
	err := Make(dir, "https://198.18.0.1:1", []Identity{
		{Name: "server", User: "kube-apiserver", DNS: []string{"kubernetes"}, IPs: []string{"198.18.0.1"}},
		{Name: "admin", User: "admin", Groups: []string{"system:masters"}, Kubeconfig: config},
	})
	if err != nil {
		t.Fatal(err)
	}
	read := func(name string) *x509.Certificate {
		data, err := os.ReadFile(filepath.Join(dir, name+".crt"))
		if err != nil {
			t.Fatal(err)
		}
		block, _ := pem.Decode(data)
		crt, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			t.Fatal(err)
		}
		return crt
	}
	roots := x509.NewCertPool()
	roots.AddCert(read("ca"))
	for _, name := range []string{"kubernetes", "198.18.0.1"} {
		if _, err := read("server").Verify(x509.VerifyOptions{Roots: roots, DNSName: name}); err != nil {
			t.Errorf("server as %s: %v", name, err)
		}
	}
	admin := read("admin")
	if _, err := admin.Verify(x509.VerifyOptions{Roots: roots, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}); err != nil {
		t.Errorf("admin: %v", err)
	}
	if _, err := admin.Verify(x509.VerifyOptions{Roots: roots}); err == nil {
		t.Error("a client's certificate can be used by a server")
	}
	if admin.Subject.CommonName != "admin" || !slices.Equal(admin.Subject.Organization, []string{"system:masters"}) {
		t.Errorf("admin is %s", admin.Subject)
	}
	if _, err := tls.LoadX509KeyPair(filepath.Join(dir, "admin.crt"), filepath.Join(dir, "admin.key")); err != nil {
		t.Error(err)
	}
	data, err := os.ReadFile(config)
	if err != nil || !strings.Contains(string(data), `server: "https://198.18.0.1:1"`) {
		t.Errorf("kubeconfig: %v\n%s", err, data)
	}
	if info, _ := os.Stat(config); info.Mode().Perm() != 0o600 {
		t.Errorf("others may read the kubeconfig: %s", info.Mode())
	}
}
