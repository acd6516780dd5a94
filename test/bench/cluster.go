package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/test/policies"
)

// cluster is a real API server, with the project's resource definitions and policies, whose
// other parts are played.
type cluster struct {
	environment *envtest.Environment
	admin       *rest.Config
	api         client.Client
	audit       *auditLog
	kubelet     *kubelet
	networks    *networks
	nodes       *simulation
	folder      string

	stopPlaying context.CancelFunc
	playing     chan error
}

// secretName is the one that operators may read.
const secretName = "bitcoin-rpc"

// startCluster starts one whose files are in a folder.
func startCluster(ctx context.Context, folder string, nodes *simulation) (*cluster, error) {
	policy, log := filepath.Join(folder, "audit-policy.yaml"), filepath.Join(folder, "audit.log")
	if err := errors.Join(os.WriteFile(policy, []byte(auditPolicy), 0o600), os.WriteFile(log, nil, 0o600)); err != nil {
		return nil, err
	}
	c := &cluster{
		environment: &envtest.Environment{CRDDirectoryPaths: []string{"gitops/crds"}, ErrorIfCRDPathMissing: true},
		audit:       &auditLog{path: log},
		nodes:       nodes,
		folder:      folder,
	}
	c.environment.ControlPlane.GetAPIServer().Configure().
		Set("audit-policy-file", policy).Set("audit-log-path", log).Set("audit-log-maxsize", "10000")
	var err error
	if c.admin, err = c.environment.Start(); err != nil {
		return nil, fmt.Errorf("start the API server (KUBEBUILDER_ASSETS must name a folder with kube-apiserver and etcd, as make bench does): %w", err)
	}
	c.admin.QPS = -1
	if err := c.play(ctx); err != nil {
		return nil, errors.Join(err, c.stop())
	}
	return c, nil
}

// play starts what is played, and puts the policies in force.
func (c *cluster) play(ctx context.Context) error {
	scheme := runtime.NewScheme()
	if err := errors.Join(clientgoscheme.AddToScheme(scheme), v1alpha1.AddToScheme(scheme)); err != nil {
		return err
	}
	manager, err := ctrl.NewManager(c.admin, ctrl.Options{Scheme: scheme, Metrics: metricsserver.Options{BindAddress: "0"}})
	if err != nil {
		return err
	}
	if c.api, err = client.New(c.admin, client.Options{Scheme: scheme}); err != nil {
		return err
	}
	if c.kubelet, err = newKubelet(manager, c.nodes); err != nil {
		return err
	}
	if c.networks, err = watchNetworks(ctx, manager); err != nil {
		return err
	}
	if err := errors.Join(playStatefulSets(manager), playFullMesh(manager, c.kubelet)); err != nil {
		return err
	}
	playing, stop := context.WithCancel(ctx)
	c.stopPlaying, c.playing = stop, make(chan error, 1)
	go func() { c.playing <- manager.Start(playing) }()
	if !manager.GetCache().WaitForCacheSync(ctx) {
		return fmt.Errorf("fill the caches: %w", ctx.Err())
	}
	return policies.Install(ctx, c.api, "gitops/policies")
}

func (c *cluster) stop() error {
	var failed error
	if c.stopPlaying != nil {
		c.stopPlaying()
		failed = <-c.playing
	}
	return errors.Join(failed, c.environment.Stop())
}

// tenant makes a namespace with what an operator needs there, and returns its name.
func (c *cluster) tenant(ctx context.Context) (string, error) {
	bounds, err := readBounds()
	if err != nil {
		return "", err
	}
	namespace, err := policies.Tenant(ctx, c.api, bounds)
	if err != nil {
		return "", err
	}
	rights, err := rightsOf(namespace)
	if err != nil {
		return "", err
	}
	for _, object := range rights {
		if err := c.api.Create(ctx, object); err != nil {
			return "", fmt.Errorf("make %s %s: %w", object.GetKind(), object.GetName(), err)
		}
	}
	secret := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: secretName},
		StringData: map[string]string{"BC_RPC_USER": rpcUser, "BC_RPC_PASSWORD": rpcPassword},
	}
	if err := c.api.Create(ctx, secret); err != nil {
		return "", fmt.Errorf("make the Secret of %s: %w", namespace, err)
	}
	return namespace, nil
}

// userOf is what the API server calls the operator of a namespace.
func userOf(namespace string) string {
	return "system:serviceaccount:" + namespace + ":bitcoin-operator"
}

// kubeconfig writes what lets the operator of a namespace in, and returns the file.
func (c *cluster) kubeconfig(namespace string) (string, error) {
	user, err := c.environment.AddUser(envtest.User{Name: userOf(namespace), Groups: []string{operatorsGroup}}, nil)
	if err != nil {
		return "", fmt.Errorf("let the operator of %s in: %w", namespace, err)
	}
	content, err := user.KubeConfig()
	if err != nil {
		return "", err
	}
	file := filepath.Join(c.folder, namespace+".kubeconfig")
	return file, os.WriteFile(file, content, 0o600)
}
