package explain

import (
	"strings"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
)

const troubleshooting = "docs/troubleshooting.md#"

// remedies are by step and reason; those under no reason are for all others. Words in
// braces stand for what they say.
var remedies = map[Step]map[string]Remedy{
	Tenant: {
		"": {"Ask the platform team, who freeze a team and thaw it.", "kubectl get configmap tenant -n {namespace} -o yaml", "docs/security.md#freezing-a-team"},
	},
	Source: {
		"Suspended": {"Ask the platform team to resume it.", "kubectl describe gitrepository -n {namespace}", troubleshooting + "a-commit-holds-everybody"},
		"":          {"Flux cannot read the team's repository: look at its address, its branch main, and its credentials.", "kubectl describe gitrepository -n {namespace}", troubleshooting + "the-kustomization-is-not-ready"},
	},
	Commit: {
		"Suspended":          {"Ask the platform team to resume it.", "kubectl describe kustomization -n {namespace}", troubleshooting + "a-commit-holds-everybody"},
		"PruneFailed":        {"A network that is no longer in Git is protected: bring it back, or commit spec.protect: false first.", "kubectl describe kustomization -n {namespace}", troubleshooting + "a-network-is-protected"},
		"DependencyNotReady": {"Another Kustomization has to be Ready first: ask the platform team.", "kubectl describe kustomization -n {namespace}", troubleshooting + "the-kustomization-is-not-ready"},
		healthCheckFailed:    {"The commit is applied, and something of it is not healthy: see the other networks of the namespace.", "kubectl btcnet status -n {namespace}", troubleshooting + "the-kustomization-is-not-ready"},
		healthCheckCanceled:  {"A newer commit is being applied.", "", ""},
		"Pending":            {"Flux applies it within seconds. If it stays so, its events say why.", "kubectl describe kustomization -n {namespace}", troubleshooting + "a-commit-holds-everybody"},
		"Progressing":        {"Flux is at it.", "", ""},
		"":                   {"Mend the field or the file that the message names, commit and push. Nothing of that commit was applied.", "kubectl describe kustomization -n {namespace}", troubleshooting + "the-kustomization-is-not-ready"},
	},
	SealedSecret: {
		"NotSealed": {},
		"NotSynced": {"Seal it again under its name, with the cluster's certificate of today, and commit it.", "kubectl describe sealedsecret -n {namespace}", troubleshooting + "the-sealedsecret-is-not-unsealed"},
		"":          {"It takes seconds. If it stays so, sealed-secrets does not run: ask the platform team.", "kubectl describe sealedsecret -n {namespace}", troubleshooting + "the-sealedsecret-is-not-unsealed"},
	},
	Operator: {
		"OperatorAway": {"The networks run on. Ask the platform team to look at the operator's Deployment.", "kubectl describe pods -l app.kubernetes.io/name=bitcoin-operator -n {namespace}", troubleshooting + "nothing-happens"},
		"":             {"It takes seconds. If it stays so, its log says why.", "kubectl logs -l app.kubernetes.io/name=bitcoin-operator -n {namespace} --tail=20", troubleshooting + "nothing-happens"},
	},
	Itself: {
		"NotFound":                     {"Commit the network, and push. If that is done, the findings above say why it was not applied.", "kubectl get btcnet -n {namespace}", troubleshooting + "the-kustomization-is-not-ready"},
		v1alpha1.ConflictReason:        {"Give the network another name, or have the platform team delete what is in the way.", "", troubleshooting + "conditions-of-a-network"},
		v1alpha1.InvalidReason:         {"Mend the field of spec that the message comes from, and commit it. What ran, runs on.", "", troubleshooting + "conditions-of-a-network"},
		v1alpha1.ChainNotAllowedReason: {"Ask the platform team for the chain: chains in the team's tenant.yaml.", "kubectl get configmap tenant -n {namespace} -o yaml", troubleshooting + "conditions-of-a-network"},
		"NotObserved":                  {"It takes seconds. If it stays so, the operator's log says why.", "kubectl logs -l app.kubernetes.io/name=bitcoin-operator -n {namespace} --tail=20", troubleshooting + "nothing-happens"},
		"Deleted":                      {"Kubernetes waits until all that it owns is gone.", "kubectl get pods -l bitcoin-operator.github.io/network={network} -n {namespace}", ""},
		"ConnectedBut":                 {"The network is Ready all the same.", "", troubleshooting + "conditions-of-a-network"},
		"":                             {"The operator tries again. If it stays so, look up the message.", "kubectl describe btcnet {network} -n {namespace}", troubleshooting + "conditions-of-a-network"},
	},
	Credentials: {
		v1alpha1.SecretNotFoundReason:      {"Seal the Secret under that name, and commit it.", "kubectl get sealedsecret -n {namespace}", "docs/tenant-guide.md#sealing-credentials"},
		v1alpha1.RotatingReason:            {"Go on using the previous password until it says Rotated.", "", "docs/tenant-guide.md#changing-the-password"},
		v1alpha1.RotatedReason:             {"Have all clients use the new pair, then drop the _PREVIOUS keys.", "", "docs/tenant-guide.md#changing-the-password"},
		v1alpha1.SecretOutdatedReason:      {"Seal it again: what is in Git is not in use.", "kubectl describe sealedsecret {secret} -n {namespace}", troubleshooting + "the-sealedsecret-is-not-unsealed"},
		v1alpha1.UsersRejectedReason:       {"Seal the key that the message names, or take the user out of spec.users.", "", "docs/users.md"},
		v1alpha1.CredentialsRejectedReason: {"The nodes have an old copy of the Secret, or an image that ignores it.", "", troubleshooting + "a-secret-is-immutable"},
		"":                                 {"Seal the Secret again as the message says, and commit it.", "kubectl describe sealedsecret {secret} -n {namespace}", troubleshooting + "conditions-of-a-network"},
	},
	Storage: {
		"": {"Look up the message.", "kubectl get pvc -l bitcoin-operator.github.io/network={network} -n {namespace}", troubleshooting + "volumes-do-not-grow"},
	},
	Objects: {
		"FailedCreate": {"Fewer nodes, smaller spec.resources, or a larger quota from the platform team.", "kubectl describe quota -n {namespace}", troubleshooting + "status-unknown-for-quota"},
		"":             {"It takes seconds. If it stays so, Kubernetes says why.", "kubectl describe statefulset {network} -n {namespace}", troubleshooting + "nodes-do-not-answer"},
	},
	Nodes: {
		"Starting":                   {"It takes seconds, on a long chain minutes. If it stays so, look what the nodes say.", "kubectl btcnet logs {network} -n {namespace} --since=5m", troubleshooting + "nodes-do-not-answer"},
		"ImagePullBackOff":           wrongImage,
		"ErrImagePull":               wrongImage,
		"InvalidImageName":           wrongImage,
		"ErrImageNeverPull":          wrongImage,
		"StartError":                 unfitImage,
		"RunContainerError":          unfitImage,
		"CreateContainerError":       unfitImage,
		"CrashLoopBackOff":           {"The node ends: what it said last says why. Often it is a line of spec.config.", "kubectl logs {pod} -n {namespace} --previous --tail=20", troubleshooting + "nodes-do-not-answer"},
		"Error":                      {"The node ends: what it said last says why. Often it is a line of spec.config.", "kubectl logs {pod} -n {namespace} --tail=20", troubleshooting + "nodes-do-not-answer"},
		"OOMKilled":                  {"Raise spec.resources.limits.memory, and commit it.", "kubectl describe pod {pod} -n {namespace}", troubleshooting + "nodes-do-not-answer"},
		ofStart:                      {"Nodes begin with the operator's image, which their entry point comes from. That is the platform's: tell its team.", "kubectl describe pod {pod} -n {namespace}", troubleshooting + "image-pull"},
		"Unschedulable":              {"No machine has room, or none fits nodeSelector and affinity: ask for less, or ask the platform team.", "kubectl describe pod {pod} -n {namespace}", troubleshooting + "nodes-do-not-answer"},
		"CreateContainerConfigError": {"The Secret that the pod was made with is gone.", "kubectl describe pod {pod} -n {namespace}", troubleshooting + "the-sealedsecret-is-not-unsealed"},
		"":                           {"Look what the nodes say.", "kubectl btcnet logs {network} -n {namespace} --since=5m", troubleshooting + "nodes-do-not-answer"},
	},
	Links: {
		v1alpha1.SplitReason: {"Nodes of different parts do not reach each other: see where they run, and what lies between. Mine nothing until the parts have met: the blocks of one will be undone.",
			"kubectl get pods -l bitcoin-operator.github.io/network={network} -n {namespace} -o wide", troubleshooting + "split"},
		"": {"Links come back within seconds. One that stays missing is a matter of the cluster's network: a NetworkPolicy, or DNS.",
			"kubectl get pods -l bitcoin-operator.github.io/network={network} -n {namespace} -o wide", troubleshooting + "links-are-missing"},
	},
	Tips: {
		v1alpha1.ForkReason: {"Once all links stand, the chain with the most work wins, and of two that are equal the one that has the next block: on regtest, mine one.", "kubectl btcnet mine {network} 1 -n {namespace}", troubleshooting + "tips-differ"},
		"":                  {"A node that is behind catches up once it answers and its links stand.", "kubectl btcnet logs {network} -n {namespace} --since=5m", troubleshooting + "tips-differ"},
	},
	Sync: {
		blockRejected: {"The nodes that reject the block have another idea of what is valid: another version, or spoiled data. Look what they say.", "kubectl btcnet logs {network} -n {namespace} --since=5m", troubleshooting + "tips-differ"},
		notCatchingUp: {"Look what the nodes that are behind say, and whether their links stand.", "kubectl btcnet logs {network} -n {namespace} --since=5m", troubleshooting + "tips-differ"},
		"":            {"It goes on by itself, and clients are served meanwhile.", "", ""},
	},
	Versions: {
		"": {"Have the network run a newer image: spec.image, or the platform's own.", "kubectl get btcnet {network} -n {namespace} -o jsonpath='{.status.image}'", "docs/tenant-guide.md#an-image-of-your-own"},
	},
	Primary: {
		"": {"The Service is led to another node after a while, unless spec.primary.failover is false.", "", "docs/connect.md#when-the-primary-moves"},
	},
	Rollout: {
		v1alpha1.RolloutBlockedReason: {"It goes on when somebody acts: look up what it waits for.", "kubectl describe btcnet {network} -n {namespace}", troubleshooting + "a-node-waits"},
		"DrainsHeld":                  {"It passes when another node has caught up.", "", troubleshooting + "a-node-waits"},
		"Replace":                     {},
		"Restart":                     {},
		"":                            {"It goes on by itself, one node at a time. If it does not, look up what it waits for.", "kubectl describe btcnet {network} -n {namespace}", troubleshooting + "a-node-waits"},
	},
	Requests: {
		string(v1alpha1.RequestPending): {},
		string(v1alpha1.RequestStarted): {},
		string(v1alpha1.RequestSent):    {},
		string(v1alpha1.RequestUnknown): {"Look at the chain before you ask anew: it may have been done.", "kubectl get btcreq -n {namespace}", troubleshooting + "a-request-is-refused"},
		"":                              {"Mend what the message names, and ask anew.", "kubectl get btcreq -n {namespace}", troubleshooting + "a-request-is-refused"},
	},
}

