// Package e2e has the end-to-end tests: what people do with Git, Flux and
// kubectl on the local cluster, and what must come of it. Everything in them is
// real. `make e2e` runs them.
package e2e

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/go-logr/logr"
	. "github.com/onsi/gomega"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/bitcoin-operator/bitcoin-operator/test/fleet"
)

// cluster is the local cluster, on which the demo has run; nil where there is
// none to be used.
var cluster *fleet.Cluster

func TestMain(m *testing.M) {
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		code = 1
	}
	os.Exit(code)
}

// run starts the cluster if it is not up, and stops it again if it has started
// it.
func run(m *testing.M) (code int, err error) {
	program := os.Getenv("CLUSTER")
	if program == "" {
		return m.Run(), nil
	}
	// The kubeconfig comes and goes with the cluster.
	if _, err := os.Stat("../../.local/kubeconfig"); errors.Is(err, fs.ErrNotExist) {
		defer func() { err = errors.Join(err, do(program, "down")) }()
	}
	if err := demo(); err != nil {
		return 0, err
	}
	log.SetLogger(logr.Discard())
	if cluster, err = fleet.Open("."); err != nil {
		return 0, err
	}
	if image := os.Getenv("CONFORMANCE_IMAGE"); image != "" {
		if err := testImage(context.Background(), image); err != nil {
			return 0, err
		}
	}
	audit, err := cluster.Audit()
	if err != nil {
		return 0, err
	}
	if code = m.Run(); code != 0 {
		return code, nil
	}
	return 0, checkRights(context.Background(), audit)
}

// demo runs the demo, which starts the cluster if need be, and makes the tenants
// that the tests work with.
func demo() error { return do("make", "--no-print-directory", "-C", "../..", "demo") }

func do(program string, args ...string) error {
	cmd := exec.Command(program, args...)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("run %s %v: %w", program, args, err)
	}
	return nil
}

// needsCluster returns the cluster, and a context that ends when the test should
// long be done.
func needsCluster(t *testing.T) (Gomega, context.Context) {
	t.Helper()
	return needsClusterFor(t, 5*time.Minute)
}

// needsClusterFor is needsCluster for a test that takes its time.
func needsClusterFor(t *testing.T, most time.Duration) (Gomega, context.Context) {
	t.Helper()
	if cluster == nil {
		t.Skip("needs the local cluster: run make e2e")
	}
	ctx, cancel := context.WithTimeoutCause(t.Context(), most, fmt.Errorf("the test took %s", most))
	t.Cleanup(cancel)
	return NewWithT(t), ctx
}

// slow skips a test that takes many minutes, which make e2e-slow runs.
func slow(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("takes many minutes: run make e2e-slow")
	}
}

// wait waits until a condition is so, or the test's time is up.
func wait(g Gomega, ctx context.Context, condition fleet.Condition) {
	g.Expect(fleet.Until(ctx, condition, nil)).To(Succeed())
}

// network reads a network as it is now.
func network(g Gomega, ctx context.Context, namespace, name string) fleet.Network {
	found, err := cluster.Network(ctx, namespace, name)
	g.Expect(err).NotTo(HaveOccurred())
	return found
}

// team returns a team's repository.
func team(g Gomega, ctx context.Context, name string) *fleet.Team {
	found, err := cluster.Team(ctx, name)
	g.Expect(err).NotTo(HaveOccurred())
	return found
}

// push pushes what has changed in a team's repository and returns its delivery.
func push(g Gomega, ctx context.Context, team *fleet.Team, message string) *fleet.Delivery {
	commit, err := team.Push(ctx, message)
	g.Expect(err).NotTo(HaveOccurred())
	return team.Delivery(commit)
}
