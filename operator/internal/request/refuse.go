package request

import (
	"fmt"
	"slices"
	"time"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/bitcoind"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/plan"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state"
)

// Patience is for how long a request waits for its network to be well.
const Patience = time.Minute

// Situation is what is known of the network that a request names.
type Situation struct {
	Now time.Time
	// Network is nil where there is none of that name.
	Network *v1alpha1.BitcoinNetwork
	Seen    *state.Network
	// Parts is into how many groups the nodes that answer fall.
	Parts int
	// Bounds are how much may be asked for a day.
	Bounds Bounds
}

// Decision is what to do about a request that has not been started.
type Decision struct {
	// Refused says why nothing will be done; Waits why nothing is done yet. Where both are
	// empty a node is told.
	Refused, Waits string
	// Node is the one to tell, and Tip the end of its chain.
	Node int
	Tip  state.Tip
}

// Tells reports whether a node is to be told.
func (d Decision) Tells() bool { return d.Refused == "" && d.Waits == "" }

// Decide decides about a request that has not been started.
func Decide(request *v1alpha1.BitcoinRequest, s Situation) Decision {
	if problem := refusal(request, s); problem != "" {
		return Decision{Refused: problem}
	}
	node, tip, problem := choose(request, s)
	if problem != "" {
		return Hold(request, problem, s.Now)
	}
	return Decision{Node: node, Tip: tip}
}

// Hold decides about a request whose network is not well now: that may pass.
func Hold(request *v1alpha1.BitcoinRequest, problem string, now time.Time) Decision {
	if since := request.Status.WaitsSince; since != nil && now.Sub(since.Time) >= Patience {
		return Decision{Refused: problem + "; this did not change within a minute"}
	}
	return Decision{Waits: problem}
}

// refusal says why a request will not be done, whatever becomes of the network; empty
// where nothing is in its way.
func refusal(request *v1alpha1.BitcoinRequest, s Situation) string {
	name := request.Spec.Network
	if s.Network == nil {
		return fmt.Sprintf("spec.network: there is no network %q in this namespace", name)
	}
	if field, address := addressOf(request); address != "" && !bitcoind.ChecksumFits(address) {
		return field + ": its checksum does not match: is a character mistyped or missing?"
	}
	switch spec := s.Network.Spec; {
	case spec.Chain != v1alpha1.Regtest:
		return fmt.Sprintf("spec.network: %s follows %s; blocks and coins can be requested on regtest only", name, spec.Chain)
	case s.Seen.ChainNotAllowed:
		return fmt.Sprintf("spec.network: the platform does not allow the chain of %s", name)
	case spec.Suspend:
		return fmt.Sprintf("spec.network: %s is suspended (spec.suspend)", name)
	case spec.Nodes == 0:
		return fmt.Sprintf("spec.network: %s is parked (spec.nodes: 0)", name)
	}
	if problem := plan.NoRoom(s.Network, s.Seen); problem != "" {
		return "spec.network: " + problem
	}
	return s.Bounds.exceeded(request, s.Network.Status.Requested, s.Now)
}

// addressOf returns the address in a request, and the field that has it.
func addressOf(request *v1alpha1.BitcoinRequest) (field, address string) {
	if pay := request.Spec.Pay; pay != nil {
		return "spec.pay.address", pay.Address
	}
	return "spec.mine.address", request.Spec.Mine.Address
}

// choose returns the node that is to be told, or what is the matter with the network. It
// is well when most of its nodes answer, are linked, and are on one chain.
func choose(request *v1alpha1.BitcoinRequest, s Situation) (node int, tip state.Tip, problem string) {
	name, answering := request.Spec.Network, 0
	for _, node := range s.Seen.WantedNodes() {
		if node.Answers {
			answering++
		}
	}
	tips := s.Seen.Tips()
	switch unusable := s.Seen.Secret.Unusable; {
	case unusable != nil:
		return 0, tip, fmt.Sprintf("spec.network: %s has no credentials: %s", name, unusable.Message)
	case 2*answering <= s.Seen.Wanted:
		return 0, tip, fmt.Sprintf("spec.network: %d of %d nodes of %s answer; more than half must", answering, s.Seen.Wanted, name)
	case s.Parts != 1:
		return 0, tip, fmt.Sprintf("spec.network: %s is split into %d parts", name, s.Parts)
	}
	switch state.Agree(tips, s.Seen.Branches) {
	case state.Forked, state.Unclear:
		return 0, tip, fmt.Sprintf("spec.network: the nodes of %s are on different chains", name)
	}
	var able []int
	for _, ordinal := range tips[0].Nodes {
		if s.Seen.Serves(s.Seen.Node(ordinal)) {
			able = append(able, ordinal)
		}
	}
	primary := s.Network.Status.Primary
	switch {
	case primary != nil && slices.Contains(able, int(primary.Ordinal)):
		return int(primary.Ordinal), tips[0], ""
	case primary != nil && request.Spec.Pay != nil: // where the wallet is
		return 0, tip, fmt.Sprintf("spec.network: %s, to which %s-primary leads, is not ready or lacks the last block", state.Name(s.Network, int(primary.Ordinal)), name)
	case len(able) > 0:
		return able[0], tips[0], ""
	default:
		return 0, tip, fmt.Sprintf("spec.network: no node of %s that has the last block is ready", name)
	}
}
