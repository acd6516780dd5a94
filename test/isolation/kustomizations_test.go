package isolation

import (
	"path/filepath"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/yaml"
)

// The Kustomizations `tenants` and `operators` apply one folder between them: the latter
// the operators, all of them and nothing else, since that is what it waits for.
func TestOperatorsAreApart(t *testing.T) {
	for _, cluster := range []string{"local", "production"} {
		t.Run(cluster, func(t *testing.T) {
			g := NewWithT(t)
			all := keys(objects(g, filepath.Join("../../gitops/clusters", cluster, "tenants")))
			var operators, others []string
			for _, key := range all {
				if strings.HasPrefix(key, "Deployment ") {
					operators = append(operators, key)
				} else {
					others = append(others, key)
				}
			}
			g.Expect(operators).To(ConsistOf("Deployment team-a/bitcoin-operator", "Deployment team-b/bitcoin-operator"))
			g.Expect(applied(g, cluster, "operators")).To(ConsistOf(operators))
			g.Expect(applied(g, cluster, "tenants")).To(ConsistOf(others))
		})
	}
}

// applied returns what a Flux Kustomization applies, by kind and name: what its folder
// builds, with its own patches.
func applied(g Gomega, cluster, name string) []string {
	const root = "/fleet"
	fleet := filesys.MakeFsInMemory()
	var flux struct {
		Spec struct {
			Path    string
			Patches []types.Patch
		}
	}
	kustomization := objects(g, filepath.Join("../../gitops/clusters", cluster))["Kustomization flux-system/"+name]
	g.Expect(yaml.Unmarshal([]byte(kustomization), &flux)).To(Succeed())

	built, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), filepath.Join("../..", flux.Spec.Path))
	g.Expect(err).NotTo(HaveOccurred())
	content, err := built.AsYaml()
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(fleet.WriteFile(root+"/all.yaml", content)).To(Succeed())
	own, err := yaml.Marshal(types.Kustomization{Resources: []string{"all.yaml"}, Patches: flux.Spec.Patches})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(fleet.WriteFile(root+"/kustomization.yaml", own)).To(Succeed())

	all, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(fleet, root)
	g.Expect(err).NotTo(HaveOccurred())
	var names []string
	for _, object := range all.Resources() {
		names = append(names, object.GetKind()+" "+strings.TrimPrefix(object.GetNamespace()+"/"+object.GetName(), "/"))
	}
	return names
}
