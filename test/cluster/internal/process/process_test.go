package process

import "testing"

func TestMarks(t *testing.T) {
	for _, tc := range []struct {
		name, environ   string
		clone, process_ string
		ok              bool
	}{
		{"none", "PATH=/bin\x00HOME=/root\x00", "", "", false},
		{"both", "PATH=/bin\x00BITCOIN_OPERATOR_CLUSTER=/a b/c=d\x00BITCOIN_OPERATOR_PROCESS=etcd\x00", "/a b/c=d", "etcd", true},
		{"one of two", "BITCOIN_OPERATOR_CLUSTER=/a\x00", "/a", "", false},
		{"as part of another", "X=BITCOIN_OPERATOR_CLUSTER=/a\x00BITCOIN_OPERATOR_PROCESS=etcd\x00", "", "etcd", false},
		{"empty", "", "", "", false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			clone, name, ok := marks([]byte(tc.environ))
			if clone != tc.clone || name != tc.process_ || ok != tc.ok {
				t.Errorf("marks(%q) = %q, %q, %v", tc.environ, clone, name, ok)
			}
		})
	}
}

func TestNamed(t *testing.T) {
	all := []Process{
		{PID: 1, Name: "containerd", Clone: "/a"}, // a shim
		{PID: 2, Name: "containerd", Clone: "/a", Main: true},
		{PID: 3, Name: "etcd", Clone: "/b", Main: true},
	}
	if p, ok := Named(all, "containerd"); !ok || p.PID != 2 {
		t.Errorf("containerd is %v, %v", p, ok)
	}
	if p, ok := Named(Of(all, "/a"), "etcd"); ok {
		t.Errorf("another clone's etcd was taken for this one's: %v", p)
	}
}
