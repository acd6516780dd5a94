package peering

import (
	"maps"
	"slices"
	"time"
)

// Peer is one connection that a node reports.
type Peer struct {
	// ID tells the node's connections apart.
	ID int32
	// Name is what the node dialled, or the address that an inbound
	// connection came from.
	Name string
	// Inbound tells that the other side dialled.
	Inbound bool
	// Handshaken tells that both sides have said their version, which a
	// connection that is only half open has not.
	Handshaken bool
	// Silent tells that the other side has long not answered, as when its
	// machine is lost. bitcoind itself holds such a connection for 20 minutes,
	// and dials nobody by the same name meanwhile.
	Silent bool
	// Comments are the other side's user agent comments (-uacomment), by which
	// nodes know each other.
	Comments []string
}

// Report is what a node that answers says of its peers.
type Report struct {
	// At is when it was asked. Where two ends of a link were not at the same time, what
	// the one says that was asked later counts for both.
	At time.Time
	// Added is the node's list of manual peers.
	Added []string
	// Peers are its connections.
	Peers []Peer
}

// Network tells what the nodes of a network are called.
type Network struct {
	// Nodes is how many there should be.
	Nodes int
	// Degree is the most peers that a node dials.
	Degree int
	// Name returns the host:port by which a node is dialled.
	Name func(ordinal int) string
	// Owns tells whether a dialled name is, or was, one of this network's.
	Owns func(name string) bool
	// Sibling tells whether a dialled name is that of a node of another network that the
	// same operator runs. It may have told a node of this one to dial it, while it did not
	// make sure whom it talks to; whatever comes of it is a stranger.
	Sibling func(name string) bool
	// Comment returns the user agent comment of a node.
	Comment func(ordinal int) string
	// Member tells whether a user agent comment is that of a node of this
	// network.
	Member func(comment string) bool
	// Stranger tells whether a user agent comment is that of a node of another
	// network. Private chains share their first block, so one wrong connection,
	// by an outdated address, is enough for the longer chain to win in both.
	Stranger func(comment string) bool
	// Gone tells whether a node's name leads nowhere, as while its pod is being
	// replaced.
	Gone func(ordinal int) bool
	// Coming reports whether a node is coming up. Who is to dial it has it in the list when it
	// answers, so that the two are one update.
	Coming func(ordinal int) bool
	// Fresh reports whether a node has just come up. While one that it is to dial comes up
	// too, it is told of none: it learns of all its peers in one update. One that has been
	// told of some is told of the others as they come.
	Fresh func(ordinal int) bool
	// Mute reports whether a node runs and cannot be asked, so that it has no report.
	// It is dialled like those that have one.
	Mute func(ordinal int) bool
}

// Change is what one node should do to its peers.
type Change struct {
	// Add are the names that its list of manual peers lacks.
	Add []string
	// Dial are the names to dial now, rather than when bitcoind's own thread
	// comes round to its list, which takes up to a minute.
	Dial []string
	// Remove are the names of this network, and of its siblings, that its list should not
	// hold.
	Remove []string
	// Disconnect are connections to close: silent ones of this network, second ones
	// to the same node, and those to strangers.
	Disconnect []int32
	// Strangers are the comments of the latter.
	Strangers []string
}

func (c Change) isEmpty() bool {
	return len(c.Add)+len(c.Dial)+len(c.Remove)+len(c.Disconnect) == 0
}

// Plan is what to do about the links of a network, and how they stand.
type Plan struct {
	// Links are the links that there should be.
	Links []Link
	// Missing are those of them that do not stand.
	Missing []Link
	// Changes are what the nodes should do, by ordinal. A node whose peers are
	// right has none.
	Changes map[int]Change
	// Parts are the groups of nodes that answer and can reach each other over
	// links that stand, the largest first. One part is a whole network.
	Parts [][]int
	// Held reports that a fresh node waits for one that it is to dial.
	Held bool
}

