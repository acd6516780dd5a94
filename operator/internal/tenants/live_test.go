package tenants

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"testing"

	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/resources"
	"github.com/bitcoin-operator/bitcoin-operator/test/policies"
)

// api is a real API server, with the policies. It is nil with -short.
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
	environment := &envtest.Environment{
		CRDDirectoryPaths:     []string{repository + "/gitops/crds", repository + "/gitops/infrastructure/sealed-secrets/crd.yaml"},
		ErrorIfCRDPathMissing: true,
		CRDs:                  policies.FluxKinds(),
	}
	config, err := environment.Start()
	if err != nil {
		return 0, fmt.Errorf("start the API server (KUBEBUILDER_ASSETS must name a folder with kube-apiserver and etcd, as make test does): %w", err)
	}
	defer func() { err = errors.Join(err, environment.Stop()) }()
	scheme := runtime.NewScheme()
	if err := errors.Join(clientgoscheme.AddToScheme(scheme), v1alpha1.AddToScheme(scheme)); err != nil {
		return 0, err
	}
	if api, err = client.New(config, client.Options{Scheme: scheme}); err != nil {
		return 0, err
	}
	if err := policies.Install(context.Background(), api, repository+"/gitops/policies"); err != nil {
		return 0, err
	}
	return m.Run(), nil
}

// What Create writes the API server takes, and what it has then made is what was written.
func TestServerTakesWhatCreateWrites(t *testing.T) {
	if api == nil {
		t.Skip("needs an API server: run make test")
	}
	g := NewWithT(t)
	dir := working(g, t)
	change, err := read(g, dir).Create(team("team-s", func(t *Team) { t.Private = true }), []string{"production"})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(change.Apply(dir)).To(Succeed())
	f := read(g, dir)

	missing, err := f.Drift(t.Context(), api, "production", "team-s")
	g.Expect(err).NotTo(HaveOccurred())
	objects, err := f.objects("production", "team-s")
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(missing).To(HaveLen(len(objects)))
	g.Expect(missing).To(ContainElement(Finding{true, "ResourceQuota tenant-pods is not in the cluster"}))

	// In a namespace that is not there nothing can be tried: it comes first.
	g.Expect(objects[0].GetKind()).To(Equal("Namespace"))
	for i, object := range objects {
		options := []client.ApplyOption{client.FieldOwner("kustomize-controller"), client.ForceOwnership}
		if i > 0 {
			g.Expect(api.Apply(t.Context(), client.ApplyConfigurationFromUnstructured(object.DeepCopy()), append(options, client.DryRunAll)...)).To(Succeed(), "%s %s", object.GetKind(), object.GetName())
		}
		g.Expect(api.Apply(t.Context(), client.ApplyConfigurationFromUnstructured(object), options...)).To(Succeed())
	}
	g.Expect(f.Drift(t.Context(), api, "production", "team-s")).To(BeEmpty())

	quota := &corev1.ResourceQuota{ObjectMeta: metav1.ObjectMeta{Namespace: "team-s", Name: "tenant-pods"}}
	g.Expect(api.Patch(t.Context(), quota, client.RawPatch("application/merge-patch+json", []byte(`{"spec": {"hard": {"pods": "7"}}}`)))).To(Succeed())
	g.Expect(f.Drift(t.Context(), api, "production", "team-s")).To(Equal([]Finding{{true, "ResourceQuota tenant-pods of the cluster has others: spec.hard.pods"}}))
	g.Expect(api.Get(t.Context(), client.ObjectKeyFromObject(quota), quota)).To(Succeed())
	g.Expect(quota.Spec.Hard.Pods().String()).To(Equal("7"), "it was only looked at")
}

