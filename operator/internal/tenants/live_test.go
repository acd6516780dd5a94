package tenants

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"testing"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
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
	scheme := runtime.NewScheme()
	if err := errors.Join(clientgoscheme.AddToScheme(scheme), v1alpha1.AddToScheme(scheme)); err != nil {
		return 0, err
	}
	environment, err := policies.Serve(context.Background(), repository, scheme)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, environment.Stop()) }()
	if api, err = client.New(environment.Config, client.Options{Scheme: scheme}); err != nil {
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
	change, err := read(g, dir).Create(team("team-s", with("secretFrom", SOPS), func(t *Team) { t.Private = true }), []string{"production"})
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
	g.Expect(f.Drift(t.Context(), api, "production", "team-s")).To(Equal([]Finding{{true, "ResourceQuota tenant-pods in the cluster differs in spec.hard.pods"}}))
	g.Expect(api.Get(t.Context(), client.ObjectKeyFromObject(quota), quota)).To(Succeed())
	g.Expect(quota.Spec.Hard.Pods().String()).To(Equal("7"), "it was only looked at")
}
