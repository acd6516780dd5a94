package bitcoind

import (
	"bytes"
	"context"
	"sync"
)

// buffers are what answers are read into: only so many at a time. The one that was used last
// is used next, so that there are no more of them than were needed at once. It is safe for
// concurrent use.
type buffers struct {
	slots chan struct{}

	mu   sync.Mutex
	free []*bytes.Buffer
}

func newBuffers(atOnce int) *buffers { return &buffers{slots: make(chan struct{}, atOnce)} }

// take returns an empty buffer, as soon as there may be one more. It must be given back.
func (b *buffers) take(ctx context.Context) (*bytes.Buffer, error) {
	select {
	case b.slots <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	last := len(b.free) - 1
	if last < 0 {
		return new(bytes.Buffer), nil
	}
	buffer := b.free[last]
	b.free = b.free[:last]
	return buffer, nil
}

// giveBack keeps a buffer for the next answer, unless one of unusual length has made it
// large.
func (b *buffers) giveBack(buffer *bytes.Buffer) {
	b.mu.Lock()
	if buffer.Cap() <= maxKeptBytes {
		buffer.Reset()
		b.free = append(b.free, buffer)
	}
	b.mu.Unlock()
	<-b.slots
}
