package controller

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"testing"

	"github.com/go-logr/logr"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/test/policies"
)

// apiServer is a real kube-apiserver with a real etcd, shared by the tests of
// this package. It is nil with -short.
var apiServer *rest.Config

var scheme = runtime.NewScheme()

func TestMain(m *testing.M) {
	flag.Parse()
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func run(m *testing.M) (code int, err error) {
	if err := clientgoscheme.AddToScheme(scheme); err != nil {
		return 0, err
	}
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		return 0, err
	}
	ctrl.SetLogger(logr.Discard()) // what the operator does shows in what it writes
	if testing.Short() {
		return m.Run(), nil
	}
	environment := &envtest.Environment{
		CRDDirectoryPaths:     []string{"../../../gitops/crds"},
		ErrorIfCRDPathMissing: true,
	}
	if apiServer, err = environment.Start(); err != nil {
		return 0, fmt.Errorf("start the API server (KUBEBUILDER_ASSETS must name a folder with kube-apiserver and etcd, as make test does): %w", err)
	}
	api, err := client.New(apiServer, client.Options{Scheme: scheme})
	if err != nil {
		return 0, errors.Join(err, environment.Stop())
	}
	// What the operator does must pass where tenants are fenced in.
	if err := policies.Install(context.Background(), api, "../../../gitops/policies"); err != nil {
		return 0, errors.Join(err, environment.Stop())
	}
	code = m.Run()
	return code, environment.Stop()
}

// needsAPIServer skips a test that cannot do without the API server in the fast
// inner loop.
func needsAPIServer(t *testing.T) context.Context {
	t.Helper()
	if apiServer == nil {
		t.Skip("needs an API server, which -short leaves out")
	}
	return t.Context()
}
