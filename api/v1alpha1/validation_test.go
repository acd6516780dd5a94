package v1alpha1_test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	. "github.com/onsi/gomega"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
)

// api talks to a real API server that has the resource definition; nil with
// -short.
var api client.Client

func TestMain(m *testing.M) {
	flag.Parse()
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func run(m *testing.M) (code int, err error) {
	if testing.Short() {
		return m.Run(), nil
	}
	scheme := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		return 0, err
	}
	environment := &envtest.Environment{CRDDirectoryPaths: []string{"../../gitops/crds"}, ErrorIfCRDPathMissing: true}
	config, err := environment.Start()
	if err != nil {
		return 0, fmt.Errorf("start the API server (KUBEBUILDER_ASSETS must name a folder with kube-apiserver and etcd, as make test does): %w", err)
	}
	if api, err = client.New(config, client.Options{Scheme: scheme}); err != nil {
		return 0, err
	}
	code = m.Run()
	return code, environment.Stop()
}

func needsAPIServer(t *testing.T) {
	t.Helper()
	if api == nil {
		t.Skip("needs an API server, which -short leaves out")
	}
}

// manifest returns a network as somebody would write it, with a field of its
// spec set.
func manifest(name string, spec map[string]any) *unstructured.Unstructured {
	if spec["nodes"] == nil {
		spec["nodes"] = int64(3)
	}
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": v1alpha1.GroupVersion.String(),
		"kind":       "BitcoinNetwork",
		"metadata":   map[string]any{"name": name, "namespace": metav1.NamespaceDefault},
		"spec":       spec,
	}}
}

// address is one on regtest, of the public key in BIP 173's examples.
const address = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080"

func config(lines ...any) map[string]any { return map[string]any{"config": lines} }

// memory returns a spec with that limit of memory.
func memory(limit any) map[string]any {
	return map[string]any{"resources": map[string]any{"limits": map[string]any{"memory": limit}}}
}

// reserving returns a spec with requests and limits of that resource.
func reserving(name string, request, limit any) map[string]any {
	return map[string]any{"resources": map[string]any{"requests": map[string]any{name: request}, "limits": map[string]any{name: limit}}}
}

func clients(one map[string]any) map[string]any { return map[string]any{"clients": []any{one}} }

func labelled(key, value string) map[string]any {
	return map[string]any{"podLabels": map[string]any{key: value}}
}

// users returns a spec with a user of these fields, and the Secret that has its password.
func users(fields map[string]any, more ...any) map[string]any {
	return map[string]any{"secret": "s", "users": append([]any{fields}, more...)}
}

// reader returns the fields of a user of that name.
func reader(name string) map[string]any { return map[string]any{"name": name, "profile": "read"} }

// manyUsers returns the fields of so many users, of so many methods each.
func manyUsers(count, methods int) []any {
	var many []any
	for user := range count {
		var names []any
		for method := range methods {
			names = append(names, strings.Repeat("a", 29)+fmt.Sprintf("%03d", method))
		}
		many = append(many, map[string]any{"name": fmt.Sprintf("u%d", user), "methods": names})
	}
	return many
}

// storage returns a spec with volumes of that size, and of that class if there is
// one.
func storage(size, class string) map[string]any {
	volumes := map[string]any{"size": size}
	if class != "" {
		volumes["className"] = class
	}
	return map[string]any{"storage": volumes}
}

