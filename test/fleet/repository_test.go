package fleet

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
)

func TestRepository(t *testing.T) {
	server, ctx := filepath.Join(t.TempDir(), "team-a.git"), t.Context()
	if out, err := exec.Command("git", "init", "--quiet", "--bare", "--initial-branch=main", server).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	clone := func() *Repository {
		t.Helper()
		r := &Repository{Name: "team-a", URL: server, Dir: filepath.Join(t.TempDir(), "team-a")}
		if err := r.clone(ctx); err != nil {
			t.Fatal(err)
		}
		return r
	}
	push := func(r *Repository) string {
		t.Helper()
		commit, err := r.Push(ctx, "Change something")
		if err != nil {
			t.Fatal(err)
		}
		return commit
	}

	r := clone()
	if _, err := r.Push(ctx, "Nothing"); err == nil {
		t.Error("an empty repository is at a commit")
	}
	if err := os.WriteFile(r.Path("payments.yaml"), []byte("nodes: 3\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	first := push(r)
	if again := push(r); again != first {
		t.Errorf("nothing has changed, but there is a new commit %s", again)
	}
	if err := r.Edit("payments.yaml", "nodes: 4", "nodes: 5"); err == nil {
		t.Error("text that is not there can be replaced")
	}
	if err := r.Edit("payments.yaml", "nodes: 3", "nodes: 12"); err != nil {
		t.Fatal(err)
	}
	second := push(r)
	if second == first {
		t.Error("the change is not committed")
	}

	other := clone()
	content, err := os.ReadFile(other.Path("payments.yaml"))
	if head := push(other); err != nil || string(content) != "nodes: 12\n" || head != second {
		t.Errorf("pushed was %q at %s, %v", content, head, err)
	}
	// A clone of which the server no longer knows the history is made anew.
	if err := r.clone(ctx); err != nil || push(r) != second {
		t.Errorf("cloned again: %v", err)
	}
}

func TestSourceFiles(t *testing.T) {
	c, ctx := &Cluster{root: t.TempDir()}, t.Context()
	run := func(args ...string) {
		t.Helper()
		cmd := exec.Command("git", args...)
		cmd.Dir, cmd.Env = c.root, environment()
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v: %s", args, err, out)
		}
	}
	write := func(path, content string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(c.source(path)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(c.source(path), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	run("init", "--quiet")
	write(".gitignore", "*.swp\n")
	write("gitops/kept.yaml", "")
	write("gitops/deleted.yaml", "")
	write("elsewhere/file", "")
	run("add", "--all")
	if err := os.Remove(c.source("gitops/deleted.yaml")); err != nil {
		t.Fatal(err)
	}
	write("gitops/.kept.yaml.swp", "")
	write("tenants/team a/new.yaml", "")

	files, err := c.sourceFiles(ctx, "gitops", "tenants")
	if want := []string{"gitops/kept.yaml", "tenants/team a/new.yaml"}; err != nil || !slices.Equal(files, want) {
		t.Errorf("got %q, %v; want %q", files, err, want)
	}
}
