package tenants

import (
	"strings"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
)

// SeedFile is the file of a team's first network, in the team's own repository.
const SeedFile = "payments.yaml"

// Seed is a first network, which the team's values allow.
func (v Values) Seed() string {
	chain, _, _ := strings.Cut(v["chains"], ",")
	for allowed := range strings.SplitSeq(v["chains"], ",") {
		if strings.TrimSpace(allowed) == string(v1alpha1.Regtest) {
			chain = allowed
		}
	}
	return `apiVersion: ` + v1alpha1.GroupVersion.String() + `
kind: BitcoinNetwork
metadata:
  name: payments
spec:
  nodes: 3
  secret: ` + v["secret"] + `
  chain: ` + strings.TrimSpace(chain) + `
`
}
