// Package explaintest has namespaces as they are read when something is wrong, for tests
// of what is said of them.
package explaintest

import (
	"fmt"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/explain"
)

// Now is when all of it was read.
var Now = time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)

const (
	hash    = "4f5c2d1e0b7a69384756"
	applied = "main@sha1:" + hash
)

// Case is a namespace team-a whose network payments is asked about.
type Case struct {
	Name string
	// change is what is not as in a namespace that is well.
	change func(*explain.Namespace)
	// Network is another network to ask about.
	Network string
}

// Seen returns what was read.
func (c Case) Seen() *explain.Namespace {
	seen := healthy()
	if c.change != nil {
		c.change(seen)
	}
	return seen
}

// Asked returns the name of the network that is asked about.
func (c Case) Asked() string {
	if c.Network != "" {
		return c.Network
	}
	return "payments"
}

// Cases are what there are tests of.
var Cases = []Case{
	{Name: "healthy"},
	{Name: "made-by-hand", change: func(seen *explain.Namespace) {
		seen.Networks[0].Labels = nil
		failed(seen.Kustomizations[0], "Ready", "BuildFailed", "what is in Git is no matter of this network's")
	}},
	{Name: "split", change: func(seen *explain.Namespace) {
		const message = "the network is split into 2 parts: nodes 0, 2; node 1; 1 of 3 links connected"
		says(seen, "PeersConnected", metav1.ConditionFalse, v1alpha1.SplitReason, message, 5*time.Minute)
		says(seen, "ChainsAgree", metav1.ConditionFalse, v1alpha1.ForkReason, "nodes are on different chains; height 112 (4710c74abf45…): nodes 0, 2; height 111 (33d6548e448b…): node 1", 4*time.Minute)
		notReady(seen, v1alpha1.SplitReason, message, 5*time.Minute)
		seen.Networks[0].Status.Links.Summary = "1/3"
	}},
	{Name: "sealed-elsewhere", change: func(seen *explain.Namespace) {
		const problem = "Failed to unseal: no key could decrypt secret (BC_RPC_PASSWORD, BC_RPC_USER)"
		failed(seen.SealedSecrets[0], "Synced", "", problem)
		failed(seen.Kustomizations[0], "Ready", "HealthCheckFailed", "failed early due to stalled resources: [SealedSecret/team-a/bitcoin-rpc status: 'Failed']")
		noSecret(seen, `Secret "bitcoin-rpc" does not exist in namespace team-a yet; its SealedSecret has not been unsealed: `+problem)
	}},
	{Name: "not-decrypted", change: func(seen *explain.Namespace) {
		seen.Tenant.Data["secretFrom"] = "sops"
		seen.SealedSecrets = nil
		noSecret(seen, notCommitted)
		failed(seen.Kustomizations[0], "Ready", "BuildFailed", "decryption failed for 'Secret/bitcoin-rpc': cannot get sops data key")
	}},
	{Name: "not-fetched", change: func(seen *explain.Namespace) {
		seen.Tenant.Data["secretFrom"] = "external-secrets"
		seen.SealedSecrets = nil
		noSecret(seen, notCommitted)
	}},
	{Name: "sealed-secret-outdated", change: func(seen *explain.Namespace) {
		failed(seen.SealedSecrets[0], "Synced", "", "Failed to unseal: no key could decrypt secret (BC_RPC_PASSWORD)")
		says(seen, "CredentialsReady", metav1.ConditionTrue, v1alpha1.SecretOutdatedReason, `Secret "bitcoin-rpc" was read; it does not match its SealedSecret, which could not be unsealed or applied: Failed to unseal: no key could decrypt secret (BC_RPC_PASSWORD)`, time.Hour)
	}},
	{Name: "no-quota", change: func(seen *explain.Namespace) {
		message := "2 of 3 nodes answer RPC; payments-2: it has no pod: create Pod payments-2 in StatefulSet payments failed error: pods \"payments-2\" is forbidden: exceeded quota: tenant-pods"
		says(seen, "NodesReady", metav1.ConditionFalse, v1alpha1.NodesNotReadyReason, message, 20*time.Minute)
		says(seen, "PeersConnected", metav1.ConditionFalse, v1alpha1.LinksMissingReason, "1 of 3 links connected; missing: 2→0; 2→1", 20*time.Minute)
		notReady(seen, v1alpha1.NodesNotReadyReason, message, 20*time.Minute)
		seen.Pods = seen.Pods[:3] // the operator, and two nodes
		seen.StatefulSets[0].Status.Replicas = 2
		seen.Networks[0].Status.Ready, seen.Networks[0].Status.Links.Summary = "2/3", "1/3"
		seen.Networks[0].Status.Nodes = seen.Networks[0].Status.Nodes[:2]
		seen.Quotas = []corev1.ResourceQuota{{ObjectMeta: metav1.ObjectMeta{Name: "tenant-pods"}, Status: corev1.ResourceQuotaStatus{
			Hard: corev1.ResourceList{"pods": resource.MustParse("100"), "requests.cpu": resource.MustParse("8")},
			Used: corev1.ResourceList{"pods": resource.MustParse("100"), "requests.cpu": resource.MustParse("1")},
		}}}
		seen.Events = append(seen.Events, warning("StatefulSet", "payments", "FailedCreate", `create Pod payments-2 in StatefulSet payments failed error: pods "payments-2" is forbidden: exceeded quota: tenant-pods, requested: pods=1, used: pods=100, limited: pods=100`, time.Minute))
	}},
	{Name: "wrong-image", change: func(seen *explain.Namespace) {
		message := `2 of 3 nodes answer RPC; payments-2: ImagePullBackOff: Back-off pulling image "ghcr.io/bitcoin-operator/bitcoind:typo"`
		says(seen, "NodesReady", metav1.ConditionFalse, v1alpha1.NodesNotReadyReason, message, 2*time.Minute)
		says(seen, "PeersConnected", metav1.ConditionFalse, v1alpha1.LinksMissingReason, "1 of 3 links connected; missing: 2→0; 2→1", 2*time.Minute)
		notReady(seen, v1alpha1.NodesNotReadyReason, message+"; payments-1 waits for payments-2 to serve: ImagePullBackOff", 2*time.Minute)
		waits(&seen.Pods[3], "ImagePullBackOff", `Back-off pulling image "ghcr.io/bitcoin-operator/bitcoind:typo"`)
		seen.Networks[0].Status.Ready, seen.Networks[0].Status.Links.Summary = "2/3", "1/3"
		seen.Networks[0].Status.Nodes[2].Ready = false
		seen.Networks[0].Status.Rollout = []v1alpha1.RolloutStatus{{Ordinal: 2, Action: v1alpha1.ReplaceAction, Since: ago(2 * time.Minute)}}
		seen.Events = append(seen.Events, warning("Pod", "payments-2", "Failed", `Failed to pull image "ghcr.io/bitcoin-operator/bitcoind:typo": not found`, time.Minute))
	}},
	{Name: "no-entry-point", change: func(seen *explain.Namespace) {
		message := `2 of 3 nodes answer RPC; payments-2: init container "bitcoind-start" of its pod: ImagePullBackOff: Back-off pulling image "ghcr.io/bitcoin-operator/operator:v0.1.0"`
		says(seen, "NodesReady", metav1.ConditionFalse, v1alpha1.NodesNotReadyReason, message, 2*time.Minute)
		notReady(seen, v1alpha1.NodesNotReadyReason, message, 2*time.Minute)
		waits(&seen.Pods[3], "PodInitializing", "")
		seen.Pods[3].Status.InitContainerStatuses = []corev1.ContainerStatus{{Name: "bitcoind-start", State: corev1.ContainerState{
			Waiting: &corev1.ContainerStateWaiting{Reason: "ImagePullBackOff", Message: `Back-off pulling image "ghcr.io/bitcoin-operator/operator:v0.1.0"`},
		}}}
	}},
	{Name: "crashes", change: func(seen *explain.Namespace) {
		message := "2 of 3 nodes answer RPC; payments-2: CrashLoopBackOff: its container exited with code 1: Error: Unknown -blockfilterindex value extended."
		says(seen, "NodesReady", metav1.ConditionFalse, v1alpha1.NodesNotReadyReason, message, 2*time.Minute)
		notReady(seen, v1alpha1.NodesNotReadyReason, message, 2*time.Minute)
		waits(&seen.Pods[3], "CrashLoopBackOff", "back-off 40s restarting failed container")
		seen.Pods[3].Status.ContainerStatuses[0].LastTerminationState.Terminated = &corev1.ContainerStateTerminated{ExitCode: 1, Reason: "Error"}
	}},
	{Name: "starting", change: func(seen *explain.Namespace) {
		message := "2 of 3 nodes answer RPC; payments-2: its pod is starting"
		says(seen, "NodesReady", metav1.ConditionFalse, v1alpha1.NodesNotReadyReason, message, 10*time.Second)
		notReady(seen, v1alpha1.NodesNotReadyReason, message, 10*time.Second)
		waits(&seen.Pods[3], "ContainerCreating", "")
	}},
	{Name: "suspended", change: func(seen *explain.Namespace) {
		seen.Networks[0].Spec.Suspend = true
		seen.Networks[0].ManagedFields = []metav1.ManagedFieldsEntry{{Manager: "kubectl-btcnet", FieldsV1: metav1.NewFieldsV1(`{"f:spec":{"f:suspend":{}}}`)}}
		says(seen, "Ready", metav1.ConditionTrue, v1alpha1.SuspendedReason, "suspended by spec.suspend; 3 nodes answer RPC, 3 links connected", 24*time.Hour)
		seen.Events = append(seen.Events, event(corev1.EventTypeNormal, "BitcoinNetwork", "payments", v1alpha1.SuspendedReason, "reconciliation is suspended: spec.suspend is true", 10*time.Minute))
	}},
	{Name: "suspended-in-git", change: func(seen *explain.Namespace) {
		seen.Networks[0].Spec.Suspend = true
		seen.Networks[0].ManagedFields = []metav1.ManagedFieldsEntry{{Manager: explain.FluxManager, FieldsV1: metav1.NewFieldsV1(`{"f:spec":{"f:nodes":{},"f:suspend":{}}}`)}}
		notReady(seen, v1alpha1.SuspendedReason, "suspended by spec.suspend, with unapplied changes: spec.nodes; 3 nodes answer RPC, 3 links connected", time.Hour)
		stalled(seen)
	}},
	{Name: "rollout-waits", change: func(seen *explain.Namespace) {
		notReady(seen, v1alpha1.RollingReason, "restarting or replacing the nodes one at a time; 2 nodes to go; payments-1 waits for payments-2 to have the best block: it is at block 90", 3*time.Minute)
		seen.Networks[0].Status.Rollout = []v1alpha1.RolloutStatus{{Ordinal: 2, Action: v1alpha1.ReplaceAction, Since: ago(3 * time.Minute)}}
		seen.Events = append(seen.Events, warning("BitcoinNetwork", "payments", v1alpha1.WaitingEvent, "payments-1 waits for payments-2 to have the best block: it is at block 90", 2*time.Minute))
	}},
	{Name: "rollout-blocked", change: func(seen *explain.Namespace) {
		notReady(seen, v1alpha1.RolloutBlockedReason, "restarting or replacing the nodes one at a time; 1 node to go; payments-0 waits for a decision: no node that has, or may have, block 7 (4710c74abf45…) answers", time.Hour)
		stalled(seen)
	}},
	{Name: "fork", change: func(seen *explain.Namespace) {
		says(seen, "ChainsAgree", metav1.ConditionFalse, v1alpha1.ForkReason, "nodes are on different chains; height 111 (4710c74abf45…): nodes 0, 2; height 111 (33d6548e448b…): node 1", 30*time.Second)
	}},
	{Name: "downloading", change: func(seen *explain.Namespace) {
		says(seen, "Synced", metav1.ConditionFalse, "Downloading", "2 of 3 nodes are synced; payments-2 is at 43.21%", time.Hour)
		says(seen, "VersionsSupported", metav1.ConditionFalse, "OutOfSupport", "payments-2 runs a version that no longer gets fixes", time.Hour)
	}},
	{Name: "block-rejected", change: func(seen *explain.Namespace) {
		says(seen, "Synced", metav1.ConditionFalse, "BlockRejected", "payments-2 holds block 112 for invalid", time.Hour)
		says(seen, "VersionsSupported", metav1.ConditionTrue, "Supported", "every node runs a supported version", time.Hour)
	}},
	{Name: "request-failed", change: func(seen *explain.Namespace) {
		finished := ago(2 * time.Minute)
		seen.Requests = []v1alpha1.BitcoinRequest{{
			ObjectMeta: metav1.ObjectMeta{Name: "payments-x7k2p"}, Spec: v1alpha1.BitcoinRequestSpec{Network: "payments"},
			Status: v1alpha1.BitcoinRequestStatus{Phase: v1alpha1.RequestFailed, FinishedAt: &finished, Conditions: []metav1.Condition{
				{Type: "Ready", Status: metav1.ConditionFalse, Message: "payments-0 did not pay: Insufficient funds"},
			}},
		}, {
			ObjectMeta: metav1.ObjectMeta{Name: "payments-other"}, Spec: v1alpha1.BitcoinRequestSpec{Network: "other"},
			Status: v1alpha1.BitcoinRequestStatus{Phase: v1alpha1.RequestFailed, FinishedAt: &finished},
		}}
	}},
	{Name: "source-fails", change: func(seen *explain.Namespace) {
		failed(seen.Repositories[0], "Ready", "GitOperationFailed", "failed to checkout and determine revision: unable to clone 'http://git.example.com/team-a.git': authentication required")
		failed(seen.Kustomizations[0], "Ready", "ArtifactFailed", "Source artifact not found, retrying in 30s")
	}},
	{Name: "commit-refused", change: func(seen *explain.Namespace) {
		failed(seen.Kustomizations[0], "Ready", "ReconciliationFailed", "BitcoinNetwork/team-a/payments dry-run failed (Forbidden): bitcoinnetworks.bitcoin-operator.github.io \"payments\" is forbidden: ValidatingAdmissionPolicy 'networks.bitcoin-operator.github.io' with binding 'networks.bitcoin-operator.github.io' denied request: spec.nodes: the platform allows 100 nodes per network in this namespace, not 101\n")
	}},
	{Name: "never-applied", Network: "watched", change: func(seen *explain.Namespace) {
		failed(seen.Kustomizations[0], "Ready", "ReconciliationFailed", "BitcoinNetwork/team-a/watched dry-run failed (Invalid): spec.chain: Unsupported value: \"mainnet\": supported values: \"main\", \"regtest\", \"signet\", \"testnet4\"")
	}},
	{Name: "commit-pending", change: func(seen *explain.Namespace) {
		set(seen.Repositories[0], "main@sha1:99aabbccddeeff001122", "status", "artifact", "revision")
	}},
	{Name: "no-operator", change: func(seen *explain.Namespace) {
		seen.Pods = seen.Pods[1:]
		seen.Networks[0].Generation = 8
	}},
	{Name: "operator-crashes", change: func(seen *explain.Namespace) {
		pod := &seen.Pods[0]
		pod.Status.Conditions = nil
		waits(pod, "CrashLoopBackOff", "back-off 5m0s restarting failed container=operator")
		seen.Pods[2].Status.Conditions = nil // and meanwhile a node
	}},
	{Name: "not-observed", change: func(seen *explain.Namespace) { seen.Networks[0].Generation = 8 }},
	{Name: "new", change: func(seen *explain.Namespace) {
		seen.Networks[0].Status = v1alpha1.BitcoinNetworkStatus{ObservedGeneration: -1}
		seen.StatefulSets, seen.Pods = nil, seen.Pods[:1]
	}},
	{Name: "frozen", change: func(seen *explain.Namespace) {
		seen.Tenant.Data["frozen"] = "true"
		set(seen.Kustomizations[0], true, "spec", "suspend")
	}},
	{Name: "deleted", change: func(seen *explain.Namespace) { seen.Networks[0].DeletionTimestamp = new(ago(time.Minute)) }},
	{Name: "conflict", change: func(seen *explain.Namespace) {
		notReady(seen, v1alpha1.ConflictReason, `Service "payments" already exists and is not owned by this network; delete it, or give the network another name`, time.Hour)
		stalled(seen)
	}},
	{Name: "mining-fails", change: func(seen *explain.Namespace) {
		says(seen, "Ready", metav1.ConditionTrue, v1alpha1.ConnectedReason, "3 nodes answer RPC, 3 links connected; mining fails: spec.mining.address: its checksum does not match: is a character mistyped or missing?", time.Hour)
	}},
	{Name: "volumes", change: func(seen *explain.Namespace) {
		message := "volumes cannot grow to 1Ti: that needs 2046Gi of requests.storage, and quota \"tenant\" has 1Ti left; no claim has grown"
		says(seen, "StorageReady", metav1.ConditionFalse, v1alpha1.QuotaExceededReason, message, time.Hour)
		notReady(seen, v1alpha1.QuotaExceededReason, message, time.Hour)
		stalled(seen)
	}},
	{Name: "unread", change: func(seen *explain.Namespace) {
		*seen = explain.Namespace{Name: seen.Name, Now: seen.Now, Networks: seen.Networks, Unread: map[string]string{
			"pods":           "not checked: you may not list pods in namespace team-a",
			"events":         "not checked: you may not list events in namespace team-a",
			"kustomizations": "not checked: the cluster has no kustomizations",
		}}
		seen.Unread["statefulsets"] = "not checked: you may not list statefulsets in namespace team-a"
	}},
	{Name: "hostile", change: func(seen *explain.Namespace) {
		seen.Events = append(seen.Events, warning("Pod", "payments-0", "Failed\x1b[31m", "\x1b[2J\x1b]0;title\x07 all is well\r\n\u202eno", time.Minute))
	}},
}

