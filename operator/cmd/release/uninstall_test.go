package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
	"sigs.k8s.io/kustomize/kyaml/kio"
)

// Whoever uninstalls by docs/install.md leaves nothing behind that is in no namespace, such
// as rights: what is not deleted with its folder is deleted by its name.
func TestUninstallNamesWhatIsInNoNamespace(t *testing.T) {
	g := NewWithT(t)
	page, err := os.ReadFile(filepath.Join(commit.root, "docs", "install.md"))
	g.Expect(err).NotTo(HaveOccurred())
	_, section, isThere := strings.Cut(string(page), "\n## Uninstall\n")
	g.Expect(isThere).To(BeTrue())
	said := strings.FieldsFunc(section, func(r rune) bool { return strings.ContainsRune(" \n`,.", r) })
	files, err := read(commit.root, slices.Concat(productFolders, fleetFolders), unchanged)
	g.Expect(err).NotTo(HaveOccurred())
	for _, folder := range []string{
		"gitops/clusters/production/flux-tenants", "gitops/crds", "gitops/infrastructure/sealed-secrets", "gitops/infrastructure/sealing-certificate",
		"gitops/monitoring/prometheus", "gitops/monitoring/prometheus-operator", "gitops/policies",
	} {
		if slices.Contains(said, folder) {
			continue
		}
		built, err := render(files, folder)
		g.Expect(err).NotTo(HaveOccurred())
		objects, err := kio.FromBytes(built)
		g.Expect(err).NotTo(HaveOccurred())
		for _, object := range objects {
			if object.GetNamespace() == "" {
				g.Expect(said).To(ContainElement(object.GetName()), "%s of %s", object.GetKind(), folder)
			}
		}
	}
}
