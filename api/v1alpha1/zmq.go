package v1alpha1

// ZMQTopic is a notification that bitcoind publishes over ZeroMQ, as in its
// option -zmqpub<topic>.
// +kubebuilder:validation:Enum=hashblock;hashtx;rawblock;rawtx;sequence
type ZMQTopic string

const (
	// HashBlock is the hash of each block that is connected.
	HashBlock ZMQTopic = "hashblock"
	// HashTx is the hash of each transaction.
	HashTx ZMQTopic = "hashtx"
	// RawBlock is each block that is connected, in full.
	RawBlock ZMQTopic = "rawblock"
	// RawTx is each transaction, in full.
	RawTx ZMQTopic = "rawtx"
	// Sequence is what enters and leaves the chain and the mempool, in order.
	Sequence ZMQTopic = "sequence"
)
