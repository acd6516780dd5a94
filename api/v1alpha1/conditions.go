package v1alpha1

// The conditions of a BitcoinNetwork, beside the Ready, Reconciling and Stalled
// of kstatus. Ready is True when the first three are.
const (
	// CredentialsReadyCondition is True when the operator has read RPC
	// credentials that are fit for use.
	CredentialsReadyCondition = "CredentialsReady"

	// NodesReadyCondition is True when every node answers RPC.
	NodesReadyCondition = "NodesReady"

	// PeersConnectedCondition is True when every planned link stands, as the
	// nodes at both of its ends report.
	PeersConnectedCondition = "PeersConnected"

	// ChainsAgreeCondition is True when the tips of all nodes that answer are
	// equal or one block apart. It is not part of Ready.
	ChainsAgreeCondition = "ChainsAgree"
)

// Reasons of CredentialsReady.
const (
	// SecretReadReason: the Secret was read and is fit for use.
	SecretReadReason = "SecretRead"
	// RotatingReason: the Secret has a new pair of user and password that not all
	// nodes accept yet; they do accept the previous one.
	RotatingReason = "Rotating"
	// RotatedReason: every node accepts the new pair, and the previous one:
	// clients can change over, and then the Secret can drop the previous one.
	RotatedReason = "Rotated"
	// DefaultCredentialsReason: the network names no Secret and uses the
	// well-known credentials, which a regtest network may.
	DefaultCredentialsReason = "DefaultCredentials"
	// SecretNotFoundReason: there is no such Secret yet. The network waits.
	SecretNotFoundReason = "SecretNotFound"
	// SecretIncompleteReason: the Secret lacks a key, or a key is empty. The
	// network waits.
	SecretIncompleteReason = "SecretIncomplete"
	// SecretInvalidReason: the Secret's type or a value cannot be used. Stalled.
	SecretInvalidReason = "SecretInvalid"
	// SecretForbiddenReason: the operator may not read that Secret. Stalled.
	SecretForbiddenReason = "SecretForbidden"
)

// Reasons of NodesReady, PeersConnected, ChainsAgree and Ready.
const (
	// NodesAnswerReason: every node answers RPC.
	NodesAnswerReason = "NodesAnswer"
	// NodesNotReadyReason: some nodes do not answer RPC.
	NodesNotReadyReason = "NodesNotReady"
	// LinksConnectedReason: every planned link stands.
	LinksConnectedReason = "LinksConnected"
	// LinksMissingReason: some planned links do not stand.
	LinksMissingReason = "LinksMissing"
	// SplitReason: the links that stand leave the network in parts.
	SplitReason = "Split"
	// TipsEqualReason: all tips are equal or one block apart on one chain.
	TipsEqualReason = "TipsEqual"
	// LaggingReason: all tips are on one chain, but some nodes are blocks behind.
	LaggingReason = "Lagging"
	// ForkReason: there are tips that are not on one chain.
	ForkReason = "Fork"
	// TipsDifferReason: tips differ, and whether they are on one chain is not
	// known.
	TipsDifferReason = "TipsDiffer"
	// NoNodesReason: no node answers, so there is nothing to compare.
	NoNodesReason = "NoNodes"
	// WaitingForCredentialsReason: nothing is known of the nodes, because the
	// credentials to ask them are not there.
	WaitingForCredentialsReason = "WaitingForCredentials"
	// ConflictReason: an object that the network needs exists and belongs to
	// someone else. Stalled.
	ConflictReason = "Conflict"
	// ChainNotAllowedReason: the platform does not allow the chain. Stalled.
	ChainNotAllowedReason = "ChainNotAllowed"
	// StorageRefusedReason: the API server refuses to grow a volume claim.
	// Stalled.
	StorageRefusedReason = "StorageRefused"
	// ParkedReason: the network has no nodes because it asks for none.
	ParkedReason = "Parked"
	// ConnectedReason: all nodes are ready and peered.
	ConnectedReason = "Connected"
	// SuspendedReason: the operator leaves the network as it is, because
	// spec.suspend says so. Stalled, unless all is well as it is.
	SuspendedReason = "Suspended"
	// RollingReason: nodes are being replaced, one at a time.
	RollingReason = "Rolling"
)
