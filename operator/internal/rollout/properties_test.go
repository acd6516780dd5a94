package rollout_test

import (
	"flag"
	"maps"
	"slices"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/types"
	"pgregory.net/rapid"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state"
)

// history is a generated history of a network and its operator, which is watched for
// what must never happen.
type history struct {
	*cluster
	operator *operator
	t        *rapid.T
	// down are the nodes that served until the operator took them down.
	down map[int]fallen
	// restarts counts how often a node was restarted for the Secret as it is.
	restarts map[int]int
	// liars reports that nodes claim what they do not have.
	liars bool
	leading
}

// fallen is a node that the operator took down.
type fallen struct {
	since time.Time
	// forTemplate reports that it was for a changed template.
	forTemplate bool
}

// Histories are cheap: there are more of them than rapid would try by itself.
func init() { _ = flag.Set("rapid.checks", "500") }

func newHistory(t *rapid.T) *history {
	storage := rapid.SampledFrom([]*v1alpha1.Storage{
		nil, nil, nil,
		{WhenScaled: appsv1.RetainPersistentVolumeClaimRetentionPolicyType},
		{WhenScaled: appsv1.DeletePersistentVolumeClaimRetentionPolicyType},
	}).Draw(t, "storage")
	h := &history{
		cluster: newCluster(
			rapid.Int32Range(1, 4).Draw(t, "nodes"), storage,
			rapid.IntRange(0, 9).Draw(t, "chain") > 0,
			time.Duration(rapid.SampledFrom([]int{0, 2, 20, 59}).Draw(t, "lag"))*time.Second,
		),
		t: t, down: map[int]fallen{}, restarts: map[int]int{}, leading: leading{quiet: map[int][]int{}, lacking: map[int]int{}},
	}
	h.network.Spec.Primary = rapid.SampledFrom(primaries).Draw(t, "primary")
	h.operator = newOperator(h.cluster)
	h.operator.act, h.operator.moved = h.act, h.moved
	h.run(20, 0)
	if p := h.pods[0]; p != nil {
		h.mine(p.data)
	}
	h.run(10, 0)
	return h
}

// run lets so many seconds pass, with a pass of the operator in each, by a cache that
// is some seconds old.
func (h *history) run(seconds, age int) {
	for range seconds {
		h.tick()
		h.pass(age, never)
	}
}

// pass has the operator look, and holds it to what it has to say.
func (h *history) pass(age int, killed moment) {
	h.standUp(h.operator.best)
	h.passes++
	seen, size, decision := h.operator.pass(age, killed)
	h.watchLead(seen)
	if size.Pods > seen.Wanted && seen.Wanted > 1 && (size.Wait == nil || size.Wait.For == "") {
		h.t.Fatalf("there are %d nodes instead of %d, and nobody says why", size.Pods, seen.Wanted)
	}
	if decision.Pending == 0 || decision.Step != nil || decision.Wait != nil && decision.Wait.For != "" {
		return
	}
	changing := func(node state.Node) bool { return node.Pod == nil || node.Pod.DeletionTimestamp != nil }
	if !slices.ContainsFunc(seen.Nodes, changing) {
		h.t.Fatalf("%d nodes wait, and nobody says for what", decision.Pending)
	}
}

// standUp takes note of the nodes that serve again.
func (h *history) standUp(best *state.Block) {
	maps.DeleteFunc(h.down, func(ordinal int, _ fallen) bool {
		p := h.pods[ordinal]
		if ordinal >= int(*h.set.Spec.Replicas) {
			return true
		}
		return p != nil && p.goneAt.IsZero() && h.isReady(p) && (!h.private || h.blocks[p.data.tip].work >= h.workOf(best))
	})
}

// mostWork is the most work that the data of the network's nodes have to show for.
func (h *history) mostWork() int { return h.mostWorkOf(h.data(h.isNode)) }

func (h *history) mostWorkOf(all []*data) int {
	most := 0
	for _, data := range all {
		most = max(most, h.blocks[data.tip].work)
	}
	return most
}

// workOf returns the work of a block that the operator was told of.
func (h *history) workOf(told *state.Block) int {
	for id := range h.blocks {
		if told != nil && *h.tell(id) == *told {
			return h.blocks[id].work
		}
	}
	return 0
}

// isNode reports whether the network has a node of that ordinal, and not just a volume
// of one that it had.
func (h *history) isNode(ordinal int) bool { return ordinal < int(*h.set.Spec.Replicas) }

