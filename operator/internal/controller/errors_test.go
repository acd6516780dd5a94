package controller

import (
	"errors"
	"fmt"
	"testing"

	"github.com/fluxcd/pkg/apis/meta"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state/statetest"
)

func TestErrorsSayWhatToDoAndWhatBecomesOfReady(t *testing.T) {
	of := func(kind, name string) client.Object {
		return &metav1.PartialObjectMetadata{TypeMeta: metav1.TypeMeta{Kind: kind}, ObjectMeta: metav1.ObjectMeta{Name: name}}
	}
	for _, test := range []struct {
		err interface {
			error
			Reason() string
		}
		want, reason string
	}{
		{
			&conflictError{[]client.Object{of("Service", "payments")}},
			`Service "payments" already exists and is not owned by this network; delete it, or give the network another name`,
			v1alpha1.ConflictReason,
		},
		{
			&conflictError{[]client.Object{of("ConfigMap", "payments"), of("Service", "payments-rpc")}},
			`ConfigMap "payments", Service "payments-rpc" already exist and are not owned by this network; delete them, or give the network another name`,
			v1alpha1.ConflictReason,
		},
		{
			&leftoverError{of("StatefulSet", "payments")},
			`waiting for StatefulSet "payments", left over from a deleted network of the same name, to be garbage-collected`,
			meta.ProgressingReason,
		},
		{
			&formerError{names: []string{"payments-0", "data-payments-0"}},
			`waiting for payments-0, data-payments-0 of an earlier StatefulSet to be gone: the nodes need those names`,
			meta.ProgressingReason,
		},
		{
			&formerError{names: []string{"p-0", "p-1", "p-2", "p-3", "p-4", "p-5", "p-6"}},
			`waiting for p-0, p-1, p-2, p-3, p-4 and 2 more of an earlier StatefulSet to be gone: the nodes need those names`,
			meta.ProgressingReason,
		},
		{
			&invalidError{errors.New("apply StatefulSet payments: requests: Invalid value")},
			"apply StatefulSet payments: requests: Invalid value",
			v1alpha1.InvalidReason,
		},
	} {
		t.Run(fmt.Sprintf("%T", test.err), func(t *testing.T) {
			if got := test.err.Error(); got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
			if got := test.err.Reason(); got != test.reason {
				t.Errorf("the reason is %s, want %s", got, test.reason)
			}
		})
	}
}

// Waiting helps where the API server is busy, or a quota may be raised, and not where an
// object is wrong.
func TestWhichAnswersOfTheAPIServerStay(t *testing.T) {
	kind := schema.GroupKind{Group: "apps", Kind: "StatefulSet"}
	resource := schema.GroupResource{Group: "apps", Resource: "statefulsets"}
	set := setOf(statetest.Network(1), platform)
	for _, test := range []struct {
		reason string
		err    error
		stays  bool
	}{
		{"a field is wrong", apierrors.NewInvalid(kind, "payments", nil), true},
		{"it is no object of that kind", apierrors.NewBadRequest("no"), true},
		{"it is too large", apierrors.NewRequestEntityTooLargeError("limit is 3145728"), true},
		{"a quota does not allow it", apierrors.NewForbidden(resource, "payments", errors.New("exceeded quota")), false},
		{"somebody has changed it", apierrors.NewConflict(resource, "payments", errors.New("no")), false},
		{"the API server is in trouble", apierrors.NewInternalError(errors.New("no")), false},
		{"it does not answer", errors.New("connection refused"), false},
	} {
		t.Run(test.reason, func(t *testing.T) {
			got := applyError(set, test.err)
			if invalid := new(invalidError); errors.As(got, &invalid) != test.stays {
				t.Errorf("%v is a %T", got, got)
			}
			if want := "apply StatefulSet payments: " + test.err.Error(); got.Error() != want || !errors.Is(got, test.err) {
				t.Errorf("got %s, want %s", got, want)
			}
		})
	}
}