// What a network was made with, some of it for good.
func TestChanges(t *testing.T) {
	needsAPIServer(t)
	signet := func(challenge string) map[string]any {
		spec := map[string]any{"secret": "s", "chain": "signet"}
		if challenge != "" {
			spec["signet"] = map[string]any{"challenge": challenge}
		}
		return spec
	}
	for i, test := range []struct {
		reason        string
		before, after map[string]any
		volumes       string // status.storage
		want          string // the refusal; empty if it may
	}{
		{"another chain", map[string]any{"secret": "s"}, map[string]any{"secret": "s", "chain": "testnet4"}, "", "cannot be changed; create another network"},
		{"another signet", signet("51"), signet("52"), "", "cannot be changed; create another network"},
		{"from the public signet to one's own", signet(""), signet("51"), "", "spec.signet: Invalid value: cannot be added or removed"},
		{"and back", signet("51"), signet(""), "", "spec.signet: Invalid value: cannot be added or removed"},
		{"volumes that were not", map[string]any{}, storage("1Gi", ""), "", "spec.storage: Invalid value: cannot be added or removed"},
		{"volumes no more", storage("1Gi", ""), map[string]any{}, "", "spec.storage: Invalid value: cannot be added or removed"},
		{"another class", storage("1Gi", "fast"), storage("1Gi", "slow"), "", "spec.storage.className: Invalid value: cannot be changed"},
		{"a class that was not said", storage("1Gi", ""), storage("1Gi", "slow"), "", "spec.storage.className: Invalid value: cannot be changed"},
		{"smaller volumes", storage("2Gi", ""), storage("1Gi", ""), "", "spec.storage.size: Invalid value: volumes cannot shrink"},
		{"smaller than what volumes have", storage("3Gi", ""), storage("1Gi", ""), "2Gi", "spec.storage.size: Invalid value: volumes cannot shrink: must be at least their present size (status.storage)"},
		{"back to what volumes have, when more cannot be had", storage("1Ti", ""), storage("2Gi", ""), "2Gi", ""},
		{"or to something in between", storage("1Ti", ""), storage("3Gi", ""), "2Gi", ""},
		{"larger ones, where the storage has given more than was asked for", storage("1500Mi", ""), storage("1600Mi", ""), "2Gi", ""},
		{"the rest, where it has", storage("1500Mi", ""), map[string]any{"storage": map[string]any{"size": "1500Mi"}, "nodes": int64(5)}, "2Gi", ""},
		{"larger volumes", storage("900Mi", "fast"), storage("1Gi", "fast"), "", ""},
		{"the rest", map[string]any{}, map[string]any{"nodes": int64(5), "secret": "s", "config": []any{"txindex=1"}, "image": "a"}, "", ""},
	} {
		t.Run(test.reason, func(t *testing.T) {
			g := NewWithT(t)
			network := manifest(fmt.Sprintf("changes-%d", i), test.before)
			g.Expect(api.Create(t.Context(), network)).To(Succeed())
			if test.volumes != "" {
				g.Expect(unstructured.SetNestedField(network.Object, test.volumes, "status", "storage")).To(Succeed())
				g.Expect(api.Status().Update(t.Context(), network)).To(Succeed())
			}
			network.Object["spec"] = manifest("", test.after).Object["spec"]
			err := api.Update(t.Context(), network)
			if test.want == "" {
				g.Expect(err).NotTo(HaveOccurred())
				return
			}
			g.Expect(err).To(MatchError(ContainSubstring(test.want)))
		})
	}
}

