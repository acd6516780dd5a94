package e2e

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/bitcoin-operator/bitcoin-operator/test/fleet"
)

// What stops attempts, in words that several share.
const (
	byNetworks      = "admission policy `networks`"
	bySealedSecrets = "admission policy `sealed-secrets`"
	byOperator      = "admission policy `operator`"
	byNodes         = "admission policy `nodes`"
	byClients       = "admission policy `clients`"
	byPeople        = "admission policy `people`"
	byScale         = "admission policy `scale`"
	byPolicies      = "admission policy `network-policies`"
	byReconciler    = "the rights of the team's account `reconciler`"
	byPeopleRole    = "the rights of the team's people"
	byOperatorRole  = "the rights of the operator"
	bySchema        = "the schema of BitcoinNetwork"
	byFlux          = "Flux"
	byIgnore        = byFlux + ", which leaves such files out of a team's repository"
	byNoGit         = byFlux + ", whose container has no other programs"
	byNoWay         = byFlux + ", which cannot connect to the outside"
	byBuildersRole  = "the rights of Flux's controllers for tenants"
	byControllers   = "admission policy `controllers`"
)

var otherSecrets = chapter{"Other Secrets", []attempt{
	{"a network with another Secret of the namespace", byNetworks, "spec.secret: this namespace has one Secret for RPC, bitcoin-rpc; use that one",
		commitsNetwork("secret: another")},
	{"a network with another team's Secret", bySchema, "spec.secret",
		commitsNetwork("secret: " + victim + "/bitcoin-rpc")},
	{"any Secret as an image pull secret", byNetworks, "spec.imagePullSecrets: the platform allows only Secrets that it has put into this namespace",
		commitsNetwork("imagePullSecrets: [{name: another}]")},
	{"reading the team's own Secret", byPeopleRole, `secrets "bitcoin-rpc" is forbidden`,
		people("get", "secret", secretName)},
	{"a shell in a node, which has the password", byPeopleRole, `cannot create resource "pods/exec"`,
		people("exec", "payments-0", "--", "env")},
	{"a tunnel to a node, past the network policies", byPeopleRole, `cannot create resource "pods/portforward"`,
		people("port-forward", "payments-0", "18443")},
}}

// sealed returns a SealedSecret of the team's Secret that is not sealed at all, with these
// lines.
func sealed(lines string) string {
	return "apiVersion: bitnami.com/v1alpha1\nkind: SealedSecret\nmetadata:\n  name: " + secretName + "\n" + lines
}

// sealedAs tries by committing one in place of the team's own.
func sealedAs(lines string) func(*hostile, string) {
	return commits(map[string]string{secretName + ".yaml": sealed(lines)})
}

// withTemplate is a SealedSecret's specification with this template.
func withTemplate(template string) string {
	return "spec:\n  encryptedData: {BC_RPC_USER: AAAA}\n  template: " + template + "\n"
}

// withValues is one with that many values.
func withValues(number int) string {
	lines := "spec:\n  encryptedData:\n"
	for i := range number {
		lines += fmt.Sprintf("    BC_RPC_PASSWORD_%d: AAAA\n", i)
	}
	return lines
}

var sealedSecrets = chapter{"SealedSecrets", []attempt{
	{"a token of the operator's account, by a Secret's type", bySealedSecrets, "spec.template.type: must be Opaque, not kubernetes.io/service-account-token",
		sealedAs(withTemplate("{type: kubernetes.io/service-account-token, metadata: {annotations: {kubernetes.io/service-account.name: bitcoin-operator}}}"))},
	{"an account's name on a Secret", bySealedSecrets, "spec.template: metadata.annotations is not allowed",
		sealedAs(withTemplate("{metadata: {annotations: {kubernetes.io/service-account.name: bitcoin-operator}}}"))},
	{"one that opens in every namespace", bySealedSecrets, "sealedsecrets.bitnami.com/cluster-wide is not allowed",
		sealedAs("  annotations:\n    sealedsecrets.bitnami.com/cluster-wide: \"true\"\nspec:\n  encryptedData: {BC_RPC_USER: AAAA}\n")},
	{"one that opens under every name", bySealedSecrets, "sealedsecrets.bitnami.com/namespace-wide is not allowed",
		sealedAs("  annotations:\n    sealedsecrets.bitnami.com/namespace-wide: \"true\"\nspec:\n  encryptedData: {BC_RPC_USER: AAAA}\n")},
	{"one that takes over an existing Secret", bySealedSecrets, "spec.template: metadata.annotations is not allowed",
		sealedAs(withTemplate(`{metadata: {annotations: {sealedsecrets.bitnami.com/managed: "true"}}}`))},
	{"one whose Secret other controllers would copy or load", bySealedSecrets, "spec.template: metadata.labels is not allowed",
		sealedAs(withTemplate(`{metadata: {labels: {grafana_datasource: "1"}}}`))},
	{"one by a name that the platform uses", bySealedSecrets, "metadata.name: this namespace has one Secret for RPC, bitcoin-rpc; seal it under that name",
		commitsThis(strings.Replace(sealed("spec:\n  encryptedData: {BC_RPC_USER: AAAA}\n"), secretName, "git", 1))},
	{"a program in a template, which would block all SealedSecrets", bySealedSecrets, "spec.template.data: leave it out",
		sealedAs(withTemplate(`{data: {BC_RPC_USER: "{{range until 9}}{{end}}"}}`))},
	{"thousands of values that cannot be opened", bySealedSecrets, "spec.encryptedData: has 1200 values; at most 40 are allowed",
		sealedAs(withValues(1200))},
	{"one of a megabyte", bySealedSecrets, "spec.encryptedData: BC_RPC_PASSWORD is too large; at most 8192 characters are allowed",
		sealedAs("spec:\n  encryptedData:\n    BC_RPC_PASSWORD: " + strings.Repeat("A", 1<<20) + "\n")},
	{"the password again, under a key that bitcoind would log", bySealedSecrets, "spec.encryptedData: LEAK is not allowed",
		sealedAs("spec:\n  encryptedData:\n    LEAK: AAAA\n")},
	{"one that Flux would not remove", bySealedSecrets, "kustomize.toolkit.fluxcd.io/prune is not allowed",
		sealedAs("  annotations:\n    kustomize.toolkit.fluxcd.io/prune: disabled\nspec:\n  encryptedData: {BC_RPC_USER: AAAA}\n")},
	{"one in the old format, which hides its type", bySealedSecrets, "spec.data: is not allowed",
		sealedAs("spec:\n  encryptedData: {BC_RPC_USER: AAAA}\n  data: bWFsbG9yeQ==\n")},
	{"a finalizer, which would block the deletion of the namespace", bySealedSecrets, "metadata.finalizers: must be empty in a tenant's namespace",
		sealedAs("  finalizers: [mallory.example.com/stay]\nspec:\n  encryptedData: {BC_RPC_USER: AAAA}\n")},
	{"another team's, copied into its own namespace", "sealed-secrets, which seals for one name in one namespace", "no key could decrypt secret",
		moveSealedSecret},
	{"requests to sealed-secrets through the API server", byPeopleRole, `cannot create resource "services/proxy"`,
		people("create", "--raw=/api/v1/namespaces/kube-system/services/http:sealed-secrets-controller:http/proxy/v1/verify", "--filename=/dev/null")},
	{"another certificate, with which everybody would seal", byPeopleRole, `cannot patch resource "configmaps"`,
		people("patch", "configmap", "certificate", "--namespace=sealing", "--type=merge", `--patch={"data":{"pem":"mine"}}`)},
}}

