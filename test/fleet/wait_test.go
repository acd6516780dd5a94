package fleet

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// answers is a condition that gives one answer after the other, the last again
// and again.
func answers(all ...func() (bool, string, error)) Condition {
	asked := 0
	return func(context.Context) (bool, string, error) {
		answer := all[min(asked, len(all)-1)]
		asked++
		return answer()
	}
}

func yes() (bool, string, error)    { return true, "", nil }
func no() (bool, string, error)     { return false, "the pods", nil }
func broken() (bool, string, error) { return false, "", errors.New("the API server is slow") }

func TestUntil(t *testing.T) {
	tests := map[string]struct {
		condition Condition
		told      []string
		fails     []string // parts of the error
	}{
		"so at once":                {condition: answers(yes)},
		"so after a while":          {condition: answers(no, no, yes), told: []string{"the pods", "the pods"}},
		"an error is asked again":   {condition: answers(broken, yes), told: []string{"the API server is slow"}},
		"never so":                  {condition: answers(no), fails: []string{"not within 1s", "the pods"}},
		"never known":               {condition: answers(broken), fails: []string{"not within 1s", "the API server is slow"}},
		"the last that is known":    {condition: answers(broken, no), fails: []string{"not within 1s", "the pods"}},
		"interrupted while it asks": {condition: interrupted(), fails: []string{"not within 1s", "the pods"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeoutCause(t.Context(), time.Second, errors.New("not within 1s"))
				defer cancel()
				var told []string
				err := Until(ctx, test.condition, func(waitingFor string) { told = append(told, waitingFor) })
				if (err != nil) != (test.fails != nil) {
					t.Fatalf("error: %v", err)
				}
				for _, part := range test.fails {
					if !strings.Contains(err.Error(), part) {
						t.Errorf("%q is not in the error %q", part, err)
					}
				}
				if err == nil && !slices.Equal(told, test.told) {
					t.Errorf("told %q, want %q", told, test.told)
				}
			})
		})
	}
}

// interrupted says what it waits for, and is then cut off when ctx ends.
func interrupted() Condition {
	asked := false
	return func(ctx context.Context) (bool, string, error) {
		if !asked {
			asked = true
			return no()
		}
		<-ctx.Done()
		return false, "", errors.New("get: context deadline exceeded")
	}
}

func TestAll(t *testing.T) {
	tests := map[string]struct {
		condition  Condition
		done       bool
		waitingFor string
		fails      bool
	}{
		"nothing":             {condition: All(), done: true},
		"both":                {condition: All(answers(yes), answers(yes)), done: true},
		"one of two":          {condition: All(answers(yes), answers(no)), waitingFor: "the pods"},
		"none of two":         {condition: All(answers(no), answers(no)), waitingFor: "the pods; the pods"},
		"one is not known of": {condition: All(answers(yes), answers(broken)), fails: true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			done, waitingFor, err := test.condition(t.Context())
			if done != test.done || waitingFor != test.waitingFor || (err != nil) != test.fails {
				t.Errorf("got %v, %q, %v", done, waitingFor, err)
			}
		})
	}
}
