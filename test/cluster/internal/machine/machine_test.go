package machine

import (
	"encoding/binary"
	"errors"
	"os"
	"slices"
	"syscall"
	"testing"
)

func TestLackingCapabilities(t *testing.T) {
	for _, tc := range []struct {
		status string
		want   []string
	}{
		{"Name:\tx\nCapEff:\t000001fffeffffff\n", nil},                                                // all but CAP_SYS_RESOURCE
		{"CapEff:\t00000000a80425fb\n", []string{"CAP_NET_ADMIN", "CAP_SYS_PTRACE", "CAP_SYS_ADMIN"}}, // as in a plain container
	} {
		if got := lackingCapabilities(tc.status); !slices.Equal(got, tc.want) {
			t.Errorf("of %q: got %v, want %v", tc.status, got, tc.want)
		}
	}
}

func TestLackingControllers(t *testing.T) {
	v1 := "30 29 0:26 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:9 - cgroup cgroup rw,cpu,cpuacct\n" +
		"31 29 0:27 / /sys/fs/cgroup/cpuset rw,relatime - cgroup cgroup rw,cpuset\n" +
		"32 29 0:28 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory\n" +
		"33 29 0:29 / /sys/fs/cgroup/devices rw,relatime - cgroup cgroup rw,devices\n" +
		"34 29 0:30 / /sys/fs/cgroup/freezer rw,relatime - cgroup cgroup rw,freezer\n"
	pids := "35 29 0:31 / /sys/fs/cgroup/pids rw,relatime - cgroup cgroup rw,pids\n"
	for _, tc := range []struct {
		name, mounts, unified string
		want                  []string
	}{
		{"version 1", v1 + pids, "", nil},
		{"version 1 without pids", v1, "", []string{"pids"}},
		{"version 2", "", "cpuset cpu io memory hugetlb pids\n", nil},
		{"version 2 without memory", "", "cpuset cpu io pids\n", []string{"memory"}},
		{"none", "36 1 0:5 / /proc rw - proc proc rw\n", "", []string{"cpu", "cpuacct", "cpuset", "memory", "pids", "devices", "freezer"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := lackingControllers(tc.mounts, tc.unified); !slices.Equal(got, tc.want) {
				t.Errorf("got %v, want %v", got, tc.want)
			}
		})
	}
}

// The messages are as the kernel reads them: it knows the one name and not the other.
func TestNetfilterIsAsked(t *testing.T) {
	if os.Geteuid() != 0 || probeNftables() != nil {
		t.Skip("needs root, and nftables in the kernel")
	}
	if err := askExtension("comment", 0); err != nil {
		t.Errorf("a match: %v", err)
	}
	if err := askExtension("of-nobody", 0); !errors.Is(err, syscall.ENOENT) {
		t.Errorf("a match that nobody has made: %v", err)
	}
	if err := askSetType("hash:ip"); err != nil {
		t.Errorf("a type of sets: %v", err)
	}
	if askSetType("hash:of-nobody") == nil {
		t.Error("a type of sets that nobody has made is there")
	}
}

func TestAttribute(t *testing.T) {
	got := attribute(3, text("hash"))
	if len(got) != 12 || binary.NativeEndian.Uint16(got) != 9 || binary.NativeEndian.Uint16(got[2:]) != 3 || string(got[4:8]) != "hash" {
		t.Errorf("got %v", got)
	}
}

func TestMissing(t *testing.T) {
	listed := "installed git\nconfig-files runc\nnot-installed nftables\n"
	if got := missing([]string{"git", "runc", "nftables", "buildah"}, listed); !slices.Equal(got, []string{"runc", "nftables", "buildah"}) {
		t.Errorf("got %v", got)
	}
}

func TestMirror(t *testing.T) {
	deb822 := "Types: deb\n# a comment: here\nURIs: http://one.example/debian\nSuites: bookworm bookworm-updates\nComponents: main\n\n" +
		"Types: deb\nURIs: http://one.example/debian-security\nSuites: bookworm-security\nComponents: main\n"
	for _, tc := range []struct {
		name    string
		sources []string
		want    string
	}{
		{"deb822", []string{deb822}, "http://one.example/debian"},
		{"others first", []string{"Types: deb\nURIs: http://two.example\nSuites: nodistro\n", deb822}, "http://one.example/debian"},
		{"only sources", []string{"Types: deb-src\nURIs: http://two.example\nSuites: bookworm\n"}, ""},
		{"one line", []string{"# deb http://no.example bookworm main\ndeb-src http://no.example bookworm main\ndeb http://three.example/debian bookworm main\n"}, "http://three.example/debian"},
		{"one line with options", []string{"deb [arch=amd64 signed-by=/x.gpg] http://three.example/debian bookworm main\n"}, "http://three.example/debian"},
		{"another suite", []string{"deb http://three.example sdk-bookworm main\n"}, ""},
		{"list of mirrors", []string{"Types: deb\nURIs: mirror+file:/etc/apt/mirrors/debian.list\nSuites: bookworm\n"}, "mirror+file:/etc/apt/mirrors/debian.list"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := mirror(tc.sources, "bookworm"); got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}

func TestCodename(t *testing.T) {
	if got := codename("ID=debian\nVERSION_CODENAME=bookworm\n"); got != "bookworm" {
		t.Errorf("got %q", got)
	}
}
