package explain

import (
	"encoding/json"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
)

// FluxManager is the field manager as which Flux applies what Git says.
const FluxManager = "kustomize-controller"

// SetBy reports whether a field of a network is one that this field manager has set.
func SetBy(network *v1alpha1.BitcoinNetwork, manager string, path ...string) bool {
	for _, entry := range network.ManagedFields {
		if entry.Manager != manager || entry.FieldsV1 == nil {
			continue
		}
		var fields map[string]any
		if json.Unmarshal(entry.FieldsV1.GetRawBytes(), &fields) == nil && has(fields, path) {
			return true
		}
	}
	return false
}

func has(fields map[string]any, path []string) bool {
	for _, name := range path {
		inner, found := fields["f:"+name].(map[string]any)
		if !found {
			return false
		}
		fields = inner
	}
	return true
}

// FluxPutsBack reports whether Flux looks after a network, so that it puts back what
// people change of it.
func FluxPutsBack(network *v1alpha1.BitcoinNetwork) bool {
	return network.Labels[appliedByName] != ""
}
