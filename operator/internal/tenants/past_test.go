package tenants

import (
	"os/exec"
	"path/filepath"
	"testing"

	. "github.com/onsi/gomega"
)

// A name that once was a team's is found, however long its folder has been gone.
func TestPast(t *testing.T) {
	g := NewWithT(t)
	dir := working(g, t)
	run := func(args ...string) {
		command := exec.Command("git", append([]string{"-C", dir, "-c", "user.name=x", "-c", "user.email=x@example.com"}, args...)...)
		out, err := command.CombinedOutput()
		g.Expect(err).NotTo(HaveOccurred(), string(out))
	}
	run("init", "--quiet")
	run("add", "--all")
	run("commit", "--quiet", "--message=before")
	run("rm", "-r", "--quiet", "tenants/team-b")
	run("commit", "--quiet", "--message=without")

	for team, was := range map[string]bool{"team-a": true, "team-b": true, "team-c": false, "team": false} {
		past, err := Past(t.Context(), dir, team)
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(past != "").To(Equal(was), "%s: %q", team, past)
	}

	shallow := filepath.Join(t.TempDir(), "shallow")
	run("clone", "--quiet", "--depth=1", "file://"+dir, shallow)
	_, err := Past(t.Context(), shallow, "team-b")
	g.Expect(err).To(MatchError(shallow + " is a shallow clone, whose history may lack earlier teams: git fetch --unshallow"))

	_, err = Past(t.Context(), t.TempDir(), "team-b")
	g.Expect(err).To(MatchError(HavePrefix("ask the fleet repository for its history: git rev-parse: exit status 128: fatal: ")))
}
