package main

import (
	"runtime/debug"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	"github.com/spf13/pflag"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/bitcoind"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/controller"
)

// needed are the flags that must be set.
var needed = []string{"--namespace=team-a", "--secret=bitcoin-rpc", "--bitcoind-image=bitcoind:default"}

func TestDefaults(t *testing.T) {
	g := NewWithT(t)
	opts, err := parse(needed)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(opts.namespace).To(Equal("team-a"))
	g.Expect(opts.secret).To(Equal("bitcoin-rpc"))
	g.Expect(opts.platform.DefaultImage).To(Equal("bitcoind:default"))
	g.Expect(opts.platform.OperatorImage).To(BeEmpty(), "as of a Deployment from before there was such a flag")
	g.Expect(opts.platform.ClusterDomain).To(Equal("cluster.local"))
	g.Expect(opts.platform.ClusterRanges).To(BeEmpty())
	g.Expect(opts.platform.DrainHold).To(Equal(15 * time.Minute))
	g.Expect(opts.platform.UserNamespaces).To(BeFalse())
	g.Expect(opts.allowedChains).To(Equal(bitcoind.ChainNames()))
	g.Expect(opts.metricsAddr).To(Equal(":8080"))
	g.Expect(opts.healthAddr).To(Equal(":9440"))
	g.Expect(opts.eventsAddr).To(BeEmpty())
}

func TestNamespaceIsThatOfThePod(t *testing.T) {
	g := NewWithT(t)
	t.Setenv("RUNTIME_NAMESPACE", "team-b")
	opts, err := parse(needed[1:])
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(opts.namespace).To(Equal("team-b"))
}

func TestOperatorImageIsThatOfThePod(t *testing.T) {
	g := NewWithT(t)
	t.Setenv("OPERATOR_IMAGE", "operator:v0.2.0")
	opts, err := parse(needed)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(opts.platform.OperatorImage).To(Equal("operator:v0.2.0"))
}

func TestFlagsThatAreRefused(t *testing.T) {
	t.Setenv("RUNTIME_NAMESPACE", "")
	for _, test := range []struct {
		reason string
		args   []string
		want   string
	}{
		{"no namespace", needed[1:], "flag --namespace must be set"},
		{"no Secret", []string{needed[0], needed[2]}, "flag --secret must be set"},
		{"no image", needed[:2], "flag --bitcoind-image must be set"},
		{"a chain that nobody knows", append(needed, "--allowed-chains=regtest,dogecoin"), `flag --allowed-chains: chain "dogecoin" is not known; known are main, regtest, signet, testnet4`},
		{"a range that is none", append(needed, "--cluster-ranges=10.0.0.0"), `flag --cluster-ranges: netip.ParsePrefix("10.0.0.0"): no '/'`},
		{"a level of logs that nobody knows", append(needed, "--log-level=loud"), `flag --log-level: "loud" is not known; known are debug, error, info, trace`},
		{"a flag that nobody knows", append(needed, "--no-such-flag"), "unknown flag: --no-such-flag"},
		{"help, which is no failure", []string{"--help"}, pflag.ErrHelp.Error()},
	} {
		_, err := parse(test.args)
		NewWithT(t).Expect(err).To(MatchError(test.want), test.reason)
	}
}

// The platform team writes lists as people do, and an operator that does not start
// looks after no network.
func TestLists(t *testing.T) {
	for _, test := range []struct {
		reason, written string
		want            []string
	}{
		{"one item", "a", []string{"a"}},
		{"some", "a,b", []string{"a", "b"}},
		{"with spaces", " a, b ,\tc\n", []string{"a", "b", "c"}},
		{"with a comma at the end", "a,b,", []string{"a", "b"}},
		{"with nothing in between", "a,, ,b", []string{"a", "b"}},
		{"nothing but spaces", " , ", nil},
		{"a space within an item is part of it", "a b", []string{"a b"}},
	} {
		NewWithT(t).Expect(items(strings.Split(test.written, ","))).To(Equal(test.want), test.reason)
	}

	g := NewWithT(t)
	opts, err := parse(append(needed, "--allowed-chains=regtest, signet,", "--cluster-ranges=192.0.2.0/24 , 2001:db8::/32"))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(opts.allowedChains).To(Equal([]string{"regtest", "signet"}))
	g.Expect(opts.platform.ClusterRanges).To(Equal([]string{"192.0.2.0/24", "2001:db8::/32"}))
}

func TestDrainHold(t *testing.T) {
	g := NewWithT(t)
	opts, err := parse(append(needed, "--drain-hold=1h30m"))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(opts.platform.DrainHold).To(Equal(90 * time.Minute))
}

// Whoever asks for the version names no namespace.
func TestVersion(t *testing.T) {
	opts, err := parse([]string{"--version"})
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	NewWithT(t).Expect(opts.version).To(BeTrue())
}

// The limit of the container is what the garbage collector keeps to, less a tenth.
func TestMemoryIsBounded(t *testing.T) {
	before := debug.SetMemoryLimit(-1)
	percent := debug.SetGCPercent(100)
	defer func() { debug.SetMemoryLimit(before); debug.SetGCPercent(percent) }()
	for _, test := range []struct {
		reason, limit string
		want          int64
	}{
		{"128Mi, as Kubernetes tells it", "134217728", 120795948},
		{"nobody says so", "", before},
		{"no number", "128Mi", before},
	} {
		debug.SetMemoryLimit(before)
		t.Setenv(memoryLimit, test.limit)
		boundMemory()
		if got := debug.SetMemoryLimit(-1); got != test.want {
			t.Errorf("%s: %d, want %d", test.reason, got, test.want)
		}
	}
}

// Who runs the operator may say otherwise.
func TestGarbageIsBounded(t *testing.T) {
	before := debug.SetGCPercent(100)
	defer debug.SetGCPercent(before)
	for said, want := range map[string]int{"": garbagePercent, "80": 80} {
		debug.SetGCPercent(80) // which the runtime does
		t.Setenv("GOGC", said)
		boundMemory()
		if got := debug.SetGCPercent(100); got != want {
			t.Errorf("GOGC=%q: %d, want %d", said, got, want)
		}
	}
}

// Of a kind that the scheme lacks the operator's cache could hold nothing, and its client
// could not write it.
func TestScheme(t *testing.T) {
	g := NewWithT(t)
	scheme, err := newScheme()
	g.Expect(err).NotTo(HaveOccurred())
	cache, err := controller.CacheOptions("team-a", "bitcoin-rpc")
	g.Expect(err).NotTo(HaveOccurred())
	objects := []client.Object{
		&v1alpha1.BitcoinNetwork{}, &v1alpha1.BitcoinRequest{},
		&corev1.Event{}, // why a pod could not be made
		&policyv1.Eviction{},
	}
	for object := range cache.ByObject {
		objects = append(objects, object)
	}
	for _, object := range objects {
		kinds, _, err := scheme.ObjectKinds(object)
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(kinds).To(HaveLen(1), "%T", object)
		g.Expect(scheme.Recognizes(kinds[0].GroupVersion().WithKind(kinds[0].Kind+"List")) || kinds[0].Kind == "Eviction").To(BeTrue(), "%T", object)
	}
}
