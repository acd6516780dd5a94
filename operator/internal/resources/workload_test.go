package resources

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/bitcoind"
)

// inputs are what nodes are made of.
type inputs struct {
	network  *v1alpha1.BitcoinNetwork
	platform Platform
}

// spec is what a user changes.
func spec(change func(*v1alpha1.BitcoinNetworkSpec)) func(*inputs) {
	return func(i *inputs) { change(&i.network.Spec) }
}

// changes are those of a network that has an image of its own and storage.
var changes = []struct {
	reason   string
	field    string // of the spec
	change   func(*inputs)
	replaces bool
}{
	{"nothing", "", func(*inputs) {}, false},
	{"scaling replaces none of those that stay", "Nodes", spec(func(s *v1alpha1.BitcoinNetworkSpec) { s.Nodes = 12 }), false},
	{"nor does parking", "Nodes", spec(func(s *v1alpha1.BitcoinNetworkSpec) { s.Nodes = 0 }), false},
	{"nor do labels, such as Flux's", "", func(i *inputs) {
		i.network.Labels = map[string]string{"kustomize.toolkit.fluxcd.io/name": "networks"}
	}, false},
	{"nor do annotations, such as a request to look", "", func(i *inputs) {
		i.network.Annotations = map[string]string{"reconcile.fluxcd.io/requestedAt": "now"}
	}, false},
	{"nor its status", "", func(i *inputs) {
		i.network.Status = v1alpha1.BitcoinNetworkStatus{Ready: "3/3", Replicas: 3, Image: "bitcoind:other", Storage: new(resource.MustParse("1Ti"))}
	}, false},
	{"nor what the API server notes", "", func(i *inputs) { i.network.Generation, i.network.ResourceVersion, i.network.UID = 7, "8", "9" }, false},
	{"nor a new default image, where the network has its own", "", func(i *inputs) { i.platform.DefaultImage = "bitcoind:next" }, false},
	{"nor the cluster's ranges", "", func(i *inputs) { i.platform.ClusterRanges = []string{"192.0.2.0/24"} }, false},
	{"nor its domain", "", func(i *inputs) { i.platform.ClusterDomain = "example.com" }, false},
	{"nor the number of peers", "Peering", spec(func(s *v1alpha1.BitcoinNetworkSpec) { s.Peering.Degree = 2 }), false},
	{"nor mining", "Mining", spec(func(s *v1alpha1.BitcoinNetworkSpec) {
		s.Mining = &v1alpha1.Mining{Interval: &metav1.Duration{Duration: time.Second}, Address: "bcrt1qqqqqqq", KeepFresh: new(false)}
	}), false},
	{"nor suspension", "Suspend", spec(func(s *v1alpha1.BitcoinNetworkSpec) { s.Suspend = true }), false},
	{"nor protection from being deleted", "Protect", spec(func(s *v1alpha1.BitcoinNetworkSpec) { s.Protect = true }), false},
	{"nor how often the operator looks", "Interval", spec(func(s *v1alpha1.BitcoinNetworkSpec) { s.Interval = &metav1.Duration{Duration: time.Hour} }), false},
	{"nor who may connect", "Clients", spec(func(s *v1alpha1.BitcoinNetworkSpec) {
		s.Clients = []v1alpha1.Client{{Namespaces: []string{"shop"}, Ports: []v1alpha1.ClientPort{v1alpha1.P2PPort}}}
	}), false},
	{"nor which node leads", "Primary", spec(func(s *v1alpha1.BitcoinNetworkSpec) { s.Primary = &v1alpha1.Primary{Failover: new(false)} }), false},
	{"nor the size of volumes", "Storage", spec(func(s *v1alpha1.BitcoinNetworkSpec) { s.Storage.Size = resource.MustParse("20Gi") }), false},
	{"nor what becomes of them on deletion", "Storage", spec(func(s *v1alpha1.BitcoinNetworkSpec) { s.Storage.WhenDeleted = keep }), false},
	{"nor when nodes go", "Storage", spec(func(s *v1alpha1.BitcoinNetworkSpec) { s.Storage.WhenScaled = keep }), false},
	{"nor a list that says as much as none", "", spec(func(s *v1alpha1.BitcoinNetworkSpec) {
		s.Users = []v1alpha1.User{}
		s.Config, s.ZMQ, s.ImagePullSecrets = []v1alpha1.ConfigLine{}, []v1alpha1.ZMQTopic{}, []v1alpha1.ImagePullSecret{}
		s.PodLabels, s.NodeSelector = map[string]v1alpha1.LabelValue{}, map[string]string{}
		s.Tolerations, s.TopologySpreadConstraints = []corev1.Toleration{}, []corev1.TopologySpreadConstraint{}
	}), false},

	{"its image does", "Image", spec(func(s *v1alpha1.BitcoinNetworkSpec) { s.Image = "bitcoind:next" }), true},
	{"and the platform's, where it has none", "Image", spec(func(s *v1alpha1.BitcoinNetworkSpec) { s.Image = "" }), true},
	{"and when it is pulled", "ImagePullPolicy", spec(func(s *v1alpha1.BitcoinNetworkSpec) { s.ImagePullPolicy = corev1.PullAlways }), true},
	{"and with what", "ImagePullSecrets", spec(func(s *v1alpha1.BitcoinNetworkSpec) {
		s.ImagePullSecrets = []v1alpha1.ImagePullSecret{{Name: "registry"}}
	}), true},
	{"and another Secret", "Secret", spec(func(s *v1alpha1.BitcoinNetworkSpec) { s.Secret = "another" }), true},
	{"and none", "Secret", spec(func(s *v1alpha1.BitcoinNetworkSpec) { s.Secret = "" }), true},
	{"and a user", "Users", spec(func(s *v1alpha1.BitcoinNetworkSpec) {
		s.Users = []v1alpha1.User{{Name: "lnd", Profile: v1alpha1.LightningProfile}}
	}), true},
	{"and another chain, which the API refuses", "Chain", spec(func(s *v1alpha1.BitcoinNetworkSpec) { s.Chain = v1alpha1.Main }), true},
	{"and a signet of one's own, which the API refuses", "Signet", func(i *inputs) { ownSignet(i.network) }, true},
	{"and a line of bitcoin.conf", "Config", spec(func(s *v1alpha1.BitcoinNetworkSpec) { s.Config = []v1alpha1.ConfigLine{"txindex=1"} }), true},
	{"and a notification", "ZMQ", spec(func(s *v1alpha1.BitcoinNetworkSpec) { s.ZMQ = []v1alpha1.ZMQTopic{v1alpha1.RawBlock} }), true},
	{"and no storage, which the API refuses", "Storage", spec(func(s *v1alpha1.BitcoinNetworkSpec) { s.Storage = nil }), true},
	{"and a request of CPU", "Resources", spec(func(s *v1alpha1.BitcoinNetworkSpec) { s.Resources = &v1alpha1.Resources{Requests: list("cpu=1")} }), true},
	{"and a limit of memory, with which caches change", "Resources", spec(func(s *v1alpha1.BitcoinNetworkSpec) {
		s.Resources = &v1alpha1.Resources{Limits: list("memory=1Gi")}
	}), true},
	{"and which machines they run on", "NodeSelector", spec(func(s *v1alpha1.BitcoinNetworkSpec) { s.NodeSelector = map[string]string{"disk": "ssd"} }), true},
	{"and what they put up with", "Tolerations", spec(func(s *v1alpha1.BitcoinNetworkSpec) {
		s.Tolerations = []corev1.Toleration{{Operator: corev1.TolerationOpExists}}
	}), true},
	{"and whose company they seek", "Affinity", spec(func(s *v1alpha1.BitcoinNetworkSpec) {
		s.Affinity = &corev1.Affinity{PodAntiAffinity: &corev1.PodAntiAffinity{}}
	}), true},
	{"and how they spread", "TopologySpreadConstraints", spec(func(s *v1alpha1.BitcoinNetworkSpec) {
		s.TopologySpreadConstraints = []corev1.TopologySpreadConstraint{{MaxSkew: 1, TopologyKey: "rack", WhenUnsatisfiable: corev1.DoNotSchedule}}
	}), true},
	{"and a label", "PodLabels", spec(func(s *v1alpha1.BitcoinNetworkSpec) { s.PodLabels = map[string]v1alpha1.LabelValue{"team": "a"} }), true},
}

