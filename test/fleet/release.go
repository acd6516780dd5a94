package fleet

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
)

// A Project is a mirror of this project's repository, to which fleets refer at a tag, and
// what is released of it.
type Project struct {
	*Repository
	cluster *Cluster
}

// Project makes the mirror's clone what the working tree is, committed there or not.
func (c *Cluster) Project(ctx context.Context) (*Project, error) {
	repository, err := c.Repository(ctx, "project")
	if err != nil {
		return nil, err
	}
	files, err := c.sourceFiles(ctx)
	if err != nil {
		return nil, fmt.Errorf("list the files of the working tree: %w", err)
	}
	if err := repository.clear(); err != nil {
		return nil, err
	}
	for _, file := range files {
		if err := copyFile(c.source(file), repository.Path(file), unchanged); err != nil {
			return nil, fmt.Errorf("copy %s to the project's mirror: %w", file, err)
		}
	}
	p := &Project{repository, c}
	return p, errors.Join(os.RemoveAll(p.dist("")), os.MkdirAll(p.dist(""), 0o755))
}

// dist is the folder of a version's release, or of the releaser's keys.
func (p *Project) dist(name string) string { return p.cluster.local("work", "dist", name) }

// NewKeys makes the keys of whoever releases, as docs/release.md says.
func (p *Project) NewKeys(ctx context.Context) error {
	for _, args := range [][]string{
		{"genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", p.dist("cosign.key")},
		{"pkey", "-in", p.dist("cosign.key"), "-pubout", "-out", p.dist("cosign.pub")},
	} {
		if _, err := output(ctx, exec.CommandContext(ctx, "openssl", args...)); err != nil {
			return fmt.Errorf("make the releaser's keys: %w", err)
		}
	}
	return nil
}

// naming are the files that name the version, and named is where.
var (
	naming = []string{
		"gitops/operator/deployment.yaml",
		"gitops/infrastructure/sealing-certificate/publisher.yaml",
		"gitops/clusters/production/release/release.yaml",
	}
	named = regexp.MustCompile(`(operator:|tag: )v\d+\.\d+\.\d+`)
)

// Release releases the working tree as a version, for this machine alone: it tags the
// commit, builds, pushes to a registry, and verifies what is there.
func (p *Project) Release(ctx context.Context, version, registry string) error {
	for _, file := range naming {
		names := func(content string) string { return named.ReplaceAllString(content, "${1}"+version) }
		if err := copyFile(p.Path(file), p.Path(file), names); err != nil {
			return err
		}
	}
	if _, err := p.Push(ctx, "Release "+version); err != nil {
		return err
	}
	if err := p.tag(ctx, version); err != nil {
		return err
	}
	for _, args := range [][]string{
		{"build", "--version=" + version, "--key=" + p.dist("cosign.key"), "--platform=linux/" + runtime.GOARCH, "--root=" + p.Dir, "--out=" + p.dist(version)},
		{"push", "--plain-http", p.dist(version), registry},
		{"verify", "--key=" + p.dist("cosign.pub"), p.dist(version)},
		{"verify", "--key=" + p.dist("cosign.pub"), "--plain-http", "--image", registry + "/operator:" + version},
	} {
		release := exec.CommandContext(ctx, "go", append([]string{"-C", p.Path("operator", "cmd", "release"), "run", "."}, args...)...)
		release.Env = environment()
		if _, err := output(ctx, release); err != nil {
			return fmt.Errorf("release %s: %w", version, err)
		}
	}
	return nil
}

// unpack unpacks an archive of a release.
func (p *Project) unpack(ctx context.Context, archive, version, to string) error {
	file := filepath.Join(p.dist(version), archive+"_"+version+".tar.gz")
	if err := os.MkdirAll(to, 0o755); err != nil {
		return err
	}
	if _, err := output(ctx, exec.CommandContext(ctx, "tar", "--extract", "--gzip", "--file", file, "--directory", to)); err != nil {
		return fmt.Errorf("unpack %s: %w", file, err)
	}
	return nil
}

