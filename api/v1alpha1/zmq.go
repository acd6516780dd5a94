package v1alpha1

// ZMQTopic is a notification that bitcoind publishes over ZeroMQ, as in its
// option -zmqpub<topic>.
// +kubebuilder:validation:Enum=hashblock;hashtx;rawblock;rawtx;sequence
type ZMQTopic string

const (
	// HashBlock tells the hash of each block that is connected.
	HashBlock ZMQTopic = "hashblock"
	// HashTx tells the hash of each transaction.
	HashTx ZMQTopic = "hashtx"
	// RawBlock tells each block that is connected, whole.
	RawBlock ZMQTopic = "rawblock"
	// RawTx tells each transaction, whole.
	RawTx ZMQTopic = "rawtx"
	// Sequence tells in order what enters and leaves the chain and the mempool.
	Sequence ZMQTopic = "sequence"
)