func TestRefused(t *testing.T) {
	needsAPIServer(t)
	for _, test := range []struct {
		reason, name string
		spec         map[string]any
		want         string
	}{
		{"fewer than no nodes", "payments", map[string]any{"nodes": int64(-1)}, "spec.nodes: Invalid value: -1"},
		{"more nodes than a StatefulSet carries well", "payments", map[string]any{"nodes": int64(1001)}, "spec.nodes: Invalid value: 1001"},
		{"half a node", "payments", map[string]any{"nodes": 1.5}, "spec.nodes"},
		{"nodes in words", "payments", map[string]any{"nodes": "three"}, "spec.nodes"},
		{"an empty image is not the default image", "payments", map[string]any{"image": ""}, "spec.image: Invalid value"},
		{"an empty secret is not the default credentials", "payments", map[string]any{"secret": ""}, "spec.secret: Invalid value"},
		{"a chain that is not known", "payments", map[string]any{"chain": "dogecoin"}, `spec.chain: Unsupported value: "dogecoin"`},
		{"default credentials on a public chain", "payments", map[string]any{"chain": "main"}, "spec.secret: Required value: is required on every chain except regtest"},
		{"a signet's challenge on another chain", "payments", map[string]any{"signet": map[string]any{"challenge": "51"}}, "spec.signet: Invalid value: is allowed on signet only"},
		{"a challenge that is no hexadecimal", "payments", map[string]any{"secret": "s", "chain": "signet", "signet": map[string]any{"challenge": "5z"}}, "spec.signet.challenge: Invalid value"},
		{"half a byte of a challenge", "payments", map[string]any{"secret": "s", "chain": "signet", "signet": map[string]any{"challenge": "512"}}, "spec.signet.challenge: Invalid value"},
		{"a challenge that goes on in bitcoin.conf", "payments", map[string]any{"secret": "s", "chain": "signet", "signet": map[string]any{"challenge": "51\nrpcuser=a"}}, "spec.signet.challenge: Invalid value"},
		{"credentials in bitcoin.conf", "payments", config("rpcpassword=hush"), "the operator sets rpcpassword itself"},
		{"peers beside the operator's", "payments", config("addnode=192.0.2.1"), "the operator sets addnode itself"},
		{"an option of the operator's, negated", "payments", config("noconnect=1"), "the operator sets noconnect itself"},
		{"another file of options", "payments", config("includeconf=/etc/passwd"), "the operator sets includeconf itself"},
		{"credentials in another file", "payments", config("rpcauthfile=/home/bitcoin/.bitcoin/a"), "spec.config: Invalid value: rpcauthfile reads credentials or options from another file"},
		{"options in another file", "payments", config("txindex=1", "confrw=a"), "confrw reads credentials or options from another file"},
		{"a program at each block", "payments", config("blocknotify=echo %s"), "spec.config: Invalid value: blocknotify runs a program in the node"},
		{"a program at the start", "payments", config("startupnotify=env"), "startupnotify runs a program in the node"},
		{"a program at the end", "payments", config("shutdownnotify=env"), "shutdownnotify runs a program in the node"},
		{"a program at each payment", "payments", config("walletnotify=env"), "walletnotify runs a program in the node"},
		{"a program at each alert", "payments", config("alertnotify=env"), "alertnotify runs a program in the node"},
		{"a program that signs", "payments", config("signer=env"), "signer runs a program in the node"},
		{"a Tor to start", "payments", config("torexecute=env"), "torexecute runs a program in the node"},
		{"nodes that cannot look up names", "payments", config("dns=0"), "spec.config: Invalid value: dns must be 1: nodes dial each other by name"},
		{"the same in other words", "payments", config("nodns=1"), "dns must be 1"},
		{"no number is 0 for bitcoind", "payments", config("dns=false"), "dns must be 1"},
		{"a proxy, which looks up names elsewhere", "payments", config("proxy=127.0.0.1:9050"), "spec.config: Invalid value: proxy is allowed for onion or cjdns only"},
		{"a proxy for addresses, which is one for names as well", "payments", config("proxy=127.0.0.1:9050=ipv4"), "proxy is allowed for onion or cjdns only"},
		{"no proxy, negated", "payments", config("noproxy=0"), "proxy is allowed for onion or cjdns only"},
		{"nodes that accept nobody", "payments", config("maxconnections=8"), "spec.config: Invalid value: maxconnections must be at least 40"},
		{"nodes that accept too few for a large network", "payments", config("maxconnections=39"), "maxconnections must be at least 40"},
		{"the same without a number", "payments", config("nomaxconnections=1"), "maxconnections must be at least 40"},
		{"fewer than none", "payments", config("maxconnections=-1"), "maxconnections must be at least 40"},
		{"a name that hides the one by which nodes know each other", "payments", config("uaspoof=/x:1/"), "spec.config: Invalid value: uaspoof is not allowed: it hides uacomment"},
		{"notifications have a field of their own", "payments", config("zmqpubrawblock=tcp://0.0.0.0:1"), "the operator sets zmqpubrawblock itself"},
		{"nor does the mark of one that goes elsewhere", "payments", config("zmqpubrawtxhwm=tcp://0.0.0.0:1"), "the operator sets zmqpubrawtxhwm itself"},
		{"a name by which nodes know each other", "payments", config("uacomment=team-b.lightning.0"), "the operator sets uacomment itself"},
		{"an option with its section", "payments", config("regtest.connect=192.0.2.1"), "must be a line option=value"},
		{"a section", "payments", config("[main]"), "must be a line option=value"},
		{"an option as on the command line", "payments", config("-txindex=1"), "must be a line option=value"},
		{"an option without a value", "payments", config("txindex"), "must be a line option=value"},
		{"two lines in one", "payments", config("txindex=1\nconnect=192.0.2.1"), "must be a line option=value"},
		{"two lines in one, as on old machines", "payments", config("txindex=1\rconnect=192.0.2.1"), "must be a line option=value"},
		{"space that bitcoind would take away", "payments", config("txindex= 1"), "must be a line option=value"},
		{"space before the sign", "payments", config("txindex =1"), "must be a line option=value"},
		{"a comment, which would end the value", "payments", config("uaappend=a #"), "must be a line option=value"},
		{"an empty line", "payments", config(""), "must be a line option=value"},
		{"a line that is too long", "payments", config("uaappend=" + strings.Repeat("a", 512)), "may not be more than 512"},
		{"too little to prune to", "payments", config("prune=549"), "prune must be 0 (off), 1 (manual, over RPC) or at least 550"},
		{"a number that begins like that of pruning by hand", "payments", config("prune=10"), "prune must be 0 (off), 1 (manual, over RPC) or at least 550"},
		{"a number that is hard to read", "payments", config("prune=+550"), "prune must be 0 (off), 1 (manual, over RPC) or at least 550"},
		{"pruning, negated twice", "payments", config("noprune=0"), "prune must be 0 (off), 1 (manual, over RPC) or at least 550"},
		{"an index of what is not there", "payments", config("prune=550", "txindex=1"), "txindex and prune exclude each other"},
		{"an index of what somebody will prune", "payments", config("prune=1", "txindex=1"), "txindex and prune exclude each other"},
		{"the same in other words, pruned", "payments", config("prune=1000", "notxindex=0"), "txindex and prune exclude each other"},
		{"a notification that bitcoind has not", "payments", map[string]any{"zmq": []any{"mempool"}}, `spec.zmq[0]: Unsupported value: "mempool"`},
		{"a notification twice", "payments", map[string]any{"zmq": []any{"rawtx", "rawtx"}}, "spec.zmq[1]: Duplicate value"},
		{"a pull policy that Kubernetes has not", "payments", map[string]any{"imagePullPolicy": "Sometimes"}, "spec.imagePullPolicy: Unsupported value"},
		{"memory without its unit", "payments", memory(int64(512)), "spec.resources.limits[memory]: Invalid value: must be at least 16Mi: bitcoind does not start in less. A number without a unit is bytes"},
		{"the same as text", "payments", memory("512"), "must be at least 16Mi"},
		{"memory in which nothing starts", "payments", memory("4Mi"), "must be at least 16Mi"},
		{"less than no memory", "payments", memory("-1Gi"), "must be at least 16Mi"},
		{"more CPU than the limit", "payments", reserving("cpu", int64(2), "1999m"), "spec.resources.requests[cpu]: Invalid value: must not be above the limit"},
		{"more memory than the limit", "payments", reserving("memory", "1Gi", "1023Mi"), "spec.resources.requests[memory]: Invalid value: must not be above the limit"},
		{"no room at all", "payments", storage("0", ""), "must be at least 1Mi"},
		{"less than no room", "payments", storage("-1Gi", ""), "must be at least 1Mi"},
		{"room in words", "payments", storage("plenty", ""), "spec.storage.size"},
		{"a label of Kubernetes", "payments", labelled("app.kubernetes.io/name", "bitcoin-operator"), "are reserved: selectors use them"},
		{"a label of the operator, which would open RPC", "payments", labelled("bitcoin-operator.github.io/client", "true"), "are reserved: selectors use them"},
		{"a label of a part of Kubernetes", "payments", labelled("node.k8s.io/a", "b"), "are reserved: selectors use them"},
		{"a label of StatefulSets", "payments", labelled("controller-revision-hash", "b"), "are reserved: selectors use them"},
		{"a key that is none", "payments", labelled("a b", "c"), "is not valid for a label"},
		{"a value that is none", "payments", labelled("a", "b c"), "is not valid for a label"},
		{"mining where blocks cost something", "payments", map[string]any{"secret": "s", "chain": "testnet4", "mining": map[string]any{}}, "spec.mining: Invalid value: is allowed on regtest only"},
		{"a block every moment", "payments", map[string]any{"mining": map[string]any{"interval": "100ms"}}, "must be 1s to 24h"},
		{"coins to an address of another chain", "payments", map[string]any{"mining": map[string]any{"address": "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"}}, "spec.mining.address: Invalid value"},
		{"an address with more behind it", "payments", map[string]any{"mining": map[string]any{"address": address + "\n"}}, "spec.mining.address: Invalid value"},
		{"a node that dials one peer is a chain, not a network", "payments", map[string]any{"peering": map[string]any{"degree": int64(1)}}, "spec.peering.degree: Invalid value: 1"},
		{"bitcoind keeps eight manual peers", "payments", map[string]any{"peering": map[string]any{"degree": int64(9)}}, "spec.peering.degree: Invalid value: 9"},
		{"looking all the time", "payments", map[string]any{"interval": "1s"}, "must be 5s to 1h"},
		{"hardly looking", "payments", map[string]any{"interval": "2h"}, "must be 5s to 1h"},
		{"an interval in words", "payments", map[string]any{"interval": "soon"}, "spec.interval: Invalid value"},
		{"a field that is misspelt", "payments", map[string]any{"node": int64(3)}, `unknown field "spec.node"`},
		{"a user without a name", "payments", users(map[string]any{"profile": "read"}), "spec.users[0].name: Required value"},
		{"a user in capitals, of whose key two could be", "payments", users(reader("Reader")), "lower-case letters, digits and '-'"},
		{"a user's name that bitcoin.conf cannot hold", "payments", users(reader("a:b")), "lower-case letters, digits"},
		{"a user of two lines", "payments", users(reader("a\nb")), "lower-case letters, digits"},
		{"a user's name that is too long for its key to be sealed", "payments", users(reader(strings.Repeat("a", 33))), "spec.users[0].name: Too long"},
		{"a user whose key is the operator's", "payments", users(reader("previous")), "must not be 'previous'"},
		{"a user whose key is another's", "payments", users(reader("read-previous")), "must not be 'previous'"},
		{"two users of one name", "payments", users(reader("a"), reader("a")), `spec.users[1]: Duplicate value: {"name":"a"}`},
		{"a user who may call nothing", "payments", users(map[string]any{"name": "a"}), "spec.users[0]: Invalid value: set the methods that the user may call"},
		{"or so", "payments", users(map[string]any{"name": "a", "methods": []any{}}), "spec.users[0].methods: Invalid value"},
		{"a user of a profile and of methods", "payments", users(map[string]any{"name": "a", "profile": "read", "methods": []any{"stop"}}), "spec.users[0]: Invalid value: set the methods that the user may call"},
		{"a profile that there is not", "payments", users(map[string]any{"name": "a", "profile": "admin"}), `spec.users[0].profile: Unsupported value: "admin"`},
		{"a method that is a line", "payments", users(map[string]any{"name": "a", "methods": []any{"a,b"}}), "spec.users[0].methods[0]: Invalid value"},
		{"more users than are worth a request each", "payments", map[string]any{"secret": "s", "users": manyUsers(17, 1)}, "spec.users: Too many"},
		{"more methods than a pod can carry", "payments", map[string]any{"secret": "s", "users": manyUsers(1, 65)}, "spec.users[0].methods: Too many"},
		{"users without a Secret for their passwords", "payments", map[string]any{"users": []any{reader("a")}}, "spec.users: Invalid value: requires spec.secret"},
		{"a name that takes the client Service's", "payments-rpc", map[string]any{}, "metadata.name: must not end in '-rpc'"},
		{"a name that takes the Service's that leads to one node", "payments-primary", map[string]any{}, "metadata.name: must not end in '-primary'"},
		{"a name that takes the ConfigMap's that says how it is reached", "payments-connection", map[string]any{}, "metadata.name: must not end in '-connection'"},
		{"to lead elsewhere at every hiccup", "payments", map[string]any{"primary": map[string]any{"failoverAfter": "5s"}}, "must be 10s to 1h"},
		{"to lead elsewhere never, by a number", "payments", map[string]any{"primary": map[string]any{"failoverAfter": "2h"}}, "must be 10s to 1h"},
		{"clients of nowhere", "payments", clients(map[string]any{"namespaces": []any{}, "ports": []any{"rpc"}}), "spec.clients[0].namespaces"},
		{"clients of every namespace", "payments", clients(map[string]any{"namespaces": []any{"*"}, "ports": []any{"rpc"}}), "spec.clients[0].namespaces[0]"},
		{"clients of nothing", "payments", clients(map[string]any{"namespaces": []any{"shop"}, "ports": []any{}}), "spec.clients[0].ports"},
		{"clients of everything", "payments", clients(map[string]any{"namespaces": []any{"shop"}}), "spec.clients[0].ports: Required value"},
		{"REST, which is on the port of RPC", "payments", clients(map[string]any{"namespaces": []any{"shop"}, "ports": []any{"rest"}}), "spec.clients[0].ports[0]: Unsupported value"},
		{"a client's label that is none", "payments", clients(map[string]any{"namespaces": []any{"shop"}, "ports": []any{"rpc"}, "podLabels": map[string]any{"a b": "c"}}), "is not valid for a label"},
		{"a name with dots is no DNS label", "pay.ments", map[string]any{}, "metadata.name: must be a DNS label"},
		{"a Service's name cannot begin with a digit", "1payments", map[string]any{}, "metadata.name: must be a DNS label"},
		{"a name too long for its pods", strings.Repeat("a", 53), map[string]any{}, "metadata.name: must have at most 52 characters"},
	} {
		t.Run(test.reason, func(t *testing.T) {
			g := NewWithT(t)
			err := api.Create(t.Context(), manifest(test.name, test.spec), client.DryRunAll, client.FieldValidation(metav1.FieldValidationStrict))
			g.Expect(err).To(MatchError(ContainSubstring(test.want)))
		})
	}
}

