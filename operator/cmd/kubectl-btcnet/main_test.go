package main

import (
	"os/exec"
	"slices"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
)

// There is one operator a tenant, and its memory counts. What the command is built on
// is not linked into it.
func TestOperatorLinksNothingOfTheCommand(t *testing.T) {
	g := NewWithT(t)
	operator := packages(g, "../operator")
	for _, foreign := range []string{
		"github.com/spf13/cobra",
		"k8s.io/cli-runtime",
		"sigs.k8s.io/kustomize",
		"charm.land/lipgloss",
		"github.com/bitnami/sealed-secrets",
		"github.com/btcsuite/btcd/rpcclient",
		"github.com/bitcoin-operator/bitcoin-operator/operator/internal/btcnet",
	} {
		g.Expect(slices.ContainsFunc(operator, func(linked string) bool { return strings.HasPrefix(linked, foreign) })).
			To(BeFalse(), "the operator links %s", foreign)
	}
	g.Expect(packages(g, ".")).To(ContainElement("github.com/spf13/cobra"), "the list is of what is linked")
}

// packages returns the packages that a command is linked of.
func packages(g Gomega, command string) []string {
	list, err := exec.Command("go", "list", "-deps", command).Output()
	g.Expect(err).NotTo(HaveOccurred())
	return strings.Fields(string(list))
}
