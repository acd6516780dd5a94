package v1alpha1

// The conditions of kstatus, which BitcoinNetworks and BitcoinRequests have.
const (
	// ReadyCondition is True if the network is as its spec asks: CredentialsReady,
	// NodesReady and PeersConnected are True, and no node is being restarted or replaced.
	// Otherwise its reason and message are those of the first problem. A BitcoinRequest
	// is Ready once it has been carried out.
	ReadyCondition = "Ready"

	// ReconcilingCondition is True while something is not Ready and the operator works on
	// it, or waits for what needs nobody to act. Otherwise it is absent.
	ReconcilingCondition = "Reconciling"

	// StalledCondition is True while something is not Ready and stays so until somebody
	// acts. Its reason and message are those of Ready. Otherwise it is absent.
	StalledCondition = "Stalled"
)

// The conditions of a BitcoinNetwork, in addition to those of kstatus. Ready is True if
// the first three are.
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
	// SecretReadReason (Normal): the Secret was read and is valid.
	SecretReadReason = "SecretRead"
	// RotatingReason (Normal): the Secret has changed, and not all nodes accept all of it yet.
	// They still accept the previous credentials that it keeps.
	RotatingReason = "Rotating"
	// RotatedReason (Normal): every node accepts both the new and the previous credentials:
	// switch clients to the new ones, then remove the previous ones from the Secret.
	RotatedReason = "Rotated"
	// SecretOutdatedReason (Warning): the Secret was read and is valid, but does not match its
	// SealedSecret, which could not be unsealed or applied.
	SecretOutdatedReason = "SecretOutdated"
	// UsersRejectedReason (Warning): the Secret was read and is valid, but nodes reject some of
	// spec.users, for example because a password is missing or invalid, or still accept
	// passwords that are no longer in the Secret. The message names these users; others
	// are not affected.
	UsersRejectedReason = "UsersRejected"
	// DefaultCredentialsReason (Warning): the nodes use the default credentials, because spec.secret
	// is not set. This is allowed on regtest only.
	DefaultCredentialsReason = "DefaultCredentials"
	// SecretNotFoundReason (Warning): the Secret does not exist yet. The network waits.
	SecretNotFoundReason = "SecretNotFound"
	// SecretIncompleteReason (Warning): a key of the Secret is missing or empty. The network
	// waits.
	SecretIncompleteReason = "SecretIncomplete"
	// SecretInvalidReason (Warning): the Secret has the wrong type or an invalid value. Stalled.
	SecretInvalidReason = "SecretInvalid"
	// CredentialsRejectedReason (Warning): nodes that were started with the current Secret reject
	// its credentials, or accept some that are no longer in it. Stalled.
	CredentialsRejectedReason = "CredentialsRejected"
	// SecretForbiddenReason (Warning): the operator may not read this Secret. Stalled.
	SecretForbiddenReason = "SecretForbidden"
)

// Reasons of StorageReady.
const (
	// SizeReachedReason (Normal): every volume is large enough.
	SizeReachedReason = "SizeReached"
	// UnboundReason: some volume claims do not exist yet, or have no volume.
	UnboundReason = "Unbound"
	// ResizingReason (Normal): some volumes have not grown yet.
	ResizingReason = "Resizing"
	// QuotaExceededReason (Warning): a quota has no room for the volumes to grow. Stalled.
	QuotaExceededReason = "QuotaExceeded"
	// StorageRefusedReason (Warning): the API server rejected the growth of a volume claim for
	// another reason than a quota, for example because the storage class does not allow
	// it. Stalled.
	StorageRefusedReason = "StorageRefused"
	// ResizeInfeasibleReason (Warning): the storage cannot provide volumes of that size. Stalled.
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
	// TipsEqualReason (Normal): all tips are equal, or one block apart on the same chain.
	TipsEqualReason = "TipsEqual"
	// LaggingReason (Normal): all tips are on the same chain, but some nodes are several blocks
	// behind.
	LaggingReason = "Lagging"
	// ForkReason (Warning): nodes are on different chains.
	ForkReason = "Fork"
	// TipsDifferReason: tips differ, and it is unknown whether they are on the same
	// chain.
	TipsDifferReason = "TipsDiffer"
	// NoNodesReason: no node answers, so there is nothing to compare.
	NoNodesReason = "NoNodes"
	// WaitingForCredentialsReason: the nodes cannot be queried without credentials.
	WaitingForCredentialsReason = "WaitingForCredentials"
	// ConflictReason (Warning): an object that the network needs already exists and is not owned by
	// it. Stalled.
	ConflictReason = "Conflict"
	// InvalidReason (Warning): the API server rejects an object of the network as invalid, for
	// example because requests exceed limits. Stalled.
	InvalidReason = "Invalid"
	// ChainNotAllowedReason (Warning): the platform does not allow the chain. Stalled.
	ChainNotAllowedReason = "ChainNotAllowed"
	// ParkedReason (Normal, Warning): the network has no nodes because spec.nodes is 0.
	ParkedReason = "Parked"
	// ConnectedReason (Normal): all nodes are ready and linked.
	ConnectedReason = "Connected"
	// SuspendedReason (Normal): the operator changes nothing, because spec.suspend is true.
	// Stalled, unless the network matches its spec and is otherwise Ready.
	SuspendedReason = "Suspended"
	// RollingReason (Normal): nodes are being restarted or replaced, one at a time.
	RollingReason = "Rolling"
	// RolloutBlockedReason (Warning): a node waits to be restarted, replaced or removed by scaling,
	// and cannot proceed until somebody acts. Stalled.
	RolloutBlockedReason = "RolloutBlocked"
	// FailedReason (Warning): the operator could not do something for the network, such
	// as write one of its objects. It tries again.
	FailedReason = "Failed"
)

