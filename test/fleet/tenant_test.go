package fleet

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestTenantLines(t *testing.T) {
	const list = "resources:\n  - cluster.yaml\n  - ../../../../tenants/team-a\ncomponents:\n  - ../../base/tenants\n"
	const both = "resources:\n  - cluster.yaml\n  - ../../../../tenants/team-a\n  - ../../../../tenants/b\ncomponents:\n  - ../../base/tenants\n"
	tests := map[string]struct {
		edit func(list, name string) (string, error)
		list string
		name string
		want string // nothing where it fails
	}{
		"added last":        {withTenant, list, "b", both},
		"added twice":       {withTenant, both, "b", ""},
		"no place to add":   {withTenant, "resources:\n", "b", ""},
		"removed":           {withoutTenant, both, "b", list},
		"removed, not part": {withoutTenant, list, "team", ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := test.edit(test.list, test.name)
			if got != test.want || (err != nil) != (test.want == "") {
				t.Errorf("got %q, %v", got, err)
			}
		})
	}
}

// The repository's own folders must lend themselves to what the guide says.
func TestAddAndRemoveTenant(t *testing.T) {
	f := &Fleet{Repository: &Repository{Name: "fleet", Dir: t.TempDir()}}
	for _, folder := range []string{"gitops/clusters/local", "tenants"} {
		if err := copyFolder(filepath.Join("..", "..", folder), f.Path(folder), unchanged); err != nil {
			t.Fatal(err)
		}
	}
	before := contents(t, f.Dir)

	if err := f.AddTenant("team-c"); err != nil {
		t.Fatal(err)
	}
	after := contents(t, f.Dir)
	added := 0
	for path, content := range after {
		if !strings.HasPrefix(path, "tenants/team-c/") {
			continue
		}
		added++
		original := before[strings.Replace(path, "team-c", "team-a", 1)]
		if content != strings.ReplaceAll(original, "team-a", "team-c") {
			t.Errorf("%s is not team-a's with another name:\n%s", path, content)
		}
	}
	if added == 0 || len(after) != len(before)+added {
		t.Errorf("%d files before, %d after, %d of them team-c's", len(before), len(after), added)
	}
	if !strings.Contains(after[localTenants], "tenants/team-c\n") {
		t.Errorf("the list of tenants lacks team-c:\n%s", after[localTenants])
	}

	if err := f.RemoveTenant("team-c"); err != nil {
		t.Fatal(err)
	}
	if left := contents(t, f.Dir); len(left) != len(before) || left[localTenants] != before[localTenants] {
		t.Error("removed, team-c has left something behind")
	}
}

// contents of the files below a folder.
func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := fs.WalkDir(os.DirFS(dir), ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(filepath.Join(dir, path))
		files[path] = string(content)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}