// moveSealedSecret commits the SealedSecret of the victim as its own.
func moveSealedSecret(h *hostile, told string) {
	stolen, err := cluster.Kubectl(h.ctx, "get", "sealedsecret", secretName, "--namespace="+victim, "--output=jsonpath={.spec.encryptedData}")
	h.Expect(err).NotTo(HaveOccurred())
	delivery := h.commit("Take the other team's credentials", map[string]string{
		secretName + ".yaml": sealed("spec:\n  encryptedData: " + stolen + "\n")})
	wait(h, h.ctx, fleet.All(delivery.Tried, says(h.Secret(), "Synced", told)))
	wait(h, h.ctx, h.commit("As it was", nil).Done)
}

// object returns a manifest of an object with that name, and these lines.
func object(apiVersion, kind, name, lines string) string {
	return "apiVersion: " + apiVersion + "\nkind: " + kind + "\nmetadata:\n  name: " + name + "\n" + lines
}

const rbac = "rbac.authorization.k8s.io/v1"

var otherKinds = chapter{"Other kinds, and other places", []attempt{
	{"a Role", byReconciler, `roles.rbac.authorization.k8s.io "attempt" is forbidden`,
		commitsThis(object(rbac, "Role", "attempt", "rules: [{apiGroups: [\"\"], resources: [secrets], verbs: [\"*\"]}]\n"))},
	{"a RoleBinding", byReconciler, `rolebindings.rbac.authorization.k8s.io "attempt" is forbidden`,
		commitsThis(object(rbac, "RoleBinding", "attempt", "roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin}\nsubjects: [{kind: ServiceAccount, name: reconciler}]\n"))},
	{"a ClusterRole", byReconciler, `clusterroles.rbac.authorization.k8s.io "attempt" is forbidden`,
		commitsThis(object(rbac, "ClusterRole", "attempt", "rules: []\n"))},
	{"a ClusterRoleBinding", byReconciler, `clusterrolebindings.rbac.authorization.k8s.io "attempt" is forbidden`,
		commitsThis(object(rbac, "ClusterRoleBinding", "attempt", "roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin}\n"))},
	{"a Namespace", byReconciler, `namespaces "team-m" is forbidden`,
		commitsThis(object("v1", "Namespace", "attempt", ""))},
	{"a Deployment", byReconciler, `deployments.apps "attempt" is forbidden`,
		commitsThis(object("apps/v1", "Deployment", "attempt", "spec:\n  selector: {matchLabels: {a: b}}\n  template:\n    metadata: {labels: {a: b}}\n    spec: {containers: [{name: a, image: a}]}\n"))},
	{"a Pod", byReconciler, `pods "attempt" is forbidden`,
		commitsThis(object("v1", "Pod", "attempt", "spec: {containers: [{name: a, image: a}]}\n"))},
	{"a Secret", byReconciler, `secrets "attempt" is forbidden`,
		commitsThis(object("v1", "Secret", "attempt", ""))},
	{"a ServiceAccount", byReconciler, `serviceaccounts "attempt" is forbidden`,
		commitsThis(object("v1", "ServiceAccount", "attempt", ""))},
	{"a NetworkPolicy that opens the namespace", byReconciler, `networkpolicies.networking.k8s.io "attempt" is forbidden`,
		commitsThis(object("networking.k8s.io/v1", "NetworkPolicy", "attempt", "spec: {podSelector: {}, ingress: [{}], egress: [{}]}\n"))},
	{"an exemption from the admission policies", byReconciler, `is forbidden`,
		commitsThis(object("admissionregistration.k8s.io/v1", "ValidatingAdmissionPolicyBinding", "networks", "spec: {policyName: none, validationActions: [Audit]}\n"))},
	{"a Kustomization that applies as another account", byReconciler, `kustomizations.kustomize.toolkit.fluxcd.io "attempt" is forbidden`,
		commitsThis(object("kustomize.toolkit.fluxcd.io/v1", "Kustomization", "attempt", "spec:\n  serviceAccountName: bitcoin-operator\n  prune: true\n  interval: 1m\n  path: ./\n  sourceRef: {kind: GitRepository, name: networks}\n"))},
	{"a source in another namespace", byReconciler, `gitrepositories.source.toolkit.fluxcd.io "attempt" is forbidden`,
		commitsThis(object("source.toolkit.fluxcd.io/v1", "GitRepository", "attempt", "spec: {interval: 1m, url: \"http://example.com/fleet.git\"}\n"))},
	{"a network in another namespace", byFlux + ", `targetNamespace`", "it comes to be in the team's own namespace",
		commitElsewhere},
	{"a finalizer, which would block the deletion of the namespace", byNetworks, "metadata.finalizers: must be empty in a tenant's namespace",
		commitsThis(strings.Replace(networkWith("attempt"), "  name: attempt\n", "  name: attempt\n  finalizers: [mallory.example.com/stay]\n", 1))},
	{"a network that Flux would not remove, and that outlives the team", byNetworks, "kustomize.toolkit.fluxcd.io/prune is not allowed: the platform decides how Flux treats what a team commits",
		commitsThis(noted("kustomize.toolkit.fluxcd.io/prune: disabled"))},
	{"a network whose changes Flux would not revert", byNetworks, "kustomize.toolkit.fluxcd.io/ssa is not allowed: the platform decides how Flux treats what a team commits",
		commitsThis(noted("kustomize.toolkit.fluxcd.io/ssa: IfNotPresent"))},
	{"an owner that does not exist, so that Kubernetes would delete the network, protected or not", byNetworks, "metadata.ownerReferences: must be empty on a network from Git",
		commitsThis(strings.Replace(networkWith("attempt"), "metadata:\n", "metadata:\n"+owned, 1))},
	{"an annotation of 20 kB", byNetworks, "metadata.annotations: at most 32 are allowed, of at most 16 KiB in total",
		commitsThis(noted("note: " + strings.Repeat("a", 20000)))},
}}

