package v1alpha1_test

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	. "github.com/onsi/gomega"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
)

// api talks to a real API server that has the resource definition; nil with
// -short.
var api client.Client

func TestMain(m *testing.M) {
	flag.Parse()
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func run(m *testing.M) (code int, err error) {
	if testing.Short() {
		return m.Run(), nil
	}
	scheme := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		return 0, err
	}
	environment := &envtest.Environment{CRDDirectoryPaths: []string{"../../gitops/crds"}, ErrorIfCRDPathMissing: true}
	config, err := environment.Start()
	if err != nil {
		return 0, fmt.Errorf("start the API server (KUBEBUILDER_ASSETS must name a folder with kube-apiserver and etcd, as make test does): %w", err)
	}
	if api, err = client.New(config, client.Options{Scheme: scheme}); err != nil {
		return 0, err
	}
	code = m.Run()
	return code, environment.Stop()
}

func needsAPIServer(t *testing.T) {
	t.Helper()
	if api == nil {
		t.Skip("needs an API server, which -short leaves out")
	}
}

// manifest returns a network as somebody would write it, with a field of its
// spec set.
func manifest(name string, spec map[string]any) *unstructured.Unstructured {
	if spec["nodes"] == nil {
		spec["nodes"] = int64(3)
	}
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": v1alpha1.GroupVersion.String(),
		"kind":       "BitcoinNetwork",
		"metadata":   map[string]any{"name": name, "namespace": metav1.NamespaceDefault},
		"spec":       spec,
	}}
}

func TestRefused(t *testing.T) {
	needsAPIServer(t)
	for _, test := range []struct {
		reason, name string
		spec         map[string]any
		want         string
	}{
		{"fewer than no nodes", "payments", map[string]any{"nodes": int64(-1)}, "spec.nodes: Invalid value: -1"},
		{"more nodes than a StatefulSet carries well", "payments", map[string]any{"nodes": int64(1001)}, "spec.nodes: Invalid value: 1001"},
		{"half a node", "payments", map[string]any{"nodes": 1.5}, "spec.nodes"},
		{"nodes in words", "payments", map[string]any{"nodes": "three"}, "spec.nodes"},
		{"an empty image is not the default image", "payments", map[string]any{"image": ""}, "spec.image: Invalid value"},
		{"an empty secret is not the default credentials", "payments", map[string]any{"secret": ""}, "spec.secret: Invalid value"},
		{"a chain that is not known", "payments", map[string]any{"chain": "dogecoin"}, `spec.chain: Unsupported value: "dogecoin"`},
		{"default credentials on a public chain", "payments", map[string]any{"chain": "main"}, "spec.secret: Required value: is required on every chain but regtest"},
		{"x", "payments", map[string]any{"config": []any{"regtest.connect=1"}}, "option=value"},
		{"x", "payments", map[string]any{"config": []any{"noconnect=1"}}, "the operator sets noconnect itself"},
		{"x", "payments", map[string]any{"config": []any{"prune=549"}}, "at least 550"},
		{"x", "payments", map[string]any{"config": []any{"prune=550", "txindex=1"}}, "exclude each other"},
		{"x", "payments", map[string]any{"config": []any{"a=1\nconnect=b"}}, "option=value"},
		{"x", "payments", map[string]any{"podLabels": map[string]any{"app.kubernetes.io/name": "x"}}, "not for users"},
		{"x", "payments", map[string]any{"podLabels": map[string]any{"a_b": "x y"}}, "no label"},
		{"a node that dials one peer is a chain, not a network", "payments", map[string]any{"peering": map[string]any{"degree": int64(1)}}, "spec.peering.degree: Invalid value: 1"},
		{"bitcoind keeps eight manual peers", "payments", map[string]any{"peering": map[string]any{"degree": int64(9)}}, "spec.peering.degree: Invalid value: 9"},
		{"looking all the time", "payments", map[string]any{"interval": "1s"}, "must be 5s to 1h"},
		{"hardly looking", "payments", map[string]any{"interval": "2h"}, "must be 5s to 1h"},
		{"an interval in words", "payments", map[string]any{"interval": "soon"}, "spec.interval: Invalid value"},
		{"a field that is misspelt", "payments", map[string]any{"node": int64(3)}, `unknown field "spec.node"`},
		{"a name that takes the client Service's", "payments-rpc", map[string]any{}, "metadata.name: must not end in '-rpc'"},
		{"a name with dots is no DNS label", "pay.ments", map[string]any{}, "metadata.name: a DNS label"},
		{"a Service's name cannot begin with a digit", "1payments", map[string]any{}, "metadata.name: a DNS label"},
		{"a name too long for its pods", strings.Repeat("a", 53), map[string]any{}, "metadata.name: at most 52 characters"},
	} {
		t.Run(test.reason, func(t *testing.T) {
			g := NewWithT(t)
			err := api.Create(t.Context(), manifest(test.name, test.spec), client.DryRunAll, client.FieldValidation(metav1.FieldValidationStrict))
			g.Expect(err).To(MatchError(ContainSubstring(test.want)))
		})
	}
}