func TestAccepted(t *testing.T) {
	needsAPIServer(t)
	for _, test := range []struct {
		reason, name string
		spec         map[string]any
	}{
		{"a parked network", "payments", map[string]any{"nodes": int64(0)}},
		{"the largest network", "payments", map[string]any{"nodes": int64(1000)}},
		{"the longest name", strings.Repeat("a", 52), map[string]any{}},
		{"the shortest name", "a", map[string]any{}},
		{"options that repeat, and values with spaces and signs", "payments", config("uaappend=a=b c", "rpcthreads=8", "rpcthreads=8", "wallet=", "prune=550")},
		{"pruning by hand, which an indexer does", "payments", config("prune=1")},
		{"marks of notifications, which are dropped beyond", "payments", config("zmqpubrawtxhwm=20000", "zmqpubsequencehwm=0")},
		{"as many connections as nodes and clients need", "payments", config("maxconnections=40", "maxconnections=125", "maxconnections=1000")},
		{"what nodes do anyhow", "payments", config("dns=1", "dns=", "nodns=0", "proxy=", "proxy=0", "noproxy=1")},
		{"proxies that names do not go through", "payments", config("onion=127.0.0.1:9050", "proxy=127.0.0.1:9050=onion", "proxy=unix:/a=tor", "proxy=127.0.0.1:1=cjdns")},
		{"the least memory in which bitcoind starts", "payments", memory("16Mi")},
		{"all that may be used is set aside", "payments", reserving("cpu", int64(2), "2000m")},
		{"memory, too", "payments", reserving("memory", "1Gi", "1024Mi")},
		{"a limit for one thing, and a request for another", "payments", map[string]any{"resources": map[string]any{"requests": map[string]any{"cpu": "8"}, "limits": map[string]any{"memory": "1Gi"}}}},
		{"no limit, in a way", "payments", memory("0")},
		{"a signet of one's own", "payments", map[string]any{"secret": "s", "chain": "signet", "signet": map[string]any{"challenge": "51"}}},
		{"public chains", "payments", map[string]any{"secret": "s", "chain": "main", "config": []any{"prune=0", "txindex=1"}}},
		{"a size in bytes", "payments", map[string]any{"storage": map[string]any{"size": int64(1 << 30)}}},
		{"labels of one's own", "payments", labelled("example.com/cost-center", "42")},
		{"a user of each profile, and one of methods", "payments", users(reader("a"),
			map[string]any{"name": "b", "profile": "lightning"}, map[string]any{"name": "c-1", "profile": "electrum"}, map[string]any{"name": "d--2", "profile": "miner"},
			map[string]any{"name": "previous-e", "profile": "wallet"}, map[string]any{"name": "f", "methods": []any{"stop"}})},
		{"as many users and methods as there may be", "payments", map[string]any{"secret": "s", "users": manyUsers(16, 64)}},
		{"nobody, without a Secret", "payments", map[string]any{"users": []any{}}},
		{"every field", "payments", map[string]any{"secret": "bitcoin-rpc", "chain": "regtest",
			"config": []any{"txindex=1"}, "zmq": []any{"rawblock", "rawtx", "hashblock", "hashtx", "sequence"},
			"imagePullPolicy": "Always", "imagePullSecrets": []any{map[string]any{"name": "pull"}},
			"storage":      map[string]any{"size": "1Gi", "className": "fast", "whenDeleted": "Delete", "whenScaled": "Delete"},
			"resources":    map[string]any{"requests": map[string]any{"cpu": "1"}, "limits": map[string]any{"memory": "1Gi"}},
			"nodeSelector": map[string]any{"a": "b"}, "tolerations": []any{map[string]any{"key": "a", "operator": "Exists"}},
			"topologySpreadConstraints": []any{map[string]any{"maxSkew": int64(1), "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule"}},
			"affinity":                  map[string]any{"podAntiAffinity": map[string]any{}}, "podLabels": map[string]any{"a": "b"},
			"mining": map[string]any{"interval": "10m", "address": address, "keepFresh": false}, "image": "example.com/bitcoind@sha256:" + strings.Repeat("0", 64),
			"primary": map[string]any{"failover": false, "failoverAfter": "10s"},
			"clients": []any{map[string]any{"namespaces": []any{"shop", "shop-2"}, "podLabels": map[string]any{"app": "lnd"}, "ports": []any{"rpc", "zmq", "p2p"}}},
			"users":   []any{map[string]any{"name": "lnd", "profile": "lightning"}},
			"peering": map[string]any{"degree": int64(2)}, "suspend": true, "interval": "1m30s"}},
	} {
		t.Run(test.reason, func(t *testing.T) {
			NewWithT(t).Expect(api.Create(t.Context(), manifest(test.name, test.spec), client.DryRunAll)).To(Succeed())
		})
	}
}

