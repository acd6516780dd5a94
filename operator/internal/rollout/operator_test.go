package rollout_test

import (
	"slices"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/peering"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/rollout"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state/statetest"
)

// drainHold is how long drains are held up.
const drainHold = 15 * time.Minute

// operator is a model of what surrounds the package: it observes, has things decided,
// records them, and does them, in the order of the real one.
type operator struct {
	cluster *cluster
	// act is called with everything that takes a node down or its data away, which it
	// does, or does not: then it returns false.
	act func(act) bool
	// lies is the height that nodes claim which lie.
	lies map[types.UID]int64
	// moved is called with each move of clients from a node to another, by what was seen.
	moved func(rollout.Move, *state.Network)

	// What it remembers until it is killed.
	since           time.Time
	passwords       map[int]bool
	tips            map[types.UID]state.Block
	hadBest, served map[types.UID]time.Time
	answered        map[string]time.Time
	refused         map[refusal]time.Time
	alive, missing  map[int]time.Time
	behind          map[types.UID]time.Time
	lacked          map[types.UID]state.Block
	best            *state.Block
	recordedAt      time.Time
	// heard is what nodes last said, by their lives, and allAsked when all were last asked.
	heard    map[string]state.Node
	allAsked time.Time

	secretWas secret

	// age is by how many seconds its cache was behind in the last pass.
	age int
}

// refusal is what a pod could not be made to do.
type refusal struct {
	uid    types.UID
	action v1alpha1.RolloutAction
}

// act is something that the operator does to nodes.
type act struct {
	// step is a step of the rollout; nil where nodes are scaled away.
	step *rollout.Step
	// again reports that the operator had replaced that node before, and has not seen it
	// serve since.
	again bool
	// size is how many nodes are left.
	size int
	seen *state.Network
	// do does it, and reports whether that was possible.
	do func() bool
}

// moment is one in a pass at which the operator may be killed.
type moment int

const (
	never moment = iota
	beforeRecord
	afterRecord
	afterAct
)

func newOperator(c *cluster) *operator {
	o := &operator{cluster: c, lies: map[types.UID]int64{}}
	o.kill()
	return o
}

// kill starts the operator anew, with an empty memory.
func (o *operator) kill() {
	o.since, o.best, o.recordedAt = time.Time{}, nil, time.Time{}
	o.passwords, o.tips = map[int]bool{}, map[types.UID]state.Block{}
	o.hadBest, o.served, o.refused = map[types.UID]time.Time{}, map[types.UID]time.Time{}, map[refusal]time.Time{}
	o.answered = map[string]time.Time{}
	o.alive, o.missing = map[int]time.Time{}, map[int]time.Time{}
	o.behind, o.lacked = map[types.UID]time.Time{}, map[types.UID]state.Block{}
	o.heard, o.allAsked = map[string]state.Node{}, time.Time{}
}

// check is how often all nodes are asked.
const check = 30 * time.Second

// pass is one reconcile, by a cache that is so many seconds old. It ends where the
// operator is killed.
func (o *operator) pass(age int, killed moment) (*state.Network, rollout.Size, rollout.Decision) {
	c := o.cluster
	seen := o.observe(age)
	var size rollout.Size
	var drain rollout.Drain
	var decision rollout.Decision
	for asks := true; asks; asks = o.askUnasked(seen, slices.Concat(size.RestsOn(seen), drain.RestsOn(seen), o.restsOn(seen, decision))) {
		size = rollout.SizeOf(c.network, seen)
		drain = rollout.DrainOf(c.network, seen, size.Pods, drainHold)
		decision = rollout.Next(c.network, seen, o.links(seen))
	}
	o.apply(seen, size, drain)
	decision = rollout.Next(c.network, seen, o.links(seen))
	if unasked := seen.Unasked(o.restsOn(seen, decision)); len(unasked) > 0 {
		decision = decision.PutOff(c.network, unasked[0])
		for _, ordinal := range unasked { // they are at the next pass
			delete(o.heard, state.Life(seen.Nodes[ordinal].Pod))
		}
	}
	for _, ordinal := range rollout.Synced(seen) {
		if p := c.byUID(seen.Nodes[ordinal].Pod.UID); p != nil {
			p.gateOpen = true
		}
	}
	if !o.lead(seen, decision.Lead, killed) {
		o.kill()
		return seen, size, decision
	}
	if decision.Step != nil && !o.take(seen, decision, killed) {
		o.kill()
		return seen, size, decision
	}
	if decision.Step == nil {
		c.network.Status.Rollout = decision.Down
	}
	c.network.Status.DrainsHeldSince = drain.HeldSince
	o.reportRepairs(seen)
	if c.now.Sub(o.recordedAt) >= time.Minute {
		o.record(seen)
	}
	return seen, size, decision
}

