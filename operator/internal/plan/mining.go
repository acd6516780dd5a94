package plan

import (
	"fmt"
	"time"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/bitcoind"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/peering"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state"
)

// staleTip is how old a tip is at which bitcoind, when it starts, takes itself to
// be in initial block download and relays nothing (-maxtipage).
const staleTip = 24 * time.Hour

// Block is one to be mined.
type Block struct {
	// Node is the ordinal of the one that mines it.
	Node int
	// Wait is how long until it is due.
	Wait time.Duration
	// Why says why it is mined out of turn; it is empty for one that is mined
	// regularly.
	Why string
}

// nextBlock returns the block to be mined next, or nil. There is none while most
// nodes do not answer, or those that do are in parts: it could be one of a second
// chain.
func nextBlock(network *v1alpha1.BitcoinNetwork, seen *state.Network, links peering.Plan) *Block {
	tips := seen.Tips()
	if network.Spec.Chain != v1alpha1.Regtest || len(tips) == 0 ||
		len(links.Parts) != 1 || 2*answering(seen) <= seen.Wanted {
		return nil
	}
	best := tips[0].Nodes[0]
	age := seen.Now.Sub(time.Unix(seen.Nodes[best].State.Chain.Time, 0))
	if keepsFresh(network) && age > staleTip && inInitialDownload(seen) {
		why := fmt.Sprintf("the last one is %.0f hours old", age.Hours())
		if tips[0].Height == 0 {
			why = "there was none"
		}
		return &Block{Node: best, Why: why}
	}
	if mining := network.Spec.Mining; mining != nil && mining.Interval != nil {
		if age < 0 { // as after many blocks at once, each of which is later than those before
			age = seen.Now.Sub(seen.TipSince)
		}
		return &Block{Node: best, Wait: max(mining.Interval.Duration-age, 0)}
	}
	return nil
}

// walletBlocks is how many blocks of a chain are for the wallet from which the operator
// pays: what a block brings halves every 150 blocks, and can be spent after 100.
const walletBlocks = 110

// CoinsOf returns the descriptor of who gets the coins of the block on that height, or
// of those from there on.
func CoinsOf(network *v1alpha1.BitcoinNetwork, height int64) string {
	if mining := network.Spec.Mining; mining != nil && mining.Address != "" {
		return bitcoind.PayTo(mining.Address)
	}
	wallet, err := bitcoind.WalletOf(string(network.UID))
	if height > walletBlocks || err != nil {
		return bitcoind.Anyone
	}
	return wallet.Mined()
}

// miningProblem says why a network cannot have blocks, whichever node were asked: what
// is not an address has a node refuse each of them. The definition of BitcoinNetwork
// tells letters apart; the checksum is told here.
func miningProblem(network *v1alpha1.BitcoinNetwork) string {
	if network.Spec.Mining == nil || network.Spec.Mining.Address == "" {
		return ""
	}
	if !bitcoind.ChecksumFits(network.Spec.Mining.Address) {
		return "spec.mining.address: its checksum does not match: is a character mistyped or missing?"
	}
	return ""
}

// diskProblem says why a block that is due is not to be mined: it would bring nodes
// nearer to being evicted, and with them goes the chain.
func diskProblem(network *v1alpha1.BitcoinNetwork, seen *state.Network, due *Block) string {
	if due == nil {
		return ""
	}
	return NoRoom(network, seen)
}

// NoRoom says why a network can have no more blocks: a node has no room for them. It is
// empty where there is room.
func NoRoom(network *v1alpha1.BitcoinNetwork, seen *state.Network) string {
	ordinal, full := seen.FirstWithDisk(state.DiskFull)
	if !full {
		return ""
	}
	return fmt.Sprintf("%s has used 90%% of its limit on the machine's disk, which holds its chain: "+
		"raise spec.resources.limits.ephemeral-storage, or create another network with spec.storage", state.Name(network, ordinal))
}

// answering counts the wanted nodes that answer RPC.
func answering(seen *state.Network) int {
	count := 0
	for _, node := range seen.WantedNodes() {
		if node.Answers {
			count++
		}
	}
	return count
}

func keepsFresh(network *v1alpha1.BitcoinNetwork) bool {
	mining := network.Spec.Mining
	return mining == nil || mining.KeepFresh == nil || *mining.KeepFresh
}

func inInitialDownload(seen *state.Network) bool {
	for _, node := range seen.WantedNodes() {
		if node.Answers && node.State.Chain.InitialBlockDownload {
			return true
		}
	}
	return false
}
