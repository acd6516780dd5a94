package main

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-logr/logr"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
)

// certificateOf returns one for a key, as PEM.
func certificateOf(t *testing.T, key crypto.Signer) string {
	t.Helper()
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

func rsaCertificate(t *testing.T) string {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	return certificateOf(t, key)
}

// sealedSecrets answers as it is told to.
type sealedSecrets struct {
	status int
	body   string
}

func (s *sealedSecrets) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet || r.URL.Path != "/v1/cert.pem" {
		http.NotFound(w, r)
		return
	}
	w.WriteHeader(s.status)
	_, _ = fmt.Fprint(w, s.body)
}

// setting is a publisher, what it asks, and the ConfigMap that is there, with what was
// written to it.
type setting struct {
	*publisher
	sealedSecrets *sealedSecrets
	writes        atomic.Int32
}

func newSetting(t *testing.T, there ...client.Object) *setting {
	s := &setting{sealedSecrets: &sealedSecrets{status: http.StatusOK}}
	server := httptest.NewServer(s.sealedSecrets)
	t.Cleanup(server.Close)
	api := fake.NewClientBuilder().WithObjects(there...).WithInterceptorFuncs(interceptor.Funcs{
		Update: func(ctx context.Context, api client.WithWatch, object client.Object, options ...client.UpdateOption) error {
			s.writes.Add(1)
			return api.Update(ctx, object, options...)
		},
	}).Build()
	s.publisher = &publisher{
		api: api, from: server.URL + "/v1/cert.pem", to: client.ObjectKey{Namespace: "sealing", Name: "certificate"},
		log: logr.Discard(),
	}
	return s
}

func configMap(data map[string]string) *corev1.ConfigMap {
	return &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "sealing", Name: "certificate", Labels: map[string]string{"of": "Flux"}}, Data: data}
}

func (s *setting) data(g Gomega, ctx context.Context) map[string]string {
	var published corev1.ConfigMap
	g.Expect(s.api.Get(ctx, s.to, &published)).To(Succeed())
	g.Expect(published.Labels).To(HaveKeyWithValue("of", "Flux"))
	return published.Data
}

// What is published is the certificate that sealed-secrets has now, and is written only
// when that is not what is there.
func TestPublish(t *testing.T) {
	g, ctx := NewWithT(t), t.Context()
	s := newSetting(t, configMap(nil))
	first, second := rsaCertificate(t), rsaCertificate(t)

	s.sealedSecrets.body = first
	g.Expect(s.publish(ctx)).To(Succeed())
	g.Expect(s.data(g, ctx)).To(Equal(map[string]string{"pem": first}), "the first key")
	g.Expect(s.publish(ctx)).To(Succeed())
	g.Expect(s.writes.Load()).To(BeEquivalentTo(1), "nothing is written when nothing has changed")

	s.sealedSecrets.body = second
	g.Expect(s.publish(ctx)).To(Succeed())
	g.Expect(s.data(g, ctx)).To(Equal(map[string]string{"pem": second}), "a renewed one")

	var there corev1.ConfigMap
	g.Expect(s.api.Get(ctx, s.to, &there)).To(Succeed())
	there.Data = map[string]string{"pem": first, "other": first}
	there.BinaryData = map[string][]byte{"another": []byte(first)}
	g.Expect(s.api.Update(ctx, &there)).To(Succeed())
	g.Expect(s.publish(ctx)).To(Succeed())
	g.Expect(s.data(g, ctx)).To(Equal(map[string]string{"pem": second}), "what somebody else wrote is put back")
	g.Expect(s.api.Get(ctx, s.to, &there)).To(Succeed())
	g.Expect(there.BinaryData).To(BeEmpty())

	s.sealedSecrets.body = "# The newest.\n" + first
	g.Expect(s.publish(ctx)).To(Succeed())
	g.Expect(s.data(g, ctx)).To(Equal(map[string]string{"pem": first}), "nothing is published but the certificate")
}

// What is no certificate to seal with is not published: the last one stays.
func TestPublishKeepsWhatIsFit(t *testing.T) {
	elliptical, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	fit := rsaCertificate(t)
	for _, test := range []struct {
		reason string
		sealedSecrets
		want string
	}{
		{"it has no key yet", sealedSecrets{http.StatusInternalServerError, "cannot get certificate"}, "the answer is 500 Internal Server Error"},
		{"it sends us elsewhere", sealedSecrets{http.StatusFound, fit}, "the answer is 302 Found"},
		{"no certificate", sealedSecrets{http.StatusOK, "ok\n"}, "read the answer: data does not contain any valid RSA or ECDSA certificates"},
		{"a key that kubeseal does not seal for", sealedSecrets{http.StatusOK, certificateOf(t, elliptical)}, "the answer is not one certificate with an RSA key"},
		{"two, of which one would be passed over", sealedSecrets{http.StatusOK, fit + fit}, "the answer is not one certificate with an RSA key"},
		{"no end", sealedSecrets{http.StatusOK, strings.Repeat("a", limit+1)}, "http: request body too large"},
	} {
		t.Run(test.reason, func(t *testing.T) {
			g := NewWithT(t)
			s := newSetting(t, configMap(map[string]string{"pem": fit}))
			*s.sealedSecrets = test.sealedSecrets
			g.Expect(s.publish(t.Context())).To(MatchError(And(HavePrefix("ask http://"), HaveSuffix(test.want))))
			g.Expect(s.data(g, t.Context())).To(Equal(map[string]string{"pem": fit}))
		})
	}
}

// It makes no ConfigMap, for which it has no right: the platform does.
func TestPublishNeedsItsConfigMap(t *testing.T) {
	s := newSetting(t)
	s.sealedSecrets.body = rsaCertificate(t)
	NewWithT(t).Expect(s.publish(t.Context())).To(MatchError(`read ConfigMap sealing/certificate: configmaps "certificate" not found`))
}

// It is ready when what is published is right, and tries again soon until it is.
func TestRun(t *testing.T) {
	g := NewWithT(t)
	s := newSetting(t, configMap(nil))
	s.sealedSecrets.body = rsaCertificate(t)
	var asked atomic.Int32
	late := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if asked.Add(1) == 1 {
			http.Error(w, "cannot get certificate", http.StatusInternalServerError)
			return
		}
		s.sealedSecrets.ServeHTTP(w, r)
	}))
	t.Cleanup(late.Close)
	s.from = late.URL + "/v1/cert.pem"
	ready := func() int {
		answer := httptest.NewRecorder()
		s.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/", nil))
		return answer.Code
	}
	g.Expect(ready()).To(Equal(http.StatusServiceUnavailable), "nothing is published yet")
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { s.run(ctx); close(ended) }()
	g.Eventually(ready).WithTimeout(interval / 2).Should(Equal(http.StatusOK))
	g.Expect(asked.Load()).To(BeEquivalentTo(2))
	cancel()
	g.Eventually(ended).Should(BeClosed())
}
