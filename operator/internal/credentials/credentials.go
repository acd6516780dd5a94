// Package credentials reads the one Secret that the operator may read, and, when
// it is missing, what the SealedSecret of that name says about it.
package credentials

import (
	"context"
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

// Read returns the credentials of a network, or an *Unfit that tells why there
// are none.
func (r Reader) Read(ctx context.Context, network *v1alpha1.BitcoinNetwork) (bitcoind.Credentials, error) {
	name := network.Spec.Secret
	switch name {
	case "":
		return bitcoind.DefaultCredentials, nil
	case r.Secret:
	default:
		// Not even a try: making pods that mount it would tell its content to
		// whoever may make a BitcoinNetwork.
		return bitcoind.Credentials{}, &Unfit{v1alpha1.SecretForbiddenReason, fmt.Sprintf(
			"spec.secret: the operator of this namespace may read Secret %q only; set spec.secret to that, or ask the platform team", r.Secret)}
	}

	secret := &corev1.Secret{}
	err := r.API.Get(ctx, client.ObjectKey{Namespace: network.Namespace, Name: name}, secret)
	switch {
	case apierrors.IsNotFound(err):
		return bitcoind.Credentials{}, r.missing(ctx, network)
	case apierrors.IsForbidden(err):
		return bitcoind.Credentials{}, &Unfit{v1alpha1.SecretForbiddenReason, fmt.Sprintf(
			"the operator's Role does not let it read Secret %q; the platform team must name it there", name)}
	case err != nil:
		return bitcoind.Credentials{}, fmt.Errorf("read Secret %s/%s: %w", network.Namespace, name, err)
	}
	return parse(secret)
}

// parse takes the credentials out of a Secret.
func parse(secret *corev1.Secret) (bitcoind.Credentials, error) {
	if secret.Type != corev1.SecretTypeOpaque {
		// A sealed template may ask for a type that Kubernetes fills by itself,
		// such as a service account's token.
		return bitcoind.Credentials{}, &Unfit{v1alpha1.SecretInvalidReason, fmt.Sprintf(
			"Secret %q is of type %s; it must be of type %s", secret.Name, secret.Type, corev1.SecretTypeOpaque)}
	}
	for _, key := range []string{bitcoind.UserKey, bitcoind.PasswordKey} {
		value, found := secret.Data[key]
		switch {
		case !found:
			return bitcoind.Credentials{}, &Unfit{v1alpha1.SecretIncompleteReason,
				fmt.Sprintf("Secret %q lacks the key %s", secret.Name, key)}
		case len(value) == 0:
			return bitcoind.Credentials{}, &Unfit{v1alpha1.SecretIncompleteReason,
				fmt.Sprintf("Secret %q has an empty value for the key %s", secret.Name, key)}
		}
	}
	found := bitcoind.Credentials{
		User:     string(secret.Data[bitcoind.UserKey]),
		Password: string(secret.Data[bitcoind.PasswordKey]),
	}
	if err := found.Validate(); err != nil {
		return bitcoind.Credentials{}, &Unfit{v1alpha1.SecretInvalidReason, fmt.Sprintf("Secret %q: %s", secret.Name, err)}
	}
	return found, nil
}
