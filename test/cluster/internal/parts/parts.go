// Package parts knows what the cluster is made of, and makes it: Go programs
// from their modules, images of them, and an image with Bitcoin Knots.
package parts

import (
	"fmt"
	"slices"
	"time"

	"github.com/bitcoin-operator/bitcoin-operator/test/cluster/internal/images"
)

// A Part is built on its own, and only when what it is made from has changed.
type Part struct {
	Name string
	// Cold is about how long the build takes on two cores with nothing cached,
	// after the parts before it, with which it shares libraries.
	Cold     time.Duration
	Programs []Program
	// Image, if any, is made of the first program.
	Image *images.Program
	// Make is what is left to do, or all there is. Pins say what it depends on.
	Make func(*build) error
	Pins []string
	// Outputs are the files that Make makes, below .local.
	Outputs []string
	// Root is true of what an ordinary user cannot make.
	Root bool
	// Optional is true of what a cluster runs without: it is made by name.
	Optional bool
}

// A Program is built with `go build` and put in .local/bin.
type Program struct {
	Name    string
	Module  string // folder of the module, below test/cluster
	Package string
	LDFlags string
	Links   []string // other names that it is called by
}

// The modules.
const (
	unified   = "parts"
	localPath = "parts/localpath"
	router    = "parts/kuberouter"
	cluster   = "."
)

// modules are all of them.
var modules = []string{cluster, unified, localPath, router}

// kubernetesVersion is what the programs call themselves. It is that of
// k8s.io/kubernetes in parts/go.mod.
const kubernetesVersion = "-X k8s.io/component-base/version.gitVersion=v1.37.2" +
	" -X k8s.io/component-base/version.gitMajor=1" +
	" -X k8s.io/component-base/version.gitMinor=37"

// Knots is the image with Bitcoin Knots, which the project's own is built on.
const Knots = "localhost/bitcoin-knots:29.4"

// tools are what the images of Flux are built on.
var tools = []string{toolsSuite, toolsVariant, toolsPackages}

// All are the parts, the longest first: it compiles most of what they share.
var All = []Part{
	{
		Name: "kubernetes", Cold: 12 * time.Minute,
		Programs: []Program{{
			Name: "kubernetes", Module: unified, Package: "./kubernetes", LDFlags: kubernetesVersion,
			Links: []string{"kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet", "kube-proxy", "kubectl"},
		}},
	},
	{
		Name: "etcd", Cold: 20 * time.Second,
		Programs: []Program{{Name: "etcd", Module: unified, Package: "go.etcd.io/etcd/server/v3"}},
	},
	{
		Name: "containerd", Cold: 90 * time.Second,
		Programs: []Program{
			{Name: "containerd", Module: unified, Package: "github.com/containerd/containerd/v2/cmd/containerd"},
			{Name: "containerd-shim-runc-v2", Module: unified, Package: "github.com/containerd/containerd/v2/cmd/containerd-shim-runc-v2"},
			{Name: "ctr", Module: unified, Package: "github.com/containerd/containerd/v2/cmd/ctr"},
		},
	},
	{
		Name: "kube-router", Cold: 90 * time.Second,
		Programs: []Program{{Name: "kube-router", Module: router, Package: "github.com/cloudnativelabs/kube-router/v2/cmd/kube-router"}},
	},
	{
		Name: "pause", Cold: 2 * time.Second,
		Programs: []Program{{Name: "pause", Module: unified, Package: "./pause"}},
		Image:    &images.Program{Name: "localhost/pause:1", Path: "/pause", User: "65535:65535"},
	},
	{
		Name: "git-server", Cold: 2 * time.Second,
		Programs: []Program{{Name: "git-server", Module: cluster, Package: "./gitserver"}},
	},
	{
		Name: "coredns", Cold: 20 * time.Second,
		Programs: []Program{{Name: "coredns", Module: unified, Package: "./coredns"}},
		Image:    &images.Program{Name: "docker.io/coredns/coredns:1.14.5", Path: "/coredns"},
	},
	{
		Name: "local-path-provisioner", Cold: 15 * time.Second,
		Programs: []Program{{Name: "local-path-provisioner", Module: localPath, Package: "github.com/rancher/local-path-provisioner"}},
		Image: &images.Program{
			Name: "docker.io/rancher/local-path-provisioner:v0.0.30", Path: "/usr/bin/local-path-provisioner", Command: "local-path-provisioner",
		},
	},
	{
		Name: "sealed-secrets", Cold: 20 * time.Second,
		Programs: []Program{
			{Name: "sealed-secrets-controller", Module: unified, Package: "github.com/bitnami/sealed-secrets/cmd/controller"},
			{Name: "kubeseal", Module: unified, Package: "github.com/bitnami/sealed-secrets/cmd/kubeseal"},
		},
		Image: &images.Program{
			Name: "docker.io/bitnami/sealed-secrets-controller:0.40.0", Path: "/usr/local/bin/controller", Command: "controller", User: "1001",
		},
	},
	{
		Name: toolsPart, Cold: time.Minute, Root: true,
		Make: makeTools, Pins: tools, Outputs: []string{"images/" + toolsPart + ".rootfs.tar"},
	},
	{
		Name: "kustomize-controller", Pins: tools, Cold: 165 * time.Second,
		Programs: []Program{{Name: "kustomize-controller", Module: unified, Package: "github.com/fluxcd/kustomize-controller"}},
		Image: &images.Program{
			Name: "ghcr.io/fluxcd/kustomize-controller:v1.9.5", Path: "/usr/local/bin/kustomize-controller", Command: "kustomize-controller", User: "65534:65534", Base: toolsPart,
		},
	},
	{
		Name: "source-controller", Pins: tools, Cold: 90 * time.Second,
		Programs: []Program{{Name: "source-controller", Module: unified, Package: "github.com/fluxcd/source-controller"}},
		Image: &images.Program{
			Name: "ghcr.io/fluxcd/source-controller:v1.9.6", Path: "/usr/local/bin/source-controller", Command: "source-controller", User: "65534:65534", Base: toolsPart,
		},
	},
	{
		Name: "crds", Cold: 5 * time.Second,
		Make: copyCRDs, Outputs: []string{"crds/flux", "crds/sealed-secrets"},
	},
	{
		Name: prometheusPart, Cold: time.Minute, Root: true, Optional: true,
		Make:    makePrometheus,
		Pins:    append([]string{Prometheus, sid, prometheusVariant, prometheusPackages, run}, prometheusOptions...),
		Outputs: []string{"images/" + prometheusPart + ".tar", "bin/prometheus", "bin/promtool", "bin/prometheus-alertmanager", "bin/amtool"},
	},
	{
		Name: "bitcoin-knots", Cold: time.Minute, Root: true,
		Make: makeKnots, Pins: []string{Knots, sid, knotsPackage, fmt.Sprintf(run, "bitcoin-knots", "bitcoind")}, Outputs: []string{"images/bitcoin-knots.tar", "bin/bitcoind"},
	},
}

// Needed are the parts that every cluster is made of.
func Needed() []Part {
	return slices.DeleteFunc(slices.Clone(All), func(p Part) bool { return p.Optional })
}

// Images are the names of the archives that the parts every cluster is made of
// leave in .local/images.
func Images() []string {
	var all []string
	for _, p := range All {
		if p.Image != nil {
			all = append(all, p.Name)
		}
	}
	return append(all, "bitcoin-knots")
}