// rehearsal is the cluster's folder in a fleet that refers to a release. It has a name of
// its own: Flux tries whichever path it is told in whatever it has fetched, and the other
// fleet's repository has an example of `production`.
const rehearsal = "rehearsal"

// FleetOf makes a fleet repository that refers to a release, as docs/install.md says, for
// this cluster: with its teams, and with images from a registry. Flux is not told of it.
func (c *Cluster) FleetOf(ctx context.Context, project *Project, version, registry string) (*Fleet, error) {
	repository, err := c.Repository(ctx, "production")
	if err != nil {
		return nil, err
	}
	f := &Fleet{Repository: repository, cluster: c, in: rehearsal}
	err = errors.Join(repository.clear(), project.unpack(ctx, "fleet", version, f.Dir), f.At(ctx, project, version))
	if err != nil {
		return nil, err
	}
	return f, f.fillIn(project, registry)
}

// At says at which release the fleet is: what its sources are called, and what its teams
// are built with.
func (f *Fleet) At(ctx context.Context, project *Project, version string) error {
	f.source, f.release = "fleet-"+version, project.dist(version+"-manifests")
	return project.unpack(ctx, "manifests", version, f.release)
}

// fillIn puts what is this cluster's own into its folder, as the local cluster's has it.
func (f *Fleet) fillIn(project *Project, registry string) error {
	const clusters = "gitops/clusters/"
	if err := os.Rename(f.Path(clusters, "production"), f.Path(clusters, rehearsal)); err != nil {
		return err
	}
	for _, folder := range []string{"tenants/team-a", "tenants/team-b"} {
		if err := copyFolder(f.cluster.source(folder), f.Path(folder), unchanged); err != nil {
			return err
		}
	}
	for _, file := range []string{"values/cluster.yaml", "tenants/kustomization.yaml", "flux-system/gotk-components.yaml", "flux-system/gotk-sync.yaml"} {
		if err := copyFile(f.cluster.source(clusters, "local", file), f.Path(clusters, rehearsal, file), unchanged); err != nil {
			return err
		}
	}
	const operator = "  - name: ghcr.io/bitcoin-operator/operator\n"
	image := operator + "    newName: " + registry + "/operator\n"
	return errors.Join(
		f.Edit(clusters+rehearsal+"/kustomization.yaml", clusters+"production/", clusters+rehearsal+"/"),
		f.Edit(clusters+rehearsal+"/release/release.yaml", "https://github.com/bitcoin-operator/bitcoin-operator", project.URL),
		f.Edit(clusters+rehearsal+"/flux-system/gotk-sync.yaml", "/fleet.git", "/production.git"),
		f.Edit(clusters+rehearsal+"/flux-system/gotk-sync.yaml", clusters+"local", clusters+rehearsal),
		f.Edit(clusters+rehearsal+"/tenants/kustomization.yaml", operator+"    newTag: dev\n", image),
		f.Edit(clusters+rehearsal+"/sealed-secrets/kustomization.yaml", "\ncomponents:\n", "\nimages:\n"+image+"components:\n"),
	)
}

// Upgrade makes the fleet refer to another release: its tag, and the folder that is the
// fleet's own copy. Push it for Flux to apply.
func (f *Fleet) Upgrade(ctx context.Context, project *Project, from, to string) error {
	if err := f.Edit("gitops/clusters/"+rehearsal+"/release/release.yaml", "tag: "+from, "tag: "+to); err != nil {
		return err
	}
	if err := f.At(ctx, project, to); err != nil {
		return err
	}
	base := filepath.Join("gitops", "clusters", "base")
	return errors.Join(os.RemoveAll(f.Path(base)), copyFolder(filepath.Join(f.release, base), f.Path(base), unchanged))
}
