package parts

import (
	"errors"
	"fmt"
	"os"

	"github.com/bitcoin-operator/bitcoin-operator/test/cluster/internal/images"
)

// Debian packages Bitcoin Knots in sid alone. A root file system of its own
// leaves this machine's packages as they are.
const (
	knotsSuite   = "sid"
	knotsPackage = "bitcoin-knots"
)

// runKnots runs bitcoind out of its own root file system, with the libraries that
// it was built for, since this machine's are older.
const runKnots = `#!/bin/sh
root=$(dirname "$(readlink -f "$0")")/../bitcoin-knots
lib=$(echo "$root"/usr/lib/*-linux-gnu)
exec "$lib"/ld-linux*.so.* --library-path "$lib" "$root/usr/bin/bitcoind" "$@"
`

// makeKnots makes the root file system, an image of it, and a bitcoind that tests
// can run without a container.
func makeKnots(b *build) error {
	rootfs := b.rootfs("bitcoin-knots")
	// A mirror's copy of sid may be older than its own validity. Its signatures are
	// checked all the same.
	if err := b.debian(rootfs, knotsSuite, "minbase", knotsPackage, `--aptopt=Acquire::Check-Valid-Until "false"`); err != nil {
		return err
	}
	if err := images.Archive(Knots, b.Image("bitcoin-knots"), []string{rootfs}, map[string]any{
		"Env": []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
		"Cmd": []string{"bitcoind"},
	}); err != nil {
		return fmt.Errorf("image of %s: %w", rootfs, err)
	}
	return unpackKnots(b, rootfs)
}

func unpackKnots(b *build, rootfs string) error {
	to := b.Local("bitcoin-knots")
	if err := errors.Join(os.RemoveAll(to), os.MkdirAll(to, 0o755), os.MkdirAll(b.Local("bin"), 0o755)); err != nil {
		return err
	}
	if err := b.run("/", "tar", "--extract", "--file", rootfs, "--directory", to, "--wildcards",
		"./usr/bin/bitcoind", "./usr/lib/*-linux-gnu"); err != nil {
		return err
	}
	return os.WriteFile(b.Bin("bitcoind"), []byte(runKnots), 0o755)
}
