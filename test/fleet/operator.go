package fleet

import (
	"context"
	"fmt"
	"os"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// RenewOperators restarts the operators that began before the image that they
// name was built anew, and returns how many. A local image keeps its tag when it
// changes, so nothing else would.
func (c *Cluster) RenewOperators(ctx context.Context) (int, error) {
	image, err := os.Stat(c.local("images", "project-operator.tar"))
	if err != nil {
		return 0, fmt.Errorf("look at the operator's image: %w", err)
	}
	var pods corev1.PodList
	if err := c.API.List(ctx, &pods, client.MatchingLabels{"app.kubernetes.io/name": "bitcoin-operator"}); err != nil {
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
