package controller

import (
	"strings"
	"testing"
	"unicode/utf8"

	corev1 "k8s.io/api/core/v1"
)

func TestPodProblem(t *testing.T) {
	condition := func(kind corev1.PodConditionType, status corev1.ConditionStatus, reason, message string) func(*corev1.Pod) {
		return func(pod *corev1.Pod) {
			pod.Status.Conditions = append(pod.Status.Conditions, corev1.PodCondition{Type: kind, Status: status, Reason: reason, Message: message})
		}
	}
	withoutContainers := func(pod *corev1.Pod) { pod.Status.ContainerStatuses = nil }
	alongside := func(pod *corev1.Pod) {
		// Such as a service mesh brings.
		proxy := corev1.ContainerStatus{Name: "proxy", State: waiting("ImagePullBackOff", "")}
		pod.Status.ContainerStatuses = append([]corev1.ContainerStatus{proxy}, pod.Status.ContainerStatuses...)
	}
	after := func(ended corev1.ContainerState) func(*corev1.ContainerStatus) {
		return func(status *corev1.ContainerStatus) { status.RestartCount, status.LastTerminationState = 1, ended }
	}

	for _, test := range []struct {
		reason string
		pod    *corev1.Pod
		want   string
	}{
		{"its container runs", runningPod(0), ""},
		{"its container runs, but is not ready: ask it why", runningPod(0, func(pod *corev1.Pod) {
			pod.Status.ContainerStatuses[0].Ready = false
		}), ""},
		{"it was scheduled", runningPod(0, condition(corev1.PodScheduled, corev1.ConditionTrue, "", "")), ""},
		{"that another container does not run is no reason not to ask", runningPod(0, alongside), ""},
		{"there is none", nil, "it has no pod"},
		{"it goes, though its container still runs", runningPod(0, terminating), "its pod is being deleted"},
		{"no machine takes it", runningPod(0, withoutContainers,
			condition(corev1.PodScheduled, corev1.ConditionFalse, "Unschedulable", "0/1 nodes are available: 1 Insufficient memory.")),
			"Unschedulable: 0/1 nodes are available: 1 Insufficient memory."},
		{"another condition that is False is not what keeps it from running", runningPod(0, withoutContainers,
			condition(corev1.PodReady, corev1.ConditionFalse, "ContainersNotReady", "")), "its pod is starting"},
		{"the kubelet has not said anything yet", runningPod(0, withoutContainers), "its pod is starting"},
		{"nor of the container", runningPod(0, container(corev1.ContainerState{})), "its pod is starting"},
		{"nobody says what the container waits for", runningPod(0, container(waiting("", ""))), "its pod is starting"},
		{"nobody says why no machine takes it", runningPod(0, condition(corev1.PodScheduled, corev1.ConditionFalse, "", "")), "its pod is starting"},
		{"its image is pulled", runningPod(0, container(waiting("ContainerCreating", ""))), "ContainerCreating"},
		{"its image cannot be pulled", runningPod(0, container(waiting("ImagePullBackOff", `Back-off pulling image "nosuch"`))),
			`ImagePullBackOff: Back-off pulling image "nosuch"`},
		{"it crashed: why is said at its end", runningPod(0, container(waiting("CrashLoopBackOff", "back-off 5m0s restarting failed container"),
			after(exited(1, "Error", "Error: Unable to start HTTP server. See debug log for details.\n")))),
			"CrashLoopBackOff: its container ended with exit code 1: Error: Unable to start HTTP server. See debug log for details."},
		{"it was killed for want of memory", runningPod(0, container(waiting("CrashLoopBackOff", "back-off"), after(exited(137, "OOMKilled", "")))),
			"CrashLoopBackOff: OOMKilled: its container needed more memory than its limit; raise spec.resources.limits.memory, or lower dbcache and maxmempool in spec.config"},
		{"it ended just now", runningPod(0, container(exited(1, "Error", "bad option"))),
			"its container ended with exit code 1: bad option"},
		{"it runs again", runningPod(0, func(pod *corev1.Pod) { after(exited(1, "Error", "bad option"))(&pod.Status.ContainerStatuses[0]) }), ""},
		{"it runs, and has no address: the operator would ask itself", runningPod(0, func(pod *corev1.Pod) { pod.Status.PodIP = "" }),
			"its pod has no address yet"},
	} {
		t.Run(test.reason, func(t *testing.T) {
			if got := podProblem(test.pod); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestBecause(t *testing.T) {
	for _, test := range []struct {
		rule                  string
		reason, message, want string
	}{
		{"both", "Unschedulable", "no machine", "Unschedulable: no machine"},
		{"no reason", "", "no machine", "no machine"},
		{"no message", "ContainerCreating", "", "ContainerCreating"},
		{"neither", "", "", ""},
		{"one line", "Error", " first\n\n\tsecond ", "Error: first second"},
		{"as long as may be", "Error", strings.Repeat("x", 300), "Error: " + strings.Repeat("x", 300)},
		{"the end of a log tells", "Error", strings.Repeat("x", 300) + " the error", "Error: …" + strings.Repeat("x", 290) + " the error"},
	} {
		t.Run(test.rule, func(t *testing.T) {
			if got := because(test.reason, test.message); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
	if cut := because("Error", strings.Repeat("ü", 1000)); !utf8.ValidString(cut) {
		t.Errorf("cut within a character: %q", cut)
	}
}

func TestNeverRan(t *testing.T) {
	restarted := func(status *corev1.ContainerStatus) { status.RestartCount = 1 }
	for _, test := range []struct {
		reason string
		pod    *corev1.Pod
		want   bool
	}{
		{"it runs", runningPod(0), false},
		{"it ended", runningPod(0, container(exited(0, "Completed", ""))), false},
		{"nobody has told of its container, as while it is not scheduled", runningPod(0, func(pod *corev1.Pod) { pod.Status.ContainerStatuses = nil }), true},
		{"it waits for its image", runningPod(0, container(waiting("ImagePullBackOff", ""))), true},
		{"it waits for the Secret", runningPod(0, container(waiting("CreateContainerConfigError", ""))), true},
		{"it waits after a crash", runningPod(0, container(waiting("CrashLoopBackOff", ""), restarted)), false},
		{"it ended before, and the restart is not counted yet", runningPod(0, container(waiting("CrashLoopBackOff", ""), func(status *corev1.ContainerStatus) {
			status.LastTerminationState = exited(1, "Error", "")
		})), false},
		{"its state is not known: do not take the risk", runningPod(0, container(corev1.ContainerState{})), false},
	} {
		t.Run(test.reason, func(t *testing.T) {
			if got := neverRan(test.pod); got != test.want {
				t.Errorf("got %t, want %t", got, test.want)
			}
		})
	}
}

func TestHostPort(t *testing.T) {
	if got, want := hostPort("10.0.0.1", 18443), "10.0.0.1:18443"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got, want := hostPort("fd00::1", 18443), "[fd00::1]:18443"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
