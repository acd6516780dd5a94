package cleanup

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/bitcoin-operator/bitcoin-operator/test/cluster/internal/clone"
	"github.com/bitcoin-operator/bitcoin-operator/test/cluster/internal/process"
	"github.com/bitcoin-operator/bitcoin-operator/test/cluster/internal/record"
)

func TestElsewhere(t *testing.T) {
	exists := func(dir string) bool { return dir != "/deleted" }
	for _, tc := range []struct {
		name      string
		processes []process.Process
		want      string
	}{
		{"nothing", nil, ""},
		{"this one's", []process.Process{{Clone: "/this", Name: "etcd", Main: true}}, ""},
		{"another's", []process.Process{{Clone: "/this", Name: "etcd", Main: true}, {Clone: "/other", Name: "etcd", Main: true}}, "/other"},
		{"another's shims", []process.Process{{Clone: "/other", Name: "containerd"}}, ""},
		{"of a clone that is gone", []process.Process{{Clone: "/deleted", Name: "etcd", Main: true}}, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := (Machine{Processes: tc.processes}).Elsewhere("/this", exists); got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}

func TestClones(t *testing.T) {
	m := Machine{
		Record:    &record.Record{Clone: "/deleted"},
		Processes: []process.Process{{Clone: "/this"}, {Clone: "/other"}, {Clone: "/other"}},
	}
	if got := m.Clones(clone.Clone{Dir: "/this"}); !slices.Equal(got, []clone.Clone{{Dir: "/this"}, {Dir: "/deleted"}, {Dir: "/other"}}) {
		t.Errorf("got %v", got)
	}
}

func TestMountPoints(t *testing.T) {
	info := `22 1 254:0 / / rw,relatime - ext4 /dev/vda rw
50 22 0:40 / /run/bitcoin-operator/containerd/a/rootfs rw - overlay overlay rw
51 22 0:41 / /clones/my\040one/.local/cluster/kubelet/pods/1/volumes/token rw - tmpfs tmpfs rw
52 51 0:42 / /clones/my\040one/.local/cluster/kubelet/pods/1/volumes/token/sub rw - tmpfs tmpfs rw
53 22 0:43 / /run/bitcoin-operator-of-another rw - tmpfs tmpfs rw
`
	want := []string{
		"/clones/my one/.local/cluster/kubelet/pods/1/volumes/token/sub",
		"/clones/my one/.local/cluster/kubelet/pods/1/volumes/token",
		"/run/bitcoin-operator/containerd/a/rootfs",
	}
	if got := mountPoints(info, []string{"/run/bitcoin-operator", "/clones/my one/.local"}); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestHierarchies(t *testing.T) {
	info := `30 29 0:26 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu
31 29 0:27 / /sys/fs/cgroup/unified rw,relatime shared:1 - cgroup2 cgroup2 rw
32 29 0:28 / /tmp rw - tmpfs cgroup rw
`
	if got := hierarchies(info); !slices.Equal(got, []string{"/sys/fs/cgroup/cpu", "/sys/fs/cgroup/unified"}) {
		t.Errorf("got %v", got)
	}
}

func TestSocketPaths(t *testing.T) {
	for text, want := range map[string][]string{
		"unix:///run/containerd/s/abc": {"/run/containerd/s/abc"},
		`{"version":3,"address":"unix:///run/containerd/s/abc","debug":"unix:///run/containerd/s/def"}`: {"/run/containerd/s/abc", "/run/containerd/s/def"},
		"unix:///run/containerd/s/../../x": nil,
		"unix:///etc/passwd":               nil,
		"":                                 nil,
	} {
		if got := socketPaths(text); !slices.Equal(got, want) {
			t.Errorf("in %q: got %v, want %v", text, got, want)
		}
	}
}

func TestRemoveLogLinks(t *testing.T) {
	dir := t.TempDir()
	for name, target := range map[string]string{"ours": "/clone/.local/log/pods/x/0.log", "another's": "/var/log/pods/x/0.log"} {
		if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := removeLogLinks(dir, "/clone/.local/log/pods"); err != nil {
		t.Fatal(err)
	}
	left, _ := filepath.Glob(filepath.Join(dir, "*"))
	if len(left) != 1 || filepath.Base(left[0]) != "another's" {
		t.Errorf("left: %v", left)
	}
	if err := removeLogLinks(filepath.Join(dir, "none"), "/x"); err != nil {
		t.Error(err)
	}
}
