// Package credentials reads the one Secret that the operator may read, and what the
// SealedSecret of that name says about it.
package credentials

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/bitcoind"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state"
)

// UnusableError tells why there are no credentials to use. It is a state of the world
// that somebody must change, not a failure of the operator.
type UnusableError struct {
	// Reason is one of the reasons of the condition CredentialsReady.
	Reason string
	// Message says what is wrong and what to do, and holds no value.
	Message string
}

// Error implements error.
func (u *UnusableError) Error() string { return u.Message }

// Reader reads the credentials of networks.
type Reader struct {
	// API reads from the API server itself, not from a cache: the operator
	// keeps no Secret in memory, and may not list Secrets.
	API client.Reader
	// Secret is the name of the Secret that the operator may read.
	Secret string
}

// Found are the credentials of a network.
type Found struct {
	// Pairs are the pair to use, then the previous one while there is one.
	Pairs []bitcoind.Credentials
	// Passwords are the credentials of users who may not call everything, by name: all
	// that the Secret has. Users are the network's, and what there is for them.
	Passwords map[string][]bitcoind.Credentials
	Users     []state.User
	// Version is the version of the Secret; empty where there is none.
	Version string
	// ChangedAt is when the Secret became what it is, by the API server's clock. It is
	// zero where there is no Secret.
	ChangedAt time.Time
	// Warning says what is odd about the Secret, though nodes take it. It holds no
	// value.
	Warning string
	// NotApplied says that the Secret is not what its SealedSecret is, and why, in the
	// words of that one. It is empty where nobody says so.
	NotApplied string
}

// Read returns the credentials of a network. Without, it returns an *UnusableError
// that tells why.
func (r Reader) Read(ctx context.Context, network *v1alpha1.BitcoinNetwork) (Found, error) {
	name := network.Spec.Secret
	switch name {
	case "":
		return Found{Pairs: []bitcoind.Credentials{bitcoind.DefaultCredentials}}, nil
	case r.Secret:
	default:
		// Not even a try: making pods that mount it would tell its content to
		// whoever may make a BitcoinNetwork.
		return Found{}, &UnusableError{v1alpha1.SecretForbiddenReason, fmt.Sprintf(
			"spec.secret: the operator of this namespace may read only Secret %q; set spec.secret to that, or ask the platform team", r.Secret)}
	}

	secret := &corev1.Secret{}
	err := r.API.Get(ctx, client.ObjectKey{Namespace: network.Namespace, Name: name}, secret)
	switch {
	case apierrors.IsNotFound(err):
		return Found{}, r.missing(ctx, network)
	case apierrors.IsForbidden(err):
		return Found{}, &UnusableError{v1alpha1.SecretForbiddenReason, fmt.Sprintf(
			"the operator's Role does not allow it to read Secret %q; ask the platform team to add it there", name)}
	case err != nil:
		return Found{}, fmt.Errorf("read Secret %s/%s: %w", network.Namespace, name, err)
	}
	notApplied := r.NotApplied(ctx, network)
	pairs, unusable := parse(secret)
	if unusable != nil {
		if notApplied != "" {
			unusable.Message += "; " + notApplied
		}
		return Found{}, unusable
	}
	return Found{
		Pairs: pairs, Passwords: passwords(secret), Users: usersOf(network, secret),
		Version: secret.ResourceVersion, ChangedAt: changedAt(secret), Warning: warning(bitcoind.PasswordKey, pairs[0]), NotApplied: notApplied,
	}, nil
}

// parse takes the credentials out of a Secret.
func parse(secret *corev1.Secret) ([]bitcoind.Credentials, *UnusableError) {
	if secret.Type != corev1.SecretTypeOpaque {
		// A sealed template may ask for a type that Kubernetes fills by itself,
		// such as a service account's token.
		return nil, &UnusableError{v1alpha1.SecretInvalidReason, fmt.Sprintf(
			"Secret %q is of type %s; it must be of type %s", secret.Name, secret.Type, corev1.SecretTypeOpaque)}
	}
	found, err := bitcoind.CredentialsFrom(valueIn(secret))
	switch {
	case errors.Is(err, bitcoind.ErrMissing):
		return nil, &UnusableError{v1alpha1.SecretIncompleteReason, fmt.Sprintf("Secret %q: %s", secret.Name, err)}
	case err != nil:
		return nil, &UnusableError{v1alpha1.SecretInvalidReason, fmt.Sprintf("Secret %q: %s", secret.Name, err)}
	}
	return found, nil
}

// warning says what is odd about the credentials to use, by the key of their password. Nodes take a password with
// a line break at its end, and so may some of the clients: it is not refused.
func warning(key string, current bitcoind.Credentials) string {
	if !strings.HasSuffix(current.Password(), "\n") && !strings.HasSuffix(current.Password(), "\r") {
		return ""
	}
	return key + ` ends with a line break, which clients that read lines do not send: set it again without one, for example with tr -d '\n'`
}

// changedAt returns when the data of a Secret became what they are: when the manager
// of a field of them last changed what it manages, or where nobody says so when the
// Secret was made.
func changedAt(secret *corev1.Secret) time.Time {
	changed := secret.CreationTimestamp.Time
	for _, entry := range secret.ManagedFields {
		var fields struct {
			Data       map[string]any `json:"f:data"`
			StringData map[string]any `json:"f:stringData"` // what was applied as such is not under f:data
		}
		if entry.Time == nil || entry.FieldsV1 == nil || json.Unmarshal(entry.FieldsV1.GetRawBytes(), &fields) != nil {
			continue
		}
		if (fields.Data != nil || fields.StringData != nil) && entry.Time.After(changed) {
			changed = entry.Time.Time
		}
	}
	return changed
}
