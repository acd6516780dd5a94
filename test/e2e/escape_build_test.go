package e2e

import (
	"context"
	"os"
	"strings"
	"time"

	. "github.com/onsi/gomega"

	"github.com/bitcoin-operator/bitcoin-operator/test/fleet"
)

// kustomization is what kustomize obeys, under one of its names. Here it would show: it
// renames every network.
const kustomization = "resources: [payments.yaml, bitcoin-rpc.yaml]\nnamePrefix: obeyed-\n"

// Whatever a team's kustomization file says, it says it to nobody.
var itsBuild = chapter{"How its commit is built", []attempt{
	{"a kustomization file", byIgnore, nothingOfIt, commitsIgnored(map[string]string{"kustomization.yaml": kustomization})},
	{"one by each of its other names, also in subfolders", byIgnore, nothingOfIt, commitsIgnored(map[string]string{
		"kustomization.yml": kustomization, "Kustomization": kustomization, "deep/down/kustomization.yaml": kustomization})},
	{"one in a folder with such a name", byIgnore, nothingOfIt, commitsIgnored(map[string]string{
		"Kustomization/kustomization.yaml": kustomization, "Kustomization/deep/Kustomization": kustomization})},
	{"a folder in the place of the file that Flux writes", byFlux, "is a directory",
		commits(map[string]string{"kustomization.yaml/deep/attempt.yaml": networkWith("attempt")})},
	{"one that the team's own ignore files include", byIgnore, nothingOfIt, commitsIgnored(map[string]string{
		".sourceignore": "!kustomization.yaml\n", "kustomization.yaml": kustomization,
		"deep/.sourceignore": "!/kustomization.yaml\n", "deep/kustomization.yaml": kustomization})},
	{"a Secret that kustomize generates, a base in another repository, a path out of its own, another team's commit", byIgnore, nothingOfIt,
		commitsIgnored(map[string]string{"kustomization.yaml": "resources: [\"https://example.com/base.git\", ../../../etc, \"" + store("flux-tenants") + "\"]\n" +
			"secretGenerator: [{name: generated, literals: [a=b]}]\n"})},
	{"a kustomization file by another name, which is treated as any other object", byFlux, "missing metadata.name in object",
		commits(map[string]string{"base.yaml": "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n" + kustomization})},
	{"a folder with the name of a remote repository", byFlux + ", which does not treat file names as addresses", "it is a folder of the team's own",
		appliesFrom("git@example.com:base.git/attempt.yaml")},
	{"a folder with the name of a kustomization file", "nothing: it is the team's own", "what is in it is applied",
		appliesFrom("Kustomization/attempt.yaml")},
}}

const nothingOfIt = "the commit is applied as if it were not there"

// store is where Flux's controllers of a namespace keep what they have fetched.
func store(namespace string) string {
	return "http://source-controller." + namespace + ".svc.cluster.local./gitrepository/" + victim + "/networks/latest.tar.gz"
}

// commitsIgnored tries by a push of which Flux takes no notice, but for the networks
// that were there before.
func commitsIgnored(files map[string]string) func(*hostile, string) {
	return func(h *hostile, _ string) {
		ctx, cancel := context.WithTimeout(h.ctx, time.Minute)
		defer cancel()
		wait(h, ctx, h.commit(h.t.Name(), files).Done)
		h.Expect(h.networks()).To(ConsistOf("payments"))
	}
}

// networks returns the names of the team's networks.
func (h *hostile) networks() []string {
	printed, err := cluster.Kubectl(h.ctx, "get", "btcnet", "--namespace="+mallory, "--output=jsonpath={.items[*].metadata.name}")
	h.Expect(err).NotTo(HaveOccurred())
	return strings.Fields(printed)
}

// appliesFrom commits a network in a file of that name, and takes it back.
func appliesFrom(name string) func(*hostile, string) {
	return func(h *hostile, _ string) {
		wait(h, h.ctx, h.commit("A folder of ours", map[string]string{name: networkWith("attempt")}).Done)
		h.Expect(h.networks()).To(ConsistOf("payments", "attempt"))
		wait(h, h.ctx, h.commit("No folder", nil).Done)
		h.Expect(h.networks()).To(ConsistOf("payments"))
	}
}

// The second line: here kustomize does obey, since the platform has been careless.
var itsBuildObeyed = chapter{"How its commit would be built if its kustomization file were used", []attempt{
	{"a base in another repository", byNoGit, "no 'git' program on path",
		obeyed("https://example.com/base.git")},
	{"the same by ssh", byNoGit, "no 'git' program on path",
		obeyed("ssh://git@example.com/base.git")},
	{"a remote file", byNoWay, "proxyconnect tcp",
		obeyed("https://example.com/base.yaml")},
	{"a file from its own node that is never delivered, which would block every team's build", byNoWay, "proxyconnect tcp",
		obeyed("http://payments-0.payments."+mallory+".svc.cluster.local:18443/base.yaml", othersAreBuilt)},
	{"the platform's store", byNoWay, "proxyconnect tcp",
		obeyed(store("flux-system"))},
	{"a file that takes ten minutes, from the profiler of Flux's own controller", byFlux + ", which does not serve it on that address", "connect: connection refused",
		obeyed("http://127.0.0.1:8080/debug/pprof/profile?seconds=600", othersAreBuilt)},
	{"a path out of its repository", byFlux, "is not in or below",
		obeyed("../../../etc")},
}}

// obeyed commits a reference to what is elsewhere, in a repository of which nothing is
// left out, and looks at what is so meanwhile.
func obeyed(resource string, meanwhile ...func(*hostile)) func(*hostile, string) {
	return func(h *hostile, told string) {
		ignore, err := cluster.Kubectl(h.ctx, "get", "gitrepository", "networks", "--namespace="+mallory, "--output=jsonpath={.spec.ignore}")
		h.Expect(err).NotTo(HaveOccurred())
		h.Expect(cluster.Patch(h.ctx, source, map[string]any{"spec": map[string]any{"ignore": nil}})).To(Succeed())
		wait(h, h.ctx, cluster.Says(source, "Ready")) // a commit that was fetched before would not be fetched again
		defer func() {
			h.Expect(cluster.Patch(h.ctx, source, map[string]any{"spec": map[string]any{"ignore": ignore}})).To(Succeed())
		}()
		commits(map[string]string{"kustomization.yaml": "resources: [\"" + resource + "\"]\n"})(h, told)
		for _, look := range meanwhile {
			look(h)
		}
	}
}

// othersAreBuilt expects that another team's commit is applied.
func othersAreBuilt(h *hostile) {
	ctx, cancel := context.WithTimeout(h.ctx, 30*time.Second)
	defer cancel()
	other := team(h, ctx, victim)
	h.Expect(os.WriteFile(other.Path("README.md"), []byte(time.Now().String()+"\n"), 0o644)).To(Succeed())
	wait(h, ctx, push(h, ctx, other, "Say something").Done)
}

// source is what fetches the team's repository.
var source = fleet.Object{Kind: fleet.GitRepository, Namespace: mallory, Name: "networks"}
