// Package health asks the cluster's programs, and the cluster, how they are.
package health

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/bitcoin-operator/bitcoin-operator/test/cluster/internal/clone"
	"github.com/bitcoin-operator/bitcoin-operator/test/cluster/internal/components"
	"github.com/bitcoin-operator/bitcoin-operator/test/cluster/internal/network"
)

// Deployments are those that make the cluster complete, by namespace.
var Deployments = [][2]string{
	{"kube-system", "coredns"},
	{"local-path-storage", "local-path-provisioner"},
	{"flux-system", "source-controller"},
	{"flux-system", "kustomize-controller"},
}

// A Checker asks as the cluster's administrator.
type Checker struct {
	client *http.Client
	plain  *http.Client
}

// New returns a checker of a clone's cluster.
func New(c clone.Clone) (*Checker, error) {
	ca, err := os.ReadFile(c.PKI("ca.crt"))
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(ca)
	admin, err := tls.LoadX509KeyPair(c.PKI("admin.crt"), c.PKI("admin.key"))
	if err != nil {
		return nil, err
	}
	client := func(config *tls.Config) *http.Client {
		return &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{TLSClientConfig: config}}
	}
	return &Checker{
		client: client(&tls.Config{RootCAs: roots, Certificates: []tls.Certificate{admin}}),
		// Some serve their health, on loopback, with certificates that they
		// have made up. Nothing is sent to them.
		plain: client(&tls.Config{InsecureSkipVerify: true}),
	}, nil
}

// Program asks one of the cluster's programs.
func (c *Checker) Program(ctx context.Context, name string) error {
	switch name {
	case components.Containerd:
		return dial(ctx, "unix", components.Socket)
	case components.Etcd:
		return get(ctx, c.client, "https://"+network.Etcd+"/health", nil)
	case components.APIServer:
		return get(ctx, c.client, "https://"+network.APIServer+"/readyz", nil)
	case components.ControllerManager:
		return get(ctx, c.plain, "https://"+network.ControllerManager+"/healthz", nil)
	case components.Scheduler:
		return get(ctx, c.plain, "https://"+network.Scheduler+"/healthz", nil)
	case components.Kubelet:
		return get(ctx, c.plain, "http://"+network.KubeletHealth+"/healthz", nil)
	case components.Proxy:
		return get(ctx, c.plain, "http://"+network.ProxyHealth+"/healthz", nil)
	case components.Router:
		return c.router(ctx)
	case components.Git:
		return dial(ctx, "tcp", network.Git)
	}
	return fmt.Errorf("nothing is known of %s", name)
}

// router reports why NetworkPolicies are not enforced: the program that does so does not
// answer, or has not set rules yet. Its word on its own health is of no use: a busy machine
// makes it late, and then it says that it is ill.
func (c *Checker) router(ctx context.Context) error {
	metrics, err := fetch(ctx, c.plain, "http://"+network.Router+"/metrics")
	if err != nil {
		return err
	}
	if !rulesSet(string(metrics)) {
		return errors.New("it has not set rules yet")
	}
	return nil
}

// rulesSet reads in kube-router's metrics whether it has set rules at least once.
func rulesSet(metrics string) bool {
	for line := range strings.Lines(metrics) {
		if f := strings.Fields(line); len(f) == 2 && f[0] == "kube_router_controller_iptables_v4_restore_time_count" {
			return f[1] != "0"
		}
	}
	return false
}

// Registered reports why the node is not there yet, with its address, whether or not it
// is ready.
func (c *Checker) Registered(ctx context.Context) error {
	var node struct {
		Status struct {
			Addresses []struct{ Type, Address string }
		}
	}
	if err := get(ctx, c.client, "https://"+network.APIServer+"/api/v1/nodes/"+network.Node, &node); err != nil {
		return err
	}
	for _, address := range node.Status.Addresses {
		if address.Type == "InternalIP" {
			return nil
		}
	}
	return errors.New("it has no address yet")
}

// Node reports why the node is not ready.
func (c *Checker) Node(ctx context.Context) error {
	return c.condition(ctx, "/api/v1/nodes/"+network.Node, "Ready")
}

// Deployment reports why a deployment is not available.
func (c *Checker) Deployment(ctx context.Context, namespace, name string) error {
	return c.condition(ctx, "/apis/apps/v1/namespaces/"+namespace+"/deployments/"+name, "Available")
}

// Cluster reports what of the cluster, its programs aside, is not healthy.
func (c *Checker) Cluster(ctx context.Context) error {
	errs := []error{}
	if err := c.Node(ctx); err != nil {
		errs = append(errs, fmt.Errorf("node %s: %w", network.Node, err))
	}
	for _, d := range Deployments {
		if err := c.Deployment(ctx, d[0], d[1]); err != nil {
			errs = append(errs, fmt.Errorf("deployment %s/%s: %w", d[0], d[1], err))
		}
	}
	return errors.Join(errs...)
}

// condition reports why an object's condition is not true.
func (c *Checker) condition(ctx context.Context, path, kind string) error {
	var object struct {
		Status struct {
			Conditions []struct{ Type, Status, Reason, Message string }
		}
	}
	if err := get(ctx, c.client, "https://"+network.APIServer+path, &object); err != nil {
		return err
	}
	for _, condition := range object.Status.Conditions {
		if condition.Type != kind {
			continue
		}
		if condition.Status == "True" {
			return nil
		}
		return fmt.Errorf("%s: %s", condition.Reason, condition.Message)
	}
	return fmt.Errorf("it does not say yet whether it is %s", strings.ToLower(kind))
}

func get(ctx context.Context, client *http.Client, url string, into any) error {
	body, err := fetch(ctx, client, url)
	if err != nil || into == nil {
		return err
	}
	return json.Unmarshal(body, into)
}

func fetch(ctx context.Context, client *http.Client, url string) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	response, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	if err != nil {
		return nil, err
	}
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s answers %s: %.300s", url, response.Status, body)
	}
	return body, nil
}

func dial(ctx context.Context, kind, address string) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	conn, err := new(net.Dialer).DialContext(ctx, kind, address)
	if err != nil {
		return err
	}
	return conn.Close()
}
