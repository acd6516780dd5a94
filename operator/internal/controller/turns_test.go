package controller

import (
	"context"
	"sync"
	"testing"

	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/types"
)

func TestTurns(t *testing.T) {
	g := NewWithT(t)
	var all turns
	payments, other := types.NamespacedName{Name: "payments"}, types.NamespacedName{Name: "other"}
	ctx := t.Context()

	// One at a time.
	var busy, most int
	var everybody sync.WaitGroup
	for range 50 {
		everybody.Go(func() {
			end, err := all.take(ctx, payments)
			if err != nil {
				t.Error(err)
				return
			}
			defer end()
			busy++ // the race detector would tell
			most = max(most, busy)
			busy--
		})
	}
	everybody.Wait()
	g.Expect(most).To(Equal(1))

	end, err := all.take(ctx, payments)
	g.Expect(err).NotTo(HaveOccurred())
	endOther, err := all.take(ctx, other)
	g.Expect(err).NotTo(HaveOccurred(), "another network's turn is free")
	ended, cancel := context.WithCancel(ctx)
	cancel()
	_, err = all.take(ended, payments)
	g.Expect(err).To(MatchError(context.Canceled), "who has no time does not wait")
	end()
	endOther()
	g.Expect(all.waiting).To(BeEmpty(), "nothing is remembered of networks")
}
