package btcnet

import (
	"context"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/tools/cache"
	toolswatch "k8s.io/client-go/tools/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// await waits until an object is so, which it is asked as often as the object changes.
func await[O client.Object](ctx context.Context, api client.WithWatch, object O, list client.ObjectList, done func(O) (bool, error)) error {
	only := func(options metav1.ListOptions) *client.ListOptions {
		options.FieldSelector = fields.OneTermEqualSelector("metadata.name", object.GetName()).String()
		return &client.ListOptions{Namespace: object.GetNamespace(), Raw: &options}
	}
	source := &cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
			found := list.DeepCopyObject().(client.ObjectList)
			return found, api.List(ctx, found, only(options))
		},
		WatchFuncWithContext: func(ctx context.Context, options metav1.ListOptions) (watch.Interface, error) {
			return api.Watch(ctx, list.DeepCopyObject().(client.ObjectList), only(options))
		},
	}
	_, err := toolswatch.UntilWithSync(ctx, source, object, nil, func(event watch.Event) (bool, error) {
		now, isObject := event.Object.(O)
		if !isObject {
			return false, nil
		}
		if event.Type == watch.Deleted {
			return false, fmt.Errorf("%s/%s was deleted", now.GetNamespace(), now.GetName())
		}
		return done(now)
	})
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}