func TestFate(t *testing.T) {
	network := func(name string, changes ...func(*v1alpha1.BitcoinNetwork)) v1alpha1.BitcoinNetwork {
		found := v1alpha1.BitcoinNetwork{
			ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{appliedBy: "networks"}},
			Spec:       v1alpha1.BitcoinNetworkSpec{Nodes: 3},
		}
		for _, change := range changes {
			change(&found)
		}
		return found
	}
	storage := func(whenDeleted appsv1.PersistentVolumeClaimRetentionPolicyType) func(*v1alpha1.BitcoinNetwork) {
		return func(n *v1alpha1.BitcoinNetwork) { n.Spec.Storage = &v1alpha1.Storage{WhenDeleted: whenDeleted} }
	}
	protected := func(n *v1alpha1.BitcoinNetwork) { n.Spec.Protect = true }
	byHand := func(n *v1alpha1.BitcoinNetwork) { n.Labels = nil }
	claim := func(name, network string) corev1.PersistentVolumeClaim {
		return corev1.PersistentVolumeClaim{
			ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{resources.NetworkLabel: network}},
			Spec:       corev1.PersistentVolumeClaimSpec{Resources: corev1.VolumeResourceRequirements{Requests: corev1.ResourceList{"storage": resource.MustParse("10Gi")}}},
		}
	}
	const (
		operator, people = "the operator, with its account and its rights", "the rights of the team's people"
		namespace        = "Namespace team-c, with its limits, its network policies, and the account that Flux removes with"
	)
	for _, test := range []struct {
		reason    string
		inventory Inventory
		want      Fate
	}{
		{"a team without networks", Inventory{}, Fate{Goes: []string{operator, people}, Stays: []string{namespace}}},
		{"networks of its repository, and their Secret", Inventory{Networks: []v1alpha1.BitcoinNetwork{network("a")}, SealedSecrets: []string{"bitcoin-rpc"}},
			Fate{Goes: []string{operator, people, "network a, with its 3 nodes, and its chain", "SealedSecret bitcoin-rpc, and its Secret"}, Stays: []string{namespace}}},
		{"volumes stay but where their owner opted out", Inventory{
			Networks: []v1alpha1.BitcoinNetwork{network("keeps", storage("")), network("drops", storage("Delete"))},
			Claims:   []corev1.PersistentVolumeClaim{claim("data-keeps-0", "keeps"), claim("data-drops-0", "drops"), claim("data-old-0", "old")}},
			Fate{
				Goes:  []string{operator, people, "network keeps, with its 3 nodes, whose chain stays in its volumes", "network drops, with its 3 nodes, and its chain", "volume claim data-drops-0 (10Gi)"},
				Stays: []string{namespace, "volume claim data-keeps-0 (10Gi)", "volume claim data-old-0 (10Gi)"},
			}},
		{"one that is protected", Inventory{Networks: []v1alpha1.BitcoinNetwork{network("a", protected, storage("Delete"))}, Claims: []corev1.PersistentVolumeClaim{claim("data-a-0", "a")}},
			Fate{
				Goes: []string{operator, people},
				Stays: []string{namespace, "network a, with its 3 nodes: spec.protect. It runs on without an operator, and Kustomization networks waits for it",
					"volume claim data-a-0 (10Gi)"},
				First: []string{"network a is protected: to have it go, commit protect: false first; or delete it afterwards, as the platform team"},
			}},
		{"one that somebody made by hand", Inventory{Networks: []v1alpha1.BitcoinNetwork{network("a", byHand)}},
			Fate{Goes: []string{operator, people}, Stays: []string{namespace, "network a, with its 3 nodes: it is not from the team's repository, and runs on without an operator"}}},
		{"a frozen team", Inventory{Suspended: true, Networks: []v1alpha1.BitcoinNetwork{network("a", storage("Delete"))}, SealedSecrets: []string{"bitcoin-rpc"}, Claims: []corev1.PersistentVolumeClaim{claim("data-a-0", "a")}},
			Fate{
				Goes:  []string{operator, people},
				Stays: []string{namespace, "network a, with its 3 nodes: it runs on without an operator", "SealedSecret bitcoin-rpc, and its Secret", "volume claim data-a-0 (10Gi)"},
				First: []string{"Kustomization networks is suspended, and of what is suspended Flux removes nothing:\nkubectl patch kustomization networks -n team-c --type=merge -p '{\"spec\":{\"suspend\":false}}', or thaw the team"},
			}},
		{"a pair of its own", Inventory{OwnFlux: true}, Fate{
			Goes: []string{operator, people}, Stays: []string{namespace},
			First: []string{"the team has controllers of its own: first out of Git, then the namespace, and not the other way round"},
		}},
	} {
		test.inventory.Team = "team-c"
		NewWithT(t).Expect(test.inventory.Fate()).To(Equal(test.want), test.reason)
	}
}