// healthy is a namespace with a network of three nodes that is well.
func healthy() *explain.Namespace {
	network := v1alpha1.BitcoinNetwork{
		ObjectMeta: metav1.ObjectMeta{Name: "payments", Namespace: "team-a", Generation: 7, Labels: map[string]string{
			"kustomize.toolkit.fluxcd.io/name": "networks", "kustomize.toolkit.fluxcd.io/namespace": "team-a",
		}},
		Spec: v1alpha1.BitcoinNetworkSpec{Nodes: 3, Chain: "regtest", Secret: "bitcoin-rpc"},
		Status: v1alpha1.BitcoinNetworkStatus{
			ObservedGeneration: 7, Ready: "3/3", Height: new(int64(112)),
			Links:   &v1alpha1.LinksStatus{Planned: 3, Connected: 3, Summary: "3/3"},
			Primary: &v1alpha1.PrimaryStatus{Ordinal: 0, Since: ago(24 * time.Hour)},
		},
	}
	seen := &explain.Namespace{
		Name: "team-a", Now: Now, Networks: []v1alpha1.BitcoinNetwork{network}, Unread: map[string]string{},
		Tenant:         &corev1.ConfigMap{Data: map[string]string{"frozen": "false", "group": "team-a"}},
		Pods:           []corev1.Pod{pod("bitcoin-operator-6d5f9c7b8-x2x4z", "bitcoin-operator", "operator")},
		StatefulSets:   []appsv1.StatefulSet{{ObjectMeta: metav1.ObjectMeta{Name: "payments"}, Spec: appsv1.StatefulSetSpec{Replicas: new(int32(3))}, Status: appsv1.StatefulSetStatus{Replicas: 3}}},
		Repositories:   []unstructured.Unstructured{object("networks")},
		Kustomizations: []unstructured.Unstructured{object("networks")},
		SealedSecrets:  []unstructured.Unstructured{object("bitcoin-rpc")},
	}
	for ordinal := range 3 {
		seen.Pods = append(seen.Pods, pod(fmt.Sprint("payments-", ordinal), "bitcoind", "bitcoind"))
		seen.Networks[0].Status.Nodes = append(seen.Networks[0].Status.Nodes, v1alpha1.NodeStatus{Ordinal: int32(ordinal), Ready: true})
	}
	set(seen.Repositories[0], applied, "status", "artifact", "revision")
	set(seen.Kustomizations[0], applied, "status", "lastAppliedRevision")
	set(seen.Kustomizations[0], "GitRepository", "spec", "sourceRef", "kind")
	set(seen.Kustomizations[0], "networks", "spec", "sourceRef", "name")
	condition(seen.Repositories[0], "Ready", "True", "Succeeded", "stored artifact for revision '"+applied+"'")
	condition(seen.Kustomizations[0], "Ready", "True", "ReconciliationSucceeded", "Applied revision: "+applied)
	condition(seen.SealedSecrets[0], "Synced", "True", "", "")
	for _, well := range [][3]string{
		{"CredentialsReady", v1alpha1.SecretReadReason, `Secret "bitcoin-rpc" was read`},
		{"NodesReady", v1alpha1.NodesAnswerReason, "3 nodes answer RPC"},
		{"PeersConnected", v1alpha1.LinksConnectedReason, "all 3 planned links are connected"},
		{"ChainsAgree", v1alpha1.TipsEqualReason, "the tips of 3 nodes are equal or one block apart"},
		{"Ready", v1alpha1.ConnectedReason, "3 nodes answer RPC, 3 links connected"},
	} {
		says(seen, well[0], metav1.ConditionTrue, well[1], well[2], 24*time.Hour)
	}
	return seen
}

