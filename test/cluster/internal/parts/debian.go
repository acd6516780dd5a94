package parts

import (
	"errors"
	"fmt"
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

const (
	sid = "sid"
	// agedSid lets a mirror's copy of sid be older than its own validity. Its signatures
	// are checked all the same.
	agedSid = `--aptopt=Acquire::Check-Valid-Until "false"`
)

// run is a script that runs a program out of a root file system of its own, with the
// libraries that it was built for, since this machine's are older.
const run = `#!/bin/sh
root=$(dirname "$(readlink -f "$0")")/../%s
lib=$(echo "$root"/usr/lib/*-linux-gnu)
exec "$lib"/ld-linux*.so.* --library-path "$lib" "$root/usr/bin/%s" "$@"
`

// programs lets this machine run programs of a root file system without a container.
func (b *build) programs(rootfs, folder string, names ...string) error {
	to := b.Local(folder)
	if err := errors.Join(os.RemoveAll(to), os.MkdirAll(to, 0o755), os.MkdirAll(b.Local("bin"), 0o755)); err != nil {
		return err
	}
	args := []string{"--extract", "--file", rootfs, "--directory", to, "--wildcards", "./usr/lib/*-linux-gnu"}
	for _, name := range names {
		args = append(args, "./usr/bin/"+name)
	}
	if err := b.run("/", "tar", args...); err != nil {
		return err
	}
	for _, name := range names {
		if err := os.WriteFile(b.Bin(name), fmt.Appendf(nil, run, folder, name), 0o755); err != nil {
			return err
		}
	}
	return nil
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
