package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// BitcoinRequest asks for blocks or coins on a regtest network of its namespace, once:
// either for blocks to be mined, or for coins to be paid to an address. It is made with
// kubectl, by people; one in Git would be asked for again whenever it is gone. What is
// asked for cannot change, and the status says what has come of it. The operator does
// one thing at a time on a network, and nothing twice.
//
// +kubebuilder:object:root=true
// +kubebuilder:resource:shortName=btcreq,categories=all
// +kubebuilder:subresource:status
// +kubebuilder:printcolumn:name="Network",type=string,JSONPath=`.spec.network`
// +kubebuilder:printcolumn:name="Blocks",type=integer,JSONPath=`.spec.mine.count`
// +kubebuilder:printcolumn:name="Amount",type=string,JSONPath=`.spec.pay.amount`
// +kubebuilder:printcolumn:name="Phase",type=string,JSONPath=`.status.phase`
// +kubebuilder:printcolumn:name="Message",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].message`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type BitcoinRequest struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// spec is what is asked for.
	// +required
	Spec BitcoinRequestSpec `json:"spec"`

	// status is what has come of it.
	// +optional
	// +kubebuilder:default:={"observedGeneration":-1}
	Status BitcoinRequestStatus `json:"status,omitempty"`
}

// BitcoinRequestSpec is what is asked for.
//
// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="cannot be changed; create another request"
// +kubebuilder:validation:XValidation:rule="has(self.mine) != has(self.pay)",message="set either mine or pay, not both"
type BitcoinRequestSpec struct {
	// network names the network, of this namespace.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=52
	Network string `json:"network"`

	// mine asks for blocks.
	// +optional
	Mine *MineRequest `json:"mine,omitempty"`

	// pay asks for coins, which the operator pays from a wallet of the network's.
	// +optional
	Pay *PayRequest `json:"pay,omitempty"`

	// ttl is how long after it is finished the request is deleted: a duration such as
	// "30m" or "2h", 1 minute to 168 hours.
	// +optional
	// +kubebuilder:default="1h"
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:Pattern="^([0-9]+(\\.[0-9]+)?(ms|s|m|h))+$"
	// +kubebuilder:validation:XValidation:rule="duration(self) >= duration('1m') && duration(self) <= duration('168h')",message="must be 1m to 168h"
	TTL *metav1.Duration `json:"ttl,omitempty"`
}

// MineRequest asks for blocks.
type MineRequest struct {
	// count is how many blocks to mine, 1 to 1000.
	// +required
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1000
	Count int32 `json:"count"`

	// address receives the new coins: a regtest address. If unset, they are for the
	// wallet from which the operator pays.
	// +optional
	// +kubebuilder:validation:MaxLength=90
	// +kubebuilder:validation:Pattern="^(bcrt1[02-9ac-hj-np-z]{6,85}|[2mn][1-9A-HJ-NP-Za-km-z]{25,39})$"
	Address string `json:"address,omitempty"`
}

// PayRequest asks for coins.
type PayRequest struct {
	// address receives the coins: a regtest address.
	// +required
	// +kubebuilder:validation:MaxLength=90
	// +kubebuilder:validation:Pattern="^(bcrt1[02-9ac-hj-np-z]{6,85}|[2mn][1-9A-HJ-NP-Za-km-z]{25,39})$"
	Address string `json:"address"`

	// amount is how much to pay, in BTC, in quotes: "1.5". At most eight decimal places,
	// and at least "0.00001": nodes do not relay less. The fee comes on top.
	// +required
	// +kubebuilder:validation:MaxLength=17
	// +kubebuilder:validation:Pattern="^(0|[1-9][0-9]{0,7})(\\.[0-9]{1,8})?$"
	// +kubebuilder:validation:XValidation:rule="double(self) >= 0.00001 && double(self) <= 21000000.0",message="must be 0.00001 to 21000000, in BTC"
	Amount string `json:"amount"`
}

// RequestPhase is how far a request has come.
// +kubebuilder:validation:Enum=Pending;Started;Sent;Succeeded;Refused;Failed;Unknown
type RequestPhase string