// lead leads clients where they are to go, after it was recorded. It reports whether the
// operator lives.
func (o *operator) lead(seen *state.Network, lead rollout.Lead, killed moment) bool {
	c := o.cluster
	if lead.Move != nil {
		if killed == beforeRecord {
			return false
		}
		if from := seen.Node(lead.Move.From).Pod; lead.Move.Because == rollout.Silent && from != nil && c.answersHTTP(c.byUID(from.UID)) {
			return true // it was asked once more
		}
		o.moved(*lead.Move, seen)
	}
	c.network.Status.Primary = lead.Primary
	if lead.Move != nil && killed == afterRecord {
		return false
	}
	c.leads = 0
	if lead.Primary != nil {
		c.leads = int(lead.Primary.Ordinal)
	}
	return true
}

// observe is what the package observe finds out.
func (o *operator) observe(age int) *state.Network {
	c := o.cluster
	if o.since.IsZero() {
		o.since = c.now
	}
	now := c.secret()
	o.passwords[now.current], o.passwords[now.previous] = true, true
	seen := &state.Network{
		Now: c.now, Chain: statetest.Regtest, Private: c.private, Wanted: int(c.network.Spec.Nodes),
		Secret: state.Secret{Pairs: 1, ChangedAt: now.since},
	}
	replicas := 0
	if c.set != nil {
		seen.StatefulSet, replicas = c.set.DeepCopy(), int(*c.set.Spec.Replicas)
	}
	byOrdinal := map[int]*corev1.Pod{}
	count := max(seen.Wanted, replicas)
	for _, pod := range o.cached(age) {
		ordinal := int(pod.Name[len(pod.Name)-1] - '0')
		byOrdinal[ordinal], count = pod, max(count, ordinal+1)
	}
	for ordinal := range count {
		seen.Nodes = append(seen.Nodes, o.observeNode(ordinal, byOrdinal[ordinal]))
	}
	for ordinal := range c.claims {
		seen.SpareData = seen.SpareData || ordinal >= count
	}
	all := c.now.Sub(o.allAsked) >= check || o.secretWas != now
	o.secretWas = now
	o.askAll(seen, all)
	o.remember(seen)
	return seen
}

// restsOn returns the nodes on whose answers it rests what is done by a decision.
func (o *operator) restsOn(seen *state.Network, decision rollout.Decision) []int {
	return slices.Concat(decision.RestsOn(seen), rollout.SyncedRestsOn(seen, rollout.Synced(seen)))
}

// askAll asks all nodes, or those that have not said how they stand since something
// happened to them. Where one has a better block than was known, all are asked.
func (o *operator) askAll(seen *state.Network, all bool) {
	for ordinal := range seen.Nodes {
		node := &seen.Nodes[ordinal]
		heard, known := o.recall(*node)
		_, lacks := o.lacked[node.Data]
		awaits := node.Pod != nil && o.best != nil && state.AwaitsSync(node.Pod)
		if all || !known || lacks && seen.Private || awaits {
			o.askOne(seen, ordinal)
		} else {
			*node = heard
		}
	}
	if all || o.askBetter(seen) {
		o.allAsked = seen.Now
	}
}

