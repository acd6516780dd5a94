package images

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"

	"github.com/bitcoin-operator/bitcoin-operator/test/cluster/internal/clone"
	"github.com/bitcoin-operator/bitcoin-operator/test/cluster/internal/components"
)

// Load puts archived images into the cluster's containerd. A name that is there
// already means the new image from then on.
func Load(ctx context.Context, c clone.Clone, files ...string) error {
	for _, file := range files {
		cmd := exec.CommandContext(ctx, c.Bin("ctr"), "--address", components.Socket, "--namespace", "k8s.io", "images", "import", file)
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("load image %s: %w: %s", file, err, bytes.TrimSpace(out))
		}
	}
	return nil
}