// noted returns a network with an annotation.
func noted(annotation string) string {
	return strings.Replace(networkWith("attempt"), "  name: attempt\n", "  name: attempt\n  annotations:\n    "+annotation+"\n", 1)
}

// commitElsewhere commits a network that says that it is in another team's namespace.
func commitElsewhere(h *hostile, _ string) {
	wait(h, h.ctx, h.commit("A network for the others", map[string]string{
		file: strings.Replace(networkWith("elsewhere"), "metadata:\n", "metadata:\n  namespace: "+victim+"\n", 1)}).Done)
	h.Expect(network(h, h.ctx, mallory, "elsewhere").Name).To(Equal("elsewhere"))
	_, err := cluster.Network(h.ctx, victim, "elsewhere")
	h.Expect(err).To(MatchError(ContainSubstring("not found")))
}

var itsOperator = chapter{"Its own operator and its own limits", []attempt{
	{"clients of a namespace that is not the team's", byClients, "spec.clients: the platform allows rpc and zmq only for pods of these namespaces",
		commitsThis(networkWith("attempt", "clients: [{namespaces: ["+victim+"], ports: [rpc]}]"))},
	{"peers of a namespace that is not the team's", byClients, "spec.clients: the platform allows p2p only for pods of these namespaces",
		commitsThis(networkWith("attempt", "clients: [{namespaces: ["+victim+"], ports: [p2p]}]"))},
	{"another image for the operator", byPeopleRole, `deployments.apps "bitcoin-operator" is forbidden`,
		people("set", "image", "deployment/bitcoin-operator", "operator=example.com/mine")},
	{"no operator", byPeopleRole, `deployments.apps "bitcoin-operator" is forbidden`,
		people("scale", "deployment/bitcoin-operator", "--replicas=0")},
	{"more rights for the operator", byPeopleRole, `roles.rbac.authorization.k8s.io "bitcoin-operator" is forbidden`,
		people("patch", "role", "bitcoin-operator", "--type=json", `--patch=[{"op":"add","path":"/rules/-","value":{}}]`)},
	{"a larger quota", byPeopleRole, `cannot patch resource "resourcequotas"`,
		people("patch", "resourcequota", "tenant", "--patch={}")},
	{"no network policy", byPeopleRole, `cannot delete resource "networkpolicies"`,
		people("delete", "networkpolicy", "tenant.default-deny")},
	{"other limits in the tenant's ConfigMap", byPeopleRole, `configmaps "tenant" is forbidden`,
		people("patch", "configmap", "tenant", "--patch={}")},
	{"a weaker namespace", byPeopleRole, `namespaces "team-m" is forbidden`,
		people("label", "namespace", mallory, "pod-security.kubernetes.io/enforce=privileged", "--overwrite")},
	{"another repository for Flux", byPeopleRole, `cannot patch resource "gitrepositories"`,
		people("patch", "gitrepository", "networks", "--type=merge", "--patch={}")},
	{"another account for Flux", byPeopleRole, `cannot patch resource "kustomizations"`,
		people("patch", "kustomization", "networks", "--type=merge", "--patch={}")},
	{"a token of the operator", byPeopleRole, `cannot create resource "serviceaccounts/token"`,
		people("create", "token", "bitcoin-operator")},
	{"the operator's identity", byPeopleRole, "whether it may impersonate is answered with no",
		impersonate},
	{"another image for a network, without a commit", byPeople, "people may change only spec.nodes and spec.suspend; commit everything else to Git",
		people("patch", "btcnet", "payments", "--type=merge", `--patch={"spec":{"image":"localhost/other:1"}}`)},
	{"an owner for a network, with which it would be deleted", byPeople, "of metadata, people may change only the annotation reconcile.fluxcd.io/requestedAt; commit everything else to Git",
		people("patch", "btcnet", "payments", "--type=merge", `--patch={"metadata":{"ownerReferences":[{"apiVersion":"v1","kind":"ConfigMap","name":"none","uid":"none"}]}}`)},
	{"deleting a network without a commit", byPeopleRole, `cannot delete resource "bitcoinnetworks"`,
		people("delete", "btcnet", "payments")},
	{"more nodes than allowed", byScale, "spec.replicas: the platform allows 100 nodes per network in this namespace, not 101",
		people("scale", "btcnet", "payments", "--replicas=101")},
	{"a request for a check that is longer than a time", "admission policies `networks` and `people`", "reconcile.fluxcd.io/requestedAt must have at most 64 characters",
		people("annotate", "btcnet", "payments", "--overwrite", "reconcile.fluxcd.io/requestedAt="+strings.Repeat("1", 100))},
	{"another team's network", byPeopleRole, `bitcoinnetworks.bitcoin-operator.github.io is forbidden`,
		people("get", "btcnet", "--namespace="+victim)},
	{"the operator's lease", byPeopleRole, `cannot get resource "leases"`,
		people("get", "lease", "bitcoin-operator")},
	{"an event in the operator's name", byPeopleRole, `cannot create resource "events"`,
		people("create", "--raw=/api/v1/namespaces/"+mallory+"/events", "--filename=/dev/null")},
}}

func impersonate(h *hostile, _ string) {
	people("auth", "can-i", "impersonate", "serviceaccounts/bitcoin-operator", "--quiet")(h, "exit status 1")
}

