// Package state holds what is known of a network and its nodes at one moment: who
// answers, at which tips they are, what keeps them from running. It is pure, and no
// value of it holds a secret or a client: whoever decides by it cannot do anything.
package state

import (
	"slices"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/bitcoind"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/resources"
)

// Network is what is known of a network.
type Network struct {
	// Now is the moment of which all this is said.
	Now time.Time
	// Since is when the operator first looked at the network.
	Since time.Time
	// AllAskedAt is when all nodes were last asked.
	AllAskedAt time.Time
	// Chain is the chain that the nodes follow.
	Chain bitcoind.Chain
	// ChainNotAllowed reports that the platform does not allow the chain.
	ChainNotAllowed bool
	// Private reports whether nobody but the network's nodes has its chain.
	Private bool
	// Siblings are the other networks of the namespace, by name.
	Siblings []string
	// Secret is what is known of the credentials.
	Secret Secret
	// StatefulSet is nil while there is none, and as applied once it has been.
	StatefulSet *appsv1.StatefulSet
	// Quotas are those of the namespace. They are looked at only where a volume claim
	// should grow.
	Quotas []corev1.ResourceQuota
	// Former are the pods and volume claims, by name, that an earlier StatefulSet has
	// left, and whose names the nodes need; none once there is a StatefulSet.
	Former []string
	// Wanted is how many nodes the network should have.
	Wanted int
	// Nodes are the nodes by ordinal: those that the network should have, those that
	// its StatefulSet has beyond, and those that still have a pod.
	Nodes []Node
	// SpareData reports that there are claims of nodes which the network no longer
	// has.
	SpareData bool
	// Best is the tip with the most work among the data that still exist. It is nil
	// while nobody has more than the first block of the chain, which is nothing.
	Best *Block
	// Lost is the best block that was recorded and that no data has any more; nil
	// where nothing was lost.
	Lost *Block
	// TipSince is when the operator first saw the highest tip of those that nodes tell
	// of.
	TipSince time.Time
	// Branches reports of each tip, by its hash, whether it is on the chain of the
	// highest. It is nil where that is not known.
	Branches map[string]bool
}

// Secret is what is known of a network's credentials, less what they are.
type Secret struct {
	// Unusable says why there are none that can be used; nil where there are.
	Unusable *Problem
	// Pairs is how many pairs the nodes should accept: the current one, and while a
	// password is being changed the previous one.
	Pairs int
	// Users are those of the network who may not call everything.
	Users []User
	// ChangedAt is when the Secret became what it is.
	ChangedAt time.Time
	// Warning says what is odd about the Secret, though nodes take it.
	Warning string
	// NotApplied says that the Secret is not what its SealedSecret is, and why; empty
	// where nobody says so.
	NotApplied string
}

// Passwords counts the passwords of users that the Secret has.
func (s Secret) Passwords() int {
	count := 0
	for _, user := range s.Users {
		count += user.Passwords
	}
	return count
}

// User is what the Secret has for one of the network's users.
type User struct {
	Name string
	// Passwords is how many passwords nodes should accept: none, the current one, or
	// while it is being changed the previous one, too.
	Passwords int
	// Problem says what is wrong with them, and holds no value; empty for nothing.
	Problem string
}

// Problem is a reason of a condition with its message.
type Problem struct {
	Reason, Message string
}

// Software is what a node runs. WithoutWallets reports that its pod lets it have none.
type Software struct {
	bitcoind.Software
	WithoutWallets bool
}

