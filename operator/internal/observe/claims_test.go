package observe

import (
	"context"
	"errors"
	"testing"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/resources"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state/statetest"
)

// reader is an API server, or a cache of it, that counts what is listed.
func reader(lists *int, failure error, objects ...client.Object) client.Reader {
	return fake.NewClientBuilder().WithScheme(clientgoscheme.Scheme).WithObjects(objects...).WithInterceptorFuncs(interceptor.Funcs{
		List: func(ctx context.Context, api client.WithWatch, list client.ObjectList, options ...client.ListOption) error {
			*lists++
			if _, isQuotas := list.(*corev1.ResourceQuotaList); isQuotas && failure != nil {
				return failure
			}
			return api.List(ctx, list, options...)
		},
	}).Build()
}

// claimOf is the claim of a node of a network.
func claimOf(network *v1alpha1.BitcoinNetwork, ordinal int, asks string) *corev1.PersistentVolumeClaim {
	claim := statetest.Claim(asks, "1Gi")
	claim.Name, claim.Labels = resources.ClaimName(network, ordinal), resources.Selector(network)
	return claim
}

// A steady network costs no request, and one that grows is seen as it is: the cache is
// behind of what the quotas count already.
func TestQuotasAreLookedAtWhereClaimsGrow(t *testing.T) {
	forbidden := apierrors.NewForbidden(corev1.Resource("resourcequotas"), "", errors.New("no such right"))
	for _, test := range []struct {
		reason  string
		cached  string
		changes []func(*v1alpha1.BitcoinNetwork)
		failure error
		quotas  int
		lists   int
		asks    string
	}{
		{reason: "nothing is to grow", cached: "2Gi", asks: "2Gi"},
		{reason: "it asks for more already, which the cache has not heard of", cached: "1Gi", quotas: 1, lists: 2, asks: "2Gi"},
		{reason: "the operator may not look", cached: "1Gi", failure: forbidden, lists: 2, asks: "2Gi"},
		{reason: "the network is left alone", cached: "1Gi", asks: "1Gi", changes: []func(*v1alpha1.BitcoinNetwork){
			func(network *v1alpha1.BitcoinNetwork) { network.Spec.Suspend = true },
		}},
	} {
		t.Run(test.reason, func(t *testing.T) {
			g := NewWithT(t)
			network := statetest.Network(1, append(test.changes, statetest.WithStorage("2Gi"))...)
			cacheLists, lists := 0, 0
			spare := claimOf(network, 1, "1Gi") // of a node that was scaled away, which nothing is to be done about
			observer := &Observer{
				Client: reader(&cacheLists, nil, claimOf(network, 0, test.cached), spare),
				API: reader(&lists, test.failure, claimOf(network, 0, "2Gi"), spare,
					&corev1.ResourceQuota{ObjectMeta: metav1.ObjectMeta{Name: "tenant", Namespace: "team-a"}},
					&corev1.ResourceQuota{ObjectMeta: metav1.ObjectMeta{Name: "tenant", Namespace: "team-b"}}),
			}
			seen := statetest.Healthy(1)
			g.Expect(observer.observeClaims(t.Context(), network, seen)).To(Succeed())
			g.Expect(lists).To(Equal(test.lists))
			g.Expect(seen.Quotas).To(HaveLen(test.quotas))
			asked := state.Asked(seen.Nodes[0].Claim)
			g.Expect(asked.String()).To(Equal(test.asks))
			g.Expect(seen.SpareData).To(BeTrue())
		})
	}
}

func TestQuotasThatCannotBeReadAreAnError(t *testing.T) {
	g := NewWithT(t)
	network := statetest.Network(1, statetest.WithStorage("2Gi"))
	lists := 0
	api := reader(&lists, errors.New("etcd is away"), claimOf(network, 0, "1Gi"))
	observer := &Observer{Client: api, API: api}
	g.Expect(observer.observeClaims(t.Context(), network, statetest.Healthy(1))).To(MatchError("list the quotas of namespace team-a: etcd is away"))
}
