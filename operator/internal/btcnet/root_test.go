package btcnet

import (
	"bytes"
	"testing"

	. "github.com/onsi/gomega"
	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/version"
)

// Whoever has the command can say which, without a cluster.
func TestVersion(t *testing.T) {
	g := NewWithT(t)
	var out, errOut bytes.Buffer
	g.Expect(Run(t.Context(), []string{"--version"}, genericiooptions.IOStreams{Out: &out, ErrOut: &errOut})).To(Equal(Healthy), errOut.String())
	g.Expect(out.String()).To(Equal("kubectl-btcnet " + version.Get().String() + "\n"))
}