// Node is what is known of one node.
type Node struct {
	// Pod runs the node; nil while there is none.
	Pod *corev1.Pod
	// Problem says why the node does not answer, or clients do not reach it. It is empty
	// for one that answers RPC with the credentials that it should accept.
	Problem string
	// NotMade is what Kubernetes says of a pod that it could not make.
	NotMade string

	// Asked reports that the node was asked in this pass, and AskedAt when it was for what
	// it says: for others that is less than a check ago, and nothing has happened to their
	// pods since.
	Asked   bool
	AskedAt time.Time
	// Answers reports whether the node has answered RPC when it was last asked; State is
	// what it said then, and Silent are the connections, by id, at whose other end nobody
	// answers.
	Answers bool
	State   bitcoind.State
	Silent  map[int32]bool
	// Runs is what the node runs, as it last said, be it before a restart; zero where it never
	// has.
	Runs Software
	// IsLate reports that the node did not answer in time, for the first time since it was
	// well, and that the kubelet finds it ready: it is given another check. State is what
	// it said before.
	IsLate bool
	// LastAnswer is now for a node that answers RPC, or runs and cannot; for any other
	// the first look that found it silent.
	LastAnswer time.Time

	// WarmsUp reports that the node runs and loads its chain, and answers nothing yet.
	WarmsUp bool
	// AskAgain is how long the operator leaves a node alone that did not answer.
	AskAgain time.Duration

	// RejectsCurrent and RejectsPrevious report which of the credentials of the
	// Secret the node is known to reject; RejectsAll that it rejects all that the
	// operator knows, so that it cannot be asked anything over RPC.
	RejectsCurrent, RejectsPrevious, RejectsAll bool
	// ReadsOther reports that the node's pod takes its credentials from elsewhere than
	// the network says: another start does not help it, another pod does.
	ReadsOther bool
	// AcceptsOld reports that the node accepts a pair that the Secret no longer has, and
	// MayAcceptOld that it may, since nobody knows what it read.
	AcceptsOld, MayAcceptOld bool

	// RejectsUsers are users of whom the node rejects a password that the Secret has,
	// though its pod knows them; KeepsUsers those of whom it accepts one that the Secret
	// no longer has.
	RejectsUsers, KeepsUsers []string
	// Claim is the volume claim of the node; nil while there is none.
	Claim *corev1.PersistentVolumeClaim
	// Data tells the node's data apart from those that it had before, or will have:
	// the UID of its volume claim, or without one that of its pod. It is empty while
	// the node has none.
	Data types.UID
	// Tip is the last tip that the data were known to be at; nil where that is not
	// known. Shown reports that the node has said so when it was asked. Data of which
	// nobody has told yet are at what FirstTip says.
	Tip   *Block
	Shown bool
	// HadBest is when the node's data were last known to have the best block.
	HadBest time.Time
	// LastServed is now for a node that serves; for any other the first look that found
	// that it does not.
	LastServed time.Time
	// LastAlive is now for a node that serves the kubelet's probe, and for one that does not
	// when it answered RPC, be it that it rejects credentials. For any other it is when it last did, by the kubelet's
	// account, which outlives the operator; without a pod, by that of the operator.
	LastAlive time.Time
	// AlivePod is the pod that was last seen alive, be it one before Pod; empty for none.
	AlivePod types.UID
	// BehindSince is the first of the looks in which the node has said that it lacks the
	// block that was the best then; zero for one that has the best block, or says nothing.
	BehindSince time.Time
	// SyncedAt is when the node's data were last seen to have the chain. StalledSince is
	// when the node was first asked that was found behind, and its chain no longer than
	// before; zero for any other. Latest is how far it was when it last said so, and Earlier
	// one or two minutes before that, or when it was first seen to be behind.
	SyncedAt, StalledSince time.Time
	Earlier, Latest        Progress
	// Invalid is a block that the node holds for invalid, and that is on the chain of
	// others. It is asked for only where the node is behind and does not catch up.
	Invalid *Block
	// RefusedAt is when a disruption budget last did not let the node's pod go, and
	// NotStoppedAt when its bitcoind last did not take the call to stop.
	RefusedAt, NotStoppedAt time.Time
}

