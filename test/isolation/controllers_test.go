package isolation

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/yaml"
)

// What builds teams' commits reaches nothing that a commit could be after.
func TestControllersAreApart(t *testing.T) {
	cluster := built(NewWithT(t), "../../gitops/clusters/local/flux-tenants")
	platform := built(NewWithT(t), "../../gitops/clusters/local/flux-system")
	cluster.Namespaces = append(cluster.Namespaces, platform.Namespaces...)
	cluster.Pods = append(cluster.Pods, platform.Pods...)
	cluster.Policies = append(cluster.Policies, platform.Policies...)
	cluster.Add("team-a/node", map[string]string{network: "payments"})
	cluster.Add("team-a/source-controller", map[string]string{"app": "source-controller"})
	cluster.Add("monitoring/prometheus", nil)
	cluster.Add("default/other", nil)
	cluster.Add("kube-system/coredns", map[string]string{"k8s-app": "kube-dns"})
	const api, git = "198.18.0.1", "198.18.0.1"

	for _, test := range []struct {
		reason         string
		from, to, port string
		allowed        bool
	}{
		{"the API server", "flux-tenants/kustomize-controller", api, "16443", true},
		{"the API server", "flux-tenants/source-controller", api, "16443", true},
		{"the kubelet beside it", "flux-tenants/kustomize-controller", api, "11250", false},
		{"names", "flux-tenants/kustomize-controller", "kube-system/coredns", "53/UDP", true},
		{"its store", "flux-tenants/kustomize-controller", "flux-tenants/source-controller", "9090", true},
		{"what else is there", "flux-tenants/kustomize-controller", "flux-tenants/source-controller", "8080", false},
		{"the platform's store", "flux-tenants/kustomize-controller", "flux-system/source-controller", "9090", false},
		{"the Git server", "flux-tenants/kustomize-controller", git, "3000", false},
		{"the Git server", "flux-tenants/source-controller", git, "3000", true},
		{"the world", "flux-tenants/kustomize-controller", internet, "443", false},
		{"the world", "flux-tenants/source-controller", internet, "443", false},
		{"the cloud's credentials", "flux-tenants/source-controller", metadata, "80", false},
		{"a team's nodes", "flux-tenants/kustomize-controller", "team-a/node", "18443", false},

		{"whoever is not its builder", "default/other", "flux-tenants/source-controller", "9090", false},
		{"a team", "team-a/source-controller", "flux-tenants/source-controller", "9090", false},
		{"the platform's builder", "flux-system/kustomize-controller", "flux-tenants/source-controller", "9090", false},
		{"metrics", "monitoring/prometheus", "flux-tenants/kustomize-controller", "8080", true},
		{"metrics are for the monitoring", "default/other", "flux-tenants/kustomize-controller", "8080", false},
	} {
		check(t, cluster, test.reason, test.from, test.to, test.port, test.allowed)
	}
}

// bootstrapped is some of what `flux bootstrap` writes beside the two controllers.
const bootstrapped = `
---
apiVersion: v1
kind: ResourceQuota
metadata: {name: critical-pods-flux-system, namespace: flux-system, labels: {app.kubernetes.io/part-of: flux}}
spec: {hard: {pods: "1000"}}
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: kustomizations.kustomize.toolkit.fluxcd.io, labels: {app.kubernetes.io/part-of: flux}}
---
apiVersion: v1
kind: Service
metadata: {name: webhook-receiver, namespace: flux-system, labels: {app.kubernetes.io/part-of: flux}}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: helm-controller, namespace: flux-system, labels: {app.kubernetes.io/part-of: flux}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: helm-controller, namespace: flux-system, labels: {app.kubernetes.io/part-of: flux}}
spec: {template: {spec: {containers: [{name: manager, args: [--events-addr=], env: [{name: RUNTIME_NAMESPACE}]}]}}}
`

