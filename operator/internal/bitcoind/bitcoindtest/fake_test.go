package bitcoindtest_test

import (
	"fmt"
	"time"

	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/bitcoind"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/bitcoind/bitcoindtest"
)

var (
	_ client = (*bitcoind.Client)(nil)
	_ client = (*bitcoindtest.Network)(nil)
)

type fakeWorld struct {
	*bitcoindtest.Network
}

func newFakeWorld(nodes int) fakeWorld {
	w := fakeWorld{bitcoindtest.NewNetwork()}
	for node := range nodes {
		w.Start(w.endpoint(node).Address, w.name(node), w.comment(node), bitcoind.DefaultCredentials)
		w.LetIn(w.endpoint(node).Address, reader)
	}
	return w
}

func (w fakeWorld) endpoint(node int) bitcoind.Endpoint {
	return bitcoind.Endpoint{
		Address:     fmt.Sprintf("192.0.2.%d:18443", node+1),
		Credentials: bitcoind.DefaultCredentials,
		Comment:     w.comment(node),
	}
}

func (w fakeWorld) name(node int) string {
	return fmt.Sprintf("payments-%d.payments.team-a.svc.cluster.local:18444", node)
}

func (w fakeWorld) comment(node int) string { return fmt.Sprintf("team-a.payments.%d", node) }
func (w fakeWorld) stop(node int)           { w.Stop(w.endpoint(node).Address) }
func (w fakeWorld) restart(node int)        { w.Restart(w.endpoint(node).Address) }
func (w fakeWorld) freeze(node int)         { w.Freeze(w.endpoint(node).Address) }
func (w fakeWorld) invalidate(node int)     { w.Invalidate(w.endpoint(node).Address) }

func (w fakeWorld) pass() {
	w.Elapse(time.Second)
	w.ConnectAdded()
}
