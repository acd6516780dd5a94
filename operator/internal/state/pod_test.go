package state_test

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state/statetest"
)

func TestPodProblem(t *testing.T) {
	condition := func(kind corev1.PodConditionType, status corev1.ConditionStatus, reason, message string) func(*corev1.Pod) {
		return func(pod *corev1.Pod) {
			pod.Status.Conditions = append([]corev1.PodCondition{{Type: kind, Status: status, Reason: reason, Message: message}}, pod.Status.Conditions...)
		}
	}
	withoutContainers := func(pod *corev1.Pod) { pod.Status.ContainerStatuses = nil }
	alongside := func(pod *corev1.Pod) {
		// Such as a service mesh brings.
		proxy := corev1.ContainerStatus{Name: "proxy", State: statetest.Waiting("ImagePullBackOff", "")}
		pod.Status.ContainerStatuses = append([]corev1.ContainerStatus{proxy}, pod.Status.ContainerStatuses...)
	}
	after := func(ended corev1.ContainerState) func(*corev1.ContainerStatus) {
		return func(status *corev1.ContainerStatus) { status.RestartCount, status.LastTerminationState = 1, ended }
	}

	// begins is a pod whose node waits for its entry point.
	begins := func(name string, current corev1.ContainerState) *corev1.Pod {
		return statetest.Pod(0, statetest.Container(statetest.Waiting("PodInitializing", "")), func(pod *corev1.Pod) {
			pod.Status.InitContainerStatuses = []corev1.ContainerStatus{{Name: name, State: current}}
		})
	}

	const (
		noEntryPoint  = "its image cannot run bitcoind-start, the entry point that every image of a network must have on its PATH"
		noSuchProgram = `exec: "bitcoind-start": executable file not found in $PATH`
	)
	for _, test := range []struct {
		reason string
		pod    *corev1.Pod
		want   string
	}{
		{"its container runs", statetest.Pod(0), ""},
		{"its container runs, but is not ready: ask it why", statetest.Pod(0, func(pod *corev1.Pod) {
			pod.Status.ContainerStatuses[0].Ready = false
		}), ""},
		{"it was scheduled", statetest.Pod(0, condition(corev1.PodScheduled, corev1.ConditionTrue, "", "")), ""},
		{"that another container does not run is no reason not to ask", statetest.Pod(0, alongside), ""},
		{"there is none", nil, "it has no pod"},
		{"it goes, though its container still runs", statetest.Pod(0, statetest.Terminating), "its pod is being deleted"},
		{"no machine takes it", statetest.Pod(0, withoutContainers,
			condition(corev1.PodScheduled, corev1.ConditionFalse, "Unschedulable", "0/1 nodes are available: 1 Insufficient memory.")),
			"Unschedulable: 0/1 nodes are available: 1 Insufficient memory."},
		{"another condition that is False is not what keeps it from running", statetest.Pod(0, withoutContainers,
			condition(corev1.PodReady, corev1.ConditionFalse, "ContainersNotReady", "")), "its pod is starting"},
		{"the kubelet has not said anything yet", statetest.Pod(0, withoutContainers), "its pod is starting"},
		{"nor of the container", statetest.Pod(0, statetest.Container(corev1.ContainerState{})), "its pod is starting"},
		{"nobody says what the container waits for", statetest.Pod(0, statetest.Container(statetest.Waiting("", ""))), "its pod is starting"},
		{"nobody says why no machine takes it", statetest.Pod(0, condition(corev1.PodScheduled, corev1.ConditionFalse, "", "")), "its pod is starting"},
		{"its image is pulled", statetest.Pod(0, statetest.Container(statetest.Waiting("ContainerCreating", ""))), "ContainerCreating"},
		{"its image cannot be pulled", statetest.Pod(0, statetest.Container(statetest.Waiting("ImagePullBackOff", `Back-off pulling image "nosuch"`))),
			`ImagePullBackOff: Back-off pulling image "nosuch"`},
		{"it crashed: why is said at its end", statetest.Pod(0, statetest.Container(statetest.Waiting("CrashLoopBackOff", "back-off 5m0s restarting failed container"),
			after(statetest.Exited(1, "Error", "Error: Unable to start HTTP server. See debug log for details.\n")))),
			"CrashLoopBackOff: its container exited with code 1: Error: Unable to start HTTP server. See debug log for details."},
		{"what it said last is cut, and not what happened", statetest.Pod(0, statetest.Container(statetest.Waiting("CrashLoopBackOff", "back-off"),
			after(statetest.Exited(1, "Error", strings.Repeat("x", 300)+" the error")))),
			"CrashLoopBackOff: its container exited with code 1: …" + strings.Repeat("x", 290) + " the error"},
		{"it was killed for want of memory", statetest.Pod(0, statetest.Container(statetest.Waiting("CrashLoopBackOff", "back-off"), after(statetest.Exited(137, "OOMKilled", "")))),
			"CrashLoopBackOff: OOMKilled: its container needed more memory than its limit; raise spec.resources.limits.memory, or lower dbcache and maxmempool in spec.config"},
		{"the kubelet has evicted it", statetest.Pod(0, func(pod *corev1.Pod) {
			pod.Status.Phase, pod.Status.Reason, pod.Status.Message = corev1.PodFailed, "Evicted", "The node was low on resource: memory."
		}), "Evicted: The node was low on resource: memory."},
		{"its image is not the operator's", statetest.Pod(0, statetest.Container(statetest.Waiting("RunContainerError", noSuchProgram))),
			noEntryPoint + ": " + noSuchProgram},
		{"the same, said at its end", statetest.Pod(0, statetest.Container(statetest.Waiting("CrashLoopBackOff", "back-off"),
			after(statetest.Exited(128, "StartError", noSuchProgram)))),
			"CrashLoopBackOff: " + noEntryPoint + ": " + noSuchProgram},
		{"a pod that brings the entry point cannot start it: the image is not to blame", statetest.Pod(0, statetest.Container(statetest.Waiting("CrashLoopBackOff", "back-off"),
			after(statetest.Exited(128, "StartError", `exec: "/opt/bitcoin-operator/bitcoind-start": permission denied`)))),
			`CrashLoopBackOff: StartError: exec: "/opt/bitcoin-operator/bitcoind-start": permission denied`},
		{"an image without bitcoind", statetest.Pod(0, statetest.Container(statetest.Waiting("CrashLoopBackOff", "back-off"),
			after(statetest.Exited(1, "Error", "bitcoind-start: the image has no bitcoind on its PATH: exec: \"bitcoind\": executable file not found in $PATH\n")))),
			`CrashLoopBackOff: its container exited with code 1: bitcoind-start: the image has no bitcoind on its PATH: exec: "bitcoind": executable file not found in $PATH`},
		{"the entry point is being brought", begins("bitcoind-start", statetest.Waiting("PodInitializing", "")), "PodInitializing"},
		{"its container is being made", begins("bitcoind-start", statetest.Waiting("ContainerCreating", "")), "PodInitializing"},
		{"nobody says why it waits", begins("bitcoind-start", statetest.Waiting("", "")), "PodInitializing"},
		{"it is being copied", begins("bitcoind-start", corev1.ContainerState{Running: &corev1.ContainerStateRunning{}}), "PodInitializing"},
		{"it is there", begins("bitcoind-start", statetest.Exited(0, "Completed", "")), "PodInitializing"},
		{"the operator's image cannot be pulled", begins("bitcoind-start", statetest.Waiting("ImagePullBackOff", `Back-off pulling image "operator"`)),
			`init container "bitcoind-start" of its pod: ImagePullBackOff: Back-off pulling image "operator"`},
		{"the entry point could not be copied", begins("bitcoind-start", statetest.Exited(1, "Error", "bitcoind-start: copy this program: no space left on device\n")),
			`init container "bitcoind-start" of its pod: its container exited with code 1: bitcoind-start: copy this program: no space left on device`},
		{"it runs, whatever the kubelet has lost sight of", statetest.Pod(0, func(pod *corev1.Pod) {
			pod.Status.InitContainerStatuses = []corev1.ContainerStatus{{Name: "bitcoind-start", State: statetest.Exited(137, "ContainerStatusUnknown", "")}}
		}), ""},
		{"a mesh's init container is that mesh's to tell of", begins("proxy-init", statetest.Waiting("ImagePullBackOff", "")), "PodInitializing"},
		{"it has too little memory to start anything: the image is not to blame", statetest.Pod(0, statetest.Container(statetest.Waiting("CrashLoopBackOff", "back-off"),
			after(statetest.Exited(128, "StartError", "failed to create containerd task: unable to set memory limit to 512\n")))),
			"CrashLoopBackOff: StartError: failed to create containerd task: unable to set memory limit to 512"},
		{"nor while it is being started", statetest.Pod(0, statetest.Container(statetest.Waiting("CreateContainerError", "cannot start a stopped process"))),
			"CreateContainerError: cannot start a stopped process"},
		{"nobody says why it cannot be started", statetest.Pod(0, statetest.Container(statetest.Exited(128, "ContainerCannotRun", ""))), "ContainerCannotRun"},
		{"it ended just now", statetest.Pod(0, statetest.Container(statetest.Exited(1, "Error", "bad option"))),
			"its container exited with code 1: bad option"},
		{"it runs again", statetest.Pod(0, func(pod *corev1.Pod) {
			after(statetest.Exited(1, "Error", "bad option"))(&pod.Status.ContainerStatuses[0])
		}), ""},
		{"it runs, and has no address: the operator would ask itself", statetest.Pod(0, func(pod *corev1.Pod) { pod.Status.PodIP = "" }),
			"its pod has no address yet"},
	} {
		t.Run(test.reason, func(t *testing.T) {
			if got := state.PodProblem(test.pod); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestNeverRan(t *testing.T) {
	restarted := func(status *corev1.ContainerStatus) { status.RestartCount = 1 }
	for _, test := range []struct {
		reason string
		pod    *corev1.Pod
		want   bool
	}{
		{"it runs", statetest.Pod(0), false},
		{"it ended", statetest.Pod(0, statetest.Container(statetest.Exited(0, "Completed", ""))), false},
		{"nobody has told of its container, as while it is not scheduled", statetest.Pod(0, func(pod *corev1.Pod) { pod.Status.ContainerStatuses = nil }), true},
		{"it waits for its image", statetest.Pod(0, statetest.Container(statetest.Waiting("ImagePullBackOff", ""))), true},
		{"it waits for the Secret", statetest.Pod(0, statetest.Container(statetest.Waiting("CreateContainerConfigError", ""))), true},
		{"it waits after a crash", statetest.Pod(0, statetest.Container(statetest.Waiting("CrashLoopBackOff", ""), restarted)), false},
		{"it ended before, and the restart is not counted yet", statetest.Pod(0, statetest.Container(statetest.Waiting("CrashLoopBackOff", ""), func(status *corev1.ContainerStatus) {
			status.LastTerminationState = statetest.Exited(1, "Error", "")
		})), false},
		{"its state is not known: do not take the risk", statetest.Pod(0, statetest.Container(corev1.ContainerState{})), false},
	} {
		t.Run(test.reason, func(t *testing.T) {
			if got := state.NeverRan(test.pod); got != test.want {
				t.Errorf("got %t, want %t", got, test.want)
			}
		})
	}
}
