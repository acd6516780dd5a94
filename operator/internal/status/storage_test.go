package status

import (
	"errors"
	"testing"

	"github.com/fluxcd/pkg/apis/meta"
	"github.com/fluxcd/pkg/runtime/conditions"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/plan"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state/statetest"
)

// withVolumes is a well-connected network that asks for volumes of a size, and has
// these claims.
func withVolumes(size string, claims ...*corev1.PersistentVolumeClaim) situation {
	return wellConnected(len(claims)).with(func(s *situation) {
		statetest.WithStorage(size)(s.network)
		statetest.Claims(s.seen, claims...)
	})
}

// Situations of networks with volumes.
func resizing() situation {
	return withVolumes("2Gi", statetest.Claim("2Gi", "2Gi"), statetest.Claim("2Gi", "1Gi"))
}

func infeasible() situation {
	return withVolumes("1Ti", statetest.Claim("1Ti", "1Gi",
		statetest.Resizing("1Ti", corev1.PersistentVolumeClaimControllerResizeInfeasible),
		statetest.Says(corev1.PersistentVolumeClaimControllerResizeError, "the pool has 100Gi"),
	), statetest.Claim("1Gi", "1Gi"))
}

func beyondQuota() situation {
	return withVolumes("1Ti", statetest.Claim("1Gi", "1Gi"), statetest.Claim("1Gi", "1Gi")).with(func(s *situation) {
		s.outcome.Short = []plan.Shortage{{
			Quota: "tenant", Resource: corev1.ResourceRequestsStorage, Needed: resource.MustParse("2046Gi"), Left: resource.MustParse("1Ti"),
		}}
	})
}

func refusedByClass() situation {
	return withVolumes("2Gi", statetest.Claim("1Gi", "1Gi"), statetest.Claim("1Gi", "1Gi")).with(func(s *situation) {
		s.outcome.NotGrown = &ResizeRefusal{Claim: "data-payments-0", To: resource.MustParse("2Gi"), Err: errors.New("the class does not allow it")}
	})
}

// halfGrown is a network of which a claim had grown when the quota was used up.
func halfGrown(s *situation) {
	s.seen.Nodes[0].Claim = statetest.Claim("2Ti", "1Gi")
}

func TestStorageReady(t *testing.T) {
	const back = ", or set spec.storage.size back to 1Gi (status.storage) or more"
	for _, test := range []struct {
		reason    string
		situation situation
		want      string
		ready     string // the reason of Ready
	}{
		{"without storage there is nothing to say", wellConnected(3), "", "Connected"},
		{
			"volumes are as large as they should be, or larger",
			withVolumes("2Gi", statetest.Claim("2Gi", "2Gi"), statetest.Claim("2Gi", "3Gi")),
			"True SizeReached: 2 volumes of at least 2Gi", "Connected",
		},
		{
			"what claims ask for does not matter then",
			withVolumes("1Gi", statetest.Claim("1025Mi", "1Gi")),
			"True SizeReached: 1 volume of at least 1Gi", "Connected",
		},
		{"nobody needs one", withVolumes("2Gi"), "True SizeReached: no node needs a volume", "Parked"},
		{
			"claims come first",
			withVolumes("2Gi", nil, statetest.Claim("2Gi", "2Gi", statetest.Unbound)),
			"False Unbound: data-payments-0 does not exist yet; data-payments-1 has no volume (Pending)", "Connected",
		},
		{
			"growth has not landed, and nobody cares for it",
			resizing(),
			"False Resizing: data-payments-1 requests 2Gi and has 1Gi: resizing has not started", "Connected",
		},
		{
			"somebody does",
			withVolumes("2Gi", statetest.Claim("2Gi", "1Gi", statetest.Says(corev1.PersistentVolumeClaimFileSystemResizePending, "waiting for a pod"))),
			"False Resizing: data-payments-0 requests 2Gi and has 1Gi: FileSystemResizePending: waiting for a pod", "Connected",
		},
		{
			"it fails, and is tried again",
			withVolumes("2Gi", statetest.Claim("2Gi", "1Gi",
				statetest.Says(corev1.PersistentVolumeClaimResizing, ""), statetest.Says(corev1.PersistentVolumeClaimNodeResizeError, "device is busy"))),
			"False Resizing: data-payments-0 requests 2Gi and has 1Gi: NodeResizeError: device is busy", "Connected",
		},
		{
			"nobody asks for it, as while the network is suspended",
			withVolumes("2Gi", statetest.Claim("1Gi", "1Gi")).with(isSuspended),
			"False Resizing: data-payments-0 has 1Gi and does not request 2Gi yet", "Suspended",
		},
		{
			"the storage cannot",
			infeasible(),
			"False ResizeInfeasible: data-payments-0 requests 1Ti and has 1Gi: ControllerResizeInfeasible: the pool has 100Gi; " +
				"set spec.storage.size to what the storage can provide, which is at least 1Gi (status.storage)", "ResizeInfeasible",
		},
		{
			"it could not before the size went back",
			infeasible().with(func(s *situation) { statetest.WithStorage("1Gi")(s.network) }),
			"True SizeReached: 2 volumes of at least 1Gi", "Connected",
		},
		{
			"a quota has no room for all",
			beyondQuota(),
			`False QuotaExceeded: volumes cannot grow to 1Ti: that needs 2046Gi of requests.storage, and quota "tenant" has 1Ti left; ` +
				"no claim has grown; ask the platform team for a larger quota" + back, "QuotaExceeded",
		},
		{
			"and had none for the rest",
			beyondQuota().with(halfGrown),
			`False QuotaExceeded: volumes cannot grow to 1Ti: that needs 2046Gi of requests.storage, and quota "tenant" has 1Ti left; ` +
				"the claims of node 0 already request it, those of node 1 do not; ask the platform team for a larger quota" + back, "QuotaExceeded",
		},
		{
			"the class does not allow it",
			refusedByClass(),
			`False StorageRefused: volume claim "data-payments-0" cannot grow to 2Gi: the class does not allow it; no claim has grown; ` +
				"the quotas that the operator sees have room, so check the storage class, limit ranges and admission policies" + back, "StorageRefused",
		},
		{
			"what a claim asked for cannot be taken back, which harms nobody",
			withVolumes("1Gi", statetest.Claim("1Ti", "1Gi")).with(func(s *situation) {
				s.outcome.NotLowered = &ResizeRefusal{Claim: "data-payments-0", To: resource.MustParse("1025Mi"), Err: errors.New("field can not be less than previous value")}
			}),
			"True SizeReached: 1 volume of at least 1Gi; data-payments-0 cannot lower its request to 1025Mi: field can not be less than previous value", "Connected",
		},
	} {
		t.Run(test.reason, func(t *testing.T) {
			g := NewWithT(t)
			network := test.situation.report()
			g.Expect(said(network, v1alpha1.StorageReadyCondition)).To(Equal(test.want))
			g.Expect(conditions.GetReason(network, meta.ReadyCondition)).To(Equal(test.ready))
		})
	}
}

