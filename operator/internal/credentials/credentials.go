// Package credentials reads the one Secret that the operator may read, and, when
// it is missing, what the SealedSecret of that name says about it.
package credentials

import (
	"context"
	"errors"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/bitcoind"
)

// Unfit tells why there are no credentials to use. It is a state of the world
// that somebody must change, not a failure of the operator.
type Unfit struct {
	// Reason is one of the reasons of the condition CredentialsReady.
	Reason string
	// Message says what is wrong and what to do, and holds no value.
	Message string
}

// Error implements error.
func (u *Unfit) Error() string { return u.Message }

// Reader reads the credentials of networks.
type Reader struct {
	// API reads from the API server itself, not from a cache: the operator
	// keeps no Secret in memory, and may not list Secrets.
	API client.Reader
	// Secret is the name of the Secret that the operator may read.
	Secret string
}

// Read returns the credentials of a network: the pair to use, then the previous one
// while there is one. Without, it returns an *Unfit that tells why.
func (r Reader) Read(ctx context.Context, network *v1alpha1.BitcoinNetwork) ([]bitcoind.Credentials, error) {
	name := network.Spec.Secret
	switch name {
	case "":
		return []bitcoind.Credentials{bitcoind.DefaultCredentials}, nil
	case r.Secret:
	default:
		// Not even a try: making pods that mount it would tell its content to
		// whoever may make a BitcoinNetwork.
		return nil, &Unfit{v1alpha1.SecretForbiddenReason, fmt.Sprintf(
			"spec.secret: the operator of this namespace may read Secret %q only; set spec.secret to that, or ask the platform team", r.Secret)}
	}

	secret := &corev1.Secret{}
	err := r.API.Get(ctx, client.ObjectKey{Namespace: network.Namespace, Name: name}, secret)
	switch {
	case apierrors.IsNotFound(err):
		return nil, r.missing(ctx, network)
	case apierrors.IsForbidden(err):
		return nil, &Unfit{v1alpha1.SecretForbiddenReason, fmt.Sprintf(
			"the operator's Role does not let it read Secret %q; the platform team must name it there", name)}
	case err != nil:
		return nil, fmt.Errorf("read Secret %s/%s: %w", network.Namespace, name, err)
	}
	return parse(secret)
}

// parse takes the credentials out of a Secret.
func parse(secret *corev1.Secret) ([]bitcoind.Credentials, error) {
	if secret.Type != corev1.SecretTypeOpaque {
		// A sealed template may ask for a type that Kubernetes fills by itself,
		// such as a service account's token.
		return nil, &Unfit{v1alpha1.SecretInvalidReason, fmt.Sprintf(
			"Secret %q is of type %s; it must be of type %s", secret.Name, secret.Type, corev1.SecretTypeOpaque)}
	}
	found, err := bitcoind.CredentialsFrom(func(key string) string { return string(secret.Data[key]) })
	switch {
	case errors.Is(err, bitcoind.ErrMissing):
		return nil, &Unfit{v1alpha1.SecretIncompleteReason, fmt.Sprintf("Secret %q: %s", secret.Name, err)}
	case err != nil:
		return nil, &Unfit{v1alpha1.SecretInvalidReason, fmt.Sprintf("Secret %q: %s", secret.Name, err)}
	}
	return found, nil
}
