package credentials

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state"
)

// SealedSecretKind is read without its Go type, whose package brings a template
// engine with it; a test holds it against the definition of the kind.
var SealedSecretKind = schema.GroupVersionKind{Group: "bitnami.com", Version: "v1alpha1", Kind: "SealedSecret"}

// missing explains why a Secret is not there, with the words of its SealedSecret
// if there is one that could not be unsealed.
func (r Reader) missing(ctx context.Context, network *v1alpha1.BitcoinNetwork) *UnusableError {
	name := network.Spec.Secret
	problem, exists := r.sealed(ctx, network)
	message := fmt.Sprintf("Secret %q does not exist in namespace %s; commit the credentials under that name", name, network.Namespace)
	if exists {
		message = fmt.Sprintf("Secret %q does not exist in namespace %s yet; its SealedSecret has not been unsealed", name, network.Namespace)
	}
	if problem != "" {
		message += ": " + problem
	}
	return &UnusableError{v1alpha1.SecretNotFoundReason, message}
}

// NotApplied says that a Secret is not what its SealedSecret is, where that one says so.
func (r Reader) NotApplied(ctx context.Context, network *v1alpha1.BitcoinNetwork) string {
	problem, _ := r.sealed(ctx, network)
	if problem == "" {
		return ""
	}
	return "it does not match its SealedSecret, which could not be unsealed or applied: " + problem
}

// sealed reports whether there is a SealedSecret of the name of a network's Secret, and
// why it could not be unsealed, in its own words. Any error, be it that the kind is not
// installed or that it may not be read, counts as none: this only helps.
func (r Reader) sealed(ctx context.Context, network *v1alpha1.BitcoinNetwork) (problem string, exists bool) {
	sealed := &unstructured.Unstructured{}
	sealed.SetGroupVersionKind(SealedSecretKind)
	if err := r.API.Get(ctx, client.ObjectKey{Namespace: network.Namespace, Name: network.Spec.Secret}, sealed); err != nil {
		return "", false
	}
	return state.Quote(unsealError(sealed)), true
}

// unsealError returns the message of a SealedSecret's condition Synced where
// that is False.
func unsealError(sealed *unstructured.Unstructured) string {
	conditions, _, err := unstructured.NestedSlice(sealed.Object, "status", "conditions")
	if err != nil {
		return ""
	}
	for _, item := range conditions {
		condition, ok := item.(map[string]any)
		if !ok || condition["type"] != "Synced" || condition["status"] != "False" {
			continue
		}
		if message, ok := condition["message"].(string); ok {
			return message
		}
	}
	return ""
}