// recall returns what a node last said that was well, if nothing has happened to it since.
func (o *operator) recall(node state.Node) (heard state.Node, known bool) {
	if node.Pod == nil || node.Problem != "" {
		return state.Node{}, false
	}
	last, known := o.heard[state.Life(node.Pod)]
	if !known || last.Data != node.Data || state.IsReady(last.Pod) && !state.IsReady(node.Pod) {
		return state.Node{}, false
	}
	last.Pod = node.Pod // ready or not, until then nothing has happened to it
	o.heard[state.Life(node.Pod)] = last
	heard = node
	heard.Answers, heard.Shown, heard.Tip, heard.AskedAt = true, true, last.Tip, last.AskedAt
	heard.AcceptsOld, heard.MayAcceptOld, heard.RejectsPrevious = last.AcceptsOld, last.MayAcceptOld, last.RejectsPrevious
	heard.RejectsCurrent = last.RejectsCurrent
	return heard, true
}

// askBetter asks all nodes where one tells of a better block than was known.
func (o *operator) askBetter(seen *state.Network) bool {
	if !seen.Private || !slices.ContainsFunc(seen.Nodes, func(node state.Node) bool {
		return node.Shown && node.Tip.Height > 0 && (o.best == nil || node.Tip.Compare(*o.best) > 0)
	}) {
		return false
	}
	for ordinal := range seen.Nodes {
		o.askOne(seen, ordinal)
	}
	return true
}

// askUnasked asks those of nodes that were not asked in this pass, and reports whether
// there were any.
func (o *operator) askUnasked(seen *state.Network, ordinals []int) bool {
	unasked := seen.Unasked(ordinals)
	for _, ordinal := range unasked {
		o.askOne(seen, ordinal)
	}
	if len(unasked) > 0 {
		o.askBetter(seen)
		o.remember(seen)
	}
	return len(unasked) > 0
}

// askOne asks a node, unless it was asked in this pass or cannot be.
func (o *operator) askOne(seen *state.Network, ordinal int) {
	c, node := o.cluster, &seen.Nodes[ordinal]
	if node.Asked || node.Pod == nil || node.Problem != "" {
		return
	}
	node.Asked, node.AskedAt = true, seen.Now
	node.Answers, node.Shown = false, false
	if p := c.byUID(node.Pod.UID); p != nil && c.answersHTTP(p) {
		o.ask(seen, node, p)
	} else {
		node.Problem = "it does not answer in time"
	}
	if node.Answers && node.Problem == "" {
		o.heard[state.Life(node.Pod)] = *node
	} else {
		delete(o.heard, state.Life(node.Pod))
	}
}

// cached returns the pods as they were a while ago, but not before what was seen.
func (o *operator) cached(age int) []*corev1.Pod {
	all := o.cluster.snapshots
	if len(all) == 0 {
		return nil
	}
	o.age = min(age, o.age+1, len(all)-1)
	return all[len(all)-1-o.age]
}

func (o *operator) observeNode(ordinal int, cached *corev1.Pod) state.Node {
	c := o.cluster
	node := state.Node{Problem: "it has no pod"}
	if claim := c.claims[ordinal]; claim != nil {
		node.Data = claim.uid
	}
	if cached == nil {
		if len(c.pods) >= c.maxPods {
			node = state.Missing("exceeded quota")
			node.Data = ""
			if claim := c.claims[ordinal]; claim != nil {
				node.Data = claim.uid
			}
		}
		return node
	}
	node.Pod, node.Problem = cached, state.PodProblem(cached)
	if state.InPods(c.network) {
		node.Data = cached.UID
	}
	node.Tip = node.FirstTip(o.since)
	if tip, known := o.tips[node.Data]; known {
		node.Tip = &tip
	}
	node.RefusedAt = o.refused[refusal{cached.UID, v1alpha1.ReplaceAction}]
	node.NotStoppedAt = o.refused[refusal{cached.UID, v1alpha1.RestartAction}]
	node.HadBest = o.hadBest[node.Data]
	node.LastServed = remembered(o.served, cached.UID, c.now)
	node.LastAnswer = remembered(o.answered, state.Life(cached), c.now)
	return node
}

