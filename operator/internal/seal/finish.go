package seal

import (
	"fmt"
	"maps"

	sealedsecrets "github.com/bitnami/sealed-secrets/pkg/apis/sealedsecrets/v1alpha1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
)

// Refusals says why the previous credentials of a file must not go yet. They may when the
// cluster has opened what the file says, and every network that uses the Secret says that
// its nodes accept the new ones. What is not in the cluster is nil.
func (f *File) Refusals(live *sealedsecrets.SealedSecret, networks []v1alpha1.BitcoinNetwork) ([]string, error) {
	values, err := f.Values()
	if err != nil {
		return nil, err
	}
	if live == nil {
		return []string{fmt.Sprintf("SealedSecret %s is not in the cluster: push it, and wait for Flux to apply it", f.secret)}, nil
	}
	if !maps.Equal(values, live.Spec.EncryptedData) {
		return []string{fmt.Sprintf("SealedSecret %s in the cluster differs from the file: push the file, and wait for Flux to apply it", f.secret)}, nil
	}
	if refusal := notOpened(live); refusal != "" {
		return []string{refusal}, nil
	}
	var refusals []string
	for _, network := range networks {
		if network.Spec.Secret == f.secret.Name {
			if refusal := notRotated(network); refusal != "" {
				refusals = append(refusals, refusal)
			}
		}
	}
	return refusals, nil
}

// notOpened says why a SealedSecret is not in its Secret as it is.
func notOpened(live *sealedsecrets.SealedSecret) string {
	if live.Status == nil || live.Status.ObservedGeneration < live.Generation {
		return fmt.Sprintf("SealedSecret %s/%s has not been opened since it was changed", live.Namespace, live.Name)
	}
	for _, condition := range live.Status.Conditions {
		if condition.Type == sealedsecrets.SealedSecretSynced && condition.Status != corev1.ConditionTrue {
			return fmt.Sprintf("SealedSecret %s/%s was not opened: %s", live.Namespace, live.Name, condition.Message)
		}
	}
	return ""
}

// notRotated says why a network's nodes may not accept the new credentials yet.
func notRotated(network v1alpha1.BitcoinNetwork) string {
	condition := meta.FindStatusCondition(network.Status.Conditions, v1alpha1.CredentialsReadyCondition)
	switch {
	case condition == nil || condition.ObservedGeneration < network.Generation:
		return fmt.Sprintf("network %s: its operator has not reported its state since it was changed", network.Name)
	case condition.Reason != v1alpha1.RotatedReason:
		return fmt.Sprintf("network %s: CredentialsReady is %s, with reason %s, not %s: %s",
			network.Name, condition.Status, condition.Reason, v1alpha1.RotatedReason, condition.Message)
	}
	return ""
}
