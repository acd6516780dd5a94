package state_test

import (
	"testing"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state/statetest"
)

// using returns a node whose chain takes so much of a disk of so much.
func using(used int64, most string) state.Node {
	node := statetest.NodeAt(0, 100, "a", func(pod *corev1.Pod) {
		data := &corev1.EmptyDirVolumeSource{}
		if most != "" {
			data.SizeLimit = new(resource.MustParse(most))
		}
		pod.Spec.Volumes = []corev1.Volume{{Name: "data", VolumeSource: corev1.VolumeSource{EmptyDir: data}}}
	})
	node.State.Chain.SizeOnDisk = used
	return node
}

func TestDiskUsed(t *testing.T) {
	silent := using(95, "100")
	silent.Answers = false
	volume := using(95, "100")
	volume.Pod.Spec.Volumes[0].EmptyDir = nil
	noPod := using(95, "100")
	noPod.Pod = nil
	for _, test := range []struct {
		reason string
		node   state.Node
		want   float64
	}{
		{"half", using(50, "100"), 0.5},
		{"all", using(100, "100"), 1},
		{"of a chain that is larger than can be, as a hostile node says", using(1<<62, "1"), 1 << 62},
		{"less than nothing, as another says", using(-1, "100"), -0.01},
		{"of nobody knows what", using(50, ""), 0},
		{"nobody says", silent, 0},
		{"of a volume", volume, 0},
		{"of no pod", noPod, 0},
	} {
		NewWithT(t).Expect(test.node.DiskUsed()).To(BeNumerically("~", test.want), test.reason)
	}
}

func TestFirstWithDisk(t *testing.T) {
	for _, test := range []struct {
		reason    string
		nodes     []state.Node
		share     float64
		want      int
		wantFound bool
	}{
		{"nobody", []state.Node{using(79, "100"), using(10, "100")}, state.DiskFilling, 0, false},
		{"the second", []state.Node{using(79, "100"), using(80, "100"), using(95, "100")}, state.DiskFilling, 1, true},
		{"the third, which is nearly full", []state.Node{using(79, "100"), using(89, "100"), using(90, "100")}, state.DiskFull, 2, true},
		{"no nodes", nil, state.DiskFull, 0, false},
	} {
		ordinal, found := statetest.Seen(test.nodes...).FirstWithDisk(test.share)
		NewWithT(t).Expect([]any{ordinal, found}).To(Equal([]any{test.want, test.wantFound}), test.reason)
	}
}
