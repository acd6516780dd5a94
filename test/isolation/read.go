package isolation

import (
	"context"
	"errors"
	"fmt"
	"net/netip"

	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

// Read reads what is live in a cluster.
func Read(ctx context.Context, config *rest.Config) (Cluster, error) {
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return Cluster{}, fmt.Errorf("make a client for the cluster: %w", err)
	}
	var all metav1.ListOptions
	namespaces, err1 := client.CoreV1().Namespaces().List(ctx, all)
	pods, err2 := client.CoreV1().Pods("").List(ctx, all)
	policies, err3 := client.NetworkingV1().NetworkPolicies("").List(ctx, all)
	// The API servers themselves keep this one up to date.
	slice, err4 := client.DiscoveryV1().EndpointSlices(metav1.NamespaceDefault).Get(ctx, "kubernetes", metav1.GetOptions{})
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		return Cluster{}, fmt.Errorf("read the cluster: %w", err)
	}
	apiServer, err := firstEndpoint(slice)
	if err != nil {
		return Cluster{}, err
	}
	return Cluster{
		Namespaces: pointers(namespaces.Items),
		Pods:       pointers(pods.Items),
		Policies:   pointers(policies.Items),
		APIServer:  apiServer,
	}, nil
}

func firstEndpoint(slice *discoveryv1.EndpointSlice) (netip.AddrPort, error) {
	if len(slice.Endpoints) == 0 || len(slice.Endpoints[0].Addresses) == 0 || len(slice.Ports) == 0 || slice.Ports[0].Port == nil {
		return netip.AddrPort{}, fmt.Errorf("the endpoint slice %s/%s is empty", slice.Namespace, slice.Name)
	}
	address, err := netip.ParseAddr(slice.Endpoints[0].Addresses[0])
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("read the endpoint slice %s/%s: %w", slice.Namespace, slice.Name, err)
	}
	return netip.AddrPortFrom(address, uint16(*slice.Ports[0].Port)), nil
}

func pointers[T any](items []T) []*T {
	list := make([]*T, len(items))
	for i := range items {
		list[i] = &items[i]
	}
	return list
}
