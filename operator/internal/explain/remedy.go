package explain

import (
	"maps"
	"strings"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
)

const troubleshooting = "docs/troubleshooting.md#"

// remedies are by step and reason; those under no reason are for all others. Words in
// braces stand for what they say.
var remedies = map[Step]map[string]Remedy{
	Tenant: {
		"": {"Ask the platform team to unfreeze the team.", "kubectl get configmap tenant -n {namespace} -o yaml", "docs/security.md#freezing-a-team"},
	},
	Source: {
		"Suspended": {"Ask the platform team to resume it.", "kubectl describe gitrepository -n {namespace}", troubleshooting + "a-commit-holds-everybody"},
		"":          {"Flux cannot read the team's repository: check its address, its branch main, and its credentials.", "kubectl describe gitrepository -n {namespace}", troubleshooting + "the-kustomization-is-not-ready"},
	},
	Commit: {
		"Suspended":          {"Ask the platform team to resume it.", "kubectl describe kustomization -n {namespace}", troubleshooting + "a-commit-holds-everybody"},
		"PruneFailed":        {"A network that is no longer in Git is protected: bring it back, or commit spec.protect: false first.", "kubectl describe kustomization -n {namespace}", troubleshooting + "a-network-is-protected"},
		"DependencyNotReady": {"Another Kustomization has to be Ready first: ask the platform team.", "kubectl describe kustomization -n {namespace}", troubleshooting + "the-kustomization-is-not-ready"},
		healthCheckFailed:    {"The commit is applied, but something in it is not healthy: check the other networks of the namespace.", "kubectl btcnet status -n {namespace}", troubleshooting + "the-kustomization-is-not-ready"},
		healthCheckCanceled:  {"A newer commit is being applied.", "", ""},
		"Pending":            {"Flux applies it within seconds. If not, its events say why.", "kubectl describe kustomization -n {namespace}", troubleshooting + "a-commit-holds-everybody"},
		"Progressing":        {"Flux is working on it.", "", ""},
		"":                   {"Fix the field or the file that the message names, commit and push. Nothing of that commit was applied.", "kubectl describe kustomization -n {namespace}", troubleshooting + "the-kustomization-is-not-ready"},
	},
	SealedSecret: {
		"NotSealed": {},
		"NotSynced": {"Seal it again under its name, with the cluster's current certificate, and commit it.", "kubectl describe sealedsecret -n {namespace}", troubleshooting + "the-sealedsecret-is-not-unsealed"},
		"":          {"This takes seconds. If it takes longer, sealed-secrets is not running: ask the platform team.", "kubectl describe sealedsecret -n {namespace}", troubleshooting + "the-sealedsecret-is-not-unsealed"},
	},
	Operator: {
		"OperatorAway": {"The nodes keep running. Ask the platform team to check the operator's Deployment.", "kubectl describe pods -l app.kubernetes.io/name=bitcoin-operator -n {namespace}", troubleshooting + "nothing-happens"},
		"":             {"This takes seconds. If it takes longer, its log says why.", "kubectl logs -l app.kubernetes.io/name=bitcoin-operator -n {namespace} --tail=20", troubleshooting + "nothing-happens"},
	},
	Itself: {
		"NotFound":                     {"Commit the network and push. If you have done so, the findings above say why it was not applied.", "kubectl get btcnet -n {namespace}", troubleshooting + "the-kustomization-is-not-ready"},
		v1alpha1.ConflictReason:        {"Give the network another name, or have the platform team delete what is in the way.", "", troubleshooting + "conditions-of-a-network"},
		v1alpha1.InvalidReason:         {"Fix the field of spec that the message names, and commit it. Running nodes are left untouched.", "", troubleshooting + "conditions-of-a-network"},
		v1alpha1.ChainNotAllowedReason: {"Ask the platform team for the chain: chains in the team's tenant.yaml.", "kubectl get configmap tenant -n {namespace} -o yaml", troubleshooting + "conditions-of-a-network"},
		"NotObserved":                  {"This takes seconds. If it takes longer, the operator's log says why.", "kubectl logs -l app.kubernetes.io/name=bitcoin-operator -n {namespace} --tail=20", troubleshooting + "nothing-happens"},
		"Deleted":                      {"Kubernetes waits until everything that it owns is gone.", "kubectl get pods -l bitcoin-operator.github.io/network={network} -n {namespace}", ""},
		"ConnectedBut":                 {"The network is still Ready. Fix what the message names.", "", troubleshooting + "conditions-of-a-network"},
		"":                             {"The operator tries again. If it keeps failing, look up the message.", "kubectl describe btcnet {network} -n {namespace}", troubleshooting + "conditions-of-a-network"},
	},
	Credentials: {
		v1alpha1.SecretNotFoundReason:      {"Seal the Secret under that name, and commit it.", "kubectl get sealedsecret -n {namespace}", "docs/tenant-guide.md#sealing-credentials"},
		v1alpha1.RotatingReason:            {"Keep using the previous password until the reason is Rotated.", "", "docs/tenant-guide.md#changing-the-password"},
		v1alpha1.RotatedReason:             {"Switch all clients to the new pair, then remove the _PREVIOUS keys.", "", "docs/tenant-guide.md#changing-the-password"},
		v1alpha1.SecretOutdatedReason:      {"Seal it again: what is in Git is not in use.", "kubectl describe sealedsecret {secret} -n {namespace}", troubleshooting + "the-sealedsecret-is-not-unsealed"},
		v1alpha1.UsersRejectedReason:       {"Seal the key that the message names, or remove the user from spec.users.", "", "docs/users.md"},
		v1alpha1.CredentialsRejectedReason: {"The nodes have an old copy of a Secret that was immutable, or a custom image ignores the Secret: follow the steps there.", "", troubleshooting + "a-secret-is-immutable"},
		"":                                 {"Seal the Secret again as the message says, and commit it.", "kubectl describe sealedsecret {secret} -n {namespace}", troubleshooting + "conditions-of-a-network"},
	},
	Storage: {
		v1alpha1.QuotaExceededReason:    growth,
		v1alpha1.StorageRefusedReason:   growth,
		v1alpha1.ResizeInfeasibleReason: growth,
		"":                              {"It continues by itself. If it takes long, look up the message.", "kubectl get pvc -l bitcoin-operator.github.io/network={network} -n {namespace}", troubleshooting + "volumes-do-not-grow"},
	},
	Objects: {
		"FailedCreate": {"Use fewer nodes or smaller spec.resources, or ask the platform team for a larger quota.", "kubectl describe quota -n {namespace}", troubleshooting + "status-unknown-for-quota"},
		"":             {"This takes seconds. If it takes longer, Kubernetes says why.", "kubectl describe statefulset {network} -n {namespace}", troubleshooting + "nodes-do-not-answer"},
	},
	Nodes: {
		"Starting":                   {"This takes seconds, or minutes on a long chain. If it takes longer, check the nodes' logs.", "kubectl btcnet logs {network} -n {namespace} --since=5m", troubleshooting + "nodes-do-not-answer"},
		"ImagePullBackOff":           wrongImage,
		"ErrImagePull":               wrongImage,
		"InvalidImageName":           wrongImage,
		"ErrImageNeverPull":          wrongImage,
		"StartError":                 unfitImage,
		"RunContainerError":          unfitImage,
		"CreateContainerError":       unfitImage,
		"CrashLoopBackOff":           {"The node exits: the end of its log says why. Often it is a line of spec.config.", "kubectl logs {pod} -n {namespace} --previous --tail=20", troubleshooting + "nodes-do-not-answer"},
		"Error":                      {"The node exits: the end of its log says why. Often it is a line of spec.config.", "kubectl logs {pod} -n {namespace} --tail=20", troubleshooting + "nodes-do-not-answer"},
		"OOMKilled":                  {"Raise spec.resources.limits.memory, and commit it.", "kubectl describe pod {pod} -n {namespace}", troubleshooting + "nodes-do-not-answer"},
		ofStart:                      {"The nodes' entry point comes from the operator's image, which cannot be pulled or run here: tell the platform team.", "kubectl describe pod {pod} -n {namespace}", troubleshooting + "image-pull"},
		"Unschedulable":              {"No machine has room, or none matches nodeSelector and affinity: request less, or ask the platform team.", "kubectl describe pod {pod} -n {namespace}", troubleshooting + "nodes-do-not-answer"},
		"CreateContainerConfigError": {"The Secret that the pod was created with is gone.", "kubectl describe pod {pod} -n {namespace}", troubleshooting + "the-sealedsecret-is-not-unsealed"},
		"":                           {"Check the nodes' logs.", "kubectl btcnet logs {network} -n {namespace} --since=5m", troubleshooting + "nodes-do-not-answer"},
	},
	Links: {
		v1alpha1.SplitReason: {"Nodes of different parts cannot reach each other: check where they run, and what is between them. Mine nothing until the parts are connected again: the blocks of one part will be undone.",
			"kubectl get pods -l bitcoin-operator.github.io/network={network} -n {namespace} -o wide", troubleshooting + "split"},
		"": {"Links come back within seconds. If one stays missing, check the cluster's network: a NetworkPolicy, or DNS.",
			"kubectl get pods -l bitcoin-operator.github.io/network={network} -n {namespace} -o wide", troubleshooting + "links-are-missing"},
	},
	Tips: {
		v1alpha1.ForkReason: {"Once all links are connected, the chain with the most work wins; of two equal chains, the one that gets the next block: on regtest, mine one.", "kubectl btcnet mine {network} 1 -n {namespace}", troubleshooting + "tips-differ"},
		"":                  {"A node that is behind catches up once it answers and its links are connected.", "kubectl btcnet logs {network} -n {namespace} --since=5m", troubleshooting + "tips-differ"},
	},
	Sync: {
		blockRejected: {"The nodes that reject the block follow different rules or have corrupt data: check their version and their logs.", "kubectl btcnet logs {network} -n {namespace} --since=5m", troubleshooting + "tips-differ"},
		notCatchingUp: {"Check the logs of the nodes that are behind, and whether their links are connected.", "kubectl btcnet logs {network} -n {namespace} --since=5m", troubleshooting + "tips-differ"},
		"":            {"It continues by itself, and clients are served meanwhile.", "", ""},
	},
	Versions: {
		"": {"Run a newer image: set spec.image, or ask the platform team for a newer default.", "kubectl get btcnet {network} -n {namespace} -o jsonpath='{.status.image}'", "docs/tenant-guide.md#an-image-of-your-own"},
	},
	Primary: {
		"": {"The Service leads to another node after a while, unless spec.primary.failover is false.", "", "docs/connect.md#when-the-primary-moves"},
	},
	Rollout: {
		v1alpha1.RolloutBlockedReason: {"It continues only when somebody acts: look up what it waits for.", "kubectl describe btcnet {network} -n {namespace}", troubleshooting + "a-node-waits"},
		"DrainsHeld":                  {"It ends when another node has caught up.", "", troubleshooting + "a-node-waits"},
		"Replace":                     {},
		"Restart":                     {},
		"":                            {"It continues by itself, one node at a time. If it does not, look up what it waits for.", "kubectl describe btcnet {network} -n {namespace}", troubleshooting + "a-node-waits"},
	},
	Requests: {
		string(v1alpha1.RequestPending): {},
		string(v1alpha1.RequestStarted): {},
		string(v1alpha1.RequestSent):    {},
		string(v1alpha1.RequestUnknown): {"Check the chain before you ask again: it may have been done.", "kubectl get btcreq -n {namespace}", troubleshooting + "a-request-is-refused"},
		"":                              {"Fix what the message names, and ask again.", "kubectl get btcreq -n {namespace}", troubleshooting + "a-request-is-refused"},
	},
}