func TestAccepted(t *testing.T) {
	needsAPIServer(t)
	for _, test := range []struct {
		reason, name string
		spec         map[string]any
	}{
		{"a parked network", "payments", map[string]any{"nodes": int64(0)}},
		{"the largest network", "payments", map[string]any{"nodes": int64(1000)}},
		{"the longest name", strings.Repeat("a", 52), map[string]any{}},
		{"the shortest name", "a", map[string]any{}},
		{"every field", "payments", map[string]any{"secret": "bitcoin-rpc", "chain": "regtest", "image": "example.com/bitcoind@sha256:" + strings.Repeat("0", 64),
			"peering": map[string]any{"degree": int64(2)}, "suspend": true, "interval": "1m30s"}},
	} {
		t.Run(test.reason, func(t *testing.T) {
			NewWithT(t).Expect(api.Create(t.Context(), manifest(test.name, test.spec), client.DryRunAll)).To(Succeed())
		})
	}
}

func TestDefaults(t *testing.T) {
	needsAPIServer(t)
	g := NewWithT(t)
	network := manifest("defaults", map[string]any{})
	g.Expect(api.Create(t.Context(), network, client.DryRunAll)).To(Succeed())

	g.Expect(network.Object["spec"]).To(Equal(map[string]any{
		"nodes": int64(3), "chain": "regtest", "interval": "30s", "peering": map[string]any{"degree": int64(8)},
	}))
	// kstatus takes a new resource without a status for healthy.
	observed, _, _ := unstructured.NestedInt64(network.Object, "status", "observedGeneration")
	g.Expect(observed).To(BeEquivalentTo(-1))
}

func TestScaleSubresource(t *testing.T) {
	needsAPIServer(t)
	g := NewWithT(t)
	network := &v1alpha1.BitcoinNetwork{
		ObjectMeta: metav1.ObjectMeta{Name: "scaled", Namespace: metav1.NamespaceDefault},
		Spec:       v1alpha1.BitcoinNetworkSpec{Nodes: 3},
	}
	g.Expect(api.Create(t.Context(), network)).To(Succeed())

	scale := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "autoscaling/v1", "kind": "Scale",
		"metadata": map[string]any{"name": network.Name, "namespace": network.Namespace},
		"spec":     map[string]any{"replicas": int64(7)},
	}}
	g.Expect(api.SubResource("scale").Update(t.Context(), network, client.WithSubResourceBody(scale))).To(Succeed())
	g.Expect(api.Get(t.Context(), client.ObjectKeyFromObject(network), network)).To(Succeed())
	g.Expect(network.Spec.Nodes).To(BeEquivalentTo(7))
}
