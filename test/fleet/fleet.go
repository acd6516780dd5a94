package fleet

import (
	"context"
	"fmt"
	"os"
)

// A Fleet is the platform team's repository: gitops/ and tenants/.
type Fleet struct {
	*Repository
	cluster *Cluster
	in      string // the folder of gitops/clusters that is this cluster's
	source  string // what Flux fetches all but the first Kustomization of
	release string // a folder with the manifests of the release that it refers to, if to one
}

// Fleet clones the platform team's repository.
func (c *Cluster) Fleet(ctx context.Context) (*Fleet, error) {
	repository, err := c.Repository(ctx, "fleet")
	if err != nil {
		return nil, err
	}
	return &Fleet{Repository: repository, cluster: c, in: "local", source: fluxNamespace}, nil
}

// Update makes the clone what the working tree is, committed there or not.
func (f *Fleet) Update(ctx context.Context) error {
	folders := []string{"gitops", "tenants"}
	files, err := f.cluster.sourceFiles(ctx, folders...)
	if err != nil {
		return fmt.Errorf("list the files of the working tree: %w", err)
	}
	for _, folder := range folders {
		if err := os.RemoveAll(f.Path(folder)); err != nil {
			return err
		}
	}
	for _, file := range files {
		if err := copyFile(f.cluster.source(file), f.Path(file), unchanged); err != nil {
			return fmt.Errorf("copy %s to the fleet's repository: %w", file, err)
		}
	}
	return nil
}

// Bootstrap tells Flux of the repository, as `flux bootstrap` does. From then on
// Flux applies what is pushed there.
func (f *Fleet) Bootstrap(ctx context.Context) error {
	_, err := f.cluster.Kubectl(ctx, "apply", "--server-side", "--force-conflicts",
		"--kustomize", f.Path("gitops", "clusters", f.in, "flux-system"))
	return err
}

// Delivery follows a commit of the fleet's repository to one of the platform
// team's Kustomizations.
func (f *Fleet) Delivery(kustomization, commit string) *Delivery {
	source := f.source
	if kustomization == fluxNamespace {
		source = fluxNamespace
	}
	return f.cluster.delivery(
		Object{GitRepository, fluxNamespace, source},
		Object{Kustomization, fluxNamespace, kustomization}, commit)
}

// fluxNamespace is where Flux is. `flux bootstrap` calls the fleet's repository,
// and what is applied from it first, by that name, too.
const fluxNamespace = "flux-system"
