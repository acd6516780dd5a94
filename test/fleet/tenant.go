package fleet

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
)

// localTenants is the list of the local cluster's tenants.
var localTenants = filepath.Join("gitops", "clusters", "local", "tenants", "kustomization.yaml")

// AddTenant adds a team, as the tenant guide says. Push it for Flux to apply. Tests have
// some of their teams more than once.
func (f *Fleet) AddTenant(ctx context.Context, name string) error {
	return f.tenant(ctx, "create", name, "--in="+f.in, "--offline", "--reuse-name")
}

// RemoveTenant removes a team's folder and its line. When that is pushed, Flux
// removes what it had applied for the team, but for what says that it stays.
func (f *Fleet) RemoveTenant(ctx context.Context, name string) error {
	return f.tenant(ctx, "remove", name, "--offline")
}

func (f *Fleet) tenant(ctx context.Context, args ...string) error {
	answer, err := f.cluster.Btcnet(ctx, append([]string{"tenant", "--fleet=" + f.Dir, "--release=" + f.release}, args...)...)
	if err == nil && answer.Code != 0 {
		err = fmt.Errorf("kubectl btcnet tenant %s: %s", strings.Join(args, " "), answer.ErrOut)
	}
	return err
}