// data returns the data of those nodes that there will be: on volumes, and in pods
// that are not on their way out.
func (h *history) data(stays func(ordinal int) bool) []*data {
	var found []*data
	for ordinal, claim := range h.claims {
		if stays(ordinal) {
			found = append(found, claim)
		}
	}
	for ordinal, p := range h.pods {
		if h.claims[ordinal] == nil && p.goneAt.IsZero() && stays(ordinal) {
			found = append(found, p.data)
		}
	}
	return found
}

// act watches what the operator does.
func (h *history) act(act act) bool {
	// What it has been told of, and is still there to be lost.
	stays := func(int) bool { return true }
	best := min(h.workOf(act.seen.Best), h.mostWorkOf(h.data(stays)))
	h.standUp(act.seen.Best)
	h.watchLeaving(act)
	serves := act.step != nil && h.serves(act.seen.Nodes[act.step.Ordinal], act.seen)
	done := act.do()
	if done && act.step != nil {
		h.watch(act, serves)
	}
	if act.step == nil && h.deletesClaims() || state.InPods(h.network) {
		stays = func(ordinal int) bool { return ordinal < act.size }
	}
	most := h.mostWorkOf(h.data(stays))
	if h.private && !h.liars && act.size > 0 && most < best {
		h.t.Fatalf("the operator lost the chain: %d blocks are left of %d, by %+v", most, best, act.step)
	}
	return done
}

// serves reports whether a node serves, as the operator sees it and in truth.
func (h *history) serves(node state.Node, seen *state.Network) bool {
	p := h.byUID(node.Pod.UID)
	return seen.Serves(node) && p != nil && p.goneAt.IsZero()
}

// watch sees to it that one node at a time is down, and restarted no more often than
// it may.
func (h *history) watch(act act, served bool) {
	ordinal := act.step.Ordinal
	forTemplate := act.step.Action == v1alpha1.ReplaceAction && act.seen.IsOutdated(act.seen.Nodes[ordinal])
	if act.step.Action == v1alpha1.RestartAction {
		if h.restarts[ordinal]++; h.restarts[ordinal] > 2 {
			h.t.Fatalf("payments-%d is restarted for the third time", ordinal)
		}
	}
	forSecret := act.seen.Nodes[ordinal].RejectsAll
	if forTemplate && !forSecret && !act.again && h.restartsOnce(act.seen.Nodes[ordinal].Pod.UID) {
		for other, fallen := range h.down {
			if other != ordinal && fallen.forTemplate {
				h.t.Fatalf("payments-%d is replaced as it restarts, while payments-%d is down for the same change", ordinal, other)
			}
		}
	}
	if !served || h.liars { // who lies may claim to serve again
		return
	}
	for other, fallen := range h.down {
		patience := h.now.Sub(fallen.since) >= 5*time.Minute && !(fallen.forTemplate && forTemplate)
		if other != ordinal && !patience {
			h.t.Fatalf("payments-%d is taken down, to %s it, while payments-%d is down since %s", ordinal, act.step.Action, other, h.now.Sub(fallen.since))
		}
	}
	h.down[ordinal] = fallen{h.now, forTemplate}
}

// restartsOnce reports whether a pod's container has ended once, and will serve again:
// nothing is wrong with it.
func (h *history) restartsOnce(uid types.UID) bool {
	p := h.byUID(uid)
	return p != nil && p.container.ended != nil && p.container.ended.ExitCode != 0 &&
		(p.container.count == 1 || p.container.count == 2 && p.container.running) &&
		!p.crashes && !p.hangs && !p.deaf && !p.data.spoiled && h.templates[p.template] == (template{})
}

// pick returns one of the pods, or nil where there are none.
func (h *history) pick() *pod {
	if len(h.pods) == 0 {
		return nil
	}
	return h.pods[rapid.SampledFrom(h.ordinals()).Draw(h.t, "node")]
}

// change puts another Secret in the place of the one before.
func (h *history) change(current, previous int) {
	h.secrets = append(h.secrets, secret{since: h.now.Truncate(time.Second), current: current, previous: previous})
	clear(h.restarts)
}

