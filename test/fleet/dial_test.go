package fleet

import (
	"context"
	"maps"
	"net"
	"os/exec"
	"testing"
)

func TestReadOutcomes(t *testing.T) {
	to := []string{"198.18.0.9:18443", "payments-rpc:18443", "198.18.0.1:3000"}
	got, err := readOutcomes("198.18.0.1:3000 timed out\n198.18.0.9:18443 refused\npayments-rpc:18443 reached\n", to)
	want := map[string]Outcome{to[0]: Refused, to[1]: Reached, to[2]: TimedOut}
	if err != nil || !maps.Equal(got, want) {
		t.Errorf("got %v, %v, want %v", got, err, want)
	}
	for _, said := range []string{
		"198.18.0.9:18443 refused\n",
		"198.18.0.9:18443 refused\npayments-rpc:18443 fails: Name or service not known\n198.18.0.1:3000 reached\n",
	} {
		if got, err := readOutcomes(said, to); err == nil {
			t.Errorf("of %q: got %v, and no error", said, got)
		}
	}
}

// What a pod runs, on this machine.
func TestDial(t *testing.T) {
	if _, err := exec.LookPath("/usr/bin/bash"); err != nil {
		t.Skip("needs bash")
	}
	open, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer open.Close()
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	to := []string{open.Addr().String(), closed.Addr().String()}
	ctx, cancel := context.WithTimeout(t.Context(), answerWithin)
	defer cancel()
	said, err := output(ctx, exec.CommandContext(ctx, "/usr/bin/bash", append([]string{"-c", dial, "dial"}, to...)...))
	if err != nil {
		t.Fatal(err)
	}
	got, err := readOutcomes(said, to)
	if want := (map[string]Outcome{to[0]: Reached, to[1]: Refused}); err != nil || !maps.Equal(got, want) {
		t.Errorf("got %v, %v, want %v", got, err, want)
	}
}
