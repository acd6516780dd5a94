package rollout_test

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	appsv1 "k8s.io/api/apps/v1"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/resources"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state/statetest"
)

// cluster is a model of one network in Kubernetes: its StatefulSet, pods, volumes,
// Secret and disruption budget, and the chains that its nodes have. It knows more
// than the operator ever does.
type cluster struct {
	now     time.Time
	network *v1alpha1.BitcoinNetwork // as the API server has it
	private bool

	blocks    []block
	templates []template
	wanted    int // the template of the network's spec
	set       *appsv1.StatefulSet
	applied   int // the template of the StatefulSet
	budget    resources.Budget
	leads     int  // the node to which the Service for clients of one node leads
	maxPods   int  // what a quota allows
	full      bool // no machine takes another pod
	secrets   []secret
	lag       time.Duration // of the kubelet's copy of the Secret

	pods   map[int]*pod
	claims map[int]*data
	births int
	// snapshots are the pods as they were in the last seconds, the latest last.
	snapshots [][]*corev1.Pod
}

type (
	// block is a block of a chain; the first is its own parent.
	block struct {
		parent int
		height int32
		work   int
	}
	// template is what an image, or its settings, make of a node.
	template struct {
		crashes, noImage, deaf, deadlocked bool
	}
	// secret is the Secret since a moment: the passwords that it has.
	secret struct {
		since             time.Time
		current, previous int
	}
	// data are what a node has on its disk.
	data struct {
		uid     types.UID
		tip     int
		spoiled bool         // no bitcoind starts with them
		invalid map[int]bool // blocks that it was told to take for invalid
	}
	// pod is a pod and its one container.
	pod struct {
		uid       types.UID
		ordinal   int
		template  int
		created   time.Time
		data      *data
		placed    bool
		gateOpen  bool
		goneAt    time.Time // zero unless it is on its way out
		container container
		// unserved is since when the kubelet's probe has not been served; zero while it
		// is.
		unserved time.Time
		// What is wrong with it by itself.
		crashes, hangs, lags, deaf bool
	}
	container struct {
		count     int32
		running   bool
		startedAt time.Time
		startAt   time.Time                        // when the kubelet starts it next
		backsOff  bool                             // and that it waits until then
		ended     *corev1.ContainerStateTerminated // how the one before ended
		read      secret
	}
)

const (
	// startTime is how long a container takes to start, and grace how long a pod
	// takes to end.
	startTime = time.Second
	grace     = 2 * time.Second
)

func newCluster(nodes int32, storage *v1alpha1.Storage, private bool, lag time.Duration) *cluster {
	c := &cluster{
		now: statetest.Now.Add(700 * time.Millisecond), private: private, lag: lag, maxPods: 100,
		blocks:    []block{{}},
		templates: []template{{}},
		secrets:   []secret{{since: statetest.Now.Add(-24 * time.Hour), current: 1}},
		pods:      map[int]*pod{}, claims: map[int]*data{},
	}
	c.network = statetest.Network(nodes, func(network *v1alpha1.BitcoinNetwork) { network.Spec.Storage = storage })
	return c
}

func (c *cluster) secret() secret { return c.secrets[len(c.secrets)-1] }

// tell returns a block in the operator's terms.
func (c *cluster) tell(id int) *state.Block {
	return &state.Block{
		Height: int64(c.blocks[id].height), Hash: fmt.Sprintf("%064d", id), Work: fmt.Sprintf("%064x", c.blocks[id].work),
	}
}

// mine puts a block on a node's tip.
func (c *cluster) mine(data *data) {
	tip := c.blocks[data.tip]
	c.blocks = append(c.blocks, block{data.tip, tip.height + 1, tip.work + 1})
	data.tip = len(c.blocks) - 1
}

// below returns the block of a chain that is at most that high.
func (c *cluster) below(id int, height int32) int {
	for c.blocks[id].height > height {
		id = c.blocks[id].parent
	}
	return id
}

// accepts reports whether a node's container accepts a password.
func (c *cluster) accepts(p *pod, password int) bool {
	read := p.container.read
	return !p.deaf && !c.templates[p.template].deaf && password != 0 && (password == read.current || password == read.previous)
}

// answersHTTP reports whether a node answers at all, if only that it knows nobody.
func (c *cluster) answersHTTP(p *pod) bool {
	return p != nil && p.container.running && !p.hangs && !c.templates[p.template].deadlocked &&
		c.now.Sub(p.container.startedAt) >= startTime
}

func (c *cluster) isReady(p *pod) bool {
	return c.answersHTTP(p) && (p.gateOpen || !c.gated())
}

func (c *cluster) gated() bool { return state.InPods(c.network) && c.private }

// byUID returns a pod that exists, or nil.
func (c *cluster) byUID(uid types.UID) *pod {
	for _, p := range c.pods {
		if p.uid == uid {
			return p
		}
	}
	return nil
}

