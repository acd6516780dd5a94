package main

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// mesh has the algorithm of 2019 link a network that comes up, and one of whose pods
// restarts then.
func (c *cluster) mesh(ctx context.Context, nodes int) ([]meshing, error) {
	var set types.NamespacedName
	cold, err := c.untilRest(ctx, &set, nodes, func() (err error) {
		set, err = c.meshed(ctx, nodes)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("full mesh of %d nodes: %w", nodes, err)
	}
	cold.What = coldStart
	restart, err := c.untilRest(ctx, &set, nodes, func() error {
		ready, _ := c.kubelet.ready(set)
		if err := c.api.Delete(ctx, &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: set.Namespace, Name: set.Name + "-0"}}); err != nil {
			return err
		}
		return until(ctx, "another pod is ready", func() (bool, error) {
			now, _ := c.kubelet.ready(set)
			gone := 0
			for uid := range ready {
				if _, there := now[uid]; !there {
					gone++
				}
			}
			return gone > 0 && len(now) == nodes, nil
		})
	})
	if err != nil {
		return nil, fmt.Errorf("full mesh of %d nodes, one pod restarts: %w", nodes, err)
	}
	restart.What = oneRestarts
	return []meshing{cold, restart}, nil
}

// untilRest does something, and returns what the nodes were asked until nobody asked them
// any more. Meanwhile each dials the names of its list every second, sooner than bitcoind
// does: the algorithm leaves that to it.
func (c *cluster) untilRest(ctx context.Context, set *types.NamespacedName, nodes int, do func() error) (meshing, error) {
	before, err := c.nodes.traffic(ctx)
	if err != nil {
		return meshing{}, err
	}
	if err := do(); err != nil {
		return meshing{}, err
	}
	key := set.Namespace + "." + set.Name
	var now, last traffic
	var lastRequest, lastDial time.Time
	err = until(ctx, "nobody asks the nodes any more", func() (bool, error) {
		if time.Since(lastDial) > time.Second {
			lastDial = time.Now()
			if err := c.nodes.connectAdded(ctx); err != nil {
				return false, err
			}
		}
		all, err := c.nodes.traffic(ctx)
		now = all[key]
		if now.Requests != last.Requests {
			lastRequest = time.Now()
		}
		last = now
		ready, _ := c.kubelet.ready(*set)
		hasBegun := now.Requests > before[key].Requests
		return hasBegun && len(ready) == nodes && time.Since(lastRequest) > settles && time.Since(now.Linked) > settles, err
	})
	_, changed := c.kubelet.ready(*set)
	return meshing{
		Nodes: nodes, Requests: now.Requests - before[key].Requests, Pairs: now.Links,
		Links: *sinceOrZero(changed, now.Linked), Rests: *sinceOrZero(changed, lastRequest),
	}, err
}
