package wait

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"
)

func TestUntil(t *testing.T) {
	tries := 0
	err := Until(context.Background(), "third time", time.Minute, nil, func(context.Context) error {
		if tries++; tries < 3 {
			return errors.New("not yet")
		}
		return nil
	})
	if err != nil || tries != 3 {
		t.Errorf("after %d tries: %v", tries, err)
	}
	never := func(context.Context) error { return errors.New("the reason") }
	if err := Until(context.Background(), "never", time.Millisecond, nil, never); err == nil || !strings.Contains(err.Error(), "the reason") {
		t.Errorf("too late: %v", err)
	}
	ended := make(chan struct{})
	close(ended)
	if err := Until(context.Background(), "ended", time.Minute, ended, never); err == nil || !strings.Contains(err.Error(), "it has ended") {
		t.Errorf("ended: %v", err)
	}
}