var itsPods = chapter{"Its pods", []attempt{
	{"the machine's network", bySchema, ".spec.hostNetwork: field not declared in schema",
		commitsNetwork("hostNetwork: true")},
	{"a folder of the machine", bySchema, ".spec.volumes: field not declared in schema",
		commitsNetwork("volumes: [{name: host, hostPath: {path: /}}]")},
	{"root, and privileges", bySchema, ".spec.securityContext: field not declared in schema",
		commitsNetwork("securityContext: {runAsUser: 0, privileged: true}")},
	{"another account", bySchema, ".spec.serviceAccountName: field not declared in schema",
		commitsNetwork("serviceAccountName: bitcoin-operator")},
	{"its own pod template", bySchema, ".spec.template: field not declared in schema",
		commitsNetwork("template: {}")},
	{"an image that the platform has not allowed", byNetworks, "spec.image: the platform does not allow example.com/anything:latest in this namespace",
		commitsNetwork("image: example.com/anything:latest")},
	{"an image whose name begins like an allowed one", byNetworks, "spec.image: the platform does not allow ghcr.io/bitcoin-operator/bitcoind-too:1 in this namespace",
		commitsNetwork("image: ghcr.io/bitcoin-operator/bitcoind-too:1")},
	{"a chain that the platform has not allowed", byNetworks, "spec.chain: the platform does not allow main in this namespace",
		commitsNetwork("chain: main")},
	{"the control plane's machines", byNetworks, "spec.nodeSelector: the platform allows machines to be selected by these labels",
		commitsNetwork(`nodeSelector: {node-role.kubernetes.io/control-plane: ""}`)},
	{"the same by affinity", byNetworks, "spec.affinity.nodeAffinity: the platform allows machines to be selected by these labels",
		commitsNetwork("affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: [{matchExpressions: [{key: node-role.kubernetes.io/control-plane, operator: Exists}]}]}}}")},
	{"machines that are reserved for others", byNetworks, "spec.tolerations: the platform allows taints with these keys to be tolerated",
		commitsNetwork("tolerations: [{operator: Exists}]")},
	{"keeping other teams' pods off its machines", byNetworks, "spec.affinity: pods of other namespaces cannot be selected or avoided",
		commitsNetwork("affinity: {podAntiAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [{topologyKey: kubernetes.io/hostname, namespaceSelector: {}, labelSelector: {}}]}}")},
	{"volumes of another class", byNetworks, "spec.storage.className: the platform allows the default class and",
		commitsNetwork("storage: {size: 1Gi, className: gold}")},
	{"machines by a constraint's topologyKey", byNetworks, "spec.affinity, spec.topologySpreadConstraints: the platform allows as topologyKey",
		commitsNetwork("topologySpreadConstraints: [{maxSkew: 100, topologyKey: node-role.kubernetes.io/control-plane, whenUnsatisfiable: DoNotSchedule}]")},
	{"machines by an affinity's topologyKey", byNetworks, "spec.affinity, spec.topologySpreadConstraints: the platform allows as topologyKey",
		commitsNetwork("affinity: {podAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [{topologyKey: node-role.kubernetes.io/control-plane, labelSelector: {matchLabels: {bitcoin-operator.github.io/network: attempt}}}]}}")},
	{"five hundred terms, which the scheduler compares with everybody's pods", byNetworks, "spec.affinity, spec.topologySpreadConstraints: at most 256 terms, labels and values in total",
		commitsNetwork("affinity: {podAffinity: {preferredDuringSchedulingIgnoredDuringExecution: [" +
			strings.Repeat("{weight: 1, podAffinityTerm: {topologyKey: kubernetes.io/hostname, labelSelector: {matchLabels: {a: b}}}},", 500) + "]}}")},
	{"a device of the machine", byNetworks, "spec.resources: the platform allows: cpu memory ephemeral-storage",
		commitsNetwork(`resources: {requests: {devices.kubevirt.io/kvm: "1"}, limits: {devices.kubevirt.io/kvm: "1"}}`)},
	{"memory without a limit, which no quota counts", byNetworks, "spec.resources.limits.memory: 0 means no limit, which no quota counts",
		commitsNetwork(`resources: {limits: {memory: "0"}}`)},
	{"the default credentials", byNetworks, "spec.secret: is required in this namespace, because the default credentials are publicly known",
		commitsThis(strings.Replace(networkWith("attempt"), "  secret: "+secretName+"\n", "", 1))},
	{"what its own image finds in its pod", "the pod: Pod Security `restricted`", "no token, no root, no capability, nothing to write to but its own data",
		lookAround},
}}

// lookAround looks, from within a node, for what a pod may have that it should not.
func lookAround(h *hostile, _ string) {
	inside := func(command string) string {
		printed, err := cluster.Kubectl(h.ctx, "exec", "payments-0", "--namespace="+mallory, "--", "sh", "-c", command)
		h.Expect(err).NotTo(HaveOccurred())
		return strings.TrimSpace(printed)
	}
	h.Expect(inside("ls /var/run/secrets/kubernetes.io 2>&1 || true")).To(ContainSubstring("No such file"))
	h.Expect(inside("id -u")).NotTo(Equal("0"))
	h.Expect(inside("grep -h ^Cap /proc/self/status | cut -f2 | sort -u")).To(Equal(strings.Repeat("0", 16)), "capabilities")
	h.Expect(inside("grep ^NoNewPrivs /proc/self/status | cut -f2")).To(Equal("1"))
	h.Expect(inside("grep ^Seccomp: /proc/self/status | cut -f2")).To(Equal("2"), "a filter")
	h.Expect(inside("touch /usr/bin/mine 2>&1 || true")).To(ContainSubstring("Read-only file system"))
}

var itsLabels = chapter{"Labels", []attempt{
	{"posing as the operator, which reaches the API server", bySchema, "are reserved: selectors use them",
		commitsNetwork("podLabels: {app.kubernetes.io/name: bitcoin-operator}")},
	{"posing as another network's node", bySchema, "are reserved: selectors use them",
		commitsNetwork("podLabels: {bitcoin-operator.github.io/network: lightning}")},
	{"posing as a client of somebody's RPC", bySchema, "are reserved: selectors use them",
		commitsNetwork(`podLabels: {bitcoin-operator.github.io/client: "true"}`)},
	{"others' queues, identities and sidecars", byNetworks, "spec.podLabels: any label without a prefix (before a /) is allowed",
		commitsNetwork(`podLabels: {kueue.x-k8s.io/queue-name: theirs, azure.workload.identity/use: "true", sidecar.istio.io/inject: "true"}`)},
	{"posing as the cluster's DNS", "network policies, which also select the namespace", "it comes to be a label of a pod in the team's own namespace",
		commitHarmless("podLabels: {k8s-app: kube-dns}")},
}}

