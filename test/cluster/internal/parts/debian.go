package parts

import (
	"os"

	"github.com/bitcoin-operator/bitcoin-operator/test/cluster/internal/machine"
)

// rootfs is the root file system that a part leaves.
func (b *build) rootfs(part string) string { return b.Local("images", part+".rootfs.tar") }

// debian makes a root file system of Debian packages, with mmdebstrap's variant below
// them.
func (b *build) debian(rootfs, suite, variant, packages string, options ...string) error {
	mirror, err := machine.Mirror()
	if err != nil {
		return err
	}
	args := append(options, "--mode=root", "--variant="+variant, "--include="+packages,
		"--dpkgopt=path-exclude=/usr/share/doc/*", "--dpkgopt=path-exclude=/usr/share/man/*", "--dpkgopt=path-exclude=/usr/share/locale/*")
	if err := b.run("/", "mmdebstrap", append(args, suite, rootfs+".new.tar", mirror)...); err != nil {
		return err
	}
	return os.Rename(rootfs+".new.tar", rootfs)
}

// What Flux's published images hold beside its programs, and the local ones must then,
// too: what a build could run on a real cluster, it must be kept from running here.
const (
	toolsPart     = "flux-tools"
	toolsSuite    = "bookworm"
	toolsVariant  = "essential" // with a shell
	toolsPackages = "git,openssh-client,gnupg"
)

func makeTools(b *build) error {
	return b.debian(b.rootfs(toolsPart), toolsSuite, toolsVariant, toolsPackages)
}
