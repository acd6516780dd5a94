package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// BitcoinRequest asks once for blocks or for coins on a regtest network in its
// namespace: the operator mines the blocks, or pays the coins to an address. Create it
// with kubectl, not in Git: Flux would create it again each time it has been deleted. Its
// spec cannot be changed; its status reports the result. The operator carries out one
// request at a time per network, and none twice.
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

	// spec is what is requested.
	// +required
	Spec BitcoinRequestSpec `json:"spec"`

	// status is the state and the result of the request.
	// +optional
	// +kubebuilder:default:={"observedGeneration":-1}
	Status BitcoinRequestStatus `json:"status,omitempty"`
}

// BitcoinRequestSpec is what is requested.
//
// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="cannot be changed; create another request"
// +kubebuilder:validation:XValidation:rule="has(self.mine) != has(self.pay)",message="set either mine or pay, not both"
type BitcoinRequestSpec struct {
	// network is the name of the network, in the request's namespace.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=52
	Network string `json:"network"`

	// mine requests blocks.
	// +optional
	Mine *MineRequest `json:"mine,omitempty"`

	// pay requests a payment, which the operator makes from the network's wallet.
	// +optional
	Pay *PayRequest `json:"pay,omitempty"`

	// ttl is how long the request is kept after it has finished: a duration such as
	// "30m" or "2h", 1 minute to 168 hours.
	// +optional
	// +kubebuilder:default="1h"
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:Pattern="^([0-9]+(\\.[0-9]+)?(ms|s|m|h))+$"
	// +kubebuilder:validation:XValidation:rule="duration(self) >= duration('1m') && duration(self) <= duration('168h')",message="must be 1m to 168h"
	TTL *metav1.Duration `json:"ttl,omitempty"`
}

// MineRequest requests blocks.
type MineRequest struct {
	// count is the number of blocks to mine, 1 to 1000.
	// +required
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1000
	Count int32 `json:"count"`

	// address is the regtest address that receives the new coins. If unset, the
	// network's wallet receives them, from which the operator pays.
	// +optional
	// +kubebuilder:validation:MaxLength=90
	// +kubebuilder:validation:Pattern="^(bcrt1[02-9ac-hj-np-z]{6,85}|[2mn][1-9A-HJ-NP-Za-km-z]{25,39})$"
	Address string `json:"address,omitempty"`
}

// PayRequest requests a payment.
type PayRequest struct {
	// address is the regtest address that receives the coins.
	// +required
	// +kubebuilder:validation:MaxLength=90
	// +kubebuilder:validation:Pattern="^(bcrt1[02-9ac-hj-np-z]{6,85}|[2mn][1-9A-HJ-NP-Za-km-z]{25,39})$"
	Address string `json:"address"`

	// amount is the amount to pay, in BTC, as a string: "1.5". It has at most eight
	// decimal places, and must be at least "0.00001": nodes do not relay less. The fee is
	// added to it.
	// +required
	// +kubebuilder:validation:MaxLength=17
	// +kubebuilder:validation:Pattern="^(0|[1-9][0-9]{0,7})(\\.[0-9]{1,8})?$"
	// +kubebuilder:validation:XValidation:rule="double(self) >= 0.00001 && double(self) <= 21000000.0",message="must be 0.00001 to 21000000, in BTC"
	Amount string `json:"amount"`
}

// RequestPhase is how far a request has come.
// +kubebuilder:validation:Enum=Pending;Started;Sent;Succeeded;Refused;Failed;Unknown
type RequestPhase string

// The phases of a BitcoinRequest. They are the reasons of its condition Ready.
const (
	// RequestPending: nothing has been done yet.
	RequestPending RequestPhase = "Pending"
	// RequestStarted: the request is being sent to a node. This is written beforehand.
	RequestStarted RequestPhase = "Started"
	// RequestSent: the payment was sent, and is not in a block yet.
	RequestSent RequestPhase = "Sent"
	// RequestSucceeded (Normal): the request was carried out.
	RequestSucceeded RequestPhase = "Succeeded"
	// RequestRefused (Warning): nothing was done, and nothing will be.
	RequestRefused RequestPhase = "Refused"
	// RequestFailed (Warning): the request was sent to a node, which did not carry it out, or only
	// in part.
	RequestFailed RequestPhase = "Failed"
	// RequestUnknown (Warning): the request was sent to a node, and it is unknown whether it was
	// carried out. It is not sent again.
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

// BitcoinRequestStatus is the state and the result of a request.
type BitcoinRequestStatus struct {
	// observedGeneration is the generation of the spec that the status refers to.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// phase is how far the request is: Pending; Started, once it is being sent to a
	// node; Sent, once a payment waits for a block. It ends as Succeeded, Refused
	// (nothing was done), Failed (not carried out, or only in part) or Unknown (it is
	// unknown whether it was carried out; it is not tried again).
	// +optional
	Phase RequestPhase `json:"phase,omitempty"`

	// conditions are Ready, whose message says what was done, or why nothing was, and
	// Reconciling and Stalled, as kstatus defines them.
	// +optional
	// +listType=map
	// +listMapKey=type
	Conditions []metav1.Condition `json:"conditions,omitempty"`

	// waitsSince is the time since which the request waits for its network to be able
	// to carry it out.
	// +optional
	WaitsSince *metav1.Time `json:"waitsSince,omitempty"`

	// start records the node and the tip when the request was sent to a node. It is
	// written beforehand.
	// +optional
	Start *RequestStart `json:"start,omitempty"`

	// blocks are the blocks that were mined.
	// +optional
	Blocks *RequestBlocks `json:"blocks,omitempty"`

	// transactionID is the ID of the payment's transaction.
	// +optional
	TransactionID string `json:"transactionID,omitempty"`

	// sentAt is when the transaction was sent.
	// +optional
	SentAt *metav1.Time `json:"sentAt,omitempty"`

	// confirmations is the transaction's number of confirmations when the operator last
	// checked.
	// +optional
	Confirmations int32 `json:"confirmations,omitempty"`

	// finishedAt is when the request finished.
	// +optional
	FinishedAt *metav1.Time `json:"finishedAt,omitempty"`
}

// RequestStart is the state of the network when a request was sent to a node.
type RequestStart struct {
	// at is the time.
	// +required
	At metav1.Time `json:"at"`

	// node is the ordinal of the node that the request was sent to.
	// +required
	Node int32 `json:"node"`

	// height is the height of the network's tip at that time.
	// +required
	Height int64 `json:"height"`

	// hash is the hash of that tip, in hexadecimal.
	// +required
	Hash string `json:"hash"`
}

// RequestBlocks are consecutive blocks of a chain.
type RequestBlocks struct {
	// count is the number of blocks.
	// +required
	Count int32 `json:"count"`

	// first is the hash of the lowest block, in hexadecimal.
	// +required
	First string `json:"first"`

	// last is the hash of the highest block, in hexadecimal.
	// +required
	Last string `json:"last"`
}

// BitcoinRequestList is a list of requests.
// +kubebuilder:object:root=true
type BitcoinRequestList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`

	// items are the requests.
	// +required
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
