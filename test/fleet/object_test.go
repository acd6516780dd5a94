package fleet

import (
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

func TestState(t *testing.T) {
	condition := func(kind, status, reason, message string) any {
		return map[string]any{"type": kind, "status": status, "reason": reason, "message": message, "lastTransitionTime": "2026-01-01T00:00:00Z"}
	}
	const commit = "281aa5c747b7306334c8296cfccb8dbae150e41e"
	tests := map[string]struct {
		generation int64
		status     map[string]any
		is, not    bool
		message    string
	}{
		"no object": {message: "Kustomization team-a/networks: not there yet"},
		"no status": {generation: 1, message: "Kustomization team-a/networks: says nothing yet"},
		"ready": {
			generation: 2, is: true, message: "Kustomization team-a/networks: Applied 281aa5c7",
			status: map[string]any{"observedGeneration": int64(2), "conditions": []any{condition("Ready", "True", "Succeeded", "Applied "+commit+"\nand more")}},
		},
		"ready before the last change": {
			generation: 2, message: "Kustomization team-a/networks: Applied",
			status: map[string]any{"observedGeneration": int64(1), "conditions": []any{condition("Ready", "True", "Succeeded", "Applied")}},
		},
		"failed, with no message": {
			generation: 1, not: true, message: "Kustomization team-a/networks: BuildFailed",
			status: map[string]any{"observedGeneration": int64(1), "conditions": []any{condition("Ready", "False", "BuildFailed", "")}},
		},
		"at work": {
			generation: 1, message: "Kustomization team-a/networks: Running health checks",
			status: map[string]any{"observedGeneration": int64(1), "conditions": []any{
				condition("Reconciling", "True", "Progressing", "Running health checks"),
				condition("Ready", "Unknown", "Progressing", "Reconciliation in progress"),
			}},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			u := &unstructured.Unstructured{Object: map[string]any{"metadata": map[string]any{"generation": test.generation}}}
			u.SetGroupVersionKind(Kustomization)
			u.SetNamespace("team-a")
			u.SetName("networks")
			if test.status != nil {
				u.Object["status"] = test.status
			}
			state, err := stateOf(u)
			if err != nil {
				t.Fatal(err)
			}
			if state.Is("Ready") != test.is || state.Not("Ready") != test.not {
				t.Errorf("is %v, not %v", state.Is("Ready"), state.Not("Ready"))
			}
			if got := state.Message("Ready"); got != test.message {
				t.Errorf("says %q, want %q", got, test.message)
			}
		})
	}
}
