package btcnet

import (
	"context"
	"fmt"
	"os"
	"strings"

	sealedsecrets "github.com/bitnami/sealed-secrets/pkg/apis/sealedsecrets/v1alpha1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/seal"
)

// certificate returns what to seal with: by the certificate of a file, or by the one that
// the cluster publishes.
func certificate(ctx context.Context, cluster cluster, file string) (seal.Key, error) {
	if file != "" {
		pem, err := os.ReadFile(file)
		if err != nil {
			return seal.Key{}, err
		}
		return seal.ParseCertificate(pem)
	}
	api, err := cluster.api()
	if err != nil {
		return seal.Key{}, err
	}
	const elsewhere = "name a file with the certificate with --cert"
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	published := &corev1.ConfigMap{}
	err = api.Get(ctx, client.ObjectKey{Namespace: seal.CertificateNamespace, Name: seal.CertificateName}, published)
	switch {
	case apierrors.IsNotFound(err):
		return seal.Key{}, fmt.Errorf("the cluster publishes no certificate to seal with (ConfigMap %s/%s); %s", seal.CertificateNamespace, seal.CertificateName, elsewhere)
	case err != nil:
		return seal.Key{}, fmt.Errorf("get the certificate to seal with: %w; %s", err, elsewhere)
	}
	return seal.ParseCertificate([]byte(published.Data[seal.CertificateKey]))
}

// end drops the previous password, if the cluster says that every node accepts the new one.
func (s *sealing) end(ctx context.Context, api client.Reader, file *seal.File, whose seal.Whose) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	live := &sealedsecrets.SealedSecret{}
	err := api.Get(ctx, client.ObjectKey(file.Secret()), live)
	if apierrors.IsNotFound(err) {
		live = nil
	} else if err != nil {
		return fmt.Errorf("get SealedSecret %s: %w", file.Secret(), err)
	}
	var networks v1alpha1.BitcoinNetworkList
	if err := api.List(ctx, &networks, client.InNamespace(file.Secret().Namespace)); err != nil {
		return fmt.Errorf("list the networks of %s: %w", file.Secret().Namespace, err)
	}
	refusals, err := file.Refusals(live, networks.Items)
	if err != nil {
		return err
	}
	if len(refusals) > 0 {
		return fmt.Errorf("%s stays as it is: nodes might reject clients that use the new password\n  %s", s.file, strings.Join(refusals, "\n  "))
	}
	if err := file.Finish(whose); err != nil {
		return err
	}
	return s.write(file)
}
