// Package resources builds the objects that a BitcoinNetwork wants to exist. Its
// functions are pure: a network and the platform's settings in, an object out.
package resources

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/bitcoind"
)

const (
	// NetworkLabel is on every object of a network, with the network's name.
	NetworkLabel = "bitcoin-operator.github.io/network"
	// ClientLabel, set to "true" on a pod, lets it reach RPC and ZMQ of the
	// networks in its namespace.
	ClientLabel = "bitcoin-operator.github.io/client"
	// SyncedCondition is the readiness gate of pods whose data are gone with them:
	// the operator makes it True, once, when the node has the network's best block.
	SyncedCondition corev1.PodConditionType = "bitcoin-operator.github.io/synced"
	// Container is the name of the container that runs bitcoind.
	Container = "bitcoind"

	// operator is the operator's name, in the label app.kubernetes.io/name of its
	// pods too.
	operator = "bitcoin-operator"

	nameLabel = "app.kubernetes.io/name"
)

// Platform is what the platform team decides for all networks of a namespace.
type Platform struct {
	// DefaultImage is the bitcoind image of networks that name none.
	DefaultImage string
	// OperatorImage is the operator's own image, from which nodes have their entry
	// point. It replaces none: nodes that run have theirs. Without it, nodes' images must
	// have one.
	OperatorImage string
	// ClusterDomain is the DNS domain of the cluster, such as "cluster.local".
	ClusterDomain string
	// ClusterRanges are the address ranges of the cluster's pods, services and
	// machines, in CIDR notation, as far as they are not private ones anyway: nodes
	// of a public chain must find no peers there.
	ClusterRanges []string
	// DrainHold is how long evictions of ready nodes are refused when only one of
	// them has the best block.
	DrainHold time.Duration
	// UserNamespaces gives nodes users of their own, which are nobody on the machine.
	// It is for those whose pods are made of something new: it replaces none.
	UserNamespaces bool
}

// Selector selects the pods of a network.
func Selector(network *v1alpha1.BitcoinNetwork) map[string]string {
	return map[string]string{NetworkLabel: network.Name}
}

// Image returns the image that a network's nodes should run.
func (p Platform) Image(network *v1alpha1.BitcoinNetwork) string {
	if network.Spec.Image != "" {
		return network.Spec.Image
	}
	return p.DefaultImage
}

// ClientService returns the name of the Service over a network's ready nodes.
func ClientService(network *v1alpha1.BitcoinNetwork) string { return network.Name + "-rpc" }

// ClaimName returns the name of the volume claim of a node's pod.
func ClaimName(network *v1alpha1.BitcoinNetwork, ordinal int) string {
	return DataVolume + "-" + PodName(network, ordinal)
}

// IsPrivate reports whether nobody but the network's nodes follows its chain.
func IsPrivate(network *v1alpha1.BitcoinNetwork, chain bitcoind.Chain) bool {
	return chain.Private || network.Spec.Signet != nil
}

// PodName returns the name of a node's pod.
func PodName(network *v1alpha1.BitcoinNetwork, ordinal int) string {
	return fmt.Sprintf("%s-%d", network.Name, ordinal)
}

// Ordinal returns the ordinal of the node that a pod of the network runs.
func Ordinal(network *v1alpha1.BitcoinNetwork, podName string) (int, bool) {
	digits, found := strings.CutPrefix(podName, network.Name+"-")
	if !found {
		return 0, false
	}
	ordinal, err := strconv.Atoi(digits)
	return ordinal, err == nil && ordinal >= 0 && PodName(network, ordinal) == podName
}

// DNSName returns the name by which a node is reached whatever its pod's
// address.
func (p Platform) DNSName(network *v1alpha1.BitcoinNetwork, ordinal int) string {
	return PodName(network, ordinal) + p.domain(network)
}

// domain is the part of the DNS names that a network's nodes share.
func (p Platform) domain(network *v1alpha1.BitcoinNetwork) string {
	return "." + network.Name + "." + network.Namespace + ".svc." + p.ClusterDomain
}

// IsNode tells whether a host name is one that a node of the network has, had or
// will have.
func (p Platform) IsNode(network *v1alpha1.BitcoinNetwork, host string) bool {
	pod, found := strings.CutSuffix(host, p.domain(network))
	if !found {
		return false
	}
	_, isNode := Ordinal(network, pod)
	return isNode
}

// Comment returns the user agent comment by which peers know a node.
func Comment(network *v1alpha1.BitcoinNetwork, ordinal int) string {
	return commentOf(network, strconv.Itoa(ordinal))
}

func commentOf(network *v1alpha1.BitcoinNetwork, ordinal string) string {
	return network.Namespace + "." + network.Name + "." + ordinal
}

// IsMember tells whether a user agent comment is that of a node of this network.
func IsMember(network *v1alpha1.BitcoinNetwork, comment string) bool {
	text, found := strings.CutPrefix(comment, commentOf(network, ""))
	ordinal, err := strconv.Atoi(text)
	return found && err == nil && ordinal >= 0
}

// IsStranger tells whether a user agent comment is that of a node of another
// network. Other comments, such as those of a wallet's own node, are nobody's.
func IsStranger(network *v1alpha1.BitcoinNetwork, comment string) bool {
	return !IsMember(network, comment) && isComment(comment)
}

// isComment tells whether a user agent comment has the form namespace.network.ordinal.
// Neither name can have a dot.
func isComment(comment string) bool {
	parts := strings.Split(comment, ".")
	if len(parts) != 3 || len(validation.IsDNS1123Label(parts[0])) > 0 || len(validation.IsDNS1035Label(parts[1])) > 0 {
		return false
	}
	ordinal, err := strconv.Atoi(parts[2])
	return err == nil && ordinal >= 0
}

func objectMeta(network *v1alpha1.BitcoinNetwork, name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{
		Name:      name,
		Namespace: network.Namespace,
		Labels:    labels(network),
	}
}

func labels(network *v1alpha1.BitcoinNetwork) map[string]string {
	return map[string]string{
		NetworkLabel:                   network.Name,
		nameLabel:                      "bitcoind",
		"app.kubernetes.io/instance":   network.Name,
		"app.kubernetes.io/managed-by": operator,
	}
}
