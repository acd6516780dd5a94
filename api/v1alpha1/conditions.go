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

	// SyncedCondition is True when every node has the chain: the best block that the
	// network has, and all that it has headers of, or one block less. It is not part of
	// Ready, which never waits for a download.
	SyncedCondition = "Synced"

	// VersionsSupportedCondition is True when every node runs a version that those who
	// make it mend. It is not part of Ready: such nodes work, and what to do is for
	// people to decide.
	VersionsSupportedCondition = "VersionsSupported"

	// StorageReadyCondition is True when the volume of every node is as large as
	// spec.storage.size, or larger. Networks without storage have no such condition.
	// It is not part of Ready, unless volumes cannot become so until somebody acts.
	StorageReadyCondition = "StorageReady"
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
	// SecretOutdatedReason: the Secret was read and is fit for use, but is not what
	// its SealedSecret is, which could not be opened or applied.
	SecretOutdatedReason = "SecretOutdated"
	// UsersRejectedReason: the Secret was read and is fit for use, but nodes reject some
	// of spec.users, or accept passwords that the Secret no longer has: because a password
	// is missing or unfit, for example. The message names them; the others are fine.
	UsersRejectedReason = "UsersRejected"
	// DefaultCredentialsReason: the network names no Secret and uses the
	// default credentials, which is allowed on regtest only.
	DefaultCredentialsReason = "DefaultCredentials"
	// SecretNotFoundReason: there is no such Secret yet. The network waits.
	SecretNotFoundReason = "SecretNotFound"
	// SecretIncompleteReason: the Secret lacks a key, or a key is empty. The
	// network waits.
	SecretIncompleteReason = "SecretIncomplete"
	// SecretInvalidReason: the Secret's type or a value cannot be used. Stalled.
	SecretInvalidReason = "SecretInvalid"
	// CredentialsRejectedReason: nodes that were started with the Secret as it is
	// reject its current credentials, or accept some that it no longer has.
	CredentialsRejectedReason = "CredentialsRejected"
	// SecretForbiddenReason: the operator may not read that Secret. Stalled.
	SecretForbiddenReason = "SecretForbidden"
)

// Reasons of StorageReady.
const (
	// SizeReachedReason: every volume is large enough.
	SizeReachedReason = "SizeReached"
	// UnboundReason: some claims are not there yet, or have no volume.
	UnboundReason = "Unbound"
	// ResizingReason: some volumes have not grown yet.
	ResizingReason = "Resizing"
	// QuotaExceededReason: the growth does not fit into a quota. Stalled.
	QuotaExceededReason = "QuotaExceeded"
	// StorageRefusedReason: the API server refuses to grow a volume claim, and not for
	// want of quota: the storage class does not allow it, say. Stalled.
	StorageRefusedReason = "StorageRefused"
	// ResizeInfeasibleReason: the storage cannot make a volume so large. Stalled.
	ResizeInfeasibleReason = "ResizeInfeasible"
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
	// InvalidReason: the API server rejects an object of the network as invalid, for
	// example because requests exceed limits. Stalled.
	InvalidReason = "Invalid"
	// ChainNotAllowedReason: the platform does not allow the chain. Stalled.
	ChainNotAllowedReason = "ChainNotAllowed"
	// ParkedReason: the network has no nodes because it asks for none.
	ParkedReason = "Parked"
	// ConnectedReason: all nodes are ready and peered.
	ConnectedReason = "Connected"
	// SuspendedReason: the operator changes nothing, because spec.suspend is true.
	// Stalled, unless the network is as it should be.
	SuspendedReason = "Suspended"
	// RollingReason: nodes are being restarted or replaced, one at a time.
	RollingReason = "Rolling"
	// RolloutBlockedReason: a node that has to be replaced waits for what only
	// somebody can change. Stalled.
	RolloutBlockedReason = "RolloutBlocked"
)

// Reasons of Synced. NodesNotReady and NoNodes are Unknown.
const (
	// SyncedReason: every node has the chain.
	SyncedReason = "Synced"
	// DownloadingReason: some nodes are behind, and their chains grow, or have not been
	// seen for long enough to tell.
	DownloadingReason = "Downloading"
	// NotCatchingUpReason: some nodes are behind, and their chains do not grow, for a
	// minute, or for half an hour on a chain that others follow, too.
	NotCatchingUpReason = "NotCatchingUp"
	// BlockRejectedReason: some nodes hold a block for invalid that others have, and do not
	// catch up, until somebody acts.
	BlockRejectedReason = "BlockRejected"
)

// Reasons of VersionsSupported. NoNodes is Unknown.
const (
	// SupportedReason: every node runs a supported version.
	SupportedReason = "Supported"
	// NotListedReason: some nodes run software of which nobody has said until when its
	// versions are mended.
	NotListedReason = "NotListed"
	// OutOfSupportReason: some nodes run a version that is not mended any more.
	OutOfSupportReason = "OutOfSupport"
	// KnownBadReason: some nodes run a version that is known to do harm.
	KnownBadReason = "KnownBad"
)

// Reasons of Reconciling.
const (
	// ProgressingReason: the network is not yet as its spec says.
	ProgressingReason = "Progressing"
	// DegradedReason: the network was Ready, and no longer is.
	DegradedReason = "Degraded"
)

// Reasons of events that are not also reasons of a condition.
const (
	// CreatedEvent: the network's objects were made.
	CreatedEvent = "Created"
	// ScaledEvent: the network has more nodes, or fewer.
	ScaledEvent = "Scaled"
	// ResumedEvent: the network is no longer suspended.
	ResumedEvent = "Resumed"
	// RecoveredEvent: a network that was Degraded is Ready again.
	RecoveredEvent = "Recovered"
	// RepairedEvent: a node that had not served for minutes is being replaced.
	RepairedEvent = "Repaired"
	// WaitingEvent: a node has waited for a minute to be restarted, replaced or scaled
	// away.
	WaitingEvent = "Waiting"
	// ChainLostEvent: no node has the best block any more.
	ChainLostEvent = "ChainLost"
	// DrainMayLoseChainEvent: evictions were refused for as long as the platform
	// allows, to keep the last node that has the best block, and no longer are.
	DrainMayLoseChainEvent = "DrainMayLoseChain"
	// PrimaryMovedEvent: the Service <network>-primary leads to another node.
	PrimaryMovedEvent = "PrimaryMoved"
	// DiskFillingEvent: a node has used most of its limit of ephemeral storage.
	DiskFillingEvent = "DiskFilling"
	// ForeignPeerEvent: a node was connected to a node of another network, and has been
	// disconnected.
	ForeignPeerEvent = "ForeignPeer"
	// MinedEvent: a block was mined because nodes relayed nothing, or blocks for a
	// BitcoinRequest.
	MinedEvent = "Mined"
	// PaidEvent: coins were paid for a BitcoinRequest.
	PaidEvent = "Paid"
	// RequestFailedEvent: a BitcoinRequest was not carried out, or nobody knows whether
	// it was.
	RequestFailedEvent = "RequestFailed"
	// MiningFailedEvent: a block could not be mined.
	MiningFailedEvent = "MiningFailed"
)
