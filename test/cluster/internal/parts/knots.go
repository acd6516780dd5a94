package parts

import (
	"fmt"

	"github.com/bitcoin-operator/bitcoin-operator/test/cluster/internal/images"
)

// Debian packages Bitcoin Knots in sid alone. A root file system of its own
// leaves this machine's packages as they are.
const knotsPackage = "bitcoin-knots"

// makeKnots makes the root file system, an image of it, and a bitcoind that tests
// can run without a container.
func makeKnots(b *build) error {
	rootfs := b.rootfs("bitcoin-knots")
	if err := b.debian(rootfs, sid, "minbase", knotsPackage, agedSid); err != nil {
		return err
	}
	if err := images.Archive(Knots, b.Image("bitcoin-knots"), []string{rootfs}, map[string]any{
		"Env": []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
		"Cmd": []string{"bitcoind"},
	}); err != nil {
		return fmt.Errorf("image of %s: %w", rootfs, err)
	}
	return b.programs(rootfs, "bitcoin-knots", "bitcoind")
}
