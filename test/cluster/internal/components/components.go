// Package components says how each program of the cluster is run: its flags,
// its configuration and where it keeps what.
package components

import (
	"bytes"
	"embed"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"text/template"

	"github.com/bitcoin-operator/bitcoin-operator/test/cluster/internal/clone"
	"github.com/bitcoin-operator/bitcoin-operator/test/cluster/internal/network"
	"github.com/bitcoin-operator/bitcoin-operator/test/cluster/internal/pki"
	"github.com/bitcoin-operator/bitcoin-operator/test/cluster/internal/process"
)

// Names of the programs, of their logs and of their files in .local/bin.
const (
	Containerd        = "containerd"
	Etcd              = "etcd"
	APIServer         = "kube-apiserver"
	ControllerManager = "kube-controller-manager"
	Scheduler         = "kube-scheduler"
	Kubelet           = "kubelet"
	Proxy             = "kube-proxy"
	Router            = "kube-router"
	Git               = "git-server"
)

// All are the programs, in the order in which they start.
var All = []string{Containerd, Etcd, APIServer, Git, Kubelet, ControllerManager, Proxy, Router, Scheduler}

// Programs end in this order: first the Makers, so that nothing starts pods any
// more, then pods, then the rest. An API server waits for its clients, so these
// go before it, and it goes before its etcd, without which it would linger.
var (
	Makers = []string{Kubelet, Containerd}
	Rest   = []string{Router, Proxy, Scheduler, ControllerManager, Git, APIServer, Etcd}
)

// What is the cluster's outside its clone, each under a name of its own.
const (
	// Run holds sockets, whose paths have to be short, and mounts.
	Run = "/run/bitcoin-operator"
	// Socket is containerd's. Its shims are told it, and known by it.
	Socket = Run + "/containerd.sock"
	// State is what containerd knows of running containers.
	State = Run + "/containerd"
	// Tasks has a folder for each container, named as its ID.
	Tasks = State + "/io.containerd.runtime.v2.task/k8s.io"
	// Cgroup is the parent of containers' control groups, which are named as
	// their IDs. Every containerd that Kubernetes uses calls it so.
	Cgroup = "/k8s.io"
	// CNI is the network's name in what CNI's library and plugins write.
	CNI = "btcop"
	// CNIResults is where that library keeps the results of its plugins.
	CNIResults = "/var/lib/cni/results"
)

// Pause is the image that holds a pod's namespaces open.
const Pause = "localhost/pause:1"

//go:embed config
var configs embed.FS

// values are what the configuration files refer to.
type values struct {
	clone.Clone
	Run, Socket, State, CNI, Pause            string
	Bridge, Host, PodCIDR, ServiceDNS, Domain string
	KubeletAddress, KubeletPort               string
	KubeletHealthAddress, KubeletHealthPort   string
	IPv6                                      bool
}

