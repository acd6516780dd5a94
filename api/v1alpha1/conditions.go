package v1alpha1

// The conditions of a BitcoinNetwork, in addition to the Ready, Reconciling and Stalled
// of kstatus. Ready is True if the first three are.
const (
	// CredentialsReadyCondition is True if the operator has read valid RPC
	// credentials.
	CredentialsReadyCondition = "CredentialsReady"

	// NodesReadyCondition is True if every node answers RPC and can be reached by clients.
	NodesReadyCondition = "NodesReady"

	// PeersConnectedCondition is True if every planned link is connected, as the
	// nodes at both ends report.
	PeersConnectedCondition = "PeersConnected"

	// ChainsAgreeCondition is True if the tips of all nodes that answer are
	// equal or one block apart. It is not part of Ready.
	ChainsAgreeCondition = "ChainsAgree"

	// SyncedCondition is True if every node is synced: at most one block behind the
	// network's best block and behind its own headers. It is not part of Ready, which
	// never waits for a download.
	SyncedCondition = "Synced"

	// VersionsSupportedCondition is True if every node runs a version that still gets
	// fixes. It is not part of Ready: other versions work, and what to do about them is
	// for people to decide.
	VersionsSupportedCondition = "VersionsSupported"

	// StorageReadyCondition is True if the volume of every node has at least the size
	// spec.storage.size. Networks without storage do not have this condition. It is part
	// of Ready only if volumes cannot grow until somebody acts.
	StorageReadyCondition = "StorageReady"
)

// Reasons of CredentialsReady.
const (
	// SecretReadReason: the Secret was read and is valid.
	SecretReadReason = "SecretRead"
	// RotatingReason: the Secret has changed, and not all nodes accept all of it yet.
	// They still accept the previous credentials that it keeps.
	RotatingReason = "Rotating"
	// RotatedReason: every node accepts both the new and the previous credentials:
	// switch clients to the new ones, then remove the previous ones from the Secret.
	RotatedReason = "Rotated"
	// SecretOutdatedReason: the Secret was read and is valid, but does not match its
	// SealedSecret, which could not be unsealed or applied.
	SecretOutdatedReason = "SecretOutdated"
	// UsersRejectedReason: the Secret was read and is valid, but nodes reject some of
	// spec.users, for example because a password is missing or invalid, or still accept
	// passwords that are no longer in the Secret. The message names these users; others
	// are not affected.
	UsersRejectedReason = "UsersRejected"
	// DefaultCredentialsReason: the nodes use the default credentials, because spec.secret
	// is not set. This is allowed on regtest only.
	DefaultCredentialsReason = "DefaultCredentials"
	// SecretNotFoundReason: the Secret does not exist yet. The network waits.
	SecretNotFoundReason = "SecretNotFound"
	// SecretIncompleteReason: a key of the Secret is missing or empty. The network
	// waits.
	SecretIncompleteReason = "SecretIncomplete"
	// SecretInvalidReason: the Secret has the wrong type or an invalid value. Stalled.
	SecretInvalidReason = "SecretInvalid"
	// CredentialsRejectedReason: nodes that were started with the current Secret reject
	// its credentials, or accept some that are no longer in it. Stalled.
	CredentialsRejectedReason = "CredentialsRejected"
	// SecretForbiddenReason: the operator may not read this Secret. Stalled.
	SecretForbiddenReason = "SecretForbidden"
)

// Reasons of StorageReady.
const (
	// SizeReachedReason: every volume is large enough.
	SizeReachedReason = "SizeReached"
	// UnboundReason: some volume claims do not exist yet, or have no volume.
	UnboundReason = "Unbound"
	// ResizingReason: some volumes have not grown yet.
	ResizingReason = "Resizing"
	// QuotaExceededReason: a quota has no room for the volumes to grow. Stalled.
	QuotaExceededReason = "QuotaExceeded"
	// StorageRefusedReason: the API server rejected the growth of a volume claim for
	// another reason than a quota, for example because the storage class does not allow
	// it. Stalled.
	StorageRefusedReason = "StorageRefused"
	// ResizeInfeasibleReason: the storage cannot provide volumes of that size. Stalled.
	ResizeInfeasibleReason = "ResizeInfeasible"
)