// The operator knows the lines that keep nodes apart by the same rules.
func TestWhatKeepsNodesApartIsRefused(t *testing.T) {
	needsAPIServer(t)
	g := NewWithT(t)
	for _, line := range []v1alpha1.ConfigLine{
		"dns=0", "dns=1", "dns=", "dns=10", "dns=false", "nodns=0", "nodns=1", "nodns=", "dnsseed=0",
		"proxy=a", "proxy=", "proxy=0", "proxy=0.0.0.0", "proxy=a=onion", "proxy=a=tor", "proxy=a=cjdns", "proxy=a=ipv6", "proxy==onion", "noproxy=1", "noproxy=", "noproxy=0",
		"proxyrandomize=0", "onion=a", "maxconnections=0", "maxconnections=39", "maxconnections=40", "maxconnections=99", "maxconnections=100",
		"maxconnections=4", "maxconnections=040", "maxconnections=+40", "maxconnections=40a", "maxconnections=", "nomaxconnections=0", "uaspoof=", "nouaspoof=1", "uaappend=a",
	} {
		err := api.Create(t.Context(), manifest("payments", config(string(line))), client.DryRunAll)
		g.Expect(err != nil).To(Equal(line.KeepsApart()), "%s: %v", line, err)
	}
}

// before has the API server take networks as it did before some were refused: without
// the rules of these fields of spec, and for "" without those of a network as a whole.
func before(t *testing.T, fields ...string) {
	t.Helper()
	g := NewWithT(t)
	definition := &unstructured.Unstructured{}
	definition.SetAPIVersion("apiextensions.k8s.io/v1")
	definition.SetKind("CustomResourceDefinition")
	key := client.ObjectKey{Name: "bitcoinnetworks." + v1alpha1.GroupVersion.Group}
	g.Expect(api.Get(t.Context(), key, definition)).To(Succeed())
	versions := definition.Object["spec"].(map[string]any)["versions"]
	t.Cleanup(func() {
		ctx := context.Background()
		g.Expect(api.Get(ctx, key, definition)).To(Succeed())
		definition.Object["spec"].(map[string]any)["versions"] = versions
		g.Expect(api.Update(ctx, definition)).To(Succeed())
	})

	lenient := definition.DeepCopy()
	schema := lenient.Object["spec"].(map[string]any)["versions"].([]any)[0].(map[string]any)["schema"]
	for _, field := range fields {
		path := []string{"openAPIV3Schema", "properties", "spec", "properties", field, "x-kubernetes-validations"}
		if field == "" {
			path = []string{"openAPIV3Schema", "x-kubernetes-validations"}
		}
		unstructured.RemoveNestedField(schema.(map[string]any), path...)
	}
	g.Expect(api.Update(t.Context(), lenient)).To(Succeed())
}

