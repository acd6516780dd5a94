package controller

import (
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/plan"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state/statetest"
)

// A plan stands when the objects were as they should be before it was made. Else it is made
// again, with the objects as they are now.
func TestWhenAPlanStands(t *testing.T) {
	set := func(version string, pods int32) *appsv1.StatefulSet {
		return &appsv1.StatefulSet{
			ObjectMeta: metav1.ObjectMeta{Name: "payments", UID: "set", ResourceVersion: version},
			Spec:       appsv1.StatefulSetSpec{Replicas: new(pods)},
		}
	}
	another := set("1", 3)
	another.UID = "another"
	for _, test := range []struct {
		reason      string
		before, now *appsv1.StatefulSet
		want        bool
	}{
		{"nothing was applied", set("1", 3), set("1", 3), true},
		{"it was applied", set("1", 3), set("2", 3), false},
		{"it is another", set("1", 3), another, false},
		{"it is new", nil, set("1", 3), false},
		{"there is none, as when it could not be made", nil, nil, false},
		{"nodes are to come, and it could not be applied", set("1", 2), set("1", 2), false},
		{"nodes are to go, and what rests on that was done first", set("1", 4), set("1", 4), false},
	} {
		network := statetest.Network(3)
		p := &pass{network: network, seen: &state.Network{StatefulSet: test.now}}
		shape := plan.Shape{}
		shape.Size.Pods = 3
		if got := p.isStill(test.before, shape); got != test.want {
			t.Errorf("%s: %t, want %t", test.reason, got, test.want)
		}
	}
}
