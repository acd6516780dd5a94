package controller

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fluxcd/pkg/apis/meta"
	"github.com/fluxcd/pkg/runtime/conditions"
	"github.com/go-logr/logr"
	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/record"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
	"sigs.k8s.io/controller-runtime/pkg/config"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"
	"sigs.k8s.io/yaml"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/bitcoind"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/bitcoind/bitcoindtest"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/credentials"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/metrics"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/observe"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/resources"
	"github.com/bitcoin-operator/bitcoin-operator/test/policies"
)

const (
	secretName = "bitcoin-rpc"
	// soon bounds how long a test waits for what should happen at once, or at the next regular
	// look where no event tells of it: these are 30 s apart, and up to a tenth more.
	soon = 45 * time.Second
)

var (
	alice    = bitcoind.NewCredentials("alice", "correct horse")
	bob      = bitcoind.NewCredentials("bob", "battery staple")
	platform = resources.Platform{DefaultImage: "bitcoind:default", OperatorImage: "operator:default", ClusterDomain: "cluster.local", DrainHold: time.Hour}
)

// world is a namespace of a real API server with a running operator. What the
// API server lacks, the StatefulSet controller and the kubelet, is played by
// fakeKubelet; the nodes are those of bitcoindtest.
type world struct {
	Gomega
	ctx       context.Context
	namespace string
	api       client.Client
	nodes     *bitcoindtest.Network
	events    *record.FakeRecorder
	kubelet   *fakeKubelet
	operator  *rest.Config // how the operator reaches the API server
	platform  resources.Platform
	applies   atomic.Int64 // how often the operator has applied something

	stopOperator func()
}

func newWorld(t *testing.T) *world {
	t.Helper()
	ctx := needsAPIServer(t)
	w := &world{Gomega: NewWithT(t), ctx: ctx, nodes: bitcoindtest.NewNetwork(), events: record.NewFakeRecorder(1000), platform: platform}
	w.SetDefaultEventuallyTimeout(soon)
	w.SetDefaultEventuallyPollingInterval(20 * time.Millisecond)
	w.SetDefaultConsistentlyDuration(time.Second)

	var err error
	w.api, err = client.New(apiServer, client.Options{Scheme: scheme})
	w.Expect(err).NotTo(HaveOccurred())
	w.namespace, err = policies.Tenant(ctx, w.api, map[string]string{
		"secret": secretName, "chains": "regtest,signet,testnet4,main", "images": "bitcoind", "operatorImage": platform.OperatorImage, "storageClasses": "fast slow",
		"clientNamespaces": "shop", "peerNamespaces": "index",
	})
	w.Expect(err).NotTo(HaveOccurred())
	w.kubelet = &fakeKubelet{world: w, addresses: map[string]string{}, configs: map[string]string{}}

	var running sync.WaitGroup
	ctx, stop := context.WithCancel(ctx)
	t.Cleanup(func() { stop(); running.Wait() })
	running.Go(func() { w.kubelet.run(ctx) })
	w.operator = w.operatorConfig()
	w.startOperator()
	t.Cleanup(func() { w.stopOperator() })
	return w
}

// startOperator starts an operator that remembers nothing.
func (w *world) startOperator() {
	manager := w.manager()
	ctx, stop := context.WithCancel(w.ctx)
	ended := make(chan error, 1)
	go func() { ended <- manager.Start(ctx) }()
	w.stopOperator = func() {
		stop()
		w.Expect(<-ended).To(Succeed(), "the operator ended")
		w.stopOperator = func() {}
	}
}

