package btcnet

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	gosync "sync"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/portforward"
	"k8s.io/client-go/transport/spdy"
	"k8s.io/streaming/pkg/httpstream"
)

// forward opens a port on this machine that leads to one of a pod.
func forward(ctx context.Context, cluster cluster, namespace, pod string, port int) (*gate, error) {
	config, err := cluster.config()
	if err != nil {
		return nil, err
	}
	dialer, err := dialerTo(config, namespace, pod)
	if err != nil {
		return nil, err
	}
	stop, ready, ended := make(chan struct{}), make(chan struct{}), make(chan struct{})
	forwarder, err := portforward.NewOnAddressesForStreaming(dialer, []string{"127.0.0.1"}, []string{fmt.Sprintf("0:%d", port)}, stop, ready, io.Discard, io.Discard)
	if err != nil {
		return nil, err
	}
	var failure error
	go func() { defer close(ended); failure = forwarder.ForwardPorts() }()
	end := func() { close(stop); <-ended }
	select {
	case <-ended:
		return nil, failure
	case <-ctx.Done():
		end()
		return nil, context.Cause(ctx)
	case <-ready:
	}
	ports, err := forwarder.GetPorts()
	if err != nil {
		end()
		return nil, err
	}
	gate, err := newGate(net.JoinHostPort("127.0.0.1", strconv.Itoa(int(ports[0].Local))), end)
	if err != nil {
		end()
	}
	return gate, err
}

// dialerTo returns what dials a pod's ports, by way of the API server: by WebSocket, and
// where that or what is before it knows none, by SPDY, as kubectl does.
func dialerTo(config *rest.Config, namespace, pod string) (httpstream.Dialer, error) {
	clientset, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	url := clientset.CoreV1().RESTClient().Post().Resource("pods").Namespace(namespace).Name(pod).SubResource("portforward").URL()
	transport, upgrader, err := spdy.RoundTripperFor(config)
	if err != nil {
		return nil, err
	}
	tunnel, err := portforward.NewSPDYOverWebsocketDialerForStreaming(url, config)
	if err != nil {
		return nil, err
	}
	plain := spdy.NewDialerForStreaming(upgrader, &http.Client{Transport: transport}, http.MethodPost, url)
	return portforward.NewFallbackDialerForStreaming(tunnel, plain, func(err error) bool {
		return httpstream.IsUpgradeFailure(err) || httpstream.IsHTTPSProxyError(err)
	}), nil
}

// gate lets one connection through, and no second.
type gate struct {
	listener net.Listener
	target   string
	end      func()
	work     gosync.WaitGroup

	mutex    gosync.Mutex
	through  net.Conn
	onSecond func()
}

// newGate returns a gate before a target. It calls end when it has been closed.
func newGate(target string, end func()) (*gate, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	g := &gate{listener: listener, target: target, end: end}
	g.work.Go(g.serve)
	return g, nil
}

// Address is where the gate is.
func (g *gate) Address() string { return g.listener.Addr().String() }

// OnSecond has something called when somebody comes who is not let through.
func (g *gate) OnSecond(call func()) {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	g.onSecond = call
}

// Close closes the gate and the connection that was let through.
func (g *gate) Close() {
	g.listener.Close()
	g.mutex.Lock()
	if g.through != nil {
		g.through.Close()
	}
	g.mutex.Unlock()
	g.work.Wait()
	g.end()
}

func (g *gate) serve() {
	for first := true; ; first = false {
		connection, err := g.listener.Accept()
		if err != nil {
			return // closed
		}
		if first {
			g.work.Go(func() { g.lead(connection) })
			continue
		}
		connection.Close()
		g.mutex.Lock()
		call := g.onSecond
		g.mutex.Unlock()
		if call != nil {
			call()
		}
	}
}

// lead copies between a connection and the target until either ends.
func (g *gate) lead(connection net.Conn) {
	defer connection.Close()
	target, err := net.DialTimeout("tcp", g.target, callTimeout)
	if err != nil {
		return
	}
	g.mutex.Lock()
	g.through = target
	g.mutex.Unlock()
	defer target.Close()
	var copying gosync.WaitGroup
	copying.Go(func() {
		_, err := io.Copy(target, connection)
		if tcp, isTCP := target.(*net.TCPConn); isTCP && err == nil {
			err = tcp.CloseWrite()
		}
		if err != nil && !errors.Is(err, net.ErrClosed) {
			target.Close()
		}
	})
	io.Copy(connection, target) //nolint:errcheck // whoever asked sees that the answer has ended
	connection.Close()
	copying.Wait()
}
