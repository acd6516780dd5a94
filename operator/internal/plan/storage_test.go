package plan

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state/statetest"
)

func TestWhatAClaimAsksFor(t *testing.T) {
	for _, test := range []struct {
		reason string
		claim  *corev1.PersistentVolumeClaim
		size   string
		want   string
	}{
		{"it grows", statetest.Claim("1Gi", "1Gi"), "2Gi", "2Gi"},
		{"to more than is under way", statetest.Claim("2Gi", "1Gi"), "3Gi", "3Gi"},
		{"not before it has a volume, which the API server refuses", statetest.Claim("1Gi", "1Gi", statetest.Unbound), "2Gi", "1Gi"},
		{"it has what it should", statetest.Claim("2Gi", "2Gi"), "2Gi", "2Gi"},
		{"volumes do not shrink", statetest.Claim("3Gi", "3Gi"), "2Gi", "3Gi"},
		{"nor where storage gives more than was asked for", statetest.Claim("1500Mi", "2Gi"), "1Gi", "1500Mi"},
		{"growth that has not come to pass is taken back", statetest.Claim("1Ti", "1Gi"), "2Gi", "2Gi"},
		{"as far as Kubernetes lets it: to above what the volume has", statetest.Claim("1Ti", "1Gi"), "1Gi", "1025Mi"},
		{"and so it stays", statetest.Claim("1025Mi", "1Gi"), "1Gi", "1025Mi"},
		{"with a volume of which nobody says how large it is nothing is done", statetest.Claim("1Ti", "1Gi", func(claim *corev1.PersistentVolumeClaim) {
			claim.Status.Capacity = nil
		}), "1Gi", "1Ti"},
	} {
		if got := request(test.claim, resource.MustParse(test.size)); got.Cmp(resource.MustParse(test.want)) != 0 {
			t.Errorf("%s: %s, want %s", test.reason, &got, test.want)
		}
	}
}

// quota is one that bounds a resource.
func quota(name corev1.ResourceName, hard, used string) corev1.ResourceQuota {
	return corev1.ResourceQuota{
		ObjectMeta: metav1.ObjectMeta{Name: "tenant"},
		Status: corev1.ResourceQuotaStatus{
			Hard: corev1.ResourceList{name: resource.MustParse(hard)},
			Used: corev1.ResourceList{name: resource.MustParse(used)},
		},
	}
}

const ofFast = "fast.storageclass.storage.k8s.io/requests.storage"

// Either all claims grow or none, as far as the quotas in sight tell.
func TestGrowthFitsIntoQuotas(t *testing.T) {
	scoped := quota(corev1.ResourceRequestsStorage, "1Gi", "1Gi")
	scoped.Spec.ScopeSelector = &corev1.ScopeSelector{}
	for _, test := range []struct {
		reason string
		quotas []corev1.ResourceQuota
		want   []Shortage
	}{
		{"there is no quota", nil, nil},
		{"there is room", []corev1.ResourceQuota{quota(corev1.ResourceRequestsStorage, "6Gi", "3Gi")}, nil},
		{
			"there is room for each and not for all",
			[]corev1.ResourceQuota{quota(corev1.ResourceRequestsStorage, "5Gi", "3Gi")},
			[]Shortage{{Quota: "tenant", Resource: corev1.ResourceRequestsStorage, Needed: resource.MustParse("3Gi"), Left: resource.MustParse("2Gi")}},
		},
		{
			"the class has a quota of its own",
			[]corev1.ResourceQuota{quota(ofFast, "5Gi", "3Gi")},
			[]Shortage{{Quota: "tenant", Resource: ofFast, Needed: resource.MustParse("3Gi"), Left: resource.MustParse("2Gi")}},
		},
		{"another class has", []corev1.ResourceQuota{quota("slow.storageclass.storage.k8s.io/requests.storage", "1Gi", "1Gi")}, nil},
		{"it is of something else", []corev1.ResourceQuota{quota(corev1.ResourcePods, "1", "1")}, nil},
		{"it counts other objects", []corev1.ResourceQuota{scoped}, nil},
		{
			"more is used than it allows by now",
			[]corev1.ResourceQuota{quota(corev1.ResourceRequestsStorage, "1Gi", "3Gi")},
			[]Shortage{{Quota: "tenant", Resource: corev1.ResourceRequestsStorage, Needed: resource.MustParse("3Gi")}},
		},
	} {
		t.Run(test.reason, func(t *testing.T) {
			network := statetest.Network(3, statetest.WithStorage("2Gi"))
			claim := statetest.Claim("1Gi", "1Gi")
			seen := statetest.Claims(statetest.Healthy(3), claim, claim, claim)
			seen.Quotas = test.quotas
			resizes, short := resizes(network, seen)
			if diff := cmp.Diff(test.want, short); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if grow := len(resizes); (grow == 3) != (test.want == nil) || grow != 0 && grow != 3 {
				t.Errorf("%d claims grow", grow)
			}
		})
	}
}

func TestWhatTheGrowthOfClaimsTakes(t *testing.T) {
	for _, test := range []struct {
		reason string
		claims []*corev1.PersistentVolumeClaim
		want   string
	}{
		{"what they do not ask for yet", []*corev1.PersistentVolumeClaim{statetest.Claim("1Gi", "1Gi"), statetest.Claim("1500Mi", "1Gi")}, "1572Mi"},
		{"nothing where they do", []*corev1.PersistentVolumeClaim{statetest.Claim("2Gi", "1Gi"), statetest.Claim("3Gi", "1Gi")}, "0"},
		{"what is set aside already counts", []*corev1.PersistentVolumeClaim{statetest.Claim("1Gi", "1Gi", statetest.Resizing("1536Mi", ""))}, "512Mi"},
		{"those without a volume grow when they have one", []*corev1.PersistentVolumeClaim{statetest.Claim("1Gi", "1Gi", statetest.Unbound)}, "1Gi"},
		{"those that are not there nobody counts", []*corev1.PersistentVolumeClaim{nil, nil}, "0"},
	} {
		needed := neededStorage(statetest.Network(2, statetest.WithStorage("2Gi")), statetest.Claims(statetest.Healthy(2), test.claims...))
		if got := needed[corev1.ResourceRequestsStorage]; got.Cmp(resource.MustParse(test.want)) != 0 {
			t.Errorf("%s: %s, want %s", test.reason, &got, test.want)
		}
	}
}

func TestClaimsOfNodesThatGoAreLeftAlone(t *testing.T) {
	g := NewWithT(t)
	seen := statetest.Claims(statetest.Healthy(2), statetest.Claim("1Gi", "1Gi"), statetest.Claim("1Gi", "1Gi"))
	seen.Wanted = 1
	resized, _ := resizes(statetest.Network(1, statetest.WithStorage("2Gi")), seen)
	g.Expect(resized).To(HaveLen(1))
}

// A size that cannot be had is taken back whatever quotas say.
func TestQuotasKeepNobodyFromTakingBack(t *testing.T) {
	g := NewWithT(t)
	seen := statetest.Claims(statetest.Healthy(2), statetest.Claim("1Ti", "1Gi"), statetest.Claim("1Gi", "1Gi"))
	seen.Quotas = []corev1.ResourceQuota{quota(corev1.ResourceRequestsStorage, "1Ti", "1Ti")}
	resized, short := resizes(statetest.Network(2, statetest.WithStorage("2Gi")), seen)
	g.Expect(short).To(HaveLen(1))
	g.Expect(resized).To(Equal([]Resize{{Node: 0, To: resource.MustParse("2Gi")}}))
}
