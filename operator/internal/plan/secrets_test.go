package plan_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/bitcoind"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/plan"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state"
)

// Whoever decides and reports goes by values that hold no secret and cannot do
// anything, so that whatever is printed of them tells nothing that must not be told.
func TestNeitherStateNorPlanHoldsASecretOrAClient(t *testing.T) {
	for _, root := range []reflect.Type{reflect.TypeFor[state.Network](), reflect.TypeFor[plan.Plan]()} {
		for _, path := range forbidden(root, root.String(), map[reflect.Type]bool{}) {
			t.Error(path)
		}
	}
}

// The test above would find what it looks for.
func TestForbiddenFieldsAreFound(t *testing.T) {
	type inner struct{ Credentials []bitcoind.Credentials }
	type outer struct {
		Inner  map[string]*inner
		Act    func()
		Done   chan struct{}
		Client any
	}
	var got []string
	for _, path := range forbidden(reflect.TypeFor[outer](), "outer", map[reflect.Type]bool{}) {
		place, _, _ := strings.Cut(path, " ")
		got = append(got, place)
	}
	want := []string{"outer.Inner[][].Credentials[]", "outer.Act", "outer.Done", "outer.Client"}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// forbidden returns the places at which a type holds credentials, functions, channels,
// or interfaces, behind which anything may be.
func forbidden(typ reflect.Type, path string, visited map[reflect.Type]bool) []string {
	if typ == reflect.TypeFor[bitcoind.Credentials]() {
		return []string{path + " holds credentials"}
	}
	switch typ.Kind() {
	case reflect.Func, reflect.Chan, reflect.UnsafePointer:
		return []string{fmt.Sprintf("%s is a %s", path, typ.Kind())}
	case reflect.Interface:
		return []string{fmt.Sprintf("%s is of interface type %s", path, typ)}
	}
	if visited[typ] {
		return nil
	}
	visited[typ] = true
	var found []string
	switch typ.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Array:
		found = forbidden(typ.Elem(), path+"[]", visited)
	case reflect.Map:
		found = append(forbidden(typ.Key(), path+"[]", visited), forbidden(typ.Elem(), path+"[]", visited)...)
	case reflect.Struct:
		for i := range typ.NumField() {
			field := typ.Field(i)
			found = append(found, forbidden(field.Type, path+"."+field.Name, visited)...)
		}
	}
	return found
}