const (
	// RequestPending: nothing has been done yet.
	RequestPending RequestPhase = "Pending"
	// RequestStarted: a node is being told. This is written before it is.
	RequestStarted RequestPhase = "Started"
	// RequestSent: the coins are sent, and not in a block yet.
	RequestSent RequestPhase = "Sent"
	// RequestSucceeded: what was asked for is done.
	RequestSucceeded RequestPhase = "Succeeded"
	// RequestRefused: nothing was done, and nothing will be.
	RequestRefused RequestPhase = "Refused"
	// RequestFailed: a node was told, and could not do it, or not all of it.
	RequestFailed RequestPhase = "Failed"
	// RequestUnknown: a node was told, and nobody knows whether it has done it. It is
	// not told again.
	RequestUnknown RequestPhase = "Unknown"
)

// IsFinished reports whether a request has come as far as it will.
func (p RequestPhase) IsFinished() bool {
	switch p {
	case RequestSucceeded, RequestRefused, RequestFailed, RequestUnknown:
		return true
	default:
		return false
	}
}

// BitcoinRequestStatus is what has come of a request.
type BitcoinRequestStatus struct {
	// observedGeneration is the generation of the spec that all this is about.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// phase is how far the request has come: Pending; Started, as it is written before a
	// node is told; Sent, of coins that are not in a block yet; and in the end Succeeded,
	// Refused (nothing was done), Failed (not, or not all of it), or Unknown (nobody
	// knows; it is not tried again).
	// +optional
	Phase RequestPhase `json:"phase,omitempty"`

	// conditions are Ready, whose message says what was done or why not, and
	// Reconciling and Stalled, as kstatus defines them.
	// +optional
	// +listType=map
	// +listMapKey=type
	Conditions []metav1.Condition `json:"conditions,omitempty"`

	// waitsSince is since when the request waits for its network to be well.
	// +optional
	WaitsSince *metav1.Time `json:"waitsSince,omitempty"`

	// start is what the operator wrote down before it told a node.
	// +optional
	Start *RequestStart `json:"start,omitempty"`

	// blocks are those that were mined.
	// +optional
	Blocks *RequestBlocks `json:"blocks,omitempty"`

	// transactionID is the transaction that pays.
	// +optional
	TransactionID string `json:"transactionID,omitempty"`

	// sentAt is when that was sent.
	// +optional
	SentAt *metav1.Time `json:"sentAt,omitempty"`

	// confirmations is how many blocks the transaction had on it, its own included, when
	// the operator last looked.
	// +optional
	Confirmations int32 `json:"confirmations,omitempty"`

	// finishedAt is when the request came as far as it will.
	// +optional
	FinishedAt *metav1.Time `json:"finishedAt,omitempty"`
}

// RequestStart is from where a request was done.
type RequestStart struct {
	// at is when.
	// +required
	At metav1.Time `json:"at"`

	// node is the number of the node that was told.
	// +required
	Node int32 `json:"node"`

	// height is the height of the network's tip then.
	// +required
	Height int64 `json:"height"`

	// hash is the hash of that tip, in hexadecimal.
	// +required
	Hash string `json:"hash"`
}

// RequestBlocks are blocks of a chain, one after the other.
type RequestBlocks struct {
	// count is how many there are.
	// +required
	Count int32 `json:"count"`

	// first is the hash of the lowest, in hexadecimal.
	// +required
	First string `json:"first"`

	// last is the hash of the highest, in hexadecimal.
	// +required
	Last string `json:"last"`
}

// BitcoinRequestList is a list of requests.
// +kubebuilder:object:root=true
type BitcoinRequestList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`

	// items are the requests.
	Items []BitcoinRequest `json:"items"`
}

// GetConditions returns the conditions of the request.
func (r *BitcoinRequest) GetConditions() []metav1.Condition {
	return r.Status.Conditions
}

// SetConditions sets the conditions of the request.
func (r *BitcoinRequest) SetConditions(conditions []metav1.Condition) {
	r.Status.Conditions = conditions
}
