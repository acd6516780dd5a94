// Package addons installs what runs inside the cluster.
package addons

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"

	"github.com/bitcoin-operator/bitcoin-operator/test/cluster/internal/clone"
	"github.com/bitcoin-operator/bitcoin-operator/test/cluster/internal/network"
	"github.com/bitcoin-operator/bitcoin-operator/test/cluster/internal/parts"
	"github.com/bitcoin-operator/bitcoin-operator/test/cluster/manifests"
)

// flux is the folder with Flux as `flux bootstrap` would have it: its controllers have a
// label, and where they find the fleet's repository, which is not there yet, has none.
func flux(c clone.Clone) []string {
	return []string{"--kustomize", c.Source("gitops", "clusters", "local", "flux-system"), "--selector", "app.kubernetes.io/part-of=flux"}
}

// Apply installs them. It does not wait for them to run.
func Apply(ctx context.Context, c clone.Clone) error {
	all, err := manifests.All(manifests.Values{
		DNS: network.ServiceDNS, Domain: network.Domain,
		Volumes: c.Data("volumes"), Helper: parts.Knots,
	})
	if err != nil {
		return err
	}
	crds := c.Local("crds", "flux")
	for _, step := range []struct {
		args  []string
		stdin []byte
	}{
		// kustomize-controller waits for the CRDs of both: install them first.
		{args: []string{"apply", "--server-side", "--filename", crds}},
		{args: []string{"apply", "--server-side", "--filename", "-"}, stdin: all},
		{args: append([]string{"apply", "--server-side"}, flux(c)...)},
		{args: []string{"wait", "--for=condition=Established", "--timeout=60s", "--filename", crds}},
	} {
		if err := kubectl(ctx, c, bytes.NewReader(step.stdin), step.args...); err != nil {
			return fmt.Errorf("install what runs inside the cluster: %w", err)
		}
	}
	return nil
}

// Monitoring installs a Prometheus and an Alertmanager with what gitops/monitoring says,
// and waits until they run. Alerts are posted to that URL, as to Slack.
func Monitoring(ctx context.Context, c clone.Clone, receiver string) error {
	alertmanager, err := os.ReadFile(c.Source("gitops", "monitoring", "alertmanager.yaml"))
	if err != nil {
		return err
	}
	programs, err := manifests.Monitoring(manifests.MonitoringValues{
		Image: parts.Prometheus, Alertmanager: string(alertmanager), Receiver: receiver,
	})
	if err != nil {
		return err
	}
	namespace := []byte(`{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "monitoring"}}`)
	for _, step := range []struct {
		args  []string
		stdin []byte
	}{
		{args: []string{"apply", "--server-side", "--filename", "-"}, stdin: namespace},
		{args: []string{"apply", "--server-side", "--kustomize", c.Source("gitops", "monitoring", "prometheus")}},
		{args: []string{"apply", "--server-side", "--filename", "-"}, stdin: programs},
		// What they read when they start may have changed.
		{args: []string{"delete", "pods", "--namespace=monitoring", "--selector=app.kubernetes.io/name in (prometheus, alertmanager)"}},
		{args: []string{"rollout", "status", "--namespace=monitoring", "--timeout=2m", "deployment/prometheus"}},
		{args: []string{"rollout", "status", "--namespace=monitoring", "--timeout=2m", "deployment/alertmanager"}},
	} {
		if err := kubectl(ctx, c, bytes.NewReader(step.stdin), step.args...); err != nil {
			return fmt.Errorf("install Prometheus and Alertmanager: %w", err)
		}
	}
	return nil
}

func kubectl(ctx context.Context, c clone.Clone, stdin io.Reader, args ...string) error {
	cmd := exec.CommandContext(ctx, c.Bin("kubectl"), append([]string{"--kubeconfig", c.Kubeconfig()}, args...)...)
	cmd.Stdin = stdin
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("kubectl %s: %w: %s", strings.Join(args, " "), err, bytes.TrimSpace(out))
	}
	return nil
}