// A cluster that the Flux command has bootstrapped gets the pair out of what that wrote.
func TestControllersAreDerived(t *testing.T) {
	g := NewWithT(t)
	fleet := t.TempDir()
	for _, folder := range []string{"gitops", "tenants"} {
		g.Expect(os.CopyFS(filepath.Join(fleet, folder), os.DirFS("../../"+folder))).To(Succeed())
	}
	clusters := filepath.Join(fleet, "gitops", "clusters")
	for name, more := range map[string]string{"gotk-components.yaml": bootstrapped, "gotk-sync.yaml": ""} {
		local, err := os.ReadFile(filepath.Join(clusters, "local", "flux-system", name))
		g.Expect(err).NotTo(HaveOccurred())
		// Older versions have no such label on pods.
		older := strings.ReplaceAll(string(local), "-controller, app.kubernetes.io/part-of: flux}", "-controller}")
		g.Expect(os.WriteFile(filepath.Join(clusters, "production", "flux-system", name), []byte(older+more), 0o644)).To(Succeed())
	}

	pair := objects(g, filepath.Join(clusters, "production", "flux-tenants"))
	g.Expect(keys(pair)).To(ConsistOf(
		"Namespace flux-tenants",
		"ServiceAccount flux-tenants/source-controller", "ServiceAccount flux-tenants/kustomize-controller",
		"Deployment flux-tenants/source-controller", "Deployment flux-tenants/kustomize-controller",
		"Service flux-tenants/source-controller", "ResourceQuota flux-tenants/critical-pods-flux-system",
		"ClusterRole flux-tenants-source-controller", "ClusterRole flux-tenants-kustomize-controller",
		"ClusterRoleBinding flux-tenants-source-controller", "ClusterRoleBinding flux-tenants-kustomize-controller",
		"NetworkPolicy flux-tenants/tenant.default-deny", "NetworkPolicy flux-tenants/tenant.dns", "NetworkPolicy flux-tenants/tenant.controllers",
		"NetworkPolicy flux-tenants/tenant.source-controller", "NetworkPolicy flux-tenants/tenant.kustomize-controller",
	))
	for _, name := range []string{"source-controller", "kustomize-controller"} {
		deployment := pair["Deployment flux-tenants/"+name]
		g.Expect(effective(g, deployment)).To(And(
			HaveKeyWithValue("--watch-all-namespaces", "true"),
			HaveKeyWithValue("--watch-label-selector", "sharding.fluxcd.io/key=tenants"),
			HaveKeyWithValue("--enable-leader-election", "false"),
		), name)
		platform := objects(g, filepath.Join(clusters, "production"))["Deployment flux-system/"+name]
		g.Expect(effective(g, platform)).To(And(
			HaveKeyWithValue("--watch-all-namespaces", "false"),
			HaveKeyWithValue("--watch-label-selector", "!sharding.fluxcd.io/key"),
		), name)
	}

	team := filepath.Join(fleet, "tenants", "team-b", "kustomization.yaml")
	folder, err := os.ReadFile(team)
	g.Expect(err).NotTo(HaveOccurred())
	own := strings.Replace(string(folder), "  - ../base\n", "  - ../base\n  - ../../gitops/clusters/production/own-flux\n", 1)
	g.Expect(os.WriteFile(team, []byte(own), 0o644)).To(Succeed())
	tenants := objects(g, filepath.Join(clusters, "production", "tenants"))
	g.Expect(keys(tenants)).NotTo(ContainElement(HavePrefix("ClusterRole")), "a team's own pair has no right elsewhere")
	g.Expect(keys(tenants)).NotTo(ContainElement("ResourceQuota team-b/critical-pods-flux-system"))
	for _, name := range []string{"source-controller", "kustomize-controller"} {
		g.Expect(effective(g, tenants["Deployment team-b/"+name])).To(And(
			HaveKeyWithValue("--watch-all-namespaces", "false"),
			HaveKeyWithValue("--watch-label-selector", "sharding.fluxcd.io/key=own"),
		), name)
		g.Expect(tenants["RoleBinding team-b/"+name]).NotTo(ContainSubstring("flux-tenants"), "that pair has no right here")
		g.Expect(tenants).NotTo(HaveKey("Deployment team-a/" + name))
	}

	// Labels without a prefix are a team's to choose.
	cluster := built(g, filepath.Join(clusters, "production", "tenants"))
	cluster.Add("team-b/as-source-controller", map[string]string{network: "payments", "app": "source-controller"})
	cluster.Add("team-b/as-kustomize-controller", map[string]string{network: "payments", "app": "kustomize-controller"})
	const git, api = "192.0.2.8", "192.0.2.1"
	check(t, cluster, "its pair", "team-b/source-controller", git, "443", true)
	check(t, cluster, "its pair", "team-b/source-controller", api, "6443", true)
	check(t, cluster, "its pair", "team-b/kustomize-controller", "team-b/source-controller", "9090", true)
	check(t, cluster, "a node that passes for one of the pair", "team-b/as-source-controller", git, "443", false)
	check(t, cluster, "a node that passes for one of the pair", "team-b/as-source-controller", api, "6443", false)
	check(t, cluster, "a node that passes for one of the pair", "team-b/as-kustomize-controller", "team-b/source-controller", "9090", false)
}

// objects returns what a folder builds, as YAML, by kind and name.
func objects(g Gomega, folder string) map[string]string {
	all, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), folder)
	g.Expect(err).NotTo(HaveOccurred())
	found := map[string]string{}
	for _, object := range all.Resources() {
		key := object.GetKind() + " " + strings.TrimPrefix(object.GetNamespace()+"/"+object.GetName(), "/")
		g.Expect(found).NotTo(HaveKey(key))
		found[key] = object.MustYaml()
	}
	return found
}

func keys(all map[string]string) []string {
	var names []string
	for name := range all {
		names = append(names, name)
	}
	return names
}

// effective returns a Deployment's flags as its program takes them: the later counts.
func effective(g Gomega, deployment string) map[string]string {
	var read struct {
		Spec struct {
			Template struct {
				Spec struct{ Containers []struct{ Args []string } }
			}
		}
	}
	g.Expect(yaml.Unmarshal([]byte(deployment), &read)).To(Succeed())
	g.Expect(read.Spec.Template.Spec.Containers).To(HaveLen(1), deployment)
	flags := map[string]string{}
	for _, arg := range read.Spec.Template.Spec.Containers[0].Args {
		name, value, _ := strings.Cut(arg, "=")
		flags[name] = value
	}
	return flags
}
