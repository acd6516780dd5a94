package controller

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/bitcoind"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/plan"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/resources"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/rollout"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/status"
)

// applyShape makes the network's objects, by the shape that was decided. What rests on
// the best block, as when nodes are scaled away, has it on record first.
func (p *pass) applyShape(ctx context.Context, shape plan.Shape) (created bool, err error) {
	if p.seen.HandsOff(p.network) {
		return false, p.endHold(ctx, shape.Drain)
	}
	pods, _ := state.Replicas(p.seen.StatefulSet)
	if pods > shape.Size.Pods {
		p.leadAgain(ctx)
	}
	if pods > shape.Size.Pods && p.seen.AtStake() {
		p.tell(status.Before(p.network, p.seen, shape))
		status.RecordBest(p.network, p.seen)
		if err := p.writeStatus(ctx); err != nil {
			return false, err
		}
		kept, err := p.isStillThere(ctx, shape.Size.Keeper)
		if err != nil {
			return false, err
		}
		if !kept { // the cache is about to hear of it, which brings the next pass
			shape.Size.Pods = pods
		}
	}
	return p.applyChildren(ctx, shape)
}

// isStillThere reports whether the pod of the node on which an act rests is there, and
// not on its way out, by the API server's own word: the cache may be a moment behind.
func (p *pass) isStillThere(ctx context.Context, keeper *int) (bool, error) {
	if keeper == nil {
		return true, nil
	}
	seen := p.seen.Nodes[*keeper].Pod
	var pods corev1.PodList
	if err := p.API.List(ctx, &pods, client.InNamespace(seen.Namespace), client.MatchingFields{metav1.ObjectNameField: seen.Name}); err != nil {
		return false, fmt.Errorf("look for pod %s: %w", seen.Name, err)
	}
	return slices.ContainsFunc(pods.Items, func(pod corev1.Pod) bool {
		return pod.UID == seen.UID && pod.DeletionTimestamp.IsZero()
	}), nil
}

// endHold lets drains go on that were held up for long enough, also of a network that
// the operator keeps its hands off otherwise: nobody may make a machine undrainable.
func (p *pass) endHold(ctx context.Context, drain rollout.Drain) error {
	if !drain.Ended || p.seen.StatefulSet == nil {
		return nil
	}
	found, err := p.find(ctx, []client.Object{resources.PodDisruptionBudget(p.network, drain.Budget)})
	if err != nil {
		return err
	}
	_, err = p.applyChild(ctx, found[0])
	return err
}

// act executes a plan. An object that could not be made holds up nothing here, a
// change of credentials least of all.
func (p *pass) act(ctx context.Context, todo plan.Plan) status.Outcome {
	var outcome status.Outcome
	p.updatePeers(ctx, todo.Links)
	failures := []error{p.openGates(ctx, todo.Synced), p.resize(ctx, todo, &outcome)}
	var err error
	outcome.Connection, err = p.connect(ctx, todo.Rollout.Lead)
	failures = append(failures, err)
	stays := true // the node that would mine
	if step := todo.Rollout.Step; step != nil {
		refused, err := p.take(ctx, todo.Rollout)
		outcome.Refused, failures = refused, append(failures, err)
		stays = refused != nil || err != nil && todo.Mine != nil && todo.Mine.Node != step.Ordinal
	}
	outcome.MiningProblem = todo.MiningProblem
	if todo.Mine != nil && stays {
		outcome.Mined, outcome.MiningProblem = todo.Mine, p.mine(ctx, todo.Mine)
		p.Observer.LookAtAll(client.ObjectKeyFromObject(p.network)) // a block is everybody's
	}
	outcome.Failure = errors.Join(failures...)
	return outcome
}

// take takes a step of the rollout, after it has been put on record. A step that for
// certain did not come to pass is taken off the record again. Of one whose answer got
// lost nobody knows: it stays there until the node is seen to serve.
func (p *pass) take(ctx context.Context, decision rollout.Decision) (refused *rollout.Wait, err error) {
	step := decision.Step
	recorded := p.network.Status.DeepCopy()
	status.RecordStep(p.network, p.seen, decision)
	if err := p.writeStatus(ctx); err != nil {
		p.network.Status = *recorded
		return &rollout.Wait{Node: step.Ordinal, On: rollout.OnTime, For: "the network's status to be written"}, err
	}
	pod := p.seen.Nodes[step.Ordinal].Pod
	p.Observer.Told(client.ObjectKeyFromObject(p.network), p.seen, step.Ordinal)
	if step.Action == v1alpha1.RestartAction {
		refused = p.restart(ctx, step)
	} else {
		refused, err = p.replace(ctx, step, pod)
	}
	if refused != nil || apierrors.IsForbidden(err) || apierrors.IsInvalid(err) {
		p.network.Status = *recorded
	}
	if refused != nil || err != nil {
		return refused, err
	}
	ctrl.LoggerFrom(ctx).Info("took down a node", "pod", pod.Name, "action", step.Action, "why", step.Why)
	return nil, nil
}

