package resources

import (
	"slices"

	appsv1 "k8s.io/api/apps/v1"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
)

// IsApplied reports whether a StatefulSet was made of what a user and the platform
// decide about the nodes now.
func IsApplied(network *v1alpha1.BitcoinNetwork, platform Platform, live *appsv1.StatefulSet) bool {
	last, known := lastApplied(live)
	inputs, err := inputsOf(network, platform)
	return err == nil && known && slices.Contains(inputs, last.Inputs)
}