// What keeps volumes from growing is told before what keeps nodes from working, since
// somebody must act; but not before the want of credentials, without which nothing is
// done.
func TestWhereStorageBelongsInReady(t *testing.T) {
	g := NewWithT(t)
	silent := func(s *situation) { s.seen.Nodes[1] = statetest.Silent(1, closed) }
	g.Expect(conditions.GetReason(resizing().with(silent).report(), meta.ReadyCondition)).To(Equal(v1alpha1.NodesNotReadyReason))
	g.Expect(conditions.GetReason(infeasible().with(silent).report(), meta.ReadyCondition)).To(Equal(v1alpha1.ResizeInfeasibleReason))
	unread := infeasible().with(func(s *situation) {
		s.seen.Secret = statetest.Unusable(v1alpha1.SecretNotFoundReason, "it does not exist", 2).Secret
	})
	g.Expect(conditions.GetReason(unread.report(), meta.ReadyCondition)).To(Equal(v1alpha1.SecretNotFoundReason))
}

// What every node has at least is the size to which spec may go back.
func TestSizeOfTheSmallestVolume(t *testing.T) {
	for _, test := range []struct {
		reason string
		claims []*corev1.PersistentVolumeClaim
		want   string
	}{
		{"it is what volumes have, not what claims ask for", []*corev1.PersistentVolumeClaim{statetest.Claim("1Ti", "2Gi")}, "2Gi"},
		{"of the smallest", []*corev1.PersistentVolumeClaim{statetest.Claim("3Gi", "3Gi"), statetest.Claim("3Gi", "1500Mi"), statetest.Claim("3Gi", "2Gi")}, "1500Mi"},
		{"of those that are there", []*corev1.PersistentVolumeClaim{nil, statetest.Claim("1Gi", "1Gi", statetest.Unbound), statetest.Claim("3Gi", "2Gi")}, "2Gi"},
		{"there is none", []*corev1.PersistentVolumeClaim{nil}, ""},
	} {
		s := withVolumes("3Gi", test.claims...)
		got := ""
		if smallest := s.report().Status.Storage; smallest != nil {
			got = smallest.String()
		}
		if got != test.want {
			t.Errorf("%s: got %q, want %q", test.reason, got, test.want)
		}
	}
}

// A parked network can take its size back, too.
func TestVolumesOfAParkedNetworkAreAsTheyWere(t *testing.T) {
	g := NewWithT(t)
	before := withVolumes("1Ti", statetest.Claim("1Ti", "1Gi")).report()
	g.Expect(withVolumes("1Ti").on(before).report().Status.Storage.String()).To(Equal("1Gi"))
}