// Reasons of NodesReady, PeersConnected, ChainsAgree and Ready.
const (
	// NodesAnswerReason: every node answers RPC.
	NodesAnswerReason = "NodesAnswer"
	// NodesNotReadyReason: some nodes do not answer RPC.
	NodesNotReadyReason = "NodesNotReady"
	// LinksConnectedReason: every planned link is connected.
	LinksConnectedReason = "LinksConnected"
	// LinksMissingReason: some planned links are not connected.
	LinksMissingReason = "LinksMissing"
	// SplitReason: the network is split into parts that no link connects.
	SplitReason = "Split"
	// TipsEqualReason: all tips are equal, or one block apart on the same chain.
	TipsEqualReason = "TipsEqual"
	// LaggingReason: all tips are on the same chain, but some nodes are several blocks
	// behind.
	LaggingReason = "Lagging"
	// ForkReason: nodes are on different chains.
	ForkReason = "Fork"
	// TipsDifferReason: tips differ, and it is unknown whether they are on the same
	// chain.
	TipsDifferReason = "TipsDiffer"
	// NoNodesReason: no node answers, so there is nothing to compare.
	NoNodesReason = "NoNodes"
	// WaitingForCredentialsReason: the nodes cannot be queried without credentials.
	WaitingForCredentialsReason = "WaitingForCredentials"
	// ConflictReason: an object that the network needs already exists and is not owned by
	// it. Stalled.
	ConflictReason = "Conflict"
	// InvalidReason: the API server rejects an object of the network as invalid, for
	// example because requests exceed limits. Stalled.
	InvalidReason = "Invalid"
	// ChainNotAllowedReason: the platform does not allow the chain. Stalled.
	ChainNotAllowedReason = "ChainNotAllowed"
	// ParkedReason: the network has no nodes because spec.nodes is 0.
	ParkedReason = "Parked"
	// ConnectedReason: all nodes are ready and linked.
	ConnectedReason = "Connected"
	// SuspendedReason: the operator changes nothing, because spec.suspend is true.
	// Stalled, unless the network matches its spec and is otherwise Ready.
	SuspendedReason = "Suspended"
	// RollingReason: nodes are being restarted or replaced, one at a time.
	RollingReason = "Rolling"
	// RolloutBlockedReason: a node waits to be restarted, replaced or removed by scaling,
	// and cannot proceed until somebody acts. Stalled.
	RolloutBlockedReason = "RolloutBlocked"
)

// Reasons of Synced. NodesNotReady and NoNodes are Unknown.
const (
	// SyncedReason: every node is synced.
	SyncedReason = "Synced"
	// DownloadingReason: some nodes are behind and catching up, or have not been observed
	// for long enough to tell.
	DownloadingReason = "Downloading"
	// NotCatchingUpReason: some nodes are behind and have made no progress for a minute
	// (on public chains: half an hour).
	NotCatchingUpReason = "NotCatchingUp"
	// BlockRejectedReason: some nodes consider a block invalid that others have. They do
	// not catch up until somebody acts.
	BlockRejectedReason = "BlockRejected"
)

// Reasons of VersionsSupported. NoNodes is Unknown.
const (
	// SupportedReason: every node runs a supported version.
	SupportedReason = "Supported"
	// NotListedReason: some nodes run software that publishes no end of support for its
	// versions.
	NotListedReason = "NotListed"
	// OutOfSupportReason: some nodes run a version that gets no more fixes.
	OutOfSupportReason = "OutOfSupport"
	// KnownBadReason: some nodes run a version with a known serious problem.
	KnownBadReason = "KnownBad"
)

// Reasons of Reconciling.
const (
	// ProgressingReason: the network does not match its spec yet.
	ProgressingReason = "Progressing"
	// DegradedReason: the network was Ready and no longer is.
	DegradedReason = "Degraded"
)

// Reasons of events that are not also reasons of a condition.
const (
	// CreatedEvent: the network's objects were created.
	CreatedEvent = "Created"
	// ScaledEvent: the number of nodes has changed.
	ScaledEvent = "Scaled"
	// ResumedEvent: the network is no longer suspended.
	ResumedEvent = "Resumed"
	// RecoveredEvent: a network that was Degraded is Ready again.
	RecoveredEvent = "Recovered"
	// RepairedEvent: a node that has not served for minutes is being replaced.
	RepairedEvent = "Repaired"
	// WaitingEvent: a node has been waiting for a minute to be restarted, replaced or
	// removed by scaling.
	WaitingEvent = "Waiting"
	// ChainLostEvent: no node has the best block any more.
	ChainLostEvent = "ChainLost"
	// DrainMayLoseChainEvent: evictions were blocked to keep the last ready node with the
	// best block, for as long as the platform allows; they are now possible again.
	DrainMayLoseChainEvent = "DrainMayLoseChain"
	// PrimaryMovedEvent: the Service <network>-primary leads to another node.
	PrimaryMovedEvent = "PrimaryMoved"
	// DiskFillingEvent: a node has used most of its limit of ephemeral storage.
	DiskFillingEvent = "DiskFilling"
	// ForeignPeerEvent: a node was connected to a node of another network, and has been
	// disconnected from it.
	ForeignPeerEvent = "ForeignPeer"
	// MinedEvent: a block was mined so that nodes relay transactions, or blocks were
	// mined for a BitcoinRequest.
	MinedEvent = "Mined"
	// PaidEvent: coins were paid for a BitcoinRequest.
	PaidEvent = "Paid"
	// RequestFailedEvent: a BitcoinRequest was refused or not carried out, or it is
	// unknown whether it was.
	RequestFailedEvent = "RequestFailed"
	// MiningFailedEvent: a block could not be mined.
	MiningFailedEvent = "MiningFailed"
)
