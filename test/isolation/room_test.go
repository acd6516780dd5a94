package isolation

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/api/resmap"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/yaml"
)

// fleetWith returns a copy of the fleet's folders in which a file is edited.
func fleetWith(g Gomega, t *testing.T, file, from, to string) string {
	root := t.TempDir()
	for _, folder := range []string{"gitops", "tenants"} {
		g.Expect(os.CopyFS(filepath.Join(root, folder), os.DirFS(filepath.Join("../..", folder)))).To(Succeed())
	}
	path := filepath.Join(root, file)
	content, err := os.ReadFile(path)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(strings.Count(string(content), from)).To(Equal(1), "%s in %s", from, file)
	g.Expect(os.WriteFile(path, []byte(strings.Replace(string(content), from, to, 1)), 0o644)).To(Succeed())
	return root
}

func build(g Gomega, folder string) resmap.ResMap {
	objects, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), folder)
	g.Expect(err).NotTo(HaveOccurred())
	return objects
}

// each calls do with the manifests of a kind.
func each(g Gomega, objects resmap.ResMap, kind string, do func(name, namespace string, manifest []byte)) {
	for _, object := range objects.Resources() {
		if object.GetKind() == kind {
			manifest, err := object.AsYAML()
			g.Expect(err).NotTo(HaveOccurred())
			do(object.GetName(), object.GetNamespace(), manifest)
		}
	}
}

// One line freezes one team: what it commits is not applied.
func TestOneLineFreezesATeam(t *testing.T) {
	g := NewWithT(t)
	root := fleetWith(g, t, "tenants/team-b/tenant.yaml", `frozen: "false"`, `frozen: "true"`)
	suspended := map[string]bool{}
	each(g, build(g, root+"/gitops/clusters/production/tenants"), "Kustomization", func(_, namespace string, manifest []byte) {
		var kustomization struct {
			Spec struct {
				Suspend bool `json:"suspend"`
			} `json:"spec"`
		}
		g.Expect(yaml.Unmarshal(manifest, &kustomization)).To(Succeed())
		suspended[namespace] = kustomization.Spec.Suspend
	})
	g.Expect(suspended).To(Equal(map[string]bool{"team-a": false, "team-b": true}))
}

// The image that policies let nodes have whose network names none is the one that the
// operator gives them, whatever a cluster makes of it.
func TestPoliciesKnowThePlatformsImage(t *testing.T) {
	for _, cluster := range []string{"local", "production"} {
		g := NewWithT(t)
		objects := build(g, "../../gitops/clusters/"+cluster+"/tenants")
		allowed, given := map[string]string{}, map[string]string{}
		each(g, objects, "ConfigMap", func(name, namespace string, manifest []byte) {
			var bounds corev1.ConfigMap
			g.Expect(yaml.Unmarshal(manifest, &bounds)).To(Succeed())
			allowed[namespace] = bounds.Data["image"]
		})
		each(g, objects, "Deployment", func(name, namespace string, manifest []byte) {
			var operator appsv1.Deployment
			g.Expect(yaml.Unmarshal(manifest, &operator)).To(Succeed())
			for _, variable := range operator.Spec.Template.Spec.Containers[0].Env {
				if variable.Name == "BITCOIND_IMAGE" {
					given[namespace] = variable.Value
				}
			}
		})
		g.Expect(given).To(HaveLen(2), cluster)
		g.Expect(allowed).To(Equal(given), cluster)
	}
}

// A quota that a team can use up counts nothing of its operator.
func TestNoQuotaKeepsAnOperatorFromComingBack(t *testing.T) {
	g := NewWithT(t)
	objects := build(g, "../../gitops/clusters/production/tenants")
	classes := map[string]string{}
	each(g, objects, "Deployment", func(_, namespace string, manifest []byte) {
		var operator appsv1.Deployment
		g.Expect(yaml.Unmarshal(manifest, &operator)).To(Succeed())
		classes[namespace] = operator.Spec.Template.Spec.PriorityClassName
		g.Expect(operator.Spec.Template.Spec.Containers[0].Resources.Requests.StorageEphemeral().IsZero()).To(BeTrue(), "of what quota tenant counts")
	})
	made := map[string]bool{}
	each(g, build(g, "../../gitops/crds"), "PriorityClass", func(name, _ string, _ []byte) { made[name] = true })
	quotas := 0
	each(g, objects, "ResourceQuota", func(name, namespace string, manifest []byte) {
		var quota corev1.ResourceQuota
		g.Expect(yaml.UnmarshalStrict(manifest, &quota)).To(Succeed())
		g.Expect(made).To(HaveKey(classes[namespace]))
		for _, counted := range []corev1.ResourceName{corev1.ResourcePods, corev1.ResourceRequestsCPU, corev1.ResourceRequestsMemory, corev1.ResourceLimitsMemory} {
			if _, counts := quota.Spec.Hard[counted]; !counts || name == "tenant-operator" || name == "no-affinity-across-namespaces" {
				continue
			}
			quotas++
			g.Expect(quota.Spec.ScopeSelector).NotTo(BeNil(), name)
			g.Expect(quota.Spec.ScopeSelector.MatchExpressions).To(HaveExactElements(corev1.ScopedResourceSelectorRequirement{
				ScopeName: corev1.ResourceQuotaScopePriorityClass, Operator: corev1.ScopeSelectorOpNotIn, Values: []string{classes[namespace]},
			}), name)
		}
	})
	g.Expect(quotas).To(Equal(8), "four figures of two teams")
}

// What keeps tenants apart does not go with a line that is dropped.
func TestPoliciesAreNeverPruned(t *testing.T) {
	g := NewWithT(t)
	objects := build(g, "../../gitops/policies").Resources()
	g.Expect(objects).NotTo(BeEmpty())
	for _, object := range objects {
		g.Expect(object.GetAnnotations()).To(HaveKeyWithValue("kustomize.toolkit.fluxcd.io/prune", "disabled"), object.GetName())
	}
}
