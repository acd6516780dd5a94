package controller

import (
	"context"
	"sync"

	"k8s.io/apimachinery/pkg/types"
)

// turns has whoever does something on a network wait for whoever is about it: a node must
// not go between the look at a network and a block that is mined on it.
type turns struct {
	mu      sync.Mutex
	waiting map[types.NamespacedName]*turn
}

// turn is that of one network. It is there while somebody has it or wants it.
type turn struct {
	taken chan struct{} // holds one who has it
	users int
}

// take waits for a network's turn. The caller ends it.
func (t *turns) take(ctx context.Context, network types.NamespacedName) (end func(), err error) {
	wanted := t.enter(network)
	select {
	case wanted.taken <- struct{}{}:
		return func() {
			<-wanted.taken
			t.leave(network)
		}, nil
	case <-ctx.Done():
		t.leave(network)
		return nil, ctx.Err()
	}
}

func (t *turns) enter(network types.NamespacedName) *turn {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.waiting == nil {
		t.waiting = map[types.NamespacedName]*turn{}
	}
	wanted, known := t.waiting[network]
	if !known {
		wanted = &turn{taken: make(chan struct{}, 1)}
		t.waiting[network] = wanted
	}
	wanted.users++
	return wanted
}

func (t *turns) leave(network types.NamespacedName) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.waiting[network].users--; t.waiting[network].users == 0 {
		delete(t.waiting, network)
	}
}