func ago(age time.Duration) metav1.Time { return metav1.NewTime(Now.Add(-age)) }

const notCommitted = `Secret "bitcoin-rpc" does not exist in namespace team-a; commit the credentials under that name`

// noSecret is what there is of a network whose Secret has not come, as the operator says.
func noSecret(seen *explain.Namespace, message string) {
	says(seen, "CredentialsReady", metav1.ConditionFalse, v1alpha1.SecretNotFoundReason, message, 3*time.Minute)
	for _, name := range []string{"NodesReady", "PeersConnected"} {
		says(seen, name, metav1.ConditionUnknown, v1alpha1.WaitingForCredentialsReason, "the nodes cannot be queried without credentials", 3*time.Minute)
	}
	says(seen, "ChainsAgree", metav1.ConditionUnknown, v1alpha1.NoNodesReason, "no node answers", 3*time.Minute)
	notReady(seen, v1alpha1.SecretNotFoundReason, message, 3*time.Minute)
	seen.StatefulSets, seen.Pods = nil, seen.Pods[:1]
	status := &seen.Networks[0].Status
	status.Ready, status.Primary, status.Nodes, status.Height = "0/3", nil, nil, nil
}

// says has the network say something of itself.
func says(seen *explain.Namespace, name string, status metav1.ConditionStatus, reason, message string, age time.Duration) {
	conditions := &seen.Networks[0].Status.Conditions
	apimeta.RemoveStatusCondition(conditions, name)
	apimeta.SetStatusCondition(conditions, metav1.Condition{Type: name, Status: status, Reason: reason, Message: message, LastTransitionTime: ago(age)})
}

