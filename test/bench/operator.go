package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// operator is the operator of a namespace, as a process of its own.
type operator struct {
	cluster    *cluster
	namespace  string
	program    string
	kubeconfig string

	command *exec.Cmd
	metrics string // its address
}

// startOperator makes a tenant and starts its operator.
func startOperator(ctx context.Context, c *cluster, program string) (*operator, error) {
	namespace, err := c.tenant(ctx)
	if err != nil {
		return nil, err
	}
	kubeconfig, err := c.kubeconfig(namespace)
	if err != nil {
		return nil, err
	}
	o := &operator{cluster: c, namespace: namespace, program: program, kubeconfig: kubeconfig}
	return o, o.start(ctx)
}

// start starts the process as the Deployment does, but at ports of its own, and returns
// when it tells its metrics.
func (o *operator) start(ctx context.Context) error {
	invocation, err := readInvocation(o.namespace)
	if err != nil {
		return err
	}
	metrics, health, err := freeAddresses()
	if err != nil {
		return err
	}
	invocation = invocation.with("--metrics-addr", metrics).with("--health-addr", health)
	log, err := os.OpenFile(filepath.Join(o.cluster.folder, o.namespace+".log"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close() // the process has it
	o.metrics = metrics
	o.command = exec.Command(o.program, invocation.arguments...)
	o.command.Env = append(invocation.environment, "KUBECONFIG="+o.kubeconfig)
	o.command.Stderr = log
	if err := o.command.Start(); err != nil {
		return fmt.Errorf("start the operator: %w", err)
	}
	err = until(ctx, "the operator of "+o.namespace+" tells its metrics", func() (bool, error) {
		_, err := o.allocated(ctx)
		return err == nil, nil
	})
	if err != nil {
		return errors.Join(err, o.stop())
	}
	return nil
}

// freeAddresses returns two addresses on which nobody listens.
func freeAddresses() (string, string, error) {
	one, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", "", err
	}
	defer one.Close()
	other, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", "", err
	}
	defer other.Close()
	return one.Addr().String(), other.Addr().String(), nil
}

// stop ends the process as the kubelet does.
func (o *operator) stop() error {
	if o.command == nil || o.command.Process == nil {
		return nil
	}
	if err := o.command.Process.Signal(syscall.SIGTERM); err != nil {
		return fmt.Errorf("end the operator of %s: %w", o.namespace, err)
	}
	err := o.command.Wait()
	o.command = nil
	if err != nil {
		return fmt.Errorf("the operator of %s ended: %w", o.namespace, err)
	}
	return nil
}

// allocated returns how many bytes the process has allocated since it started.
func (o *operator) allocated(ctx context.Context) (int64, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+o.metrics+"/metrics", nil)
	if err != nil {
		return 0, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, fmt.Errorf("read the operator's metrics: %w", err)
	}
	defer response.Body.Close()
	exposition, err := io.ReadAll(response.Body)
	if err != nil {
		return 0, fmt.Errorf("read the operator's metrics: %w", err)
	}
	allocated := metric(string(exposition), "go_memstats_alloc_bytes_total")
	if allocated == 0 {
		return 0, errors.New("the operator's metrics do not tell what it has allocated")
	}
	return int64(allocated), nil
}

// reading is what an operator has done up to a moment.
type reading struct {
	at        time.Time
	calls     calls
	traffic   map[string]traffic // by network
	allocated int64
	cpu       time.Duration
	// What the operator spends to tell its metrics, which are not few for many nodes, is no
	// part of what it does: reads is what it allocates for that, and cpuAfter the CPU that it
	// has taken when it is done.
	reads    int64
	cpuAfter time.Duration
}

// read reads the metrics twice, to know what that costs.
func (o *operator) read(ctx context.Context) (reading, error) {
	now := reading{at: time.Now()}
	var failed [6]error
	now.traffic, failed[0] = o.cluster.nodes.traffic(ctx)
	now.calls, failed[1] = o.cluster.audit.of(userOf(o.namespace))
	now.cpu, failed[2] = cpuOf(o.command.Process.Pid)
	now.allocated, failed[3] = o.allocated(ctx)
	again, err := o.allocated(ctx)
	now.reads, failed[4] = again-now.allocated, err
	now.cpuAfter, failed[5] = cpuOf(o.command.Process.Pid)
	return now, errors.Join(failed[:]...)
}