// A network that has what is refused by now runs on, and can be changed and deleted.
func TestNetworksFromBeforeARefusal(t *testing.T) {
	needsAPIServer(t)
	g := NewWithT(t)
	old := config("dns=0", "proxy=a", "maxconnections=8", "uaspoof=/x:1/", "blocknotify=a", "rpcauthfile=a")
	old["resources"] = reserving("cpu", "2", "1")["resources"]
	g.Expect(unstructured.SetNestedField(old, "4Mi", "resources", "limits", "memory")).To(Succeed())
	network := manifest("from-before", old)
	create := func() error { return api.Create(t.Context(), network) }
	t.Run("before", func(t *testing.T) {
		before(t, "config", "resources")
		NewWithT(t).Eventually(create, "10s", "50ms").Should(Succeed())
	})
	another := func() error { return api.Create(t.Context(), manifest("another", old), client.DryRunAll) }
	g.Eventually(another, "10s", "50ms").Should(MatchError(ContainSubstring("dns must be 1")))

	set := func(value any, fields ...string) func(*unstructured.Unstructured) {
		return func(network *unstructured.Unstructured) {
			g.Expect(unstructured.SetNestedField(network.Object, value, append([]string{"spec"}, fields...)...)).To(Succeed())
		}
	}
	lines := func(lines ...any) func(*unstructured.Unstructured) { return set(lines, "config") }
	for _, test := range []struct {
		reason string
		change func(*unstructured.Unstructured)
		want   string // the refusal; empty if it may
	}{
		{"nothing", set(int64(3), "nodes"), ""},
		{"scaled", set(int64(0), "nodes"), ""},
		{"suspended", set(true, "suspend"), ""},
		{"another image", set("a", "image"), ""},
		{"none of them", lines(), ""},
		{"more memory", set("16Mi", "resources", "limits", "memory"), ""},
		{"less CPU", set("1", "resources", "requests", "cpu"), ""},
		{"still more than the limit", set("1500m", "resources", "requests", "cpu"), "must not be above the limit"},
		{"other lines than all of the old ones", lines("txindex=1", "dns=0", "proxy=a", "maxconnections=8", "uaspoof=/x:1/", "blocknotify=a", "rpcauthfile=a"), "dns must be 1"},
		{"some of the lines", lines("blocknotify=a"), "blocknotify runs a program in the node"},
		{"another value of one", lines("maxconnections=9"), "maxconnections must be at least 40"},
		{"less memory", set("3Mi", "resources", "limits", "memory"), "must be at least 16Mi"},
	} {
		t.Run(test.reason, func(t *testing.T) {
			g := NewWithT(t)
			changed := network.DeepCopy()
			test.change(changed)
			err := api.Update(t.Context(), changed, client.DryRunAll)
			if test.want == "" {
				g.Expect(err).NotTo(HaveOccurred())
				return
			}
			g.Expect(err).To(MatchError(ContainSubstring(test.want)))
		})
	}
	g.Expect(api.Delete(t.Context(), network)).To(Succeed())
}