func unchanged() *inputs {
	network := networkNamed("payments", withStorage, func(n *v1alpha1.BitcoinNetwork) { n.Spec.Image = "bitcoind:own" })
	return &inputs{network: network, platform: platform}
}

func (i *inputs) children(t testing.TB, live *appsv1.StatefulSet) children {
	t.Helper()
	return sorted(objectsOf(t, i.network, i.platform, live))
}

// Which changes of a network change the template, and so replace its nodes.
func TestWhatReplacesNodes(t *testing.T) {
	for _, test := range changes {
		t.Run(test.reason, func(t *testing.T) {
			i := unchanged()
			before := i.children(t, nil)
			live := served(t, before.set)
			test.change(i)
			if applied := IsApplied(i.network, i.platform, live); applied == test.replaces {
				t.Errorf("applied: %t, want %t", applied, !test.replaces)
			}
			for what, after := range map[string]children{"made anew": i.children(t, nil), "made of what there is": i.children(t, live)} {
				replaces := text(t, after.set.Spec.Template) != text(t, before.set.Spec.Template)
				if replaces != test.replaces {
					t.Errorf("%s: replaces nodes: %t, want %t", what, replaces, test.replaces)
				}
				if remembers := after.set.Annotations[workloadAnnotation] == before.set.Annotations[workloadAnnotation]; remembers == test.replaces {
					t.Errorf("%s: the record has not changed with the template, or without it", what)
				}
			}
		})
	}
}

