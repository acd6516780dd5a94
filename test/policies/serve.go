package policies

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
)

// Serve starts a real API server with the resource definitions and the policies of a
// repository, and kinds of Flux and of External Secrets. Who has started it stops it.
func Serve(ctx context.Context, repository string, scheme *runtime.Scheme) (*envtest.Environment, error) {
	environment := &envtest.Environment{
		CRDDirectoryPaths: []string{
			filepath.Join(repository, "gitops/crds"),
			filepath.Join(repository, "gitops/infrastructure/sealed-secrets/crd.yaml"),
			filepath.Join(repository, "test/policies/testdata/external-secrets.yaml"),
		},
		ErrorIfCRDPathMissing: true,
		CRDs:                  FluxKinds(),
	}
	config, err := environment.Start()
	if err != nil {
		return nil, fmt.Errorf("start the API server (KUBEBUILDER_ASSETS must name a folder with kube-apiserver and etcd, as make test does): %w", err)
	}
	api, err := client.New(config, client.Options{Scheme: scheme})
	if err == nil {
		err = Install(ctx, api, filepath.Join(repository, "gitops/policies"))
	}
	if err != nil {
		return nil, errors.Join(err, environment.Stop())
	}
	return environment, nil
}
