package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
)

// fullMesh links nodes as the bitcoin controller of 2019 did: every node with every other,
// from both sides, one request after the other. At each event it asks each node that is
// ready for its list and corrects it. It is written anew, to compare with.
type fullMesh struct {
	kubelet *kubelet
	http    http.Client
}

func playFullMesh(manager ctrl.Manager, kubelet *kubelet) error {
	isMeshed := predicate.NewPredicateFuncs(func(object client.Object) bool { return object.GetLabels()[byAddress] != "" })
	return ctrl.NewControllerManagedBy(manager).Named("full-mesh").
		For(&appsv1.StatefulSet{}).Owns(&corev1.Pod{}).WithEventFilter(isMeshed).
		Complete(&fullMesh{kubelet: kubelet, http: http.Client{Timeout: requestTimeout}})
}

// Reconcile implements reconcile.Reconciler.
func (m *fullMesh) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	ready, _ := m.kubelet.ready(request.NamespacedName)
	var nodes []played
	for _, pod := range ready {
		nodes = append(nodes, pod)
	}
	slices.SortFunc(nodes, func(a, b played) int { return cmp.Compare(a.key.Name, b.key.Name) })
	for _, node := range nodes {
		var wanted []string
		for _, other := range nodes {
			if other.ip != node.ip {
				wanted = append(wanted, fmt.Sprintf("%s:%d", other.ip, p2pPort))
			}
		}
		// One that goes meanwhile is seen to at its event.
		_ = m.correct(ctx, node.address(), wanted)
	}
	return ctrl.Result{}, nil
}

// correct makes a node's list the one that is wanted.
func (m *fullMesh) correct(ctx context.Context, address string, wanted []string) error {
	var added []struct {
		Name string `json:"addednode"`
	}
	if err := m.call(ctx, address, &added, "getaddednodeinfo"); err != nil {
		return err
	}
	var names []string
	for _, node := range added {
		names = append(names, node.Name)
	}
	add, remove := difference(wanted, names), difference(names, wanted)
	for _, name := range add {
		if err := m.call(ctx, address, nil, "addnode", name, "add"); err != nil {
			return err
		}
	}
	for _, name := range remove {
		if err := m.call(ctx, address, nil, "addnode", name, "remove"); err != nil {
			return err
		}
	}
	return nil
}

// difference returns the names that are not among others.
func difference(names, others []string) []string {
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool { return slices.Contains(others, name) })
}

// call makes one call of a node in a request of its own.
func (m *fullMesh) call(ctx context.Context, address string, into any, method string, params ...any) error {
	body, err := json.Marshal(map[string]any{"id": method, "method": method, "params": append([]any{}, params...)})
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+address+"/", bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.SetBasicAuth(rpcUser, rpcPassword)
	response, err := m.http.Do(request)
	if err != nil {
		return fmt.Errorf("%s: %w", method, err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		return fmt.Errorf("%s: %w", method, err)
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", method, response.Status)
	}
	if into == nil {
		return nil
	}
	return json.Unmarshal(answer, &struct{ Result any }{into})
}

// meshed makes a StatefulSet whose nodes fullMesh links.
func (c *cluster) meshed(ctx context.Context, nodes int) (types.NamespacedName, error) {
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "full-mesh-"}}
	if err := c.api.Create(ctx, namespace); err != nil {
		return types.NamespacedName{}, fmt.Errorf("make a namespace: %w", err)
	}
	labels := map[string]string{byAddress: "true"}
	set := &appsv1.StatefulSet{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace.Name, Name: "payments", Labels: labels},
		Spec: appsv1.StatefulSetSpec{
			Replicas: new(int32(nodes)), ServiceName: "payments", Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: labels},
				Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "bitcoind", Image: "bitcoind"}}},
			},
		},
	}
	if err := c.api.Create(ctx, set); err != nil {
		return types.NamespacedName{}, fmt.Errorf("make a StatefulSet: %w", err)
	}
	return client.ObjectKeyFromObject(set), nil
}