func TestEveryFieldReplacesNodesOrDoesNot(t *testing.T) {
	spec := reflect.TypeFor[v1alpha1.BitcoinNetworkSpec]()
	for i := range spec.NumField() {
		covered := false
		for _, test := range changes {
			covered = covered || test.field == spec.Field(i).Name
		}
		if !covered {
			t.Errorf("no case changes spec.%s", spec.Field(i).Name)
		}
	}
}

func TestTheDefaultImageIsAnInput(t *testing.T) {
	g := NewWithT(t)
	i := unchanged()
	i.network.Spec.Image = ""
	before := i.children(t, nil)
	live := served(t, before.set)

	i.platform.DefaultImage = "bitcoind:next"
	g.Expect(i.children(t, live).container().Image).To(Equal("bitcoind:next"))

	// Whoever writes down what is the default anyway changes nothing.
	i.platform.DefaultImage, i.network.Spec.Image = platform.DefaultImage, platform.DefaultImage
	g.Expect(text(t, i.children(t, live).set.Spec.Template)).To(Equal(text(t, before.set.Spec.Template)))
	i.platform.DefaultImage = "bitcoind:next"
	g.Expect(text(t, i.children(t, live).set.Spec.Template)).To(Equal(text(t, before.set.Spec.Template)))
}

// Quantities are written in many ways, and stored in one.
func TestTheSameFiguresReplaceNoNodes(t *testing.T) {
	i := unchanged()
	i.network.Spec.Resources = &v1alpha1.Resources{Requests: list("cpu=500m"), Limits: list("memory=1Gi")}
	decoded := func(figures string) *v1alpha1.Resources {
		resources := &v1alpha1.Resources{}
		if err := json.Unmarshal([]byte(figures), resources); err != nil {
			t.Fatal(err)
		}
		return resources
	}
	before := i.children(t, nil)
	i.network.Spec.Resources = decoded(`{"requests": {"cpu": "0.5"}, "limits": {"memory": "1024Mi"}}`)
	after := i.children(t, served(t, before.set))
	NewWithT(t).Expect(text(t, after.set.Spec.Template)).To(Equal(text(t, before.set.Spec.Template)))
}

