// Command kubectl-btcnet is what people use beside kubectl: it tells how networks stand
// and why, asks them for blocks and coins, and adds teams. None of it is in the operator.
package main

import (
	"os"

	_ "k8s.io/client-go/plugin/pkg/client/auth" // for clusters that people log in to by a plugin

	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/btcnet"
)

func main() {
	os.Exit(btcnet.Run(ctrl.SetupSignalHandler(), os.Args[1:], btcnet.Streams()))
}
