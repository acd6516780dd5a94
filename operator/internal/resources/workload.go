package resources

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/bitcoind"
)

const (
	// workloadAnnotation, on the StatefulSet, carries the workload that was last
	// applied.
	workloadAnnotation = "bitcoin-operator.github.io/workload"
	// ConfigAnnotation, on pods, carries their bitcoin.conf. So what a container
	// reads, also one that is started again, is what its pod was made with.
	ConfigAnnotation = "bitcoin-operator.github.io/bitcoin.conf"
)

// Workload is what nodes are made of. It changes when one of its inputs does, and
// with it the nodes are replaced; but not when another version of the operator
// would make something else of the same inputs.
type Workload struct {
	// Inputs is a hash of what a user or the platform decides about the nodes.
	Inputs string `json:"inputs"`
	// Config is the bitcoin.conf of a template that mounts it from a ConfigMap, as
	// earlier operators made them. Others carry it themselves.
	Config string `json:"config,omitempty"`
	// Template is that of their pods.
	Template corev1.PodTemplateSpec `json:"template"`

	record string
}

// WorkloadOf returns what the nodes of a network should be made of, given the
// StatefulSet that there is, or nil.
func WorkloadOf(network *v1alpha1.BitcoinNetwork, platform Platform, chain bitcoind.Chain, live *appsv1.StatefulSet) (Workload, error) {
	inputs, err := inputsOf(network, platform)
	if err != nil {
		return Workload{}, err
	}
	if last, ok := lastApplied(live); ok && slices.Contains(inputs, last.Inputs) {
		return last, nil
	}
	return newWorkload(network, platform, chain, inputs[0]).recorded()
}

// recorded returns the workload with its record.
func (w Workload) recorded() (Workload, error) {
	record, err := json.Marshal(w)
	if err != nil {
		return Workload{}, fmt.Errorf("encode a workload: %w", err)
	}
	w.record = string(record)
	return w, nil
}

func newWorkload(network *v1alpha1.BitcoinNetwork, platform Platform, chain bitcoind.Chain, inputs string) Workload {
	labels := labels(network)
	for key, value := range network.Spec.PodLabels {
		if _, ours := labels[key]; !ours {
			labels[key] = string(value)
		}
	}
	return Workload{
		Inputs: inputs,
		Template: corev1.PodTemplateSpec{
			ObjectMeta: metav1.ObjectMeta{
				Labels:      labels,
				Annotations: map[string]string{ConfigAnnotation: bitcoind.Config(settingsOf(network, chain))},
			},
			Spec: withStart(podSpec(network, platform, chain), network, platform, chain),
		},
	}
}

func settingsOf(network *v1alpha1.BitcoinNetwork, chain bitcoind.Chain) bitcoind.Settings {
	settings := bitcoind.Settings{Chain: chain, Memory: memoryOf(network, chain)}
	if network.Spec.Signet != nil {
		settings.Challenge = network.Spec.Signet.Challenge
	}
	for _, topic := range network.Spec.ZMQ {
		settings.Topics = append(settings.Topics, string(topic))
	}
	for _, line := range network.Spec.Config {
		settings.Lines = append(settings.Lines, string(line))
	}
	return settings
}

// inputsOf sums up what a user or the platform decides about the nodes, in the way
// that is recorded now, and then in those in which earlier operators recorded the
// same. A field that is added to the API with a default must not count while it has
// that default, or the operator's upgrade would replace every node.
func inputsOf(network *v1alpha1.BitcoinNetwork, platform Platform) ([]string, error) {
	spec := network.Spec.DeepCopy()
	spec.Image = platform.Image(network)
	// Of these the pods know nothing.
	spec.Nodes, spec.Peering, spec.Mining, spec.Suspend, spec.Protect, spec.Interval = 0, v1alpha1.Peering{}, nil, false, false, nil
	spec.Clients, spec.Primary = nil, nil
	if spec.Storage != nil {
		spec.Storage = &v1alpha1.Storage{} // only that there is some
	}
	spec.Users = sortedUsers(spec.Users)
	// How many pairs of credentials the Secret has was an input once.
	type withPairs struct {
		Spec  *v1alpha1.BitcoinNetworkSpec `json:"spec"`
		Pairs int                          `json:"pairs"`
	}
	var hashes []string
	for _, inputs := range []any{spec, withPairs{spec, 1}, withPairs{spec, 2}} {
		text, err := json.Marshal(inputs)
		if err != nil {
			return nil, fmt.Errorf("encode the spec of %s: %w", network.Name, err)
		}
		hashes = append(hashes, hash(string(text)))
	}
	return hashes, nil
}

// lastApplied returns the workload that was last applied, if that is known. Without a
// bitcoin.conf nodes would start on main.
func lastApplied(set *appsv1.StatefulSet) (Workload, bool) {
	if set == nil {
		return Workload{}, false
	}
	last := Workload{record: set.Annotations[workloadAnnotation]}
	err := json.Unmarshal([]byte(last.record), &last)
	configured := last.Config != "" || last.Template.Annotations[ConfigAnnotation] != ""
	return last, err == nil && configured && len(last.Template.Spec.Containers) > 0
}

func hash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:8])
}
