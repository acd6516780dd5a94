package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/fluxcd/pkg/apis/meta"
	"github.com/fluxcd/pkg/runtime/conditions"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
)

// settles is how long nothing must happen until a window is over.
const settles = 2 * time.Second

// bench is a network under an operator of its own, and what becomes of it.
type bench struct {
	operator *operator
	network  types.NamespacedName
	nodes    int
	windows  []window
}

func newBench(ctx context.Context, c *cluster, program string, nodes int) (*bench, error) {
	operator, err := startOperator(ctx, c, program)
	if err != nil {
		return nil, err
	}
	return &bench{operator: operator, network: types.NamespacedName{Namespace: operator.namespace, Name: "payments"}, nodes: nodes}, nil
}

// life is what happens to the network one after the other. Meanwhile no look is due by
// time, so that requests are those which events call for.
func (b *bench) life(ctx context.Context) error {
	tenth := max(b.nodes/10, 1)
	for _, happens := range []struct {
		what string
		do   func(context.Context) error
	}{
		{coldStart, func(ctx context.Context) error {
			return b.create(ctx, b.network.Name, b.nodes, &metav1.Duration{Duration: time.Hour})
		}},
		{oneRestarts, func(ctx context.Context) error { return b.restart(ctx, 0) }},
		{oneRestarts, func(ctx context.Context) error { return b.restart(ctx, b.nodes/2) }},
		{oneRestarts, func(ctx context.Context) error { return b.restart(ctx, b.nodes-1) }},
		{manyRestart, func(ctx context.Context) error { return b.restart(ctx, spread(b.nodes, tenth)...) }},
		{scaleDown, func(ctx context.Context) error { return b.scale(ctx, b.nodes-tenth) }},
		{scaleUp, func(ctx context.Context) error { return b.scale(ctx, b.nodes) }},
		{newOperator, b.restartOperator},
	} {
		if err := b.event(ctx, happens.what, happens.do); err != nil {
			return fmt.Errorf("%d nodes: %s: %w", b.nodes, happens.what, err)
		}
	}
	if err := b.edit(ctx, func(spec *v1alpha1.BitcoinNetworkSpec) { spec.Interval = nil }); err != nil {
		return err
	}
	return b.settle(ctx)
}

// spread returns so many ordinals of nodes, as far from each other as can be.
func spread(nodes, count int) []int {
	var ordinals []int
	for i := range count {
		ordinals = append(ordinals, i*nodes/count)
	}
	return ordinals
}

// event measures something that happens, and how long after it all is well.
func (b *bench) event(ctx context.Context, what string, happen func(context.Context) error) error {
	w, err := b.measure(ctx, what, func(ctx context.Context) error {
		if err := happen(ctx); err != nil {
			return err
		}
		return b.settle(ctx)
	})
	if err != nil || what == newOperator {
		return err
	}
	c := b.operator.cluster
	now, err := c.nodes.traffic(ctx)
	if err != nil {
		return err
	}
	_, changed := c.kubelet.ready(b.network)
	w.Links = sinceOrZero(changed, now[b.key()].Linked)
	w.Ready = sinceOrZero(changed, c.kubelet.readyAt(b.network))
	w.Status = sinceOrZero(changed, c.networks.wellSince(b.network))
	return nil
}

// let measures what the operator does while nobody does anything.
func (b *bench) let(ctx context.Context, what string, during time.Duration) error {
	_, err := b.measure(ctx, what, func(ctx context.Context) error { return pause(ctx, during) })
	return err
}

// measure adds a window, in which something is done. A process that is started anew in it
// has neither allocated nor run before.
func (b *bench) measure(ctx context.Context, what string, do func(context.Context) error) (*window, error) {
	before, err := b.operator.read(ctx)
	if err != nil {
		return nil, err
	}
	process := b.operator.command.Process.Pid
	if err := do(ctx); err != nil {
		return nil, err
	}
	after, err := b.operator.read(ctx)
	if err != nil {
		return nil, err
	}
	if b.operator.command.Process.Pid != process {
		before.allocated, before.reads, before.cpuAfter = 0, 0, 0
	}
	held, err := memoryOf(b.operator.command.Process.Pid)
	if err != nil {
		return nil, err
	}
	w := between(before, after, b.key())
	w.Nodes, w.What = b.nodes, what
	w.Resident, w.Anonymous, w.Peak = mebibytes(held.resident), mebibytes(held.anonymous), mebibytes(held.peak)
	b.windows = append(b.windows, w)
	return &b.windows[len(b.windows)-1], nil
}

