package version

import (
	"runtime"
	"runtime/debug"
	"testing"

	. "github.com/onsi/gomega"
)

func TestInfo(t *testing.T) {
	installed := &debug.BuildInfo{Main: debug.Module{Version: "v0.1.0"}, Settings: []debug.BuildSetting{{Key: "vcs.revision", Value: "abc"}}}
	for _, test := range []struct {
		reason            string
		version, revision string
		build             *debug.BuildInfo
		want              Info
	}{
		{"a release", "v0.2.0", "def", installed, Info{"v0.2.0", "def", runtime.Version()}},
		{"by go install", "", "", installed, Info{"v0.1.0", "abc", runtime.Version()}},
		{"from a working copy, without a note of its commit", "", "", &debug.BuildInfo{Main: debug.Module{Version: "(devel)"}}, Info{"(devel)", "unknown", runtime.Version()}},
		{"nobody has said", "", "", nil, Info{"unknown", "unknown", runtime.Version()}},
	} {
		NewWithT(t).Expect(infoOf(test.version, test.revision, test.build)).To(Equal(test.want), test.reason)
	}
	NewWithT(t).Expect(Info{"v0.2.0", "def", "go1.26"}.String()).To(Equal("v0.2.0 (revision def, go1.26)"))
}
