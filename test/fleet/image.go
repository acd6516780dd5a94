package fleet

import (
	"context"
	"fmt"
)

// containerdSocket is where the cluster's containerd is reached.
const containerdSocket = "/run/bitcoin-operator/containerd.sock"

// TagImage gives an image that is loaded into the cluster one more name, as a team
// does that pushes the same image under another.
func (c *Cluster) TagImage(ctx context.Context, image, name string) error {
	return c.images(ctx, "tag", "--force", image, name)
}

// RemoveImage takes a name of an image away.
func (c *Cluster) RemoveImage(ctx context.Context, name string) error {
	return c.images(ctx, "remove", name)
}

func (c *Cluster) images(ctx context.Context, args ...string) error {
	_, err := c.tool(ctx, nil, "ctr", append([]string{"--address", containerdSocket, "--namespace", "k8s.io", "images"}, args...)...)
	if err != nil {
		return fmt.Errorf("change the images of the cluster: %w", err)
	}
	return nil
}