// ordinals returns the ordinals of the pods that there are.
func (c *cluster) ordinals() []int {
	var ordinals []int
	for ordinal := range c.pods {
		ordinals = append(ordinals, ordinal)
	}
	slices.Sort(ordinals)
	return ordinals
}

// tick lets a second pass.
func (c *cluster) tick() {
	c.now = c.now.Add(time.Second)
	c.runStatefulSet()
	for _, ordinal := range c.ordinals() {
		c.runKubelet(c.pods[ordinal])
		c.probe(c.pods[ordinal])
	}
	c.sync()
	c.snapshots = append(c.snapshots, c.list())
	if len(c.snapshots) > 4 {
		c.snapshots = c.snapshots[1:]
	}
}

// runStatefulSet makes the pods that are missing and deletes those that are too many.
func (c *cluster) runStatefulSet() {
	if c.set == nil {
		return
	}
	c.set.Status.ObservedGeneration = c.set.Generation
	c.set.Status.UpdateRevision = revision(c.applied)
	for _, ordinal := range c.ordinals() {
		p := c.pods[ordinal]
		if !p.goneAt.IsZero() && !c.now.Before(p.goneAt) {
			delete(c.pods, ordinal)
			if ordinal >= int(*c.set.Spec.Replicas) && c.deletesClaims() {
				delete(c.claims, ordinal)
			}
		} else if ordinal >= int(*c.set.Spec.Replicas) {
			c.delete(p)
		}
	}
	for ordinal := range int(*c.set.Spec.Replicas) {
		if c.pods[ordinal] == nil && len(c.pods) < c.maxPods {
			c.pods[ordinal] = c.newPod(ordinal)
		}
	}
}

func (c *cluster) deletesClaims() bool {
	storage := c.network.Spec.Storage
	return storage != nil && storage.WhenScaled == appsv1.DeletePersistentVolumeClaimRetentionPolicyType
}

func (c *cluster) newPod(ordinal int) *pod {
	c.births++
	p := &pod{uid: types.UID(fmt.Sprintf("pod-%d-%d", ordinal, c.births)), ordinal: ordinal, template: c.applied, created: c.now, unserved: c.now}
	p.container.startAt = c.now.Add(startTime)
	if state.InPods(c.network) {
		p.data = &data{uid: p.uid}
		return p
	}
	if c.claims[ordinal] == nil {
		c.claims[ordinal] = &data{uid: types.UID(fmt.Sprintf("claim-%d-%d", ordinal, c.births))}
	}
	p.data = c.claims[ordinal]
	return p
}

// delete tells a pod to go.
func (c *cluster) delete(p *pod) {
	if p.goneAt.IsZero() {
		p.goneAt = c.now.Add(grace)
	}
}

// runKubelet starts and ends a pod's container.
func (c *cluster) runKubelet(p *pod) {
	if p == nil {
		return
	}
	p.placed = p.placed || !c.full
	container, made := &p.container, c.templates[p.template]
	switch {
	case !p.placed || made.noImage:
	case container.running && (p.crashes || made.crashes || p.data.spoiled):
		c.end(p, 1)
	case !container.running && !c.now.Before(container.startAt) && p.goneAt.IsZero():
		container.count++
		container.running, container.startedAt, container.read = true, c.now, c.copyOfSecret()
	}
}

// end ends a pod's container. The kubelet starts it again, at once at first, and later
// and later when it ends again and again.
func (c *cluster) end(p *pod, code int32) {
	container := &p.container
	again := time.Second
	container.backsOff = c.now.Sub(container.startedAt) < 10*time.Minute && container.count > 1
	if container.backsOff {
		again = min(10*time.Second<<min(container.count-2, 5), 5*time.Minute)
	}
	container.running, container.startAt = false, c.now.Add(again)
	container.ended = &corev1.ContainerStateTerminated{
		ExitCode: code, StartedAt: metav1.NewTime(container.startedAt.Truncate(time.Second)), FinishedAt: metav1.NewTime(c.now.Truncate(time.Second)),
	}
}

// probe takes note of whether a node serves the kubelet.
func (c *cluster) probe(p *pod) {
	switch {
	case c.answersHTTP(p):
		p.unserved = time.Time{}
	case p.unserved.IsZero():
		p.unserved = c.now
	}
}

// copyOfSecret is the Secret as the kubelet has it.
func (c *cluster) copyOfSecret() secret {
	for _, known := range slices.Backward(c.secrets) {
		if c.now.Sub(known.since) >= c.lag {
			return known
		}
	}
	return c.secrets[0]
}