// ask asks a node that answers, at its address, whatever the cache says of it.
func (o *operator) ask(seen *state.Network, node *state.Node, p *pod) {
	c, now := o.cluster, o.cluster.secret()
	for password := range o.passwords {
		node.Answers = node.Answers || c.accepts(p, password)
		node.AcceptsOld = node.AcceptsOld || c.accepts(p, password) && password != now.current && password != now.previous
	}
	if node.Answers || c.now.Sub(p.container.startedAt) >= 30*time.Second {
		node.Tip, node.Shown = c.tell(p.data.tip), true
		if height, lies := o.lies[p.data.uid]; lies {
			node.Tip = new(statetest.Block(int32(height), "f"))
		}
	}
	if !node.Answers {
		node.RejectsAll, node.Problem = true, "it rejects all credentials known to the operator"
		return
	}
	node.RejectsCurrent = !c.accepts(p, now.current)
	node.RejectsPrevious = now.previous != 0 && !c.accepts(p, now.previous)
	node.MayAcceptOld = o.since.After(now.since) && seen.MissedSecret(*node) // nobody was there when it changed
}

func remembered[K comparable, V any](from map[K]V, key K, now V) V {
	if _, known := from[key]; !known {
		from[key] = now
	}
	return from[key]
}

// remember finds the best block, and keeps what was found out.
func (o *operator) remember(seen *state.Network) {
	recorded := state.Recorded(o.cluster.network)
	if o.best != nil && (recorded == nil || o.best.Compare(*recorded) >= 0) {
		recorded = o.best
	}
	seen.SetBest(recorded)
	o.best = seen.Best
	for ordinal := range seen.Nodes {
		node := &seen.Nodes[ordinal]
		o.rememberAlive(ordinal, node, seen.Now)
		if lacked, known := o.lacked[node.Data]; !node.Shown || seen.IsSynced(*node) || known && node.Tip.Compare(lacked) >= 0 {
			delete(o.behind, node.Data)
			delete(o.lacked, node.Data)
		}
		if node.Shown && !seen.IsSynced(*node) {
			node.BehindSince = remembered(o.behind, node.Data, seen.Now)
			remembered(o.lacked, node.Data, *seen.Best)
		}
		if node.Pod == nil {
			continue
		}
		if node.Tip != nil {
			o.tips[node.Data] = *node.Tip
		}
		if seen.Has(*node) {
			o.hadBest[node.Data], node.HadBest = seen.Now, seen.Now
		}
		if node.Answers {
			o.answered[state.Life(node.Pod)], node.LastAnswer = seen.Now, seen.Now
		}
		if seen.Serves(*node) {
			o.served[node.Pod.UID], node.LastServed = seen.Now, seen.Now
		}
	}
}

func (o *operator) rememberAlive(ordinal int, node *state.Node, now time.Time) {
	if node.Pod != nil {
		delete(o.missing, ordinal)
	}
	switch {
	case node.IsAlive():
		node.LastAlive = node.AliveAt(now)
		o.alive[ordinal] = node.LastAlive
	case node.Pod == nil:
		node.LastAlive = remembered(o.missing, ordinal, now)
	default:
		node.LastAlive = later(o.alive[ordinal], state.UnservedSince(node.Pod))
	}
}

// apply makes the objects as they should be.
func (o *operator) apply(seen *state.Network, size rollout.Size, drain rollout.Drain) {
	c := o.cluster
	c.budget = drain.Budget
	if c.set == nil {
		c.set = &appsv1.StatefulSet{Spec: appsv1.StatefulSetSpec{Replicas: new(int32(size.Pods))}, ObjectMeta: metav1.ObjectMeta{Generation: 1}}
		c.set.Spec.Template.Spec.TerminationGracePeriodSeconds = new(int64(endsWithin))
		c.applied = c.wanted
	}
	if c.applied != c.wanted {
		c.applied = c.wanted
		c.set.Generation++
	}
	scale := func() bool {
		if int(*c.set.Spec.Replicas) != size.Pods {
			c.set.Spec.Replicas = new(int32(size.Pods))
			c.set.Generation++
		}
		return true
	}
	switch {
	case size.Pods >= int(*c.set.Spec.Replicas):
		scale()
	case o.isStillThere(seen, size.Keeper):
		o.record(seen)
		if primary := c.network.Status.Primary; primary != nil {
			c.leads = int(primary.Ordinal) // it may have been killed before it got there
		}
		o.act(act{size: size.Pods, seen: seen, do: scale})
	}
	seen.StatefulSet = c.set.DeepCopy()
}