// A rule for the whole of a network is asked at every write, of the status too: a
// network by a name that is taken by now must not be stuck for good.
func TestNamesFromBeforeTheyWereTaken(t *testing.T) {
	needsAPIServer(t)
	g := NewWithT(t)
	names := map[string]string{"x-primary": "must not end in '-primary'", "x-connection": "must not end in '-connection'"}
	t.Run("before", func(t *testing.T) {
		before(t, "")
		for name := range names {
			create := func() error { return api.Create(t.Context(), manifest(name, map[string]any{})) }
			NewWithT(t).Eventually(create, "10s", "50ms").Should(Succeed())
		}
	})
	for name, want := range names {
		another := func() error { return api.Create(t.Context(), manifest("y"+name, map[string]any{}), client.DryRunAll) }
		g.Eventually(another, "10s", "50ms").Should(MatchError(ContainSubstring(want)))

		network := manifest(name, map[string]any{})
		g.Expect(api.Get(t.Context(), client.ObjectKeyFromObject(network), network)).To(Succeed())
		g.Expect(unstructured.SetNestedField(network.Object, int64(5), "spec", "nodes")).To(Succeed())
		g.Expect(api.Update(t.Context(), network)).To(Succeed(), "a commit")
		g.Expect(unstructured.SetNestedField(network.Object, "3/3", "status", "ready")).To(Succeed())
		g.Expect(api.Status().Update(t.Context(), network)).To(Succeed(), "its status")
		g.Expect(api.Delete(t.Context(), network)).To(Succeed())
	}
}