func notReady(seen *explain.Namespace, reason, message string, age time.Duration) {
	says(seen, "Ready", metav1.ConditionFalse, reason, message, age)
}

func stalled(seen *explain.Namespace) {
	says(seen, "Stalled", metav1.ConditionTrue, "Stalled", "", time.Hour)
}

// pod returns one that is ready.
func pod(name, app, container string) corev1.Pod {
	return corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"app.kubernetes.io/name": app}},
		Status: corev1.PodStatus{
			PodIP:             "10.0.0.1",
			Conditions:        []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}},
			ContainerStatuses: []corev1.ContainerStatus{{Name: container, Ready: true, State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{}}}},
		},
	}
}

// waits has a pod's container not run.
func waits(pod *corev1.Pod, reason, message string) {
	pod.Status.Conditions = nil
	pod.Status.ContainerStatuses[0].State = corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason, Message: message}}
}

func warning(kind, name, reason, message string, age time.Duration) corev1.Event {
	return event(corev1.EventTypeWarning, kind, name, reason, message, age)
}

func event(level, kind, name, reason, message string, age time.Duration) corev1.Event {
	return corev1.Event{
		Type: level, Reason: reason, Message: message, InvolvedObject: corev1.ObjectReference{Kind: kind, Name: name},
		FirstTimestamp: ago(age), LastTimestamp: ago(age),
	}
}

func object(name string) unstructured.Unstructured {
	return unstructured.Unstructured{Object: map[string]any{"metadata": map[string]any{"name": name}, "spec": map[string]any{}, "status": map[string]any{}}}
}

func set(object unstructured.Unstructured, value any, path ...string) {
	if err := unstructured.SetNestedField(object.Object, value, path...); err != nil {
		panic(err)
	}
}

func failed(object unstructured.Unstructured, name, reason, message string) {
	condition(object, name, "False", reason, message)
}

// condition has an object say something of itself, for three minutes.
func condition(object unstructured.Unstructured, name, status, reason, message string) {
	set(object, []any{map[string]any{
		"type": name, "status": status, "reason": reason, "message": message,
		"lastTransitionTime": ago(3 * time.Minute).Format(time.RFC3339), "lastUpdateTime": ago(time.Minute).Format(time.RFC3339),
	}}, "status", "conditions")
}