// elsewhere are remedies for credentials that are not sealed, by where the platform says
// that they come from.
var elsewhere = map[string]map[string]Remedy{
	"sops": {
		v1alpha1.SecretNotFoundReason: {"Commit the Secret under that name, encrypted with SOPS. If you have, Flux says why it has not applied it.", "kubectl describe kustomization networks -n {namespace}", "docs/secrets.md#sops"},
		v1alpha1.UsersRejectedReason:  {"Add the key that the message names to the Secret, or remove the user from spec.users.", "", "docs/secrets.md#sops"},
		"":                            {"Correct the Secret as the message says, encrypt it with SOPS, and commit it.", "kubectl describe kustomization networks -n {namespace}", "docs/secrets.md#sops"},
	},
	"external-secrets": {
		v1alpha1.SecretNotFoundReason: {"Commit an ExternalSecret of that name. If you have, it says why there is no Secret.", "kubectl describe externalsecret {secret} -n {namespace}", "docs/secrets.md#external-secrets"},
		v1alpha1.UsersRejectedReason:  {"Add the key that the message names to the ExternalSecret, or remove the user from spec.users.", "", "docs/secrets.md#external-secrets"},
		"":                            {"Correct the value in the store, or the ExternalSecret, as the message says.", "kubectl describe externalsecret {secret} -n {namespace}", "docs/secrets.md#external-secrets"},
	},
}

