package fleet

import (
	"context"
	"fmt"
	"os"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// RenewOperators restarts what runs of the operator's image, and began before that
// was built anew, and returns how many. A local image keeps its tag when it changes, so
// nothing else would.
func (c *Cluster) RenewOperators(ctx context.Context) (int, error) {
	image, err := os.Stat(c.local("images", "project-operator.tar"))
	if err != nil {
		return 0, fmt.Errorf("look at the operator's image: %w", err)
	}
	var pods corev1.PodList
	of, err := labels.Parse("app.kubernetes.io/name in (bitcoin-operator, certificate-publisher)")
	if err != nil {
		return 0, err
	}
	if err := c.API.List(ctx, &pods, client.MatchingLabelsSelector{Selector: of}); err != nil {
		return 0, fmt.Errorf("list the operators: %w", err)
	}
	renewed := 0
	for _, pod := range pods.Items {
		if pod.CreationTimestamp.After(image.ModTime()) {
			continue
		}
		if _, err := c.Kubectl(ctx, "delete", "pod", pod.Name, "--namespace", pod.Namespace, "--ignore-not-found"); err != nil {
			return renewed, err
		}
		renewed++
	}
	return renewed, nil
}