// sync has every node that runs copy, two blocks a second, the chain with the most
// work of those that its peers have. One that is silent over RPC has peers all the
// same.
func (c *cluster) sync() {
	var tips []int
	for _, ordinal := range c.ordinals() {
		if p := c.pods[ordinal]; p.container.running {
			tips = append(tips, p.data.tip)
		}
	}
	for _, ordinal := range c.ordinals() {
		p := c.pods[ordinal]
		if !p.container.running || p.lags {
			continue
		}
		best := p.data.tip
		for _, tip := range tips {
			if valid := c.valid(p.data, tip); c.blocks[valid].work > c.blocks[best].work {
				best = valid
			}
		}
		if next := c.below(best, c.blocks[p.data.tip].height+2); c.blocks[next].work > c.blocks[p.data.tip].work {
			p.data.tip = next
		}
	}
}

// valid returns how much of a chain a node takes for valid.
func (c *cluster) valid(data *data, tip int) int {
	valid := tip
	for id := tip; id != 0; id = c.blocks[id].parent {
		if data.invalid[id] {
			valid = c.blocks[id].parent
		}
	}
	return valid
}

// evict asks for a pod to be evicted, as Kubernetes 1.37 answers.
func (c *cluster) evict(uid types.UID) bool {
	p := c.byUID(uid)
	if p == nil {
		return false
	}
	if p.container.count > 0 && p.goneAt.IsZero() { // one that is pending may always go
		healthy := int32(0)
		for _, other := range c.pods {
			if other.goneAt.IsZero() && c.isReady(other) {
				healthy++
			}
		}
		desired := max(*c.set.Spec.Replicas-c.budget.MaxUnavailable, 0)
		unready := !c.isReady(p) && (c.budget.AlwaysAllow || healthy >= desired && desired > 0)
		if !unready && healthy <= desired {
			return false
		}
	}
	c.delete(p)
	return true
}

func revision(template int) string { return "payments-" + strconv.Itoa(template) }

// list returns the pods as the API server has them.
func (c *cluster) list() []*corev1.Pod {
	var pods []*corev1.Pod
	for _, ordinal := range c.ordinals() {
		pods = append(pods, c.object(c.pods[ordinal]))
	}
	return pods
}

// object returns a pod as the API server has it.
func (c *cluster) object(p *pod) *corev1.Pod {
	condition := func(kind corev1.PodConditionType, holds bool) corev1.PodCondition {
		status := corev1.ConditionFalse
		if holds {
			status = corev1.ConditionTrue
		}
		return corev1.PodCondition{Type: kind, Status: status, LastTransitionTime: metav1.NewTime(later(p.created, p.container.startedAt))}
	}
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Name: fmt.Sprintf("payments-%d", p.ordinal), UID: p.uid, CreationTimestamp: metav1.NewTime(p.created.Truncate(time.Second)),
			Labels: map[string]string{appsv1.ControllerRevisionHashLabelKey: revision(p.template)},
		},
		Status: corev1.PodStatus{
			PodIP: "10.0.0.1",
			Conditions: []corev1.PodCondition{
				condition(corev1.PodScheduled, p.placed), condition(resources.SyncedCondition, p.gateOpen),
				condition(corev1.ContainersReady, c.answersHTTP(p)), condition(corev1.PodReady, c.isReady(p)),
			},
		},
	}
	if unready := &pod.Status.Conditions[2]; unready.Status == corev1.ConditionFalse && !p.unserved.IsZero() {
		unready.LastTransitionTime = metav1.NewTime(p.unserved.Truncate(time.Second))
	}
	if c.gated() {
		pod.Spec.ReadinessGates = []corev1.PodReadinessGate{{ConditionType: resources.SyncedCondition}}
	}
	if !p.goneAt.IsZero() {
		pod.DeletionTimestamp = new(metav1.NewTime(p.goneAt))
	}
	if p.placed {
		pod.Status.ContainerStatuses = []corev1.ContainerStatus{c.containerStatus(p)}
	}
	return pod
}

func (c *cluster) containerStatus(p *pod) corev1.ContainerStatus {
	container := p.container
	status := corev1.ContainerStatus{Name: resources.Container, ContainerID: strconv.Itoa(int(container.count)), RestartCount: max(container.count-1, 0)}
	status.LastTerminationState.Terminated = container.ended
	switch {
	case container.running:
		status.State.Running = &corev1.ContainerStateRunning{StartedAt: metav1.NewTime(container.startedAt.Truncate(time.Second))}
	case container.ended != nil && !container.backsOff: // the kubelet is about to start it again
		status.State.Terminated, status.LastTerminationState.Terminated = container.ended, nil
	case container.ended != nil:
		status.State = statetest.Waiting("CrashLoopBackOff", "")
	case c.templates[p.template].noImage:
		status.State = statetest.Waiting("ImagePullBackOff", "")
	default:
		status.State = statetest.Waiting("ContainerCreating", "")
	}
	return status
}

func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}
