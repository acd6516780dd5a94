package parts

import (
	"errors"
	"fmt"
	"os"

	"github.com/bitcoin-operator/bitcoin-operator/test/cluster/internal/images"
)

// Prometheus is the image with Prometheus and Alertmanager. Those of Debian's stable
// releases know nothing of Kubernetes.
const Prometheus = "localhost/prometheus:3"

const (
	prometheusPart     = "prometheus"
	prometheusVariant  = "extract" // nothing is set up: no users, no services
	prometheusPackages = "prometheus,prometheus-alertmanager"
)

var prometheusOptions = []string{
	agedSid,
	`--setup-hook=ln -s usr/lib usr/lib64 "$1"`, // where programs look for the loader
	"--dpkgopt=path-exclude=/usr/share/*",
	"--dpkgopt=path-include=/usr/share/prometheus/*",
	"--dpkgopt=path-exclude=/usr/lib/*/perl*",
}

// makePrometheus makes a root file system, an image of it, and programs that tests can run
// without a container: promtool tests rules, and amtool routes.
func makePrometheus(b *build) error {
	rootfs := b.rootfs(prometheusPart)
	if err := b.debian(rootfs, sid, prometheusVariant, prometheusPackages, prometheusOptions...); err != nil {
		return err
	}
	if err := images.Archive(Prometheus, b.Image(prometheusPart), []string{rootfs}, map[string]any{
		"Env": []string{"PATH=/usr/bin"},
		"Cmd": []string{"prometheus"},
	}); err != nil {
		return fmt.Errorf("image of %s: %w", rootfs, err)
	}
	return errors.Join(b.programs(rootfs, prometheusPart, "prometheus", "promtool", "prometheus-alertmanager", "amtool"), os.Remove(rootfs))
}