// Earlier operators took the number of pairs in the Secret for an input, and wrote it
// on the pods. What they recorded of the same network is kept as it is, whichever
// number it was: neither an upgrade nor a change of a password replaces a node. The
// hashes are theirs.
func TestRecordsWithANumberOfPairsStillCount(t *testing.T) {
	for _, test := range []struct {
		reason   string
		change   func(*v1alpha1.BitcoinNetwork)
		one, two string
	}{
		{"defaults", func(*v1alpha1.BitcoinNetwork) {}, "2c2c4aaf45b962c5", "6b38591b55ecc7b0"},
		{"default credentials", withoutSecret, "9ea55d52091b382c", "09f2040610e0523d"},
		{"storage", withStorage, "ce6b76011ae68237", "d611081f70ae4f16"},
		{"main", on(v1alpha1.Main), "320a40a57e40110a", "434fa8d2d885ba19"},
		{"every field of then", func(n *v1alpha1.BitcoinNetwork) { everyField(n); withUsers()(n) }, "e4956ccf7c5716ee", "dda82ce6bb513043"},
	} {
		for _, hash := range []string{test.one, test.two} {
			t.Run(test.reason+" "+hash, func(t *testing.T) {
				g := NewWithT(t)
				i := &inputs{network: networkNamed("payments", test.change), platform: platform}
				_, then := older(t, i)
				then.Inputs = hash
				then.Template.Annotations["bitcoin-operator.github.io/credentials"] = "current and previous"
				then.record = text(t, then)
				live := served(t, StatefulSet(i.network, then, 3, nil))

				g.Expect(IsApplied(i.network, i.platform, live)).To(BeTrue())
				c := i.children(t, live)
				g.Expect(text(t, c.set.Spec.Template)).To(Equal(text(t, then.Template)))
				g.Expect(c.conf(t)).To(Equal(then.Config))
				g.Expect(c.set.Annotations[workloadAnnotation]).To(Equal(then.record), "to the letter")
				again := i.children(t, served(t, c.set))
				g.Expect(again.set.Annotations).To(Equal(c.set.Annotations))

				i.network.Spec.Image = "bitcoind:next"
				c = i.children(t, live)
				g.Expect(text(t, c.set.Spec.Template)).To(Equal(text(t, i.children(t, nil).set.Spec.Template)), "any other change is one")
				g.Expect(c.set.Spec.Template.Annotations).To(HaveLen(1), "and the number is gone")
			})
		}
	}
}

func TestAChangedConfigurationIsAChangedAnnotation(t *testing.T) {
	g := NewWithT(t)
	annotation := func(network *v1alpha1.BitcoinNetwork) string {
		return childrenOf(t, network).set.Spec.Template.Annotations["bitcoin-operator.github.io/bitcoin.conf"]
	}
	own := annotation(networkNamed("payments"))
	g.Expect(own).NotTo(BeEmpty())
	seen := map[string]string{own: "nothing changed"}
	for reason, change := range map[string]func(*v1alpha1.BitcoinNetwork){
		"another chain":         on(v1alpha1.Signet),
		"a signet of one's own": ownSignet,
		"a line":                func(n *v1alpha1.BitcoinNetwork) { n.Spec.Config = []v1alpha1.ConfigLine{"txindex=1"} },
		"lines":                 func(n *v1alpha1.BitcoinNetwork) { n.Spec.Config = []v1alpha1.ConfigLine{"txindex=1", "blocksonly=1"} },
		"the same lines, in another order: the first of several wins": func(n *v1alpha1.BitcoinNetwork) {
			n.Spec.Config = []v1alpha1.ConfigLine{"blocksonly=1", "txindex=1"}
		},
		"a notification": withTopics(v1alpha1.RawTx),
		"more memory":    func(n *v1alpha1.BitcoinNetwork) { n.Spec.Resources = &v1alpha1.Resources{Limits: list("memory=1Gi")} },
	} {
		got := annotation(networkNamed("payments", change))
		g.Expect(seen).NotTo(HaveKey(got), "%s: as with %s", reason, seen[got])
		seen[got] = reason
	}
	g.Expect(annotation(networkNamed("invoices"))).To(Equal(own), "it speaks of the configuration alone")
	g.Expect(annotation(networkNamed("payments", withoutSecret))).To(Equal(own), "and of nothing that has to do with credentials")
}