// commitNamed commits a network of that name, with a node.
func commitNamed(name string) func(*hostile, string) {
	return func(h *hostile, _ string) {
		wait(h, h.ctx, h.commit("A network called "+name, map[string]string{file: strings.Replace(networkWith(name), "nodes: 0", "nodes: 1", 1)}).Done)
		wait(h, h.ctx, cluster.Says(h.Operator(), "Available"))
	}
}

// commitHarmless commits a network that nobody minds.
func commitHarmless(lines ...string) func(*hostile, string) {
	return func(h *hostile, _ string) {
		wait(h, h.ctx, h.commit("Nothing that anybody minds", map[string]string{file: networkWith("attempt", lines...)}).Done)
	}
}

var injection = chapter{"bitcoin.conf", []attempt{
	{"credentials", bySchema, "the operator sets rpcauth itself", commitsNetwork(`config: ["rpcauth=mallory:00$00"]`)},
	{"RPC for everybody", bySchema, "the operator sets rpcallowip itself", commitsNetwork(`config: ["rpcallowip=0.0.0.0/0"]`)},
	{"another file", bySchema, "the operator sets includeconf itself", commitsNetwork(`config: ["includeconf=/proc/self/environ"]`)},
	{"credentials in a file", bySchema, "rpcauthfile reads credentials or options from another file", commitsNetwork(`config: ["rpcauthfile=/home/bitcoin/.bitcoin/mine"]`)},
	{"options in a file, which RPC writes", bySchema, "confrw reads credentials or options from another file", commitsNetwork(`config: ["confrw=/home/bitcoin/.bitcoin/mine"]`)},
	{"the same by another name", bySchema, "the operator sets settings itself", commitsNetwork(`config: ["settings=/home/bitcoin/.bitcoin/mine"]`)},
	{"a program at the start, with access to everything in the node", bySchema, "startupnotify runs a program in the node", commitsNetwork(`config: ["startupnotify=id"]`)},
	{"one at the end", bySchema, "shutdownnotify runs a program in the node", commitsNetwork(`config: ["shutdownnotify=id"]`)},
	{"one at each block", bySchema, "blocknotify runs a program in the node", commitsNetwork(`config: ["blocknotify=id"]`)},
	{"one at each payment", bySchema, "walletnotify runs a program in the node", commitsNetwork(`config: ["walletnotify=id"]`)},
	{"one at each alert", bySchema, "alertnotify runs a program in the node", commitsNetwork(`config: ["alertnotify=id"]`)},
	{"one that signs", bySchema, "signer runs a program in the node", commitsNetwork(`config: ["signer=/bin/id"]`)},
	{"one that is called Tor", bySchema, "torexecute runs a program in the node", commitsNetwork(`config: ["torexecute=/bin/id"]`)},
	{"one behind lines that are allowed", bySchema, "blocknotify runs a program in the node", commitsNetwork(`config: ["txindex=1", "blocknotify=id"]`)},
	{"a folder of the machine", bySchema, "the operator sets datadir itself", commitsNetwork(`config: ["datadir=/run"]`)},
	{"a section", bySchema, "must be a line option=value", commitsNetwork(`config: ["[main]"]`)},
	{"another section's option", bySchema, "must be a line option=value", commitsNetwork(`config: ["regtest.rpcuser=mallory"]`)},
	{"two lines in one", bySchema, "must be a line option=value", commitsNetwork(`config: ["txindex=1\nrpcuser=mallory"]`)},
	{"two lines in a notification", bySchema, "spec.zmq[0]", commitsNetwork(`zmq: ["rawtx\nrpcuser=mallory"]`)},
	{"two lines in an address", bySchema, "spec.mining.address", commitsNetwork(`mining: {address: "` + someone + `\nrpcuser=mallory"}`)},
	{"two lines in a signet's challenge", bySchema, "spec.signet.challenge",
		commitsNetwork("chain: signet", `signet: {challenge: "51\nrpcuser=mallory"}`)},
}}

var passwords = chapter{"Passwords", []attempt{
	{"finding the password in whatever people may read, and more", "the operator, which never writes it",
		"it is in no object, status, event, description, log, metric, process, configuration or audit log", findPassword},
}}

// findPassword looks for the password wherever an administrator could.
func findPassword(h *hostile, _ string) {
	var secret corev1.Secret
	h.Expect(cluster.API.Get(h.ctx, client.ObjectKey{Namespace: mallory, Name: secretName}, &secret)).To(Succeed())
	password := string(secret.Data["BC_RPC_PASSWORD"])
	h.Expect(password).NotTo(BeEmpty())
	places := map[string][]string{
		"objects, statuses and events": {"get", "bitcoinnetworks,statefulsets,services,configmaps,pods,events,networkpolicies,poddisruptionbudgets,leases,kustomizations,controllerrevisions", "--output=yaml"},
		"descriptions":                 {"describe", "bitcoinnetworks,statefulsets,pods,configmaps"},
		"the operator's log":           {"logs", "deployment/bitcoin-operator"},
		"the operator's metrics":       {"get", "--raw=" + operatorMetrics(h)},
		"a node's log":                 {"logs", "payments-0"},
		"a node's processes":           {"exec", "payments-0", "--", "sh", "-c", "cat /proc/[0-9]*/cmdline /proc/1/environ | tr '\\0' ' '"},
		"a node's configuration":       {"exec", "payments-0", "--", "sh", "-c", "cat ~/.bitcoin/bitcoin.conf /run/bitcoind/rpcauth.conf"},
	}
	for what, command := range places {
		text, err := cluster.Kubectl(h.ctx, append([]string{"--namespace=" + mallory}, command...)...)
		h.Expect(err).NotTo(HaveOccurred(), what)
		h.Expect(text).NotTo(BeEmpty(), what)
		h.Expect(strings.Contains(text, password)).To(BeFalse(), "the password shows in %s", what)
	}
	noted, err := os.ReadFile(cluster.Logs() + "/audit.log")
	h.Expect(err).NotTo(HaveOccurred())
	h.Expect(strings.Contains(string(noted), password)).To(BeFalse(), "the password shows in the audit log")
}

