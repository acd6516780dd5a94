package fleet

import (
	"context"
	"path/filepath"
)

// localTenants is the list of the local cluster's tenants.
var localTenants = filepath.Join("gitops", "clusters", "local", "tenants", "kustomization.yaml")

// Btcnet runs kubectl btcnet, and returns what it prints. `make` builds it.
func (c *Cluster) Btcnet(ctx context.Context, args ...string) (string, error) {
	return c.tool(ctx, nil, "kubectl-btcnet", args...)
}

// AddTenant adds a team, as the tenant guide says. Push it for Flux to apply. Tests have
// some of their teams more than once.
func (f *Fleet) AddTenant(ctx context.Context, name string) error {
	_, err := f.cluster.Btcnet(ctx, "tenant", "create", name, "--fleet="+f.Dir, "--in=local", "--offline", "--reuse-name")
	return err
}

// RemoveTenant removes a team's folder and its line. When that is pushed, Flux
// removes what it had applied for the team, but for what says that it stays.
func (f *Fleet) RemoveTenant(ctx context.Context, name string) error {
	_, err := f.cluster.Btcnet(ctx, "tenant", "remove", name, "--fleet="+f.Dir, "--offline")
	return err
}