// older returns the StatefulSet of a network as another version of the operator
// left it: it made something else of the same inputs, and bitcoin.conf was in a
// ConfigMap.
func older(t testing.TB, i *inputs) (*appsv1.StatefulSet, Workload) {
	t.Helper()
	now, err := WorkloadOf(i.network, i.platform, chainOf(i.network), nil)
	if err != nil {
		t.Fatal(err)
	}
	then := Workload{Inputs: now.Inputs, Config: "# Made by an older operator.\nchain=regtest\n", Template: *now.Template.DeepCopy()}
	then.Template.Annotations = map[string]string{"bitcoin-operator.github.io/config": hash(then.Config)}
	then.Template.Labels["older"] = "true"
	then.Template.Spec.DNSConfig = nil
	then.Template.Spec.TerminationGracePeriodSeconds = new(int64(30))
	container := &then.Template.Spec.Containers[0]
	inConfigMap(&then.Template.Spec, container, i.network.Name)
	container.Args = append(container.Args, "-older")
	container.StartupProbe.FailureThreshold = 60
	then.record = text(t, then)
	return served(t, StatefulSet(i.network, then, int(i.network.Spec.Nodes), nil)), then
}

// inConfigMap has the pods mount bitcoin.conf from a ConfigMap.
func inConfigMap(spec *corev1.PodSpec, container *corev1.Container, name string) {
	for i := range spec.Volumes {
		if spec.Volumes[i].DownwardAPI != nil {
			spec.Volumes[i] = corev1.Volume{Name: "config", VolumeSource: corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{
				LocalObjectReference: corev1.LocalObjectReference{Name: name},
			}}}
		}
	}
	for i := range container.VolumeMounts {
		if container.VolumeMounts[i].MountPath == bitcoind.ConfigFile {
			container.VolumeMounts[i].Name = "config"
		}
	}
}

// An upgrade of the operator replaces no node, and has none read another
// bitcoin.conf: what was last applied is applied again, whatever this version
// would make of the same inputs.
func TestAnUpgradeReplacesNothing(t *testing.T) {
	for _, test := range []struct {
		reason string
		base   func(*v1alpha1.BitcoinNetwork)
		drift  func(*appsv1.StatefulSet)
	}{
		{"a network with defaults", func(*v1alpha1.BitcoinNetwork) {}, func(*appsv1.StatefulSet) {}},
		{"with default credentials", withoutSecret, func(*appsv1.StatefulSet) {}},
		{"with every field", everyField, func(*appsv1.StatefulSet) {}},
		{"on main", on(v1alpha1.Main), func(*appsv1.StatefulSet) {}},
		{"whose template was edited by hand", everyField, func(set *appsv1.StatefulSet) {
			set.Spec.Template.Spec.Containers[0].Image = "bitcoind:edited"
			set.Spec.Template.Spec.Containers[0].Args = nil
			set.Spec.Template.Labels["older"] = "edited"
			set.Spec.Template.Spec.Volumes = nil
		}},
		{"whose template has nothing left", everyField, func(set *appsv1.StatefulSet) { set.Spec.Template = corev1.PodTemplateSpec{} }},
		{"whose other fields were edited by hand", everyField, func(set *appsv1.StatefulSet) {
			set.Spec.Replicas, set.Spec.UpdateStrategy.Type, set.Labels = new(int32(0)), appsv1.RollingUpdateStatefulSetStrategyType, nil
		}},
	} {
		t.Run(test.reason, func(t *testing.T) {
			g := NewWithT(t)
			i := &inputs{network: networkNamed("payments", test.base), platform: platform}
			live, then := older(t, i)
			test.drift(live)
			c := i.children(t, live)
			g.Expect(text(t, c.set.Spec.Template)).To(Equal(text(t, then.Template)))
			g.Expect(c.conf(t)).To(Equal(then.Config))
			g.Expect(c.config.Data).To(Equal(map[string]string{"bitcoin.conf": then.Config}))
			g.Expect(c.set.Annotations).To(Equal(map[string]string{workloadAnnotation: then.record}), "kept to the letter")
			g.Expect(c.set.Spec.Replicas).To(HaveValue(Equal(i.network.Spec.Nodes)))
			g.Expect(c.set.Spec.UpdateStrategy.Type).To(Equal(appsv1.OnDeleteStatefulSetStrategyType))

			// So it is after it was applied.
			again := i.children(t, served(t, c.set))
			g.Expect(text(t, again.set.Spec.Template)).To(Equal(text(t, then.Template)))
			g.Expect(again.set.Annotations).To(Equal(c.set.Annotations))
		})
	}
}