// Configure writes every program's configuration.
func Configure(c clone.Clone) error {
	all, err := Render(c, network.IPv6())
	if err != nil {
		return err
	}
	for name, data := range all {
		file := c.Config(name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(file, data, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// Render returns the configuration files by their names, for a machine whose kernel
// knows IPv6 or does not.
func Render(c clone.Clone, ipv6 bool) (map[string][]byte, error) {
	v := values{
		Clone: c, Run: Run, Socket: Socket, State: State, CNI: CNI, Pause: Pause,
		Bridge: network.Bridge, Host: network.Host, PodCIDR: network.PodCIDR,
		ServiceDNS: network.ServiceDNS, Domain: network.Domain,
		KubeletAddress: host(network.Kubelet), KubeletPort: port(network.Kubelet),
		KubeletHealthAddress: host(network.KubeletHealth), KubeletHealthPort: port(network.KubeletHealth),
		IPv6: ipv6,
	}
	all := map[string][]byte{}
	for name, file := range map[string]string{
		"containerd.toml":    "containerd.toml",
		"kubelet.yaml":       "kubelet.yaml",
		"audit.yaml":         "audit.yaml",
		"cni/btcop.conflist": "btcop.conflist",
	} {
		t, err := template.ParseFS(configs, "config/"+file)
		if err != nil {
			return nil, err
		}
		var out bytes.Buffer
		if err := t.Option("missingkey=error").Execute(&out, v); err != nil {
			return nil, fmt.Errorf("render %s: %w", name, err)
		}
		all[name] = out.Bytes()
	}
	return all, nil
}

// Identities are those of the programs, and of the person in front of them.
func Identities(c clone.Clone) []pki.Identity {
	client := func(name, user string, groups ...string) pki.Identity {
		return pki.Identity{Name: name, User: user, Groups: groups, Kubeconfig: c.Config(name + ".kubeconfig")}
	}
	admin := client("admin", "local-admin", "system:masters")
	admin.Kubeconfig = c.Kubeconfig()
	kubelet := client(Kubelet, "system:node:"+network.Node, "system:nodes")
	kubelet.IPs = []string{network.Host}
	return []pki.Identity{
		{
			Name: APIServer, User: "kube-apiserver",
			DNS: []string{"kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc." + network.Domain, "localhost"},
			IPs: []string{network.Host, network.ServiceAPI, "127.0.0.1"},
		},
		{Name: Etcd, User: "etcd", IPs: []string{"127.0.0.1"}},
		{Name: "kube-apiserver-etcd-client", User: "kube-apiserver"},
		{Name: "kube-apiserver-kubelet-client", User: "kube-apiserver-kubelet-client", Groups: []string{"system:masters"}},
		client(ControllerManager, "system:kube-controller-manager"),
		client(Scheduler, "system:kube-scheduler"),
		client(Proxy, "system:kube-proxy"),
		client(Router, "kube-router"), // whose rights are in ../../manifests/kube-router.yaml
		kubelet,
		admin,
	}
}

func host(address string) string {
	h, _, _ := net.SplitHostPort(address)
	return h
}

func port(address string) string {
	_, p, _ := net.SplitHostPort(address)
	return p
}

// Specs says how each program is run, by name.
func Specs(c clone.Clone) map[string]process.Spec {
	all := map[string]process.Spec{}
	add := func(s process.Spec, args ...string) {
		s.Program = c.Bin(s.Name)
		s.Args = args
		all[s.Name] = s
	}
	crt := func(name string) string { return c.PKI(name + ".crt") }
	key := func(name string) string { return c.PKI(name + ".key") }
	kubeconfig := func(name string) string { return "--kubeconfig=" + c.Config(name+".kubeconfig") }

	add(process.Spec{Name: Containerd, Address: Socket},
		"--config="+c.Config("containerd.toml"),
	)
	add(process.Spec{Name: Etcd, Address: "https://" + network.Etcd, Ports: []string{network.Etcd, network.EtcdPeer}},
		"--data-dir="+c.Data("etcd"),
		// Nobody keeps a local cluster through a power cut.
		"--unsafe-no-fsync",
		"--listen-client-urls=https://"+network.Etcd,
		"--advertise-client-urls=https://"+network.Etcd,
		"--listen-peer-urls=http://"+network.EtcdPeer,
		"--initial-advertise-peer-urls=http://"+network.EtcdPeer,
		"--initial-cluster=default=http://"+network.EtcdPeer,
		"--client-cert-auth", "--trusted-ca-file="+crt("ca"), "--cert-file="+crt(Etcd), "--key-file="+key(Etcd),
		"--log-level=warn",
	)
	add(process.Spec{Name: APIServer, Address: "https://" + network.APIServer, Ports: []string{network.APIServer}},
		// Pods have to reach it, so not loopback.
		"--bind-address="+network.Host, "--advertise-address="+network.Host, "--secure-port="+port(network.APIServer),
		"--etcd-servers=https://"+network.Etcd, "--etcd-cafile="+crt("ca"),
		"--etcd-certfile="+crt("kube-apiserver-etcd-client"), "--etcd-keyfile="+key("kube-apiserver-etcd-client"),
		"--client-ca-file="+crt("ca"), "--tls-cert-file="+crt(APIServer), "--tls-private-key-file="+key(APIServer),
		"--service-cluster-ip-range="+network.ServiceCIDR,
		"--service-account-issuer=https://kubernetes.default.svc."+network.Domain,
		"--service-account-key-file="+c.PKI("service-account.pub"),
		"--service-account-signing-key-file="+key("service-account"),
		"--authorization-mode=Node,RBAC", "--enable-admission-plugins=NodeRestriction", "--allow-privileged",
		"--kubelet-preferred-address-types=InternalIP", "--kubelet-certificate-authority="+crt("ca"),
		"--kubelet-client-certificate="+crt("kube-apiserver-kubelet-client"),
		"--kubelet-client-key="+key("kube-apiserver-kubelet-client"),
		"--audit-policy-file="+c.Config("audit.yaml"), "--audit-log-path="+c.Log("audit"), "--audit-log-maxsize=500",
		"--profiling=false",
	)
	add(process.Spec{Name: ControllerManager, Address: "https://" + network.ControllerManager, Ports: []string{network.ControllerManager}},
		kubeconfig(ControllerManager),
		"--bind-address="+host(network.ControllerManager), "--secure-port="+port(network.ControllerManager),
		"--leader-elect=false", "--use-service-account-credentials", "--profiling=false",
		"--root-ca-file="+crt("ca"), "--service-account-private-key-file="+key("service-account"),
		"--cluster-signing-cert-file="+crt("ca"), "--cluster-signing-key-file="+key("ca"),
		"--cluster-cidr="+network.PodCIDR, "--allocate-node-cidrs=false",
		// A quota on a kind that is new to the cluster refuses all objects of it
		// until the next full sync, which is every five minutes by default.
		"--resource-quota-sync-period=10s",
	)
	add(process.Spec{Name: Scheduler, Address: "https://" + network.Scheduler, Ports: []string{network.Scheduler}},
		kubeconfig(Scheduler),
		"--bind-address="+host(network.Scheduler), "--secure-port="+port(network.Scheduler),
		"--leader-elect=false", "--profiling=false",
	)
	add(process.Spec{Name: Kubelet, Address: "https://" + network.Kubelet, Ports: []string{network.Kubelet, network.KubeletHealth}},
		kubeconfig(Kubelet), "--config="+c.Config("kubelet.yaml"), "--root-dir="+c.Data("kubelet"),
		"--hostname-override="+network.Node, "--node-ip="+network.Host,
	)
	add(process.Spec{Name: Proxy, Address: "http://" + network.ProxyHealth, Ports: []string{network.ProxyHealth, network.ProxyMetrics}},
		kubeconfig(Proxy), "--hostname-override="+network.Node,
		"--proxy-mode=nftables", "--cluster-cidr="+network.PodCIDR,
		"--healthz-bind-address="+network.ProxyHealth, "--metrics-bind-address="+network.ProxyMetrics,
		// The machine's connection tracking is not the cluster's to tune.
		"--conntrack-max-per-core=0", "--conntrack-tcp-timeout-established=0", "--conntrack-tcp-timeout-close-wait=0",
	)
	// Of all that it can, it only enforces NetworkPolicies.
	add(process.Spec{Name: Router, Address: "http://" + network.Router, Ports: []string{network.Router}},
		kubeconfig(Router), "--hostname-override="+network.Node,
		"--run-firewall=true", "--run-router=false", "--run-service-proxy=false", "--run-loadbalancer=false", "--enable-cni=false",
		"--service-cluster-ip-range="+network.ServiceCIDR,
		// To its health port everybody comes who reaches this machine, and finds a
		// profiler there, too. Its metrics say enough, and their address can be chosen.
		"--health-port=0", "--metrics-addr="+host(network.Router), "--metrics-port="+port(network.Router),
		"-v=1",
	)
	add(process.Spec{Name: Git, Address: "http://" + network.Git, Ports: []string{network.Git}},
		"--listen="+network.Git, "--repositories="+c.Git(),
	)
	return all
}