// events are what may happen.
func (h *history) events() map[string]func(*rapid.T) {
	toOne := func(happens func(*pod)) func(*rapid.T) {
		return func(t *rapid.T) {
			if p := h.pick(); p != nil {
				happens(p)
			}
		}
	}
	roll := func(made template) func(*rapid.T) {
		return func(*rapid.T) {
			h.templates = append(h.templates, made)
			h.wanted = len(h.templates) - 1
		}
	}
	return map[string]func(*rapid.T){
		"": func(t *rapid.T) {
			h.run(rapid.IntRange(0, 5).Draw(t, "seconds"), rapid.IntRange(0, 3).Draw(t, "age of the cache"))
		},
		"time passes": func(t *rapid.T) {
			h.run(rapid.SampledFrom([]int{1, 2, 3, 5, 15, 60, 400}).Draw(t, "seconds"), rapid.IntRange(0, 3).Draw(t, "age of the cache"))
		},
		"the operator is away": func(t *rapid.T) {
			for range rapid.SampledFrom([]int{1, 10, 100}).Draw(t, "seconds") {
				h.tick()
			}
			h.operator.kill()
		},
		"the operator is killed in a pass": func(t *rapid.T) {
			h.pass(rapid.IntRange(0, 3).Draw(t, "age of the cache"), rapid.SampledFrom([]moment{beforeRecord, afterRecord, afterAct}).Draw(t, "moment"))
		},
		"a node crashes, and goes on crashing": toOne(func(p *pod) { p.crashes = true }),
		"a node crashes once":                  toOne(func(p *pod) { h.crash(p) }),
		"a node's data are spoiled":            toOne(func(p *pod) { p.data.spoiled = true }),
		"a node hangs":                         toOne(func(p *pod) { p.hangs = true }),
		"a node lags":                          toOne(func(p *pod) { p.lags = true }),
		"a node rejects everything":            toOne(func(p *pod) { p.deaf = true }),
		"a node recovers":                      toOne(recover),
		"a node is lost with its machine":      toOne(func(p *pod) { delete(h.pods, p.ordinal) }),
		"somebody drains a machine":            toOne(func(p *pod) { h.evict(p.uid) }),
		"a block is found": toOne(func(p *pod) {
			if p.container.running {
				h.mine(p.data)
			}
		}),
		"two nodes find a block each": func(*rapid.T) {
			for _, p := range []*pod{h.pick(), h.pick()} {
				if p != nil && p.container.running {
					h.mine(p.data)
				}
			}
		},
		"a chain is given up": func(t *rapid.T) { h.invalidate(rapid.Int32Range(1, 2).Draw(t, "blocks")) },
		"a quota is full":     func(t *rapid.T) { h.maxPods = rapid.IntRange(0, 3).Draw(t, "pods") },
		"a quota is raised":   func(*rapid.T) { h.maxPods = 100 },
		"machines are full":   func(*rapid.T) { h.full = true },
		"machines are added":  func(*rapid.T) { h.full = false },

		"another template":                      roll(template{}),
		"a template that crashes":               roll(template{crashes: true}),
		"a template without an image":           roll(template{noImage: true}),
		"a template that rejects all":           roll(template{deaf: true}),
		"a template that answers nobody":        roll(template{deadlocked: true}),
		"the template of before":                func(*rapid.T) { h.wanted = max(h.wanted-1, 0) },
		"another Secret":                        func(*rapid.T) { h.change(len(h.secrets)+1, 0) },
		"another Secret, beside that of before": func(*rapid.T) { h.change(len(h.secrets)+1, h.secret().current) },
		"the Secret of before is dropped": func(*rapid.T) {
			if now := h.secret(); now.previous != 0 {
				h.change(now.current, 0)
			}
		},
		"scale": func(t *rapid.T) { h.network.Spec.Nodes = rapid.Int32Range(1, 4).Draw(t, "nodes") },
	}
}

// crash ends a node's container once.
func (h *history) crash(p *pod) {
	if p.container.running {
		h.end(p, 1)
	}
}

func recover(p *pod) { p.crashes, p.hangs, p.lags, p.deaf = false, false, false, false }

// invalidate has all nodes that run give up the last blocks of the best chain.
func (h *history) invalidate(blocks int32) {
	best := 0
	for _, p := range h.pods {
		if p.container.running && h.blocks[p.data.tip].work > h.blocks[best].work {
			best = p.data.tip
		}
	}
	if best == 0 {
		return
	}
	first := h.below(best, max(h.blocks[best].height-blocks, 0)+1)
	for _, p := range h.pods {
		if !p.container.running {
			continue
		}
		if p.data.invalid == nil {
			p.data.invalid = map[int]bool{}
		}
		p.data.invalid[first] = true
		p.data.tip = h.valid(p.data, p.data.tip)
	}
}

