package main

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestNext(t *testing.T) {
	now := time.Now()
	ago := func(duration time.Duration) time.Time { return now.Add(-duration) }
	bound := corev1.PodSpec{NodeName: "machine"}
	gated := corev1.PodSpec{NodeName: "machine", ReadinessGates: []corev1.PodReadinessGate{{ConditionType: "synced"}}}
	open := corev1.PodStatus{Conditions: []corev1.PodCondition{{Type: "synced", Status: corev1.ConditionTrue}}}
	deleted := metav1.ObjectMeta{DeletionTimestamp: &metav1.Time{Time: now}}
	for _, test := range []struct {
		name      string
		pod       corev1.Pod
		known     played
		want      step
		remaining time.Duration
	}{
		{"a new pod", corev1.Pod{}, played{}, bind, 0},
		{"a pod with a machine", corev1.Pod{Spec: bound}, played{}, run, 0},
		{"it has just started", corev1.Pod{Spec: bound}, played{running: now}, wait, opensAfter},
		{"it has started a while ago", corev1.Pod{Spec: bound}, played{running: ago(opensAfter)}, serve, 0},
		{"its port is open", corev1.Pod{Spec: bound}, played{running: ago(opensAfter), serves: true}, wait, readyAfter - opensAfter},
		{"its port is open for long enough", corev1.Pod{Spec: gated}, played{running: ago(readyAfter), serves: true}, comeUp, 0},
		{"it waits for the operator", corev1.Pod{Spec: gated}, played{running: ago(time.Hour), serves: true, up: true}, wait, 0},
		{"the operator has let it in", corev1.Pod{Spec: gated, Status: open}, played{running: ago(readyAfter), serves: true, up: true}, becomeReady, 0},
		{"it is ready", corev1.Pod{Spec: bound}, played{running: ago(time.Hour), serves: true, up: true, ready: true}, wait, 0},
		{"it is deleted", corev1.Pod{ObjectMeta: deleted, Spec: bound}, played{running: ago(time.Hour), serves: true, ready: true}, noticeEnd, 0},
		{"it ends", corev1.Pod{ObjectMeta: deleted, Spec: bound}, played{going: now}, wait, endsAfter},
		{"it has ended", corev1.Pod{ObjectMeta: deleted, Spec: bound}, played{going: ago(endsAfter)}, end, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, remaining := next(&test.pod, test.known, now)
			if got != test.want || remaining != test.remaining {
				t.Errorf("next is %d after %s, want %d after %s", got, remaining, test.want, test.remaining)
			}
		})
	}
}
