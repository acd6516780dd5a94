package controller

import (
	"fmt"
	"testing"

	"github.com/fluxcd/pkg/apis/meta"

	"github.com/bitcoin-operator/bitcoin-operator/api/v1alpha1"
)

func TestErrorsSayWhatToDoAndWhatBecomesOfReady(t *testing.T) {
	for _, test := range []struct {
		err interface {
			error
			Reason() string
		}
		want, reason string
	}{
		{
			&conflictError{kind: "Service", name: "payments"},
			`Service "payments" already exists and is not owned by this network; delete it, or give the network another name`,
			v1alpha1.ConflictReason,
		},
		{
			&leftoverError{kind: "StatefulSet", name: "payments"},
			`waiting for StatefulSet "payments", left over from a deleted network of the same name, to be garbage-collected`,
			meta.ProgressingReason,
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