// Reasons of Synced. NodesNotReady and NoNodes are Unknown.
const (
	// SyncedReason (Normal): every node is synced.
	SyncedReason = "Synced"
	// DownloadingReason (Normal): some nodes are behind and catching up, or have not been observed
	// for long enough to tell.
	DownloadingReason = "Downloading"
	// NotCatchingUpReason (Warning): some nodes are behind and have made no progress for a minute
	// (on public chains: half an hour).
	NotCatchingUpReason = "NotCatchingUp"
	// BlockRejectedReason (Warning): some nodes consider a block invalid that others have. They do
	// not catch up until somebody acts.
	BlockRejectedReason = "BlockRejected"
)

// Reasons of VersionsSupported. NoNodes is Unknown.
const (
	// SupportedReason (Normal): every node runs a supported version.
	SupportedReason = "Supported"
	// NotListedReason: some nodes run software that publishes no end of support for its
	// versions.
	NotListedReason = "NotListed"
	// OutOfSupportReason (Warning): some nodes run a version that gets no more fixes.
	OutOfSupportReason = "OutOfSupport"
	// KnownBadReason (Warning): some nodes run a version with a known serious problem.
	KnownBadReason = "KnownBad"
)

// Reasons of Reconciling. Progressing is also a reason of Ready.
const (
	// ProgressingReason: the network does not match its spec yet.
	ProgressingReason = "Progressing"
	// DegradedReason (Warning): the network was Ready and no longer is.
	DegradedReason = "Degraded"
)

// Reasons of events that are not also reasons of a condition.
const (
	// CreatedEvent (Normal): the network's objects were created.
	CreatedEvent = "Created"
	// ScaledEvent (Normal): the number of nodes has changed.
	ScaledEvent = "Scaled"
	// ResumedEvent (Normal): the network is no longer suspended.
	ResumedEvent = "Resumed"
	// RecoveredEvent (Normal): a network that was Degraded is Ready again.
	RecoveredEvent = "Recovered"
	// RepairedEvent (Warning): a node that has not served for minutes is being replaced.
	RepairedEvent = "Repaired"
	// WaitingEvent (Warning): a node has been waiting for a minute to be restarted, replaced or
	// removed by scaling.
	WaitingEvent = "Waiting"
	// ChainLostEvent (Warning): no node has the best block any more.
	ChainLostEvent = "ChainLost"
	// DrainMayLoseChainEvent (Warning): evictions were blocked to keep the last ready node with the
	// best block, for as long as the platform allows; they are now possible again.
	DrainMayLoseChainEvent = "DrainMayLoseChain"
	// PrimaryMovedEvent (Normal, Warning): the Service <network>-primary leads to another node.
	PrimaryMovedEvent = "PrimaryMoved"
	// DiskFillingEvent (Warning): a node has used most of its limit of ephemeral storage.
	DiskFillingEvent = "DiskFilling"
	// ForeignPeerEvent (Warning): a node was connected to a node of another network, and has been
	// disconnected from it.
	ForeignPeerEvent = "ForeignPeer"
	// MinedEvent (Normal): a block was mined so that nodes relay transactions, or blocks were
	// mined for a BitcoinRequest.
	MinedEvent = "Mined"
	// PaidEvent (Normal): coins were paid for a BitcoinRequest.
	PaidEvent = "Paid"
	// RequestFailedEvent (Warning): a BitcoinRequest was refused or not carried out, or it is
	// unknown whether it was.
	RequestFailedEvent = "RequestFailed"
	// MiningFailedEvent (Warning): a block could not be mined.
	MiningFailedEvent = "MiningFailed"
)
