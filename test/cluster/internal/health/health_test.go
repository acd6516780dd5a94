package health

import "testing"

func TestRulesSet(t *testing.T) {
	const others = "# TYPE kube_router_controller_iptables_v4_restore_time histogram\n" +
		"kube_router_controller_iptables_v4_restore_time_bucket{le=\"0.005\"} 0\n"
	for metrics, want := range map[string]bool{
		"": false,
		others + "kube_router_controller_iptables_v4_restore_time_count 0\n": false,
		others + "kube_router_controller_iptables_v4_restore_time_count 2\n": true,
		"kube_router_controller_iptables_v4_save_time_count 2\n":             false,
	} {
		if got := rulesSet(metrics); got != want {
			t.Errorf("of %q: got %v, want %v", metrics, got, want)
		}
	}
}