var (
	wrongImage = Remedy{"Correct spec.image, and commit it; a private registry needs spec.imagePullSecrets. Without spec.image it is the platform's: tell its team.",
		"kubectl get btcnet {network} -n {namespace} -o jsonpath='{.status.image}'", troubleshooting + "image-pull"}
	unfitImage = Remedy{"The image was not made for the operator, or has too little memory to start in.",
		"kubectl describe pod {pod} -n {namespace}", "docs/tenant-guide.md#an-image-of-your-own"}
)

// remedy returns what to do about a finding; nil where there is nothing.
func (s *subject) remedy(finding Finding) *Remedy {
	if finding.Step == Itself && finding.Reason == v1alpha1.SuspendedReason {
		return s.resume()
	}
	reason := finding.Reason
	if strings.HasPrefix(reason, ofStart) {
		reason = ofStart // whatever it is, the same people mend it
	}
	found, known := remedies[finding.Step][reason]
	if !known {
		found = remedies[finding.Step][""]
	}
	if found == (Remedy{}) {
		return nil
	}
	found.Command = s.fill(found.Command)
	return &found
}

// resume is the remedy of a network that is suspended: where Git says so, it is for Git to
// say otherwise.
func (s *subject) resume() *Remedy {
	if SetBy(s.network, FluxManager, "spec", "suspend") {
		return &Remedy{"Git says spec.suspend: true. Take it out, commit and push.", "", "docs/tenant-guide.md#links-looking-and-letting-be"}
	}
	return &Remedy{"Resume it.", s.fill("kubectl btcnet resume {network} -n {namespace}"), "docs/tenant-guide.md#links-looking-and-letting-be"}
}

// fill puts in what the words in braces stand for.
func (s *subject) fill(command string) string {
	secret, pod := "", s.name+"-0"
	if s.network != nil {
		secret = s.network.Spec.Secret
		if broken, _, found := s.brokenPod(); found {
			pod = broken.Name
		}
	}
	return strings.NewReplacer("{network}", s.name, "{namespace}", s.Name, "{secret}", secret, "{pod}", pod).Replace(command)
}
