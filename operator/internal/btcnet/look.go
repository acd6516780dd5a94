package btcnet

import (
	"context"
	"fmt"
	"strings"
	gosync "sync"
	"time"

	"golang.org/x/sync/errgroup"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/explain"
)

// look reads what tells how the networks of a namespace are. Without the networks there is
// nothing to tell; what else may not be read is said, and left out.
func look(ctx context.Context, api client.Reader, namespace string) (*explain.Namespace, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	seen := &explain.Namespace{Name: namespace, Now: time.Now(), Unread: map[string]string{}}
	var networks v1alpha1.BitcoinNetworkList
	if err := api.List(ctx, &networks, client.InNamespace(namespace)); err != nil {
		return nil, fmt.Errorf("list the networks of namespace %s: %w", namespace, err)
	}
	seen.Networks = networks.Items

	reader := &reader{api: api, seen: seen}
	reader.group, reader.ctx = errgroup.WithContext(ctx)
	list(reader, "bitcoinrequests", &v1alpha1.BitcoinRequestList{}, func(l *v1alpha1.BitcoinRequestList) { seen.Requests = l.Items })
	list(reader, "statefulsets", &appsv1.StatefulSetList{}, func(l *appsv1.StatefulSetList) { seen.StatefulSets = l.Items })
	list(reader, "pods", &corev1.PodList{}, func(l *corev1.PodList) { seen.Pods = l.Items })
	list(reader, "resourcequotas", &corev1.ResourceQuotaList{}, func(l *corev1.ResourceQuotaList) { seen.Quotas = l.Items })
	list(reader, "events", &corev1.EventList{}, func(l *corev1.EventList) { seen.Events = l.Items })
	list(reader, "gitrepositories", listOf(explain.GitRepositoryKind), func(l *unstructured.UnstructuredList) { seen.Repositories = l.Items })
	list(reader, "kustomizations", listOf(explain.KustomizationKind), func(l *unstructured.UnstructuredList) { seen.Kustomizations = l.Items })
	list(reader, "sealedsecrets", listOf(explain.SealedSecretKind), func(l *unstructured.UnstructuredList) { seen.SealedSecrets = l.Items })
	reader.group.Go(func() error {
		tenant := &corev1.ConfigMap{}
		err := api.Get(reader.ctx, client.ObjectKey{Namespace: namespace, Name: "tenant"}, tenant)
		if apierrors.IsNotFound(err) {
			return nil
		}
		return reader.take("configmaps", err, func() { seen.Tenant = tenant })
	})
	return seen, reader.group.Wait()
}

// reader reads several kinds at once.
type reader struct {
	ctx   context.Context
	api   client.Reader
	group *errgroup.Group
	mutex gosync.Mutex
	seen  *explain.Namespace // the mutex's
}

// list reads a kind in the namespace.
func list[L client.ObjectList](r *reader, resource string, into L, keep func(L)) {
	r.group.Go(func() error {
		return r.take(resource, r.api.List(r.ctx, into, client.InNamespace(r.seen.Name)), func() { keep(into) })
	})
}

// take keeps what was read, or notes why it was not.
func (r *reader) take(resource string, err error, keep func()) error {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	switch {
	case err == nil:
		keep()
	case apierrors.IsForbidden(err):
		r.seen.Unread[resource] = fmt.Sprintf("not checked: you may not list %s in namespace %s", resource, r.seen.Name)
	case apimeta.IsNoMatchError(err):
		r.seen.Unread[resource] = fmt.Sprintf("not checked: the cluster has no %s", resource)
	case r.ctx.Err() != nil:
		return fmt.Errorf("list %s of namespace %s: %w", resource, r.seen.Name, err)
	default:
		r.seen.Unread[resource] = fmt.Sprintf("not checked: %s", strings.TrimSpace(err.Error()))
	}
	return nil
}

func listOf(kind schema.GroupVersionKind) *unstructured.UnstructuredList {
	list := &unstructured.UnstructuredList{}
	list.SetGroupVersionKind(kind.GroupVersion().WithKind(kind.Kind + "List"))
	return list
}
