package main

import (
	"context"
	"crypto/rsa"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/util/cert"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

const (
	// key is that of the certificate in the ConfigMap.
	key = "pem"
	// interval is how long a new key may be unknown: what is sealed with an older one
	// opens all the same.
	interval = 30 * time.Second
	// retry is after a failure, as while sealed-secrets makes its first key.
	retry = 2 * time.Second
	// deadline is for one look, and limit for the answer, which has 1.7 kB.
	deadline = 10 * time.Second
	limit    = 64 << 10
)

// A publisher keeps a ConfigMap at what sealed-secrets says. As an HTTP handler it tells
// whether it is.
type publisher struct {
	api  client.Client
	from string
	to   client.ObjectKey
	log  logr.Logger

	published atomic.Bool
}

// asks goes through no proxy, and nowhere but where it is told to: sealed-secrets is in
// the cluster.
var asks = &http.Client{
	Transport:     &http.Transport{DisableKeepAlives: true},
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

// run publishes until ctx ends.
func (p *publisher) run(ctx context.Context) {
	for ctx.Err() == nil {
		pause := interval
		err := p.publish(ctx)
		p.published.Store(err == nil)
		if err != nil && ctx.Err() == nil {
			p.log.Error(err, "the certificate is not published")
			pause = retry
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
	}
}

func (p *publisher) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	if !p.published.Load() {
		http.Error(w, "the certificate is not published; the log says why", http.StatusServiceUnavailable)
	}
}

// publish makes the ConfigMap what it should be, unless it is.
func (p *publisher) publish(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, deadline)
	defer cancel()
	certificate, err := p.certificate(ctx)
	if err != nil {
		return fmt.Errorf("ask %s for the certificate: %w", p.from, err)
	}
	var published corev1.ConfigMap
	if err := p.api.Get(ctx, p.to, &published); err != nil {
		return fmt.Errorf("read ConfigMap %s: %w", p.to, err)
	}
	// What else stood there would look as if it, too, were what to seal with.
	data := map[string]string{key: certificate}
	if maps.Equal(published.Data, data) && len(published.BinaryData) == 0 {
		return nil
	}
	published.Data, published.BinaryData = data, nil
	if err := p.api.Update(ctx, &published); err != nil {
		return fmt.Errorf("write ConfigMap %s: %w", p.to, err)
	}
	p.log.Info("published the certificate of a new sealing key", "configmap", p.to.String())
	return nil
}

// certificate asks sealed-secrets for what to seal with, and makes sure that it is that.
func (p *publisher) certificate(ctx context.Context) (string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, p.from, nil)
	if err != nil {
		return "", err
	}
	response, err := asks.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return "", fmt.Errorf("the answer is %s", response.Status)
	}
	body, err := io.ReadAll(http.MaxBytesReader(nil, response.Body, limit))
	if err != nil {
		return "", err
	}
	certificates, err := cert.ParseCertsPEM(body)
	if err != nil {
		return "", fmt.Errorf("read the answer: %w", err)
	}
	// kubeseal seals with the first, and for RSA.
	if _, fit := certificates[0].PublicKey.(*rsa.PublicKey); !fit || len(certificates) != 1 {
		return "", errors.New("the answer is not one certificate with an RSA key")
	}
	encoded, err := cert.EncodeCertificates(certificates...)
	return string(encoded), err
}