// restart has a node's bitcoind end, so that the kubelet starts it again.
func (p *pass) restart(ctx context.Context, step *rollout.Step) *rollout.Wait {
	err := p.nodes.Shutdown(ctx, p.endpoint(step.Ordinal))
	if !bitcoind.IsRefusal(err) {
		return nil
	}
	p.Observer.NotStopped(client.ObjectKeyFromObject(p.network), p.seen, step.Ordinal)
	return &rollout.Wait{Node: step.Ordinal, On: rollout.OnNode, For: "its bitcoind to accept the call to stop: " + bitcoind.Explain(err)}
}

// evictionTimeout is how long an eviction may take. The API server asks for patience
// while it works out a disruption budget, and the client would wait for up to minutes.
const evictionTimeout = 2 * time.Second

// replace evicts a pod, which a PodDisruptionBudget may refuse for now. The
// StatefulSet makes its successor.
func (p *pass) replace(ctx context.Context, step *rollout.Step, pod *corev1.Pod) (*rollout.Wait, error) {
	kept, err := p.isStillThere(ctx, step.Keeper)
	if err != nil {
		return &rollout.Wait{Node: step.Ordinal, On: rollout.OnTime, For: "the API server to confirm the state of the other nodes"}, err
	}
	if !kept {
		return &rollout.Wait{Node: step.Ordinal, On: rollout.OnTime, For: "another node to have the best block: the one that had it is gone"}, nil
	}
	eviction := &policyv1.Eviction{
		ObjectMeta: metav1.ObjectMeta{Name: pod.Name, Namespace: pod.Namespace},
		DeleteOptions: &metav1.DeleteOptions{
			Preconditions: metav1.NewUIDPreconditions(string(pod.UID)),
		},
	}
	if step.AtOnce {
		eviction.DeleteOptions.GracePeriodSeconds = new(int64(1)) // 0 would not wait for the kubelet
	}
	short, cancel := context.WithTimeout(ctx, evictionTimeout)
	defer cancel()
	err = p.Client.SubResource("eviction").Create(short, pod, eviction)
	switch {
	case apierrors.IsTooManyRequests(err):
		p.Observer.Refused(client.ObjectKeyFromObject(p.network), p.seen, step.Ordinal)
		return &rollout.Wait{Node: step.Ordinal, On: rollout.OnBudget, For: "a disruption budget to allow its eviction"}, nil
	case apierrors.IsNotFound(err), apierrors.IsConflict(err):
		return &rollout.Wait{Node: step.Ordinal, On: rollout.OnTime, For: "its new pod, because something else has replaced the old one"}, nil
	case ctx.Err() == nil && short.Err() != nil:
		return nil, nil // it may have gone through
	case err != nil:
		return nil, fmt.Errorf("evict pod %s: %w", pod.Name, err)
	}
	return nil, nil
}

// openGates tells the kubelet that nodes have the best block.
func (p *pass) openGates(ctx context.Context, ordinals []int) error {
	var errs []error
	opened := map[types.UID]bool{}
	for _, ordinal := range ordinals {
		before := p.seen.Nodes[ordinal].Pod
		if opened[before.UID] = p.cache.opened[before.UID]; opened[before.UID] {
			continue // the informers do not have it yet
		}
		pod := before.DeepCopy()
		pod.Status.Conditions = append(pod.Status.Conditions, corev1.PodCondition{
			Type:               resources.SyncedCondition,
			Status:             corev1.ConditionTrue,
			LastTransitionTime: metav1.NewTime(p.seen.Now),
		})
		err := p.Client.Status().Patch(ctx, pod, client.StrategicMergeFrom(before), client.FieldOwner(fieldOwner))
		opened[before.UID] = err == nil
		if client.IgnoreNotFound(err) != nil {
			errs = append(errs, fmt.Errorf("open the readiness gate of pod %s: %w", pod.Name, err))
		}
	}
	p.cache.opened = opened
	return errors.Join(errs...)
}

// mine has a node make a block that is due. It returns why it could not.
func (p *pass) mine(ctx context.Context, block *plan.Block) (problem string) {
	height := int64(p.seen.Nodes[block.Node].State.Chain.Blocks) + 1
	if _, err := p.nodes.Mine(ctx, p.endpoint(block.Node), 1, plan.CoinsOf(p.network, height)); err != nil {
		problem = bitcoind.Explain(err)
		ctrl.LoggerFrom(ctx).Info("could not mine a block", "pod", p.seen.Nodes[block.Node].Pod.Name, "problem", problem)
	}
	return problem
}

// endpoint is where, and with what, a node is reached that has answered.
func (p *pass) endpoint(ordinal int) bitcoind.Endpoint {
	return p.Observer.Endpoint(p.network, p.seen, ordinal)
}
