package bitcoind

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
)

func TestBuffers(t *testing.T) {
	const atOnce = 3
	b := newBuffers(atOnce)
	take := func() *bytes.Buffer {
		t.Helper()
		buffer, err := b.take(t.Context())
		if err != nil || buffer.Len() != 0 {
			t.Fatalf("a buffer with %d bytes, error %v", buffer.Len(), err)
		}
		return buffer
	}
	for range 2 * atOnce { // one answer after the other
		buffer := take()
		buffer.WriteString("an answer")
		b.giveBack(buffer)
	}
	if len(b.free) != 1 {
		t.Errorf("%d buffers are kept, and one was needed at once", len(b.free))
	}

	var taken []*bytes.Buffer
	for range atOnce {
		taken = append(taken, take())
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := b.take(ended); !errors.Is(err, context.Canceled) {
		t.Errorf("error = %v, when %d answers are read already", err, atOnce)
	}
	taken[0].WriteString(strings.Repeat(" ", maxKeptBytes+1))
	for _, buffer := range taken {
		b.giveBack(buffer)
	}
	if len(b.free) != atOnce-1 {
		t.Errorf("%d buffers are kept of %d, want all but that of an answer of unusual length", len(b.free), atOnce)
	}
	for range atOnce {
		take() // that one was given back all the same
	}
}
