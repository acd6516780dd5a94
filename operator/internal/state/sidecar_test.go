package state_test

import (
	"testing"

	corev1 "k8s.io/api/core/v1"

	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state/statetest"
)

func TestUnreached(t *testing.T) {
	beside := func(name string, ready bool, current corev1.ContainerState) func(*corev1.Pod) {
		return func(pod *corev1.Pod) {
			pod.Status.ContainerStatuses = append(pod.Status.ContainerStatuses, corev1.ContainerStatus{Name: name, Ready: ready, State: current})
		}
	}
	before := func(name string, ready bool) func(*corev1.Pod) {
		return func(pod *corev1.Pod) {
			pod.Status.InitContainerStatuses = append(pod.Status.InitContainerStatuses, corev1.ContainerStatus{
				Name: name, Ready: ready, State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{}},
			})
		}
	}
	running := corev1.ContainerState{Running: &corev1.ContainerStateRunning{}}
	bitcoindNotReady := func(pod *corev1.Pod) { pod.Status.ContainerStatuses[0].Ready = false }
	const proxy = `clients cannot reach it: container "proxy" of its pod is not ready`

	for _, test := range []struct {
		reason  string
		changes []func(*corev1.Pod)
		want    string
	}{
		{"the pod is ready", nil, ""},
		{"so is what runs beside the node", []func(*corev1.Pod){beside("proxy", true, running)}, ""},
		{"the kubelet does not mind", []func(*corev1.Pod){beside("proxy", false, running)}, ""},
		{"what runs beside it fails its probe", []func(*corev1.Pod){beside("proxy", false, running), statetest.NotReady}, proxy},
		{"it crashes", []func(*corev1.Pod){beside("proxy", false, statetest.Waiting("CrashLoopBackOff", "back-off 5m0s\nrestarting")), statetest.NotReady},
			proxy + ": CrashLoopBackOff: back-off 5m0s restarting"},
		{"it has just ended", []func(*corev1.Pod){beside("proxy", false, statetest.Exited(2, "Error", "no\nroute")), statetest.NotReady},
			proxy + ": it exited with code 2: no route"},
		{"nobody says more", []func(*corev1.Pod){beside("proxy", false, corev1.ContainerState{}), statetest.NotReady}, proxy},
		{"it was started before the node, and runs beside it", []func(*corev1.Pod){before("proxy", false), statetest.NotReady}, proxy},
		{"what ran before the node has done its work", []func(*corev1.Pod){before("setup", true), beside("proxy", false, running), statetest.NotReady}, proxy},
		{"the first of two is named", []func(*corev1.Pod){beside("proxy", false, running), beside("other", false, running), statetest.NotReady}, proxy},
		{"the node itself is not ready, which is another matter", []func(*corev1.Pod){bitcoindNotReady, statetest.NotReady}, ""},
	} {
		t.Run(test.reason, func(t *testing.T) {
			if got := state.Unreached(statetest.Pod(1, test.changes...)); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}
