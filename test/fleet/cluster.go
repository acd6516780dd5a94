// Package fleet does on the local cluster what people do on a real one: the
// platform team keeps the fleet's repository, each team keeps its own and seals
// its credentials, and all of them look at what came of it. It works with what
// they work with, git, kubectl and kubeseal, and as they would.
//
// The demo shows it, and the end-to-end tests are written in it.
package fleet

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
)

// A Cluster is the local cluster of a clone of this repository.
type Cluster struct {
	// API speaks to the cluster, as its administrator where nothing else is said.
	API client.Client

	watcher    client.WithWatch
	root       string
	kubeconfig string
}

// Watch tells of changes to objects of a list's kind until it is stopped.
func (c *Cluster) Watch(ctx context.Context, list client.ObjectList, options ...client.ListOption) (watch.Interface, error) {
	return c.watcher.Watch(ctx, list, options...)
}

// Open returns the cluster of the clone that a folder is in. The cluster must be
// up.
func Open(dir string) (*Cluster, error) {
	root, err := findRoot(dir)
	if err != nil {
		return nil, err
	}
	c, err := connect(root, filepath.Join(root, ".local", "kubeconfig"))
	if errors.Is(err, os.ErrNotExist) {
		return nil, errors.New("the local cluster is not up: start it with `make demo`")
	}
	return c, err
}

// connect returns the cluster of a clone as it is to whoever has a kubeconfig.
func connect(root, kubeconfig string) (*Cluster, error) {
	c := &Cluster{root: root, kubeconfig: kubeconfig}
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return nil, fmt.Errorf("read the cluster's kubeconfig: %w", err)
	}
	config.Proxy = func(*http.Request) (*url.URL, error) { return nil, nil }
	config.WarningHandler = rest.NoWarnings{}
	config.QPS = -1 // whoever waits asks at its own pace
	config.Timeout = answerWithin

	scheme := runtime.NewScheme()
	if err := errors.Join(clientgoscheme.AddToScheme(scheme), v1alpha1.AddToScheme(scheme)); err != nil {
		return nil, err
	}
	if c.API, err = client.New(config, client.Options{Scheme: scheme}); err != nil {
		return nil, fmt.Errorf("make a client for the cluster: %w", err)
	}
	watching := rest.CopyConfig(config)
	watching.Timeout = 0 // a watch has no end
	if c.watcher, err = client.NewWithWatch(watching, client.Options{Scheme: scheme}); err != nil {
		return nil, fmt.Errorf("make a client for the cluster: %w", err)
	}
	return c, nil
}

// answerWithin is how long an API server or a node has for an answer: one that
// hangs must not use up the time of whoever can ask again.
const answerWithin = 20 * time.Second

// Kubeconfig is the file with which a person reaches the cluster.
func (c *Cluster) Kubeconfig() string { return c.kubeconfig }

// Logs is the folder with the logs of the cluster's programs and pods.
func (c *Cluster) Logs() string { return c.local("log") }

// source is a path in the clone's working tree.
func (c *Cluster) source(elem ...string) string {
	return filepath.Join(append([]string{c.root}, elem...)...)
}

// local is a path among what the cluster keeps, which Git ignores.
func (c *Cluster) local(elem ...string) string {
	return c.source(append([]string{".local"}, elem...)...)
}

// Bin is the folder with the cluster's tools.
func (c *Cluster) Bin() string { return c.local("bin") }

// findRoot returns the top folder of the clone that dir is in.
func findRoot(dir string) (string, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	for root := dir; ; root = filepath.Dir(root) {
		if _, err := os.Stat(filepath.Join(root, localTenants)); err == nil {
			return root, nil
		}
		if root == filepath.Dir(root) {
			return "", fmt.Errorf("%s is not in a clone of the Bitcoin Network Operator", dir)
		}
	}
}