// Node returns the node of an ordinal, of which nothing may be known.
func (n *Network) Node(ordinal int) Node {
	if ordinal < 0 || ordinal >= len(n.Nodes) {
		return Node{Problem: noPod}
	}
	return n.Nodes[ordinal]
}

// Unasked returns those of nodes that were not asked in this pass, and are taken to be as
// they were before. Others have not answered, and are taken for nothing.
func (n *Network) Unasked(ordinals []int) []int {
	return slices.DeleteFunc(slices.Clone(ordinals), func(ordinal int) bool {
		node := n.Node(ordinal)
		return !node.Answers || node.Asked || PodProblem(node.Pod) != ""
	})
}

// TipRestsOn returns the nodes on whose answers it rests that a node has the best tip and
// may mine: its own, and where the others' are older than a check is by default, all.
func (n *Network) TipRestsOn(miner int) []int {
	ordinals := []int{miner}
	if n.Now.Sub(n.AllAskedAt) > steadyInterval {
		for ordinal := range n.Nodes {
			if ordinal != miner {
				ordinals = append(ordinals, ordinal)
			}
		}
	}
	return ordinals
}

// WantedNodes returns the nodes that the network should have.
func (n *Network) WantedNodes() []Node { return n.Nodes[:n.Wanted] }

// MadeNodes returns those of the wanted nodes that are there or being made: that have a
// pod, or whose pod the StatefulSet asks for. Others nobody makes, as of a network that
// is suspended.
func (n *Network) MadeNodes() []Node {
	made, _ := Replicas(n.StatefulSet)
	for ordinal, node := range n.Nodes {
		if node.Pod != nil {
			made = max(made, ordinal+1)
		}
	}
	return n.Nodes[:min(made, n.Wanted)]
}

// Ready counts the wanted nodes that are ready.
func (n *Network) Ready() int {
	count := 0
	for _, node := range n.WantedNodes() {
		if node.Ready() {
			count++
		}
	}
	return count
}

// steadyInterval is how often all nodes are asked when nothing calls for it, unless the
// network says otherwise: the net below the watches.
const steadyInterval = 30 * time.Second

// CheckInterval is how often all nodes of a network are asked.
func CheckInterval(network *v1alpha1.BitcoinNetwork) time.Duration {
	if network.Spec.Interval != nil {
		return network.Spec.Interval.Duration
	}
	return steadyInterval
}

// HandsOff reports whether the operator must not change anything about a network:
// because it is suspended, because its chain is not allowed, or because there are
// no credentials, without which no node must start, and those that run go on
// running.
func (n *Network) HandsOff(network *v1alpha1.BitcoinNetwork) bool {
	return network.Spec.Suspend || n.ChainNotAllowed || n.Secret.Unusable != nil
}

// Settled reports whether the StatefulSet controller has seen the present template,
// so that its status says which pods run it.
func (n *Network) Settled() bool {
	set := n.StatefulSet
	return set != nil && set.Status.ObservedGeneration == set.Generation && set.Status.UpdateRevision != ""
}

// Replicas returns how many pods a StatefulSet asks for, and whether it says so: there
// may be none yet.
func Replicas(set *appsv1.StatefulSet) (pods int, known bool) {
	if set == nil || set.Spec.Replicas == nil {
		return 0, false
	}
	return int(*set.Spec.Replicas), true
}

// IsOutdated reports whether a node's pod does not run the present template.
func (n *Network) IsOutdated(node Node) bool {
	return n.Settled() && node.Pod != nil &&
		node.Pod.Labels[appsv1.ControllerRevisionHashLabelKey] != n.StatefulSet.Status.UpdateRevision
}

// Ready reports whether the node answers RPC with the credentials that it should
// accept, and clients reach it; or did, and is late once.
func (n Node) Ready() bool { return n.Problem == "" || n.IsLate }

// DiffersFromSecret reports whether a node is known not to accept just what the Secret
// says.
func (n Node) DiffersFromSecret() bool {
	return n.RejectsAll || n.RejectsCurrent || n.RejectsPrevious || n.AcceptsOld || len(n.RejectsUsers)+len(n.KeepsUsers) > 0
}