// After an upgrade a change that replaces nodes has them made by this version; one
// that does not leaves them as they are.
func TestWhatAdoptsAnUpgrade(t *testing.T) {
	for _, test := range changes {
		t.Run(test.reason, func(t *testing.T) {
			g := NewWithT(t)
			i := unchanged()
			live, then := older(t, i)
			test.change(i)
			c := i.children(t, live)
			if !test.replaces {
				g.Expect(text(t, c.set.Spec.Template)).To(Equal(text(t, then.Template)))
				g.Expect(c.conf(t)).To(Equal(then.Config))
				g.Expect(c.set.Spec.Replicas).To(HaveValue(Equal(i.network.Spec.Nodes)), "the rest is as the network says")
				return
			}
			anew := i.children(t, nil)
			g.Expect(text(t, c.set.Spec.Template)).To(Equal(text(t, anew.set.Spec.Template)))
			g.Expect(c.conf(t)).To(Equal(anew.conf(t)))
			g.Expect(c.set.Annotations).To(Equal(anew.set.Annotations))
			g.Expect(c.config.Data).To(Equal(map[string]string{"bitcoin.conf": then.Config}), "pods from before read what they were made with")
			g.Expect(i.children(t, served(t, c.set)).config).To(BeNil(), "nor is it written when the template has changed")
		})
	}
}

// Where it is not known what was last applied, nodes are made anew. Nothing that
// somebody wrote there keeps the operator from it.
func TestARecordThatIsNoRecord(t *testing.T) {
	i := unchanged()
	_, then := older(t, i)
	for _, test := range []struct{ reason, record string }{
		{"missing", "-"},
		{"empty", ""},
		{"no JSON", "workload"},
		{"cut off", then.record[:len(then.record)/2]},
		{"cut off at its end", then.record[:len(then.record)-1]},
		{"something behind it", then.record + "x"},
		{"null", "null"},
		{"nothing in it", "{}"},
		{"a list", "[]"},
		{"a text", `"workload"`},
		{"a template of another type", fmt.Sprintf(`{"inputs": %q, "config": "x", "template": "x"}`, then.Inputs)},
		{"other inputs", strings.Replace(then.record, then.Inputs, "0123456789abcdef", 1)},
		{"no inputs", strings.Replace(then.record, then.Inputs, "", 1)},
		{"inputs and nothing else: the API server takes no pods without containers", fmt.Sprintf(`{"inputs": %q}`, then.Inputs)},
		{"no template", fmt.Sprintf(`{"inputs": %q, "config": "x"}`, then.Inputs)},
		{"no bitcoin.conf: nodes would start on main", strings.Replace(then.record, `"config":`, `"conf":`, 1)},
		{"none in the pods either", strings.NewReplacer(`/bitcoin.conf":"`, `/other":"`, `"bitcoind-start"`, `"older"`).Replace(i.children(t, nil).set.Annotations[workloadAnnotation])},
	} {
		t.Run(test.reason, func(t *testing.T) {
			g := NewWithT(t)
			live, _ := older(t, i)
			live.Annotations[workloadAnnotation] = test.record
			if test.record == "-" {
				live.Annotations = nil
			}
			g.Expect(IsApplied(i.network, i.platform, live)).To(BeFalse())
			c, anew := i.children(t, live), i.children(t, nil)
			g.Expect(text(t, c.set.Spec.Template)).To(Equal(text(t, anew.set.Spec.Template)))
			g.Expect(c.conf(t)).To(Equal(anew.conf(t)))
			g.Expect(c.set.Annotations).To(Equal(anew.set.Annotations), "and that is recorded")
		})
	}
}