func (w *world) manager() ctrl.Manager {
	cacheOptions, err := CacheOptions(w.namespace, secretName)
	w.Expect(err).NotTo(HaveOccurred())
	manager, err := ctrl.NewManager(w.operator, ctrl.Options{
		Scheme:         scheme,
		MapperProvider: NewMapper,
		Cache:          cacheOptions,
		Metrics:        metricsserver.Options{BindAddress: "0"},
		Logger:         logr.Discard(),
		Controller:     config.Controller{SkipNameValidation: new(true)},
		NewClient: func(config *rest.Config, options client.Options) (client.Client, error) {
			api, err := client.NewWithWatch(config, options)
			return interceptor.NewClient(api, interceptor.Funcs{
				Apply: func(ctx context.Context, api client.WithWatch, object runtime.ApplyConfiguration, options ...client.ApplyOption) error {
					w.applies.Add(1)
					return api.Apply(ctx, object, options...)
				},
			}), err
		},
	})
	w.Expect(err).NotTo(HaveOccurred())
	reconciler := w.reconciler(manager.GetClient(), manager.GetAPIReader())
	w.Expect(reconciler.SetupWithManager(manager)).To(Succeed())
	w.Expect((&Requests{reconciler}).SetupWithManager(manager)).To(Succeed())
	return manager
}

// reconciler returns one that reads from, and writes to, these.
func (w *world) reconciler(cached client.Client, api client.Reader) *Reconciler {
	return &Reconciler{
		Client: cached,
		API:    api,
		Observer: &observe.Observer{
			Client:        cached,
			API:           api,
			Credentials:   credentials.Reader{API: api, Secret: secretName},
			AllowedChains: []string{"regtest", "signet"},
			Clock:         clock.RealClock{},
		},
		Nodes:    w.nodes,
		Platform: w.platform,
		Metrics:  metrics.NewCollector(clock.RealClock{}),
		Events:   w.events,
		Clock:    clock.RealClock{},
	}
}

// operatorConfig gives the operator the rights that gitops/operator gives it, and no
// others, and returns how it reaches the API server with them.
func (w *world) operatorConfig() *rest.Config {
	user := rbacv1.Subject{Kind: rbacv1.UserKind, APIGroup: rbacv1.GroupName, Name: "system:serviceaccount:" + w.namespace + ":bitcoin-operator"}
	for _, role := range operatorRoles(w.Gomega) {
		role.Namespace = w.namespace
		w.Expect(w.api.Create(w.ctx, role)).To(Succeed())
		w.Expect(w.api.Create(w.ctx, &rbacv1.RoleBinding{
			ObjectMeta: metav1.ObjectMeta{Name: role.Name, Namespace: w.namespace},
			RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: role.Name},
			Subjects:   []rbacv1.Subject{user},
		})).To(Succeed())
	}
	config := rest.CopyConfig(apiServer)
	config.Impersonate.UserName = user.Name
	return config
}

// operatorRoles reads the Roles of gitops/operator.
func operatorRoles(g Gomega) []*rbacv1.Role {
	var roles []*rbacv1.Role
	for _, file := range []string{"role.yaml", "role-secret.yaml"} {
		content, err := os.ReadFile(filepath.Join("../../../gitops/operator", file))
		g.Expect(err).NotTo(HaveOccurred())
		for document := range bytes.SplitSeq(content, []byte("\n---\n")) {
			role := &rbacv1.Role{}
			g.Expect(yaml.Unmarshal(document, role)).To(Succeed())
			if role.Kind == "Role" {
				roles = append(roles, role)
			}
		}
	}
	g.Expect(roles).To(HaveLen(2))
	return roles
}

// fenceDown takes the namespace out of the reach of the admission policies, and waits
// until the API server has noticed.
func (w *world) fenceDown() {
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: w.namespace}}
	w.Expect(w.api.Patch(w.ctx, namespace, client.RawPatch(types.MergePatchType, []byte(`{"metadata": {"labels": {"`+policies.TenantLabel+`": null}}}`)))).To(Succeed())
	refused := &v1alpha1.BitcoinNetwork{ObjectMeta: metav1.ObjectMeta{Name: "tenant", Namespace: w.namespace}}
	w.Eventually(func() error { return w.api.Create(w.ctx, refused.DeepCopy(), client.DryRunAll) }).Should(Succeed())
}

// network makes a BitcoinNetwork. It mines nothing by itself unless it is told to,
// so that tests know how high its chain is.
func (w *world) network(name string, nodes int32, changes ...func(*v1alpha1.BitcoinNetworkSpec)) *v1alpha1.BitcoinNetwork {
	network := &v1alpha1.BitcoinNetwork{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: w.namespace},
		Spec: v1alpha1.BitcoinNetworkSpec{
			Nodes: nodes, Secret: secretName, Mining: &v1alpha1.Mining{KeepFresh: new(false)},
		},
	}
	for _, change := range changes {
		change(&network.Spec)
	}
	w.Expect(w.api.Create(w.ctx, network)).To(Succeed())
	return network
}

