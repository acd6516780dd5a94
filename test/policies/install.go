// Package policies puts the admission policies of gitops/policies on an API server,
// for tests of what they refuse and of what they must not hinder.
package policies

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
)

// TenantLabel is on the namespaces that the policies are for.
const TenantLabel = "bitcoin-operator.github.io/tenant"

// probed is the policy that is made last, so that all are in force when it is.
const probed = "networks.bitcoin-operator.github.io"

// Read returns the policies and bindings that are in a folder.
func Read(folder string) ([]*unstructured.Unstructured, error) {
	files, err := filepath.Glob(filepath.Join(folder, "*.yaml"))
	if err != nil {
		return nil, err
	}
	var objects []*unstructured.Unstructured
	for _, file := range files {
		if filepath.Base(file) == "kustomization.yaml" {
			continue
		}
		content, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		for document := range bytes.SplitSeq(content, []byte("\n---\n")) {
			object := &unstructured.Unstructured{}
			if err := yaml.Unmarshal(document, object); err != nil {
				return nil, fmt.Errorf("read %s: %w", file, err)
			}
			objects = append(objects, object)
		}
	}
	return objects, nil
}

// Install makes the policies that are in a folder, and waits until the API server goes
// by them, which takes it a moment.
func Install(ctx context.Context, api client.Client, folder string) error {
	objects, err := Read(folder)
	if err != nil {
		return err
	}
	// The API server learns of them in the order in which they are made.
	for _, last := range []bool{false, true} {
		for _, object := range objects {
			if (object.GetName() == probed) != last {
				continue
			}
			if err := api.Create(ctx, object); err != nil {
				return fmt.Errorf("make %s %s: %w", object.GetKind(), object.GetName(), err)
			}
		}
	}
	return waitUntilInForce(ctx, api)
}

// waitUntilInForce tries, in a tenant's namespace that has no bounds yet, what nothing
// may until it has.
func waitUntilInForce(ctx context.Context, api client.Client) error {
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "without-bounds-", Labels: map[string]string{TenantLabel: "true"}}}
	if err := api.Create(ctx, namespace); err != nil {
		return fmt.Errorf("make a namespace: %w", err)
	}
	network := &v1alpha1.BitcoinNetwork{ObjectMeta: metav1.ObjectMeta{Name: "payments", Namespace: namespace.Name}}
	return wait.PollUntilContextTimeout(ctx, 100*time.Millisecond, 30*time.Second, true, func(ctx context.Context) (bool, error) {
		err := api.Create(ctx, network.DeepCopy(), client.DryRunAll)
		if apierrors.IsInvalid(err) || apierrors.IsForbidden(err) {
			return true, nil
		}
		return false, err
	})
}

// Tenant makes a tenant's namespace whose networks have these bounds, the data of its
// ConfigMap `tenant`, and returns its name.
func Tenant(ctx context.Context, api client.Client, bounds map[string]string) (string, error) {
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "team-", Labels: map[string]string{TenantLabel: "true"}}}
	if err := api.Create(ctx, namespace); err != nil {
		return "", fmt.Errorf("make a tenant's namespace: %w", err)
	}
	tenant := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "tenant", Namespace: namespace.Name}, Data: bounds}
	if err := api.Create(ctx, tenant); err != nil {
		return "", fmt.Errorf("make the bounds of %s: %w", namespace.Name, err)
	}
	if err := bounded(ctx, api, namespace.Name); err != nil {
		return "", fmt.Errorf("wait for the bounds of %s to be in force: %w", namespace.Name, err)
	}
	return namespace.Name, nil
}

// bounded waits until the API server's policies have heard of a namespace and its bounds,
// which takes a moment: until they refuse what they always do.
func bounded(ctx context.Context, api client.Client, namespace string) error {
	return wait.PollUntilContextTimeout(ctx, 20*time.Millisecond, 10*time.Second, true, func(ctx context.Context) (bool, error) {
		refused := &v1alpha1.BitcoinNetwork{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "probe", Finalizers: []string{"example.com/stays"}}}
		err := api.Create(ctx, refused, client.DryRunAll)
		return err != nil && !strings.Contains(err.Error(), "no params found"), nil
	})
}