// operatorMetrics is where the API server gives the metrics of the team's operator.
func operatorMetrics(h *hostile) string {
	return fmt.Sprintf("/api/v1/namespaces/%s/pods/%s:8080/proxy/metrics", mallory, h.operatorPod().Name)
}

func (h *hostile) operatorPod() corev1.Pod {
	var pods corev1.PodList
	h.Expect(cluster.API.List(h.ctx, &pods, client.InNamespace(mallory), client.MatchingLabels{"app.kubernetes.io/name": "bitcoin-operator"})).To(Succeed())
	h.Expect(pods.Items).To(HaveLen(1))
	return pods.Items[0]
}

// hostileImage is the team's own.
const hostileImage = "localhost/" + mallory + "/bitcoind"

var hostileNodes = chapter{"Nodes whose answers are meant to harm the operator", []attempt{
	{"a gigabyte, an answer without an end, silence, wrong types, a hundred thousand items, JSON of endless depth, a redirection, a very long error",
		"the bounds on what the operator reads", "the team's other network is looked after, and the operator lives", answerBadly},
}}

// answerBadly runs nodes that answer RPC in every bad way, and looks whether the team's
// other network is still looked after.
func answerBadly(h *hostile, _ string) {
	h.Expect(cluster.LoadProgram(h.ctx, "./test/e2e/hostile", "/usr/local/bin/bitcoind", hostileImage+":1")).To(Succeed())
	manifest := strings.Replace(networkWith("hostile", "image: "+hostileImage+":1", "imagePullPolicy: Never"), "nodes: 0", "nodes: 8", 1)
	delivery := h.commit("Nodes that answer badly", map[string]string{file: manifest})
	of := fleet.Object{Kind: fleet.BitcoinNetwork, Namespace: mallory, Name: "hostile"}
	wait(h, h.ctx, fleet.All(delivery.Tried, says(of, "NodesReady", "its response is invalid")))
	wait(h, h.ctx, says(of, "NodesReady", "it timed out"))

	good := network(h, h.ctx, mallory, "payments")
	began := time.Now()
	scale(h, h.ctx, good, 4) // Flux puts it back, in its own time
	wait(h, h.ctx, func(ctx context.Context) (bool, string, error) {
		found, err := cluster.Network(ctx, mallory, "payments")
		return err == nil && found.Status.Links != nil && found.Status.Links.Summary == "6/6", "a fourth node", err
	})
	h.t.Logf("a node was added beside hostile ones in %s", time.Since(began).Round(time.Second))
	operator := h.operatorPod()
	h.Expect(operator.Status.ContainerStatuses[0].RestartCount).To(BeZero(), "the operator was killed")
}

var takeovers = chapter{"Names that are taken", []attempt{
	{"a network with the name of another one's client Service", bySchema, "must not end in '-rpc'", commitsThis(networkWith("payments-rpc"))},
	{"a network with the name of another one's primary Service", bySchema, "must not end in '-primary'", commitsThis(networkWith("payments-primary"))},
	{"a network with the name of the ConfigMap with another one's addresses", bySchema, "must not end in '-connection'", commitsThis(networkWith("payments-connection"))},
	{"a network with the name of the ConfigMap with the tenant's limits", byNetworks, "metadata.name: 'tenant' is reserved in a tenant's namespace", commitsThis(networkWith("tenant"))},
	{"a network with the name of the operator's Deployment", "nothing: it is another kind", "both are there, each its own", commitNamed("bitcoin-operator")},
}}

var limits = chapter{"Names and numbers at their limits", []attempt{
	{"a name of 53 characters", bySchema, "metadata.name: must have at most 52 characters", commitsThis(networkWith(strings.Repeat("a", 53)))},
	{"1001 nodes", bySchema, "spec.nodes", commitsThis(strings.Replace(networkWith("attempt"), "nodes: 0", "nodes: 1001", 1))},
	{"a thousand nodes", byNetworks, "spec.nodes: the platform allows 100 nodes per network in this namespace, not 1000",
		commitsThis(strings.Replace(networkWith("attempt"), "nodes: 0", "nodes: 1000", 1))},
	{"more nodes than its quota of pods", "the namespace's quota", "exceeded quota: tenant-pods", tooManyNodes},
	{"two hundred networks", "the namespace's quota", "exceeded quota: tenant", tooManyNetworks},
	{"a machine's memory for every node", "the namespace's limits", "exceeded quota: tenant-pods",
		commitNode("resources: {requests: {memory: 64Gi}, limits: {memory: 64Gi}}")},
}}

// commitNode commits a network of one node that does not come up, and says why.
func commitNode(lines ...string) func(*hostile, string) {
	return func(h *hostile, told string) {
		manifest := strings.Replace(networkWith("attempt", lines...), "nodes: 0", "nodes: 1", 1)
		delivery := h.commit("A node", map[string]string{file: manifest})
		wait(h, h.ctx, fleet.All(delivery.Tried, says(fleet.Object{Kind: fleet.BitcoinNetwork, Namespace: mallory, Name: "attempt"}, "NodesReady", told)))
	}
}

func tooManyNodes(h *hostile, told string) {
	// What cannot be pulled costs the machine little.
	manifest := strings.Replace(networkWith("attempt", "image: "+hostileImage+":none"), "nodes: 0", fmt.Sprintf("nodes: %d", 2*hostilePods), 1)
	delivery := h.commit("Too many nodes", map[string]string{file: manifest})
	of := fleet.Object{Kind: fleet.BitcoinNetwork, Namespace: mallory, Name: "attempt"}
	wait(h, h.ctx, fleet.All(delivery.Tried, func(ctx context.Context) (bool, string, error) {
		found, err := cluster.Kubectl(ctx, "get", "events", "--namespace="+mallory, "--output=jsonpath={.items[*].message}")
		return strings.Contains(found, told), "an event of " + of.String() + " that says " + told, err
	}))
	// Kubernetes' count lags by a few while others' pods go.
	h.Expect(len(lives(h, h.ctx, mallory, "attempt"))).To(BeNumerically("<=", hostilePods+10))
}

