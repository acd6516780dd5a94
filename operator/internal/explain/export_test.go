package explain

import (
	"maps"
	"slices"
)

// Remedies returns all that there are.
func Remedies() []Remedy {
	var all []Remedy
	for _, ofStep := range slices.Concat(slices.Collect(maps.Values(remedies)), slices.Collect(maps.Values(elsewhere))) {
		for _, remedy := range ofStep {
			if remedy != (Remedy{}) {
				all = append(all, remedy)
			}
		}
	}
	return all
}
