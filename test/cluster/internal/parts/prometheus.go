package parts

import (
	"errors"
	"fmt"
	"os"

	"github.com/bitcoin-operator/bitcoin-operator/test/cluster/internal/images"
)

// Prometheus is the image with Prometheus and Alertmanager.
const Prometheus = "localhost/prometheus:2.42"

const (
	prometheusPart     = "prometheus"
	prometheusSuite    = "bookworm" // as this machine, which runs its programs as they are
	prometheusVariant  = "extract"  // nothing is set up: no users, no services
	prometheusPackages = "prometheus,prometheus-alertmanager"
)

// promPrograms are those that this machine runs, too: promtool tests rules, and amtool
// routes.
var promPrograms = []string{"prometheus", "promtool", "prometheus-alertmanager", "amtool"}

// makePrometheus makes an image of Debian's Prometheus and Alertmanager, and takes their
// programs out of it.
func makePrometheus(b *build) error {
	rootfs := b.rootfs(prometheusPart)
	if err := b.debian(rootfs, prometheusSuite, prometheusVariant, prometheusPackages,
		"--dpkgopt=path-exclude=/usr/share/*", "--dpkgopt=path-exclude=/usr/lib/*/perl*", "--dpkgopt=path-exclude=/lib/systemd/*"); err != nil {
		return err
	}
	if err := images.Archive(Prometheus, b.Image(prometheusPart), []string{rootfs}, map[string]any{
		"Env": []string{"PATH=/usr/bin"},
		"Cmd": []string{"prometheus"},
	}); err != nil {
		return fmt.Errorf("image of %s: %w", rootfs, err)
	}
	args := []string{"--extract", "--file", rootfs, "--directory", b.Local("bin"), "--strip-components=3"}
	for _, program := range promPrograms {
		args = append(args, "./usr/bin/"+program)
	}
	return errors.Join(b.run("/", "tar", args...), os.Remove(rootfs))
}