// edit changes a network's spec.
func (w *world) edit(network *v1alpha1.BitcoinNetwork, change func(*v1alpha1.BitcoinNetworkSpec)) {
	before := network.DeepCopy()
	change(&network.Spec)
	w.Expect(w.api.Patch(w.ctx, network, client.MergeFrom(before))).To(Succeed())
}

// secret makes the Secret.
func (w *world) secret(changes ...func(*corev1.Secret)) *corev1.Secret {
	secret := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Name: secretName, Namespace: w.namespace},
		Type:       corev1.SecretTypeOpaque,
		Data:       map[string][]byte{bitcoind.UserKey: []byte(alice.User()), bitcoind.PasswordKey: []byte(alice.Password())},
	}
	for _, change := range changes {
		change(secret)
	}
	w.Expect(w.api.Create(w.ctx, secret)).To(Succeed())
	return secret
}

// status returns a network as it is now.
func (w *world) status(network *v1alpha1.BitcoinNetwork) *v1alpha1.BitcoinNetwork {
	now := &v1alpha1.BitcoinNetwork{}
	w.Expect(w.api.Get(w.ctx, client.ObjectKeyFromObject(network), now)).To(Succeed())
	return now
}

// condition returns what a condition of the network's present generation says,
// as "Status Reason: message".
func (w *world) condition(network *v1alpha1.BitcoinNetwork, name string) func() string {
	return func() string {
		now := w.status(network)
		condition := conditions.Get(now, name)
		if condition == nil || condition.ObservedGeneration != now.Generation {
			return ""
		}
		return fmt.Sprintf("%s %s: %s", condition.Status, condition.Reason, condition.Message)
	}
}

// becomesReady waits until a network is Ready, as kstatus understands it.
func (w *world) becomesReady(network *v1alpha1.BitcoinNetwork) *v1alpha1.BitcoinNetwork {
	var now *v1alpha1.BitcoinNetwork
	w.Eventually(func(g Gomega) {
		now = w.status(network)
		g.Expect(now.Status.ObservedGeneration).To(Equal(now.Generation))
		g.Expect(conditions.GetMessage(now, meta.ReadyCondition)).NotTo(BeEmpty())
		g.Expect(conditions.IsReady(now)).To(BeTrue(), conditions.GetMessage(now, meta.ReadyCondition))
		g.Expect(conditions.Has(now, meta.ReconcilingCondition)).To(BeFalse())
		g.Expect(conditions.Has(now, meta.StalledCondition)).To(BeFalse())
	}).Should(Succeed())
	return now
}

// tells waits for an event that begins so, and returns those up to it. Events come
// after the status that they tell of.
func (w *world) tells(beginning string) []string {
	var told []string
	w.Eventually(func() string {
		select {
		case event := <-w.events.Events:
			told = append(told, event)
			return event
		default:
			return ""
		}
	}).Should(HavePrefix(beginning))
	return told
}

// pod returns a pod, or nil.
func (w *world) pod(name string) *corev1.Pod {
	pod := &corev1.Pod{}
	err := w.api.Get(w.ctx, client.ObjectKey{Namespace: w.namespace, Name: name}, pod)
	if apierrors.IsNotFound(err) {
		return nil
	}
	w.Expect(err).NotTo(HaveOccurred())
	return pod
}

// uids returns the pods' UIDs by name.
func (w *world) uids() map[string]string {
	var pods corev1.PodList
	w.Expect(w.api.List(w.ctx, &pods, client.InNamespace(w.namespace))).To(Succeed())
	uids := map[string]string{}
	for _, pod := range pods.Items {
		uids[pod.Name] = string(pod.UID)
	}
	return uids
}

func (w *world) statefulSet(name string) *appsv1.StatefulSet {
	set := &appsv1.StatefulSet{}
	w.Expect(w.api.Get(w.ctx, client.ObjectKey{Namespace: w.namespace, Name: name}, set)).To(Succeed())
	return set
}
