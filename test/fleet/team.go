package fleet

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// A Team is a tenant: a namespace of the cluster, and a repository of its own
// that Flux applies there.
type Team struct {
	*Repository
	cluster *Cluster
}

// Team clones a team's repository, which is made when it is not there yet. The
// team's namespace has the same name.
func (c *Cluster) Team(ctx context.Context, name string) (*Team, error) {
	repository, err := c.Repository(ctx, name)
	if err != nil {
		return nil, err
	}
	return &Team{repository, c}, nil
}

// exampleTeam is the team whose networks all others begin with.
const exampleTeam = "team-a"

// Seed puts the first version of the team's networks into the clone.
func (t *Team) Seed() error {
	seeds := t.cluster.source("test", "fleet", "seeds")
	seed := filepath.Join(seeds, t.Name)
	if _, err := os.Stat(seed); errors.Is(err, fs.ErrNotExist) {
		seed = filepath.Join(seeds, exampleTeam)
	}
	if err := copyFolder(seed, t.Dir, unchanged); err != nil {
		return fmt.Errorf("copy the seed of %s: %w", t.Name, err)
	}
	return nil
}

const (
	// secretName is the one Secret that a team's operator may read.
	secretName = "bitcoin-rpc"
	sealedFile = secretName + ".yaml"
)

// SealCredentials puts fresh, sealed credentials into the clone.
func (t *Team) SealCredentials(ctx context.Context, sealer *Sealer) error {
	return t.Seal(ctx, sealer, NewCredentials(t.Name))
}

// Seal puts these credentials, sealed, into the clone.
func (t *Team) Seal(ctx context.Context, sealer *Sealer, data map[string]string) error {
	sealed, err := sealer.Seal(ctx, t.Name, secretName, data)
	if err != nil {
		return err
	}
	return os.WriteFile(t.Path(sealedFile), sealed, 0o644)
}

// EnsureCredentials puts fresh, sealed credentials into the clone, unless it has
// some that the cluster can open.
func (t *Team) EnsureCredentials(ctx context.Context, sealer *Sealer) (fresh bool, err error) {
	sealed, err := os.ReadFile(t.Path(sealedFile))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false, err
	}
	if err == nil {
		opens, err := sealer.Opens(ctx, sealed)
		if err != nil || opens {
			return false, err
		}
	}
	return true, t.SealCredentials(ctx, sealer)
}

// Secret is the team's SealedSecret with its credentials.
func (t *Team) Secret() Object { return Object{SealedSecret, t.Name, secretName} }

// Operator is the team's own operator.
func (t *Team) Operator() Object { return Object{Deployment, t.Name, "bitcoin-operator"} }

// Delivery follows a commit of the team's repository on its way through Flux.
func (t *Team) Delivery(commit string) *Delivery {
	return t.cluster.delivery(
		Object{GitRepository, t.Name, "networks"},
		Object{Kustomization, t.Name, "networks"}, commit)
}
