package explain

// Remedies returns all that there are.
func Remedies() []Remedy {
	var all []Remedy
	for _, ofStep := range remedies {
		for _, remedy := range ofStep {
			if remedy != (Remedy{}) {
				all = append(all, remedy)
			}
		}
	}
	return all
}