// between is a window's difference of two readings.
func between(before, after reading, network string) window {
	calls := after.calls.since(before.calls)
	return window{
		Seconds:      after.at.Sub(before.at).Seconds(),
		Requests:     after.traffic[network].Requests - before.traffic[network].Requests,
		Connections:  after.traffic[network].Connections - before.traffic[network].Connections,
		StatusWrites: calls.byKind[statusWrite],
		StatusBytes:  calls.statusBytes,
		APIRequests:  calls.total(),
		Leases:       calls.byKind[leaseWrite],
		Allocated:    after.allocated - before.allocated - 2*before.reads,
		CPU:          (after.cpu - before.cpuAfter).Seconds(),
	}
}

// sinceOrZero is how many seconds a moment is after another, and 0 if it is before.
func sinceOrZero(from, to time.Time) *float64 {
	return new(max(to.Sub(from), 0).Seconds())
}

func mebibytes(bytes int64) float64 { return float64(bytes) / (1 << 20) }

// key is what the simulation calls the network.
func (b *bench) key() string { return b.network.Namespace + "." + b.network.Name }

// create makes a network that is looked at as often as by default, or as an interval says.
func (b *bench) create(ctx context.Context, name string, nodes int, interval *metav1.Duration) error {
	return b.operator.cluster.api.Create(ctx, &v1alpha1.BitcoinNetwork{
		ObjectMeta: metav1.ObjectMeta{Namespace: b.network.Namespace, Name: name},
		Spec:       v1alpha1.BitcoinNetworkSpec{Nodes: int32(nodes), Secret: secretName, Interval: interval},
	})
}

// edit changes the network's spec.
func (b *bench) edit(ctx context.Context, change func(*v1alpha1.BitcoinNetworkSpec)) error {
	api := b.operator.cluster.api
	network := &v1alpha1.BitcoinNetwork{}
	if err := api.Get(ctx, b.network, network); err != nil {
		return err
	}
	before := network.DeepCopy()
	change(&network.Spec)
	return api.Patch(ctx, network, client.MergeFrom(before))
}

func (b *bench) scale(ctx context.Context, nodes int) error {
	if err := b.edit(ctx, func(spec *v1alpha1.BitcoinNetworkSpec) { spec.Nodes = int32(nodes) }); err != nil {
		return err
	}
	return until(ctx, "the network has its new size", func() (bool, error) {
		return b.operator.cluster.kubelet.count(b.network) == nodes, nil
	})
}

// restart deletes pods, and returns when others are ready in their place.
func (b *bench) restart(ctx context.Context, ordinals ...int) error {
	kubelet := b.operator.cluster.kubelet
	all, _ := kubelet.ready(b.network)
	var old []types.UID
	for _, ordinal := range ordinals {
		name := fmt.Sprintf("%s-%d", b.network.Name, ordinal)
		for uid, pod := range all {
			if pod.key.Name == name {
				old = append(old, uid)
			}
		}
		pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: b.network.Namespace, Name: name}}
		if err := b.operator.cluster.api.Delete(ctx, pod); err != nil {
			return err
		}
	}
	return until(ctx, "other pods are ready", func() (bool, error) {
		now, _ := kubelet.ready(b.network)
		isOld := func(uid types.UID) bool { _, there := now[uid]; return there }
		return len(now) == len(all) && !slices.ContainsFunc(old, isOld), nil
	})
}

// restartOperator returns when another process has asked every node.
func (b *bench) restartOperator(ctx context.Context) error {
	if err := b.operator.stop(); err != nil {
		return err
	}
	before, err := b.operator.cluster.nodes.traffic(ctx)
	if err != nil {
		return err
	}
	if err := b.operator.start(ctx); err != nil {
		return err
	}
	return until(ctx, "the new operator has asked every node", func() (bool, error) {
		now, err := b.operator.cluster.nodes.traffic(ctx)
		return now[b.key()].Requests-before[b.key()].Requests >= b.nodes, err
	})
}

// settle returns when the network is well and nothing has happened for a while.
func (b *bench) settle(ctx context.Context) error { return b.operator.cluster.settle(ctx, b.network) }

func (c *cluster) settle(ctx context.Context, key types.NamespacedName) error {
	network := &v1alpha1.BitcoinNetwork{}
	if err := c.api.Get(ctx, key, network); err != nil {
		return err
	}
	begun := time.Now()
	err := until(ctx, key.String()+" is well, and at rest", func() (bool, error) {
		ready, changed := c.kubelet.ready(key)
		well := c.networks.wellSince(key)
		isQuiet := time.Since(begun) > settles && time.Since(changed) > settles && time.Since(well) > settles
		return len(ready) == int(network.Spec.Nodes) && !well.IsZero() && isQuiet, nil
	})
	if err != nil {
		if known := c.api.Get(context.WithoutCancel(ctx), key, network); known == nil {
			err = fmt.Errorf("%w: %s", err, conditions.GetMessage(network, meta.ReadyCondition))
		}
	}
	return err
}
