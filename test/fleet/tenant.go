package fleet

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// localTenants is the list of the local cluster's tenants.
var localTenants = filepath.Join("gitops", "clusters", "local", "tenants", "kustomization.yaml")

// exampleTeam is the team whose folder a new tenant's is a copy of.
const exampleTeam = "team-a"

// AddTenant makes a folder for a new team, as the tenant guide says: a copy of
// an existing team's with another name, and a line in the cluster's list. Push
// it for Flux to apply.
func (f *Fleet) AddTenant(name string) error {
	rename := func(content string) string { return strings.ReplaceAll(content, exampleTeam, name) }
	if err := copyFolder(f.Path("tenants", exampleTeam), f.Path("tenants", name), rename); err != nil {
		return fmt.Errorf("add tenant %s: %w", name, err)
	}
	return f.editTenants(func(list string) (string, error) { return withTenant(list, name) })
}

// RemoveTenant removes a team's folder and its line. When that is pushed, Flux
// removes what it had applied for the team, but for what says that it stays.
func (f *Fleet) RemoveTenant(name string) error {
	if err := os.RemoveAll(f.Path("tenants", name)); err != nil {
		return fmt.Errorf("remove tenant %s: %w", name, err)
	}
	return f.editTenants(func(list string) (string, error) { return withoutTenant(list, name) })
}

func (f *Fleet) editTenants(edit func(string) (string, error)) error {
	file := f.Path(localTenants)
	list, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	edited, err := edit(string(list))
	if err != nil {
		return fmt.Errorf("edit %s: %w", localTenants, err)
	}
	return os.WriteFile(file, []byte(edited), 0o644)
}

const tenantLine = "  - ../../../../tenants/"

// withTenant adds a tenant's line after those of the others.
func withTenant(list, name string) (string, error) {
	lines := strings.Split(list, "\n")
	if slices.Contains(lines, tenantLine+name) {
		return "", fmt.Errorf("%s is there already", name)
	}
	for i, line := range slices.Backward(lines) {
		if strings.HasPrefix(line, tenantLine) {
			return strings.Join(slices.Insert(lines, i+1, tenantLine+name), "\n"), nil
		}
	}
	return "", fmt.Errorf("it lists no tenant after which %s could come", name)
}

// withoutTenant takes a tenant's line out.
func withoutTenant(list, name string) (string, error) {
	lines := strings.Split(list, "\n")
	i := slices.Index(lines, tenantLine+name)
	if i < 0 {
		return "", fmt.Errorf("%s is not there", name)
	}
	return strings.Join(slices.Delete(lines, i, i+1), "\n"), nil
}
