package fleet

import (
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
)

func TestDelivery(t *testing.T) {
	const commit, older = "main@sha1:new", "main@sha1:old"
	source := func(revision string) map[string]any {
		return map[string]any{"artifact": map[string]any{"revision": revision}}
	}
	kustomization := func(ready, attempted, applied string) map[string]any {
		return map[string]any{
			"observedGeneration": int64(1), "lastAttemptedRevision": attempted, "lastAppliedRevision": applied,
			"conditions": []any{map[string]any{"type": "Ready", "status": ready, "lastTransitionTime": "2026-01-01T00:00:00Z"}},
		}
	}
	tests := map[string]struct {
		source, kustomization map[string]any
		begun, done           bool
		asked                 string // the kind that is asked to look again
	}{
		"nothing is there":       {},
		"not fetched":            {source: source(older), kustomization: kustomization("True", older, older), asked: "GitRepository"},
		"fetched":                {source: source(commit), kustomization: kustomization("True", older, older)},
		"being applied":          {source: source(commit), kustomization: kustomization("Unknown", commit, older), begun: true},
		"failed, and rests":      {source: source(commit), kustomization: kustomization("False", commit, older), asked: "Kustomization"},
		"applied and healthy":    {source: source(commit), kustomization: kustomization("True", commit, commit), begun: true, done: true},
		"applied, checked again": {source: source(commit), kustomization: kustomization("Unknown", commit, commit), begun: true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx := t.Context()
				objects := []Object{{GitRepository, "team-a", "networks"}, {Kustomization, "team-a", "networks"}}
				api := fake.NewClientBuilder().Build()
				for i, status := range []map[string]any{test.source, test.kustomization} {
					if status == nil {
						continue
					}
					u := objects[i].unstructured()
					u.SetGeneration(1)
					u.Object["status"] = status
					if err := api.Create(ctx, u); err != nil {
						t.Fatal(err)
					}
				}
				requests := func() map[string]string {
					all := map[string]string{}
					for _, object := range objects {
						var u unstructured.Unstructured
						u.SetGroupVersionKind(object.Kind)
						_ = api.Get(ctx, client.ObjectKey{Namespace: object.Namespace, Name: object.Name}, &u)
						if at := u.GetAnnotations()["reconcile.fluxcd.io/requestedAt"]; at != "" {
							all[object.Kind.Kind] = at
						}
					}
					return all
				}

				d := (&Cluster{API: api}).delivery(objects[0], objects[1], "new")
				begun, _, err := d.Begun(ctx)
				if err != nil || begun != test.begun {
					t.Errorf("begun: %v, %v", begun, err)
				}
				first := requests()[test.asked]
				done, waitingFor, err := d.Done(ctx)
				if err != nil || done != test.done || (waitingFor == "") != done {
					t.Errorf("done: %v, %q, %v", done, waitingFor, err)
				}

				if (first != "") != (test.asked != "") || len(requests()) > 1 {
					t.Errorf("asked to look again: %v", requests())
				}
				if requests()[test.asked] != first {
					t.Error("asked again at once")
				}
				time.Sleep(patience)
				if _, _, err := d.Done(ctx); err != nil {
					t.Fatal(err)
				}
				if test.asked != "" && requests()[test.asked] == first {
					t.Error("asked only once")
				}
			})
		})
	}
}