// tooManyNetworks commits more than the quota allows. Not ten thousand: Flux builds
// one push of those for many minutes, as docs/security.md says.
func tooManyNetworks(h *hostile, told string) {
	var all strings.Builder
	for i := range 200 {
		all.WriteString("---\n" + networkWith(fmt.Sprintf("many-%d", i)))
	}
	commits(map[string]string{file: all.String()})(h, told)
	h.Expect(len(h.networks())).To(BeNumerically("<=", 20))
	wait(h, h.ctx, h.commit("None of them", nil).Done) // or Flux would make them again
	// Flux forgets what it has made of a commit that it could not apply whole.
	made := slices.DeleteFunc(h.networks(), func(name string) bool { return !strings.HasPrefix(name, "many-") })
	_, err := cluster.Kubectl(h.ctx, append([]string{"delete", "btcnet", "--namespace=" + mallory}, made...)...)
	h.Expect(err).NotTo(HaveOccurred())
}

var history = chapter{"Its history in Git", []attempt{
	{"rewriting it", "nothing: it is the team's own", "what is committed is applied; nodes that stay do not notice", rewriteHistory},
	{"deleting it", "the Git server", "refusing to delete the current branch", deleteHistory},
}}

func rewriteHistory(h *hostile, _ string) {
	before := lives(h, h.ctx, mallory, "payments")
	wait(h, h.ctx, h.commit("As in the beginning", nil).Done)
	h.Expect(h.Rewrite(h.ctx, "A new beginning")).To(Succeed())
	wait(h, h.ctx, push(h, h.ctx, h.Team, "Nothing else").Done)
	h.Expect(lives(h, h.ctx, mallory, "payments")).To(Equal(before))
}

func deleteHistory(h *hostile, told string) {
	before := lives(h, h.ctx, mallory, "payments")
	h.Expect(h.Withdraw(h.ctx)).To(MatchError(ContainSubstring(told)))
	h.Expect(lives(h, h.ctx, mallory, "payments")).To(Equal(before))
}

// owned is what makes an object one of the team's network, as far as anybody says.
const owned = "  ownerReferences: [{apiVersion: bitcoin-operator.github.io/v1alpha1, kind: BitcoinNetwork, name: payments, uid: 00000000-0000-0000-0000-000000000000, controller: true}]\n"

// ofPayments is what such an object may be called.
const ofPayments = "payments-attempt"

// leads is to where such a Service may lead.
const leads = "selector: {bitcoin-operator.github.io/network: payments}, ports: [{port: 1}]"

// statefulSet returns one, with these lines for its pods.
func statefulSet(metadata string, lines ...string) string {
	manifest := object("apps/v1", "StatefulSet", ofPayments, metadata+"spec:\n  serviceName: a\n  selector: {matchLabels: {a: b}}\n  template:\n    metadata: {labels: {a: b}}\n    spec:\n      automountServiceAccountToken: false\n")
	for _, line := range lines {
		manifest += "      " + line + "\n"
	}
	return manifest
}

// What the policies say of several attempts.
const (
	onlyControlled = "the operator may write only what a BitcoinNetwork controls"
	noVolumes      = "spec.template.spec.volumes: nodes may have only emptyDir, configMap, downwardAPI for their annotation bitcoin-operator.github.io/bitcoin.conf, and volume claims"
)

const plainContainer = "containers: [{name: a, image: ghcr.io/bitcoin-operator/bitcoind}]"

// claiming returns one whose pods have a claim with these fields.
func claiming(spec string) string {
	return statefulSet(owned, plainContainer) + "  volumeClaimTemplates: [{metadata: {name: data}, spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}, " + spec + "}}]\n"
}

// opening returns a network's policy with these fields.
func opening(spec string) string {
	return object("networking.k8s.io/v1", "NetworkPolicy", ofPayments, owned+"spec: {"+spec+"}\n")
}

