package controller

import (
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/bitcoind"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/state/statetest"
)

func TestNamesThatANodeIsToldToDial(t *testing.T) {
	g := NewWithT(t)
	told, at := dialling{}, func(after time.Duration) time.Time { return statetest.Now.Add(after) }

	g.Expect(told.begin("a", []string{"x"}, at(0))).To(ConsistOf("x"))
	g.Expect(told.begin("a", []string{"x", "y"}, at(time.Second/4))).To(ConsistOf("y"), "x is left to it, and y is new")
	g.Expect(told.begin("b", []string{"x"}, at(time.Second/4))).To(ConsistOf("x"), "another node has not been told")
	g.Expect(told.begin("a", []string{"x", "y"}, at(dialAgain))).To(ConsistOf("x"), "y has its time still")

	told.hangs("a", 2, at(dialAgain))
	busy := dialAgain + 2*bitcoind.LongestDial
	told.forget(at(busy - time.Second))
	g.Expect(told.begin("a", []string{"x", "z"}, at(busy-time.Second))).To(BeEmpty(), "one that hangs is told no other name either")
	g.Expect(told.begin("a", []string{"x", "z"}, at(busy))).To(ConsistOf("x", "z"))

	told.forget(at(2 * busy))
	g.Expect(told).To(BeEmpty())
}
