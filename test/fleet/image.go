package fleet

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// containerdSocket is where the cluster's containerd is reached.
const containerdSocket = "/run/bitcoin-operator/containerd.sock"

// PullImage pulls an image from its registry, unless the cluster has it already.
func (c *Cluster) PullImage(ctx context.Context, image string) error {
	found, err := c.images(ctx, "list", "--quiet", "name=="+image)
	if err != nil || found != "" {
		return err
	}
	_, err = c.images(ctx, "pull", image)
	return err
}

// LoadStock loads the image of Bitcoin Knots that the project's own is built on: as a
// vendor would publish one, without anything of the operator's. It returns its name.
func (c *Cluster) LoadStock(ctx context.Context) (string, error) {
	_, err := c.images(ctx, "import", c.local("images", "bitcoin-knots.tar"))
	return "localhost/bitcoin-knots:29.4", err
}

// TagImage gives an image that is loaded into the cluster one more name, as a team
// does that pushes the same image under another.
func (c *Cluster) TagImage(ctx context.Context, image, name string) error {
	_, err := c.images(ctx, "tag", "--force", image, name)
	return err
}

// LoadProgram builds a program of this module and loads it into the cluster as an
// image of nothing else, as a team does that runs an image of its own.
func (c *Cluster) LoadProgram(ctx context.Context, source, path, image string) error {
	return c.loadProgram(ctx, c.root, source, path, image)
}

// LoadApplication does the same with test/application, which is a module of its own.
func (c *Cluster) LoadApplication(ctx context.Context, image string) error {
	return c.loadProgram(ctx, c.source("test", "application"), ".", "/application", image)
}

// LoadBuilt loads programs that are built already, as one image: for each its binary and
// its path in the image, which runs the first.
func (c *Cluster) LoadBuilt(ctx context.Context, image string, programs ...string) error {
	if _, err := c.tool(ctx, nil, "cluster", append([]string{"load", image}, programs...)...); err != nil {
		return fmt.Errorf("load %s: %w", image, err)
	}
	return nil
}

// LoadEarlier does the same with a program as it was at a commit of this repository.
func (c *Cluster) LoadEarlier(ctx context.Context, commit, source, path, image string) error {
	tree := c.local("work", "earlier-"+commit)
	if err := errors.Join(os.RemoveAll(tree), os.MkdirAll(tree, 0o755)); err != nil {
		return err
	}
	archive := exec.CommandContext(ctx, "git", "-C", c.root, "archive", "--output", filepath.Join(tree, "tree.tar"), commit)
	unpack := exec.CommandContext(ctx, "tar", "--extract", "--file", filepath.Join(tree, "tree.tar"), "--directory", tree)
	for _, cmd := range []*exec.Cmd{archive, unpack} {
		if _, err := output(ctx, cmd); err != nil {
			return fmt.Errorf("take commit %s out of the repository: %w", commit, err)
		}
	}
	return c.loadProgram(ctx, tree, source, path, image)
}

func (c *Cluster) loadProgram(ctx context.Context, tree, source, path, image string) error {
	binary := c.local("work", filepath.Base(image))
	build := exec.CommandContext(ctx, "go", "build", "-o", binary, source)
	build.Dir = tree
	if _, err := output(ctx, build); err != nil {
		return fmt.Errorf("build %s: %w", source, err)
	}
	return c.LoadBuilt(ctx, image, binary, path)
}

// RemoveImage takes a name of an image away.
func (c *Cluster) RemoveImage(ctx context.Context, name string) error {
	_, err := c.images(ctx, "remove", name)
	return err
}

// images has containerd do something with the cluster's images, and returns what it prints.
func (c *Cluster) images(ctx context.Context, args ...string) (string, error) {
	printed, err := c.tool(ctx, nil, "ctr", append([]string{"--address", containerdSocket, "--namespace", "k8s.io", "images"}, args...)...)
	if err != nil {
		return "", fmt.Errorf("%s of the cluster's images: %w", args[0], err)
	}
	return printed, nil
}