// This team's operator is in its own hands: somebody has found a way to run code in it.
var asItsOperator = chapter{"As its operator, after a takeover", []attempt{
	{"reading another Secret", byOperatorRole, `secrets "another" is forbidden`, operator("get", "secret", "another")},
	{"listing Secrets", byOperatorRole, `cannot list resource "secrets"`, operator("get", "secrets")},
	{"another team's Secret", byOperatorRole, `secrets "bitcoin-rpc" is forbidden`, operator("get", "secret", secretName, "--namespace="+victim)},
	{"another team's pods", byOperatorRole, `cannot list resource "pods"`, operator("get", "pods", "--namespace="+victim)},
	{"a network of its own", byOperatorRole, `cannot create resource "bitcoinnetworks"`, operatorCreates(networkWith("attempt"))},
	{"a pod", byOperatorRole, `cannot create resource "pods"`, operatorCreates(object("v1", "Pod", "attempt", "spec: {containers: [{name: a, image: a}]}\n"))},
	{"a shell in a pod", byOperatorRole, `cannot create resource "pods/exec"`, operator("create", "--raw=/api/v1/namespaces/"+mallory+"/pods/payments-0/exec?command=env&stdout=true", "--filename=/dev/null")},
	{"a StatefulSet that belongs to no network", byOperator, onlyControlled,
		operatorCreates(statefulSet("", plainContainer))},
	{"a StatefulSet with another Secret in its environment", byNetworks, "spec.template: nodes may use only the Secret bitcoin-rpc",
		operatorCreates(statefulSet(owned, "containers: [{name: a, image: ghcr.io/bitcoin-operator/bitcoind, envFrom: [{secretRef: {name: another}}]}]"))},
	{"a StatefulSet with another Secret in a volume", byNodes, noVolumes,
		operatorCreates(statefulSet(owned, plainContainer, "volumes: [{name: a, secret: {secretName: another}}]"))},
	{"a StatefulSet with a token in a volume", byNodes, noVolumes,
		operatorCreates(statefulSet(owned, plainContainer, "volumes: [{name: a, projected: {sources: [{serviceAccountToken: {path: token}}]}}]"))},
	{"a StatefulSet with another account", byNodes, "spec.template.spec.serviceAccountName: nodes must run as the service account default",
		operatorCreates(statefulSet(owned, plainContainer, "serviceAccountName: reconciler"))},
	{"a StatefulSet with its account's token", byNodes, "spec.template.spec.automountServiceAccountToken: must be false",
		operatorCreates(strings.Replace(statefulSet(owned, plainContainer), "automountServiceAccountToken: false", "automountServiceAccountToken: true", 1))},
	{"a StatefulSet that pulls with another Secret", byNetworks, "spec.template.spec.imagePullSecrets: the platform allows only Secrets that it has put into this namespace",
		operatorCreates(statefulSet(owned, plainContainer, "imagePullSecrets: [{name: another}]"))},
	{"a StatefulSet with an image that is not allowed", byNetworks, "spec.template.spec.containers: the platform does not allow this image in this namespace",
		operatorCreates(statefulSet(owned, `containers: [{name: a, image: "docker.io/mallory/anything:latest"}]`))},
	{"a StatefulSet on machines that are not allowed", byNetworks, "spec.template.spec.nodeSelector: the platform allows machines to be selected by these labels",
		operatorCreates(statefulSet(owned, plainContainer, `nodeSelector: {node-role.kubernetes.io/control-plane: ""}`))},
	{"a StatefulSet with a device", byNetworks, "spec.template.spec.resources: the platform allows: cpu memory ephemeral-storage",
		operatorCreates(statefulSet(owned, `containers: [{name: a, image: ghcr.io/bitcoin-operator/bitcoind, resources: {limits: {devices.kubevirt.io/kvm: "1"}}}]`))},
	{"a StatefulSet with claims of another class", byNetworks, "spec.volumeClaimTemplates: the platform allows the default class and",
		operatorCreates(claiming("storageClassName: gold"))},
	{"a StatefulSet with somebody's volume", byNodes, "spec.volumeClaimTemplates: nodes' volumes must be new",
		operatorCreates(claiming("volumeName: pv-of-others"))},
	{"a StatefulSet with so many nodes that the list does not fit into memory", byNodes, "spec.replicas: at most 1000",
		operatorCreates(statefulSet(owned, plainContainer) + "  replicas: 2147483647\n")},
	{"a StatefulSet with a history that no quota counts", byNodes, "spec.revisionHistoryLimit: 0 to 10",
		operatorCreates(statefulSet(owned, plainContainer) + "  revisionHistoryLimit: 100000\n")},
	{"a StatefulSet that stays when the team is removed", byOperator, "metadata.ownerReferences: what the operator creates must have its network as the only owner",
		operatorCreates(statefulSet(strings.Replace(owned, "controller: true}", "controller: true}, {apiVersion: v1, kind: ConfigMap, name: tenant, uid: 00000000-0000-0000-0000-000000000000}", 1), plainContainer))},
	{"a StatefulSet whose pods take ten years to end", byNodes, "spec.template.spec.terminationGracePeriodSeconds: at most 600",
		operatorCreates(statefulSet(owned, plainContainer, "terminationGracePeriodSeconds: 315360000"))},
	{"a StatefulSet with a runtime of its choice", byNodes, "spec.template.spec.runtimeClassName: nodes run with the platform's own runtime",
		operatorCreates(statefulSet(owned, plainContainer, "runtimeClassName: other"))},
	{"a StatefulSet with a priority, which no quota of the team counts", byNodes, "spec.template.spec.nodeName, spec.template.spec.priorityClassName: nodes are placed by the scheduler",
		operatorCreates(statefulSet(owned, plainContainer, "priorityClassName: bitcoin-operator"))},
	{"a StatefulSet on another network, by an annotation of its pods", byNodes, "spec.template.metadata.annotations: only the operator's own are allowed, which begin with bitcoin-operator.github.io/",
		operatorCreates(strings.Replace(statefulSet(owned, plainContainer), "labels: {a: b}}\n", "labels: {a: b}, annotations: {k8s.v1.cni.cncf.io/networks: other}}\n", 1))},
	{"a ConfigMap that blocks the deletion of the namespace", byOperator, "metadata.finalizers: what the operator creates must not have finalizers",
		operatorCreates(object("v1", "ConfigMap", ofPayments, "  finalizers: [mallory.example.com/stay]\n"+owned))},
	{"a policy that lets everything in and out", byPolicies, "spec.podSelector: a network's NetworkPolicy must select the network's own nodes",
		operatorCreates(opening("podSelector: {}, policyTypes: [Ingress, Egress], ingress: [{}], egress: [{}]"))},
	{"access to the metadata service", byPolicies, "spec.egress: nodes may reach only each other, the cluster's DNS",
		operatorCreates(opening("podSelector: {matchLabels: {bitcoin-operator.github.io/network: " + ofPayments + "}}, policyTypes: [Egress], egress: [{to: [{ipBlock: {cidr: 169.254.169.254/32}}]}]"))},
	{"access to nodes for everybody", byPolicies, "spec.ingress: only pods of their namespace",
		operatorCreates(opening("podSelector: {matchLabels: {bitcoin-operator.github.io/network: " + ofPayments + "}}, policyTypes: [Ingress], ingress: [{}]"))},
	{"its own bounds", byOperator, onlyControlled,
		operator("patch", "configmap", "tenant", "--type=merge", `--patch={"data":{"images":"*"}}`)},
	{"the policy that denies everything", "admission policies `operator` and `network-policies`", "denied request",
		operator("patch", "networkpolicy", "tenant.default-deny", "--type=merge", `--patch={"spec":{"egress":[{}]}}`)},
	{"a Service on every machine's port", byOperator, "the operator's Services must be of type ClusterIP, without externalIPs",
		operatorCreates(object("v1", "Service", ofPayments, owned+"spec: {type: NodePort, "+leads+"}\n"))},
	{"a Service with an address that is not its own", byOperator, "the operator's Services must be of type ClusterIP, without externalIPs",
		operatorCreates(object("v1", "Service", ofPayments, owned+"spec: {externalIPs: [192.0.2.1], "+leads+"}\n"))},
	{"a Service with a name in public DNS", byOperator, "metadata.annotations, metadata.labels: the operator may set only its own",
		operatorCreates(object("v1", "Service", ofPayments, "  annotations: {external-dns.alpha.kubernetes.io/hostname: bank.example.com}\n"+owned+"spec: {clusterIP: None, "+leads+"}\n"))},
	{"a Service for the operator's own pod", byOperator, "spec.selector: the operator's Services must select nodes of their network",
		operatorCreates(object("v1", "Service", ofPayments, owned+"spec: {selector: {app.kubernetes.io/name: bitcoin-operator}, ports: [{port: 1}]}\n"))},
	{"another lease", byOperatorRole, `cannot create resource "leases"`,
		operatorCreates(object("coordination.k8s.io/v1", "Lease", "attempt", "spec: {}\n"))},
}}