func TestDefaults(t *testing.T) {
	needsAPIServer(t)
	g := NewWithT(t)
	network := manifest("defaults", map[string]any{})
	g.Expect(api.Create(t.Context(), network, client.DryRunAll)).To(Succeed())

	g.Expect(network.Object["spec"]).To(Equal(map[string]any{
		"nodes": int64(3), "chain": "regtest", "interval": "30s", "peering": map[string]any{"degree": int64(8)},
	}))
	// kstatus takes a new resource without a status for healthy.
	observed, _, _ := unstructured.NestedInt64(network.Object, "status", "observedGeneration")
	g.Expect(observed).To(BeEquivalentTo(-1))
}

func TestScaleSubresource(t *testing.T) {
	needsAPIServer(t)
	g := NewWithT(t)
	network := &v1alpha1.BitcoinNetwork{
		ObjectMeta: metav1.ObjectMeta{Name: "scaled", Namespace: metav1.NamespaceDefault},
		Spec:       v1alpha1.BitcoinNetworkSpec{Nodes: 3},
	}
	g.Expect(api.Create(t.Context(), network)).To(Succeed())

	scale := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "autoscaling/v1", "kind": "Scale",
		"metadata": map[string]any{"name": network.Name, "namespace": network.Namespace},
		"spec":     map[string]any{"replicas": int64(7)},
	}}
	g.Expect(api.SubResource("scale").Update(t.Context(), network, client.WithSubResourceBody(scale))).To(Succeed())
	g.Expect(api.Get(t.Context(), client.ObjectKeyFromObject(network), network)).To(Succeed())
	g.Expect(network.Spec.Nodes).To(BeEquivalentTo(7))
}