// Shows reports whether a node has shown in this pass that the best block is on its
// active chain. By the definition of the best block, only a node that is at it has.
func (n *Network) Shows(node Node) bool {
	return node.Shown && n.Best.is(node.Tip)
}

// Has reports whether the data of a node are known to have the best block.
func (n *Network) Has(node Node) bool { return n.Best.is(node.Tip) }

// IsSynced reports whether a node has shown in this pass a chain with as much work as
// that of the best block. Where two blocks are equal it may have the other one: nodes
// that differ so do until the next block, and none of them is behind.
func (n *Network) IsSynced(node Node) bool {
	return node.Shown && (n.Best == nil || node.Tip.Compare(*n.Best) >= 0)
}

// IsUp reports whether the kubelet finds a node ready, and it has as good a chain as
// any. Of a public chain the world has the best block, and nodes are behind it for
// days.
func (n *Network) IsUp(node Node) bool {
	return IsReady(node.Pod) && node.Pod.DeletionTimestamp == nil && node.Shown && (!n.Private || n.IsSynced(node))
}

// Serves reports whether a node is of use to clients: it is up, and answers with
// credentials that the operator knows.
func (n *Network) Serves(node Node) bool { return node.Answers && n.IsUp(node) }

// IsAlive reports whether a node serves the kubelet's probe, or answers the operator, be
// it that it rejects credentials.
func (n Node) IsAlive() bool {
	return n.Pod != nil && (UnservedSince(n.Pod).IsZero() || n.Answers || n.RejectsAll)
}

// AliveAt returns when a node that is alive was last known to be: one of which the kubelet
// says nothing was when it was asked.
func (n Node) AliveAt(now time.Time) time.Time {
	unserved := UnservedSince(n.Pod)
	switch {
	case unserved.IsZero() || n.Asked:
		return now
	case unserved.After(n.AskedAt):
		return unserved
	default:
		return n.AskedAt
	}
}

// IsEmpty reports whether a node's data are in a pod that has never run, so that
// there can be nothing in them.
func (n Node) IsEmpty() bool {
	return n.Pod != nil && n.Data == n.Pod.UID && (n.Tip == nil || n.Tip.Height == 0) && NeverRan(n.Pod)
}

// FirstTip returns the tip of data of which no node has told anything to somebody who
// has looked since then: if they were made since, they are taken to be empty until one
// does. Else nobody knows, and it is nil.
func (n Node) FirstTip(since time.Time) *Block {
	if n.IsEmpty() || n.Pod != nil && n.Data == n.Pod.UID && n.Pod.CreationTimestamp.After(since) {
		return &Block{}
	}
	return nil
}

// IsUntold reports whether the node's data may have the best block and more, since
// nobody knows anything of them. An operator that has just been started gives nodes
// a moment to tell before it acts upon them; one that runs has seen data from when
// they were empty.
func (n *Network) IsUntold(node Node) bool {
	return n.Private && node.Data != "" && node.Tip == nil && !node.IsEmpty() && n.Now.Sub(node.LastServed) < Silence
}

// AtStake reports whether something would be lost with the data of all nodes: the
// world has a public chain, and a first block is nothing.
func (n *Network) AtStake() bool { return n.Private && n.Best != nil }

// InPods reports whether the nodes' data are in their pods, and gone with them.
func InPods(network *v1alpha1.BitcoinNetwork) bool { return network.Spec.Storage == nil }

// Missing says what is known of a node without a pod.
func Missing(whyNotMade string) Node {
	return Node{Problem: withReason(noPod, whyNotMade), NotMade: Quote(whyNotMade)}
}

// Name returns the name of a node's pod.
func Name(network *v1alpha1.BitcoinNetwork, ordinal int) string {
	return resources.PodName(network, ordinal)
}
