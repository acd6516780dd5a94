package record

import (
	"path/filepath"
	"reflect"
	"testing"

	"github.com/bitcoin-operator/bitcoin-operator/test/cluster/internal/network"
)

func TestRecord(t *testing.T) {
	dir := Dir(filepath.Join(t.TempDir(), "run"))
	if r, err := dir.Read(); r != nil || err != nil {
		t.Errorf("of no cluster: %v, %v", r, err)
	}
	want := Record{Clone: "/the/clone", Sysctls: network.Sysctls{"kernel/panic": "1"}, MakesFilter: true}
	if err := dir.Write(want); err != nil {
		t.Fatal(err)
	}
	if got, err := dir.Read(); err != nil || !reflect.DeepEqual(*got, want) {
		t.Errorf("got %v, %v, want %v", got, err, want)
	}
}
