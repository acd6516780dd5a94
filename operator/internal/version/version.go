// Package version says which version of the project a program was built from.
package version

import (
	"cmp"
	"fmt"
	"runtime"
	"runtime/debug"
)

// A release sets these: -ldflags "-X …/operator/internal/version.version=v0.2.0".
var version, revision string

// unknown stands for what nobody has said at the build.
const unknown = "unknown"

// Info is what there is to know of a build.
type Info struct {
	// Version is that of the release, such as v0.2.0.
	Version string
	// Revision is the commit that it was built from.
	Revision string
	// Go is the version of the Go toolchain.
	Go string
}

// Get returns what this program was built from.
func Get() Info {
	build, _ := debug.ReadBuildInfo()
	return infoOf(version, revision, build)
}

// infoOf goes by what the release has set, and else by what the Go toolchain has noted,
// as of a program that was built by go install. Build may be nil.
func infoOf(version, revision string, build *debug.BuildInfo) Info {
	info := Info{Version: version, Revision: revision, Go: runtime.Version()}
	if build != nil {
		info.Version = cmp.Or(info.Version, build.Main.Version)
		for _, setting := range build.Settings {
			if setting.Key == "vcs.revision" {
				info.Revision = cmp.Or(info.Revision, setting.Value)
			}
		}
	}
	info.Version, info.Revision = cmp.Or(info.Version, unknown), cmp.Or(info.Revision, unknown)
	return info
}

func (i Info) String() string {
	return fmt.Sprintf("%s (revision %s, %s)", i.Version, i.Revision, i.Go)
}
