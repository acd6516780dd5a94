package controller

import (
	"testing"

	"k8s.io/utils/clock"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/metrics"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/observe"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state/statetest"
)

// The informers may be behind what the operator itself has written.
func TestLatest(t *testing.T) {
	at := func(version string, changes ...func(*v1alpha1.BitcoinNetwork)) *v1alpha1.BitcoinNetwork {
		network := statetest.Network(3, changes...)
		network.ResourceVersion = version
		return network
	}
	for _, test := range []struct {
		reason          string
		written, cached *v1alpha1.BitcoinNetwork
		want            string
		fails           bool
	}{
		{"nothing was written yet", nil, at("5"), "5", false},
		{"the informers are behind", at("9"), at("5"), "9", false},
		{"versions are numbers, not text", at("10"), at("9"), "10", false},
		{"the informers have caught up", at("9"), at("9"), "9", false},
		{"somebody has written since", at("9"), at("12"), "12", false},
		{"a version that is none", at("9"), at("five"), "", true},
	} {
		t.Run(test.reason, func(t *testing.T) {
			cache := &cache{written: test.written}
			got, err := cache.latest(test.cached)
			if test.fails != (err != nil) {
				t.Fatalf("error %v", err)
			}
			if err == nil && got.ResourceVersion != test.want {
				t.Errorf("got version %s, want %s", got.ResourceVersion, test.want)
			}
		})
	}
}

func TestLatestIsACopy(t *testing.T) {
	at := func(version string) *v1alpha1.BitcoinNetwork {
		return statetest.Network(3, func(n *v1alpha1.BitcoinNetwork) { n.ResourceVersion = version })
	}
	cache := &cache{written: at("9")}
	got, err := cache.latest(at("5"))
	if err != nil {
		t.Fatal(err)
	}
	got.Status.ObservedGeneration = 42
	if cache.written.Status.ObservedGeneration == 42 {
		t.Error("a reconcile that fails half way would leave its status in the cache, as if it were written")
	}
}

// A network that takes the name of one that was deleted while nobody looked begins anew.
func TestNothingIsRememberedOfANetworkOfTheSameName(t *testing.T) {
	r := &Reconciler{Observer: &observe.Observer{}, Metrics: metrics.NewCollector(clock.RealClock{})}
	network := statetest.Network(3)
	found := r.cacheOf(network)
	if r.cacheOf(network) != found {
		t.Error("what was remembered is lost")
	}
	again := statetest.Network(3, func(n *v1alpha1.BitcoinNetwork) { n.UID = "another" })
	if r.cacheOf(again) == found {
		t.Error("what is remembered is another network's")
	}
}