// Decide compares the links of a network with what its nodes report. A node
// without a report does not answer: its links do not stand, and nobody is told to
// dial it. One that is gone is also taken out of the others' lists until it is
// back: bitcoind looks up the names in its list by itself, and what DNS then says
// of a node that is gone it goes on saying for seconds after it is back.
func Decide(network Network, reports map[int]Report) Plan {
	plan := Plan{Links: Links(network.Nodes, network.Degree), Changes: map[int]Change{}}
	parts := newParts(network.Nodes, reports)
	wanted, early, waits := map[int][]string{}, map[int][]string{}, map[int]bool{}

	for _, link := range plan.Links {
		name := network.Name(link.To)
		if !network.Gone(link.To) {
			wanted[link.From] = append(wanted[link.From], name)
		}

		from, fromAnswers := reports[link.From]
		to, toAnswers := reports[link.To]
		isComing := !toAnswers && network.Coming(link.To)
		if isComing {
			early[link.From] = append(early[link.From], name)
		}
		isAwaited := isComing || !toAnswers && network.Gone(link.To)
		if fromAnswers && isAwaited && network.Fresh(link.From) && !slices.ContainsFunc(from.Added, network.Owns) {
			waits[link.From], plan.Held = true, true
		}
		isDialled := dialled(from, network.Comment(link.To))
		isAccepted := accepted(to, network.Comment(link.From))
		if fromAnswers && toAnswers && (isDialled && isAccepted || isDialled && from.At.After(to.At) || isAccepted && to.At.After(from.At)) {
			parts.join(link.From, link.To)
			continue
		}
		plan.Missing = append(plan.Missing, link)
		if fromAnswers && (toAnswers || network.Mute(link.To) && !isDialled) {
			change := plan.Changes[link.From]
			change.Dial = append(change.Dial, name)
			plan.Changes[link.From] = change
		}
	}

	for ordinal, report := range reports {
		if ordinal >= network.Nodes {
			continue
		}
		change := plan.Changes[ordinal]
		change.Add = subtract(subtract(wanted[ordinal], report.Added), early[ordinal])
		if waits[ordinal] {
			change.Add, change.Dial = nil, nil
		}
		for _, name := range subtract(report.Added, wanted[ordinal]) {
			if network.Owns(name) || network.Sibling(name) {
				change.Remove = append(change.Remove, name)
			}
		}
		network.cut(&change, report)
		plan.Changes[ordinal] = change
	}

	maps.DeleteFunc(plan.Changes, func(_ int, change Change) bool { return change.isEmpty() })
	plan.Parts = parts.list()
	return plan
}

// cut decides which connections a node should close. A name that is in the way of
// dialling is dialled at the next look: bitcoind closes a connection only after
// it has answered.
func (n Network) cut(change *Change, report Report) {
	var connected []string
	for _, peer := range report.Peers {
		stranger := slices.IndexFunc(peer.Comments, n.Stranger)
		switch {
		case stranger >= 0:
			change.Strangers = append(change.Strangers, peer.Comments[stranger])
		case peer.Silent && n.isOurs(peer):
		case !peer.Inbound && peer.Handshaken && n.Owns(peer.Name) && !slices.Contains(connected, peer.Name):
			connected = append(connected, peer.Name)
			continue
		case slices.Contains(connected, peer.Name):
			// The list's own thread and onetry have dialled in the same moment: each of
			// these takes one of the few places of a node, at both ends.
		default:
			continue
		}
		change.Disconnect = append(change.Disconnect, peer.ID)
		change.Dial = slices.DeleteFunc(change.Dial, func(name string) bool { return !peer.Inbound && name == peer.Name })
	}
}

// isOurs tells whether a connection is to a node of this network, rather than to
// one that a person has added.
func (n Network) isOurs(peer Peer) bool {
	return !peer.Inbound && n.Owns(peer.Name) || slices.ContainsFunc(peer.Comments, n.Member)
}

// dialled reports whether a node reports a finished connection that it dialled and
// that led to the node with this comment. By which name does not matter: bitcoind
// holds one connection an address, whatever it was called when it was dialled.
func dialled(report Report, comment string) bool {
	return slices.ContainsFunc(report.Peers, func(peer Peer) bool {
		return !peer.Inbound && stands(peer, comment)
	})
}

// accepted tells whether a node reports a finished connection from the node
// that carries this comment.
func accepted(report Report, comment string) bool {
	return slices.ContainsFunc(report.Peers, func(peer Peer) bool {
		return peer.Inbound && stands(peer, comment)
	})
}

func stands(peer Peer, comment string) bool {
	return peer.Handshaken && !peer.Silent && slices.Contains(peer.Comments, comment)
}

// subtract returns the names that are in a and not in b, in a's order.
func subtract(a, b []string) []string {
	return slices.DeleteFunc(slices.Clone(a), func(name string) bool {
		return slices.Contains(b, name)
	})
}