// record writes the best block into the status.
func (o *operator) record(seen *state.Network) {
	status := &o.cluster.network.Status
	status.BestBlock = nil
	if best := seen.Best; best != nil {
		status.BestBlock = &v1alpha1.BestBlockStatus{Height: best.Height, Hash: best.Hash, ChainWork: best.Work}
	}
	o.recordedAt = seen.Now
}

// reportRepairs carries over how often nodes were repaired.
func (o *operator) reportRepairs(seen *state.Network) {
	var repairs []v1alpha1.RepairStatus
	goOn := rollout.Repairs(o.cluster.network, seen)
	for ordinal := range seen.Nodes {
		if repair, goesOn := goOn[ordinal]; goesOn {
			repairs = append(repairs, repair)
		}
	}
	o.cluster.network.Status.Repairs = repairs
}

// take takes a step, after it was recorded. It reports whether the operator lives.
func (o *operator) take(seen *state.Network, decision rollout.Decision, killed moment) bool {
	c, step := o.cluster, decision.Step
	if killed == beforeRecord {
		return false
	}
	o.record(seen)
	pod := seen.Nodes[step.Ordinal].Pod
	before := slices.Clone(decision.Down)
	taken := v1alpha1.RolloutStatus{Ordinal: int32(step.Ordinal), Action: step.Action, PodUID: pod.UID, Restarts: state.Restarts(pod), Since: metav1.NewTime(c.now.Truncate(time.Second))}
	c.network.Status.Rollout = append(slices.DeleteFunc(slices.Clone(before), func(other v1alpha1.RolloutStatus) bool {
		return other.Ordinal == taken.Ordinal
	}), taken)
	if step.Repair {
		o.reportRepairs(seen)
		repair := v1alpha1.RepairStatus{Ordinal: taken.Ordinal, Count: 1, Last: taken.Since}
		repair.Count += rollout.Repairs(c.network, seen)[step.Ordinal].Count
		c.network.Status.Repairs = append(slices.DeleteFunc(slices.Clone(c.network.Status.Repairs), func(other v1alpha1.RepairStatus) bool {
			return other.Ordinal == taken.Ordinal
		}), repair)
	}
	if killed == afterRecord {
		return false
	}
	there := o.isStillThere(seen, step.Keeper)
	do := func() bool { return there && o.execute(step, pod.UID) }
	again := slices.ContainsFunc(before, func(other v1alpha1.RolloutStatus) bool {
		return other.Ordinal == taken.Ordinal && other.Action == v1alpha1.ReplaceAction
	})
	if done := o.act(act{step: step, again: again, size: int(*c.set.Spec.Replicas), seen: seen, do: do}); !done {
		c.network.Status.Rollout = before
		if there {
			o.refused[refusal{pod.UID, step.Action}] = c.now
		}
	}
	return killed != afterAct
}

// isStillThere reports whether the node on which an act rests is still there, and not on
// its way out: the cache may have been behind.
func (o *operator) isStillThere(seen *state.Network, keeper *int) bool {
	if keeper == nil {
		return true
	}
	p := o.cluster.byUID(seen.Nodes[*keeper].Pod.UID)
	return p != nil && p.goneAt.IsZero()
}

// execute does what a step says, as far as it can be done.
func (o *operator) execute(step *rollout.Step, uid types.UID) bool {
	c := o.cluster
	if step.Action == v1alpha1.ReplaceAction {
		return c.evict(uid)
	}
	p := c.byUID(uid)
	if !c.answersHTTP(p) {
		return false
	}
	c.end(p, 0)
	return true
}

// links are the links that do not stand, of a chain of nodes each of which dials the
// one before it.
func (o *operator) links(seen *state.Network) peering.Plan {
	var plan peering.Plan
	for from := 1; from < len(seen.Nodes); from++ {
		if !seen.Nodes[from].Shown || !seen.Nodes[from-1].Shown {
			plan.Missing = append(plan.Missing, peering.Link{From: from, To: from - 1})
		}
	}
	return plan
}