// What is made of a record is what the record was made of, or the second look at a
// network would replace what the first one made.
func TestTheRecordIsComplete(t *testing.T) {
	for reason, change := range map[string]func(*v1alpha1.BitcoinNetwork){
		"defaults": func(*v1alpha1.BitcoinNetwork) {}, "default credentials": withoutSecret, "every field": everyField, "storage": withStorage,
		"signet": on(v1alpha1.Signet), "own signet": ownSignet, "testnet4": on(v1alpha1.Testnet4), "main": on(v1alpha1.Main),
		"empty and not absent": func(n *v1alpha1.BitcoinNetwork) {
			n.Spec.Affinity, n.Spec.Resources = &corev1.Affinity{NodeAffinity: &corev1.NodeAffinity{}}, &v1alpha1.Resources{}
			n.Spec.Tolerations, n.Spec.NodeSelector = []corev1.Toleration{}, map[string]string{}
			n.Spec.TopologySpreadConstraints = []corev1.TopologySpreadConstraint{{LabelSelector: &metav1.LabelSelector{}}}
		},
		"characters that JSON escapes": func(n *v1alpha1.BitcoinNetwork) {
			n.Spec.Config = []v1alpha1.ConfigLine{"blocknotify=<\"&'\\>\u2028é\U0001f642"}
		},
	} {
		g := NewWithT(t)
		i := &inputs{network: networkNamed("payments", change), platform: platform}
		first := i.children(t, nil)
		live := served(t, first.set)
		second := i.children(t, live)
		g.Expect(text(t, second.set.Spec.Template)).To(Equal(text(t, first.set.Spec.Template)), reason)
		g.Expect(text(t, second.set.Spec.Template)).NotTo(Equal(text(t, live.Spec.Template)), "%s: what is live has defaults, too: they are the API server's", reason)
		g.Expect(second.conf(t)).To(Equal(first.conf(t)), reason)
		g.Expect(second.set.Annotations).To(Equal(first.set.Annotations), reason)
		g.Expect(len(first.set.Annotations[workloadAnnotation])).To(BeNumerically("<", 64<<10), "%s: a quarter of what annotations may take", reason)
	}
}

// The record tells no more than the Secret's name.
func TestTheRecordHoldsNoCredentials(t *testing.T) {
	g := NewWithT(t)
	record := childrenOf(t, networkNamed("payments")).set.Annotations[workloadAnnotation]
	g.Expect(record).To(ContainSubstring("bitcoin-rpc"))
	g.Expect(record).NotTo(ContainSubstring("BC_RPC_"))
}

// The record of one network is none of another's: it is of its pods' labels and
// names, too.
func TestWorkloadsAreTheirNetworks(t *testing.T) {
	g := NewWithT(t)
	payments, invoices := childrenOf(t, networkNamed("payments")).set.Spec.Template, childrenOf(t, networkNamed("invoices")).set.Spec.Template
	g.Expect(text(t, invoices)).To(Equal(strings.ReplaceAll(text(t, payments), "payments", "invoices")))
}
