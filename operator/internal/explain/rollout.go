package explain

import (
	"fmt"
	"strings"

	"github.com/fluxcd/pkg/apis/meta"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/resources"
)

// rollouts says which node is being restarted or replaced, and what the next one waits for.
func rollouts(s *subject) []Finding {
	if s.network == nil {
		return nil
	}
	var findings []Finding
	ready := s.condition(meta.ReadyCondition)
	if ready != nil && ready.Reason != v1alpha1.SuspendedReason {
		if waits := s.waits(ready.Reason, ready.Message); waits != "" {
			found := finding(Rollout, Waiting, ready)
			found.Message = waits
			if ready.Reason == v1alpha1.RolloutBlockedReason {
				found.Level = Problem
			}
			findings = append(findings, found)
		}
	}
	for _, taken := range s.network.Status.Rollout {
		doing := "being replaced"
		if taken.Action == v1alpha1.RestartAction {
			doing = "being restarted"
		}
		findings = append(findings, Finding{
			Step: Rollout, Level: Note, Reason: string(taken.Action), Since: &taken.Since,
			Message: fmt.Sprintf("%s is %s", resources.PodName(s.network, int(taken.Ordinal)), doing),
		})
	}
	if held := s.network.Status.DrainsHeldSince; held != nil {
		findings = append(findings, Finding{Step: Rollout, Level: Note, Reason: "DrainsHeld", Since: held,
			Message: "drains of machines are held up because fewer than two ready nodes have the best block"})
	}
	return findings
}

// waits returns what of Ready's message is about a rollout: all of it, or what comes after
// the words of the condition that it repeats.
func (s *subject) waits(reason, message string) string {
	if reason == v1alpha1.RollingReason {
		return message
	}
	for _, name := range summedUp {
		condition := s.condition(name)
		if condition == nil {
			continue
		}
		if tail, repeats := strings.CutPrefix(message, condition.Message+"; "); repeats {
			return tail
		}
	}
	if reason == v1alpha1.RolloutBlockedReason {
		return message
	}
	return ""
}
