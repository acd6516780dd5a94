package main

import (
	"testing"
	"time"

	"github.com/fluxcd/pkg/apis/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
)

func TestWellSince(t *testing.T) {
	key := types.NamespacedName{Namespace: "team-a", Name: "payments"}
	said := func(change func(*v1alpha1.BitcoinNetwork)) *v1alpha1.BitcoinNetwork {
		network := &v1alpha1.BitcoinNetwork{
			ObjectMeta: metav1.ObjectMeta{Namespace: key.Namespace, Name: key.Name, Generation: 2},
			Spec:       v1alpha1.BitcoinNetworkSpec{Nodes: 3},
			Status: v1alpha1.BitcoinNetworkStatus{
				ObservedGeneration: 2, Ready: "3/3", Links: &v1alpha1.LinksStatus{Planned: 3, Connected: 3},
				Conditions: []metav1.Condition{{Type: meta.ReadyCondition, Status: metav1.ConditionTrue, ObservedGeneration: 2}},
			},
		}
		change(network)
		return network
	}
	asItShould := func(*v1alpha1.BitcoinNetwork) {}
	second := func(count int) time.Time { return time.Unix(int64(count), 0) }

	n := &networks{wells: map[types.NamespacedName]time.Time{}, heard: map[types.NamespacedName]heard{}, heights: map[types.NamespacedName]int64{}}
	n.note(said(asItShould), second(1))
	n.note(said(asItShould), second(2))
	if got := n.wellSince(key); !got.Equal(second(1)) {
		t.Errorf("it is well since %s, want since it was first seen so", got)
	}
	for name, change := range map[string]func(*v1alpha1.BitcoinNetwork){
		"not Ready":                         func(n *v1alpha1.BitcoinNetwork) { n.Status.Conditions[0].Status = metav1.ConditionFalse },
		"Ready as it was before":            func(n *v1alpha1.BitcoinNetwork) { n.Status.Conditions[0].ObservedGeneration = 1 },
		"changed since it was looked at":    func(n *v1alpha1.BitcoinNetwork) { n.Status.ObservedGeneration = 1 },
		"of more nodes than those that are": func(n *v1alpha1.BitcoinNetwork) { n.Spec.Nodes = 4 },
		"without a link":                    func(n *v1alpha1.BitcoinNetwork) { n.Status.Links.Connected = 2 },
		"never looked at":                   func(n *v1alpha1.BitcoinNetwork) { n.Status = v1alpha1.BitcoinNetworkStatus{} },
	} {
		n.note(said(asItShould), second(3))
		n.note(said(change), second(4))
		if got := n.wellSince(key); !got.IsZero() {
			t.Errorf("a network that is %s is well since %s", name, got)
		}
	}
	n.note(said(asItShould), second(5))
	if got := n.wellSince(key); !got.Equal(second(5)) {
		t.Errorf("it is well again since %s, want %s", got, second(5))
	}
}

func TestHeardAt(t *testing.T) {
	key := types.NamespacedName{Namespace: "team-a", Name: "payments"}
	answered := func(token string) *v1alpha1.BitcoinNetwork {
		network := &v1alpha1.BitcoinNetwork{ObjectMeta: metav1.ObjectMeta{Namespace: key.Namespace, Name: key.Name}}
		network.Status.LastHandledReconcileAt = token
		return network
	}
	n := &networks{wells: map[types.NamespacedName]time.Time{}, heard: map[types.NamespacedName]heard{}, heights: map[types.NamespacedName]int64{}}
	n.note(answered("first"), time.Unix(1, 0))
	n.note(answered("second"), time.Unix(2, 0))
	n.note(answered("second"), time.Unix(3, 0)) // something else has changed
	if at, was := n.heardAt(key, "second"); !was || !at.Equal(time.Unix(2, 0)) {
		t.Errorf("the second request was answered: %t, at %s", was, at)
	}
	if _, was := n.heardAt(key, "third"); was {
		t.Error("a request was answered that nobody made")
	}
}