// remediesFor returns the remedies of a step, by reason.
func (s *subject) remediesFor(step Step) map[string]Remedy {
	if step != Credentials {
		return remedies[step]
	}
	found := maps.Clone(remedies[step])
	maps.Copy(found, elsewhere[s.secretFrom()])
	return found
}

var (
	wrongImage = Remedy{"Correct spec.image, and commit it; a private registry needs spec.imagePullSecrets. If spec.image is unset, the image is the platform's: tell the platform team.",
		"kubectl get btcnet {network} -n {namespace} -o jsonpath='{.status.image}'", troubleshooting + "image-pull"}
	growth = Remedy{"Set spec.storage.size back to status.storage or more, or ask the platform team for more quota or storage.",
		"kubectl get pvc -l bitcoin-operator.github.io/network={network} -n {namespace}", troubleshooting + "volumes-do-not-grow"}
	unfitImage = Remedy{"The image was not made for the operator, or the node has too little memory to start.",
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
	ofStep := s.remediesFor(finding.Step)
	found, known := ofStep[reason]
	if !known {
		found = ofStep[""]
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
		return &Remedy{"Git has spec.suspend: true. Remove it, commit and push.", "", "docs/tenant-guide.md#peering-interval-and-suspend"}
	}
	return &Remedy{"Resume it.", s.fill("kubectl btcnet resume {network} -n {namespace}"), "docs/tenant-guide.md#peering-interval-and-suspend"}
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
