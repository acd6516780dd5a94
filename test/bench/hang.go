package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/fluxcd/pkg/apis/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/uuid"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
)

// hang has 5 % of the nodes answer nothing any more, then restarts a healthy one and
// measures how long its links take, and meanwhile another network of the operator.
func (b *bench) hang(ctx context.Context, during time.Duration) error {
	c := b.operator.cluster
	other := types.NamespacedName{Namespace: b.network.Namespace, Name: "other"}
	if err := b.create(ctx, other.Name, 3, nil); err != nil {
		return err
	}
	if err := until(ctx, "the other network is there", func() (bool, error) { return !c.networks.wellSince(other).IsZero(), nil }); err != nil {
		return err
	}
	if err := c.settle(ctx, other); err != nil {
		return err
	}
	var links, others float64
	w, err := b.measure(ctx, someHang, func(ctx context.Context) error {
		if err := b.freeze(ctx); err != nil {
			return err
		}
		var probing sync.WaitGroup
		var delays []float64
		var failed [2]error
		probing.Go(func() { delays, failed[0] = c.probe(ctx, other, during) })
		links, failed[1] = b.relink(ctx, 1)
		probing.Wait()
		if err := errors.Join(failed[:]...); err != nil {
			return err
		}
		others = percentile(delays, 95)
		return nil
	})
	if err != nil {
		return fmt.Errorf("%d nodes: %s: %w", b.nodes, someHang, err)
	}
	w.Links, w.Others = &links, &others
	return nil
}

// freeze stops every twentieth node, from the first on.
func (b *bench) freeze(ctx context.Context) error {
	ready, _ := b.operator.cluster.kubelet.ready(b.network)
	frozen := spread(b.nodes, max(b.nodes/20, 1))
	for _, pod := range ready {
		for _, ordinal := range frozen {
			if pod.key.Name != fmt.Sprintf("%s-%d", b.network.Name, ordinal) {
				continue
			}
			if err := b.operator.cluster.nodes.freeze(ctx, pod.address()); err != nil {
				return err
			}
		}
	}
	return nil
}

// relink restarts a pod, and returns how many seconds after its containers were ready its node had
// its links back with those of its peers that answer.
func (b *bench) relink(ctx context.Context, ordinal int) (float64, error) {
	c := b.operator.cluster
	before, err := c.nodes.peers(ctx, b.addressOf(ordinal))
	if err != nil {
		return 0, err
	}
	for _, frozen := range spread(b.nodes, max(b.nodes/20, 1)) {
		delete(before, fmt.Sprintf("%s.%d", b.key(), frozen))
	}
	if err := b.restart(ctx, ordinal); err != nil {
		return 0, err
	}
	_, ready := c.kubelet.ready(b.network)
	last := ready
	err = until(ctx, "a node has its links back", func() (bool, error) {
		now, err := c.nodes.peers(ctx, b.addressOf(ordinal))
		for comment := range before {
			at, linked := now[comment]
			if !linked {
				return false, err
			}
			if at.After(last) {
				last = at
			}
		}
		return true, err
	})
	return last.Sub(ready).Seconds(), err
}

func (b *bench) addressOf(ordinal int) string {
	ready, _ := b.operator.cluster.kubelet.ready(b.network)
	for _, pod := range ready {
		if pod.key.Name == fmt.Sprintf("%s-%d", b.network.Name, ordinal) {
			return pod.address()
		}
	}
	return ""
}

// probe asks for a network to be looked at, again and again for a while, and returns how
// many seconds each time took.
func (c *cluster) probe(ctx context.Context, key types.NamespacedName, during time.Duration) ([]float64, error) {
	var delays []float64
	for end := time.Now().Add(during); time.Now().Before(end); {
		token := string(uuid.NewUUID())
		network := &v1alpha1.BitcoinNetwork{ObjectMeta: metav1.ObjectMeta{Namespace: key.Namespace, Name: key.Name}}
		patch := fmt.Appendf(nil, `{"metadata":{"annotations":{%q:%q}}}`, meta.ReconcileRequestAnnotation, token)
		asked := time.Now()
		if err := c.api.Patch(ctx, network, client.RawPatch(types.MergePatchType, patch)); err != nil {
			return nil, err
		}
		var answered time.Time
		if err := until(ctx, "a network is looked at", func() (so bool, err error) {
			answered, so = c.networks.heardAt(key, token)
			return so, nil
		}); err != nil {
			return nil, err
		}
		delays = append(delays, answered.Sub(asked).Seconds())
		if err := pause(ctx, 200*time.Millisecond); err != nil {
			return nil, err
		}
	}
	return delays, nil
}

// percentile is the value that so many percent of all do not exceed.
func percentile(values []float64, percent int) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[(len(sorted)*percent+99)/100-1]
}