// calm ends all faults, and mends a bad template. Data without a volume may still be
// spoiled: new pods mend that.
func (h *history) calm() {
	h.maxPods, h.full = 100, false
	for _, p := range h.pods {
		recover(p)
		p.data.invalid = nil
	}
	for _, claim := range h.claims {
		claim.spoiled, claim.invalid = false, nil
	}
	if h.templates[h.wanted] != (template{}) {
		h.templates = append(h.templates, template{})
		h.wanted = len(h.templates) - 1
	}
}

// breakTies has a node that has as much as any that runs find a block: where two chains
// are equal, the next one decides.
func (h *history) breakTies() {
	var first *data
	for _, ordinal := range h.ordinals() {
		if p := h.pods[ordinal]; p.container.running && (first == nil || h.blocks[p.data.tip].work > h.blocks[first.tip].work) {
			first = p.data
		}
	}
	if first != nil {
		h.mine(first)
	}
}

// isSettled reports whether every node is as it should be, and says of which that is
// not so.
func (h *history) isSettled() (settled bool, but string) {
	if len(h.pods) != int(h.network.Spec.Nodes) {
		return false, "the number of nodes"
	}
	best := h.mostWork()
	for ordinal := range int(h.network.Spec.Nodes) {
		p := h.pods[ordinal]
		now := h.secret()
		switch {
		case p == nil || !p.goneAt.IsZero():
			return false, "a node that is being made"
		case p.template != h.wanted:
			return false, "a node of another template"
		case !h.isReady(p):
			return false, "a node that is not ready"
		case !h.accepts(p, now.current) || now.previous != 0 && !h.accepts(p, now.previous):
			return false, "a node that rejects the Secret"
		case h.private && h.blocks[p.data.tip].work < best:
			return false, "a node that is behind"
		}
		for password := range len(h.secrets) + 2 {
			if password != now.current && password != now.previous && h.accepts(p, password) {
				return false, "a node that accepts what was in the Secret before"
			}
		}
	}
	if lead := h.network.Status.Primary; lead == nil || int(lead.Ordinal) != h.leads || h.leads >= int(h.network.Spec.Nodes) || len(lead.Left) > 0 {
		return false, "a node to which clients are led that should not be"
	}
	return len(h.network.Status.Rollout) == 0, "a node that is still listed as taken down"
}

// isDilemma reports whether the only data that have what the operator takes for the
// best block, or may have it, are ones whose node does not start: then somebody has to
// decide.
func (h *history) isDilemma() bool {
	told := h.operator.best
	if !h.private || told == nil {
		return false
	}
	mayBe := false
	for _, ordinal := range h.ordinals() {
		p := h.pods[ordinal]
		made := h.templates[p.template]
		tip, known := h.operator.tips[p.data.uid]
		switch {
		case known && tip != *told:
		case p.data.spoiled || made.crashes || made.deadlocked:
			mayBe = true
		case known:
			return false
		}
	}
	return mayBe
}

func TestNothingIsLostAndNothingWaitsInVain(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := newHistory(t)
		t.Repeat(h.events())
		h.calm()
		// Pauses between repairs, and drains that are held, come to less than two hours.
		nextBlock := h.now.Add(time.Minute)
		for begun := h.now; h.now.Sub(begun) < 2*time.Hour; {
			h.run(1, 0)
			if settled, _ := h.isSettled(); settled {
				h.staysPut(t)
				return
			}
			if h.now.Sub(begun) > 5*time.Minute && h.isDilemma() {
				return
			}
			if h.now.After(nextBlock) {
				h.breakTies()
				nextBlock = h.now.Add(10 * time.Minute)
			}
			for range min(h.now.Sub(begun)/time.Minute, 10) {
				h.tick()
			}
		}
		_, but := h.isSettled()
		_, _, decision := h.operator.pass(0, never)
		t.Fatalf("after two hours there is %s; the operator says %+v", but, decision.Wait)
	})
}

func TestLiarsHarmOnlyTheirOwnNetwork(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := newHistory(t)
		h.liars = true
		events := h.events()
		events["a node lies"] = func(t *rapid.T) {
			if p := h.pick(); p != nil {
				h.operator.lies[p.data.uid] = rapid.Int64Range(0, 1e9).Draw(t, "height")
			}
		}
		t.Repeat(events)
	})
}
