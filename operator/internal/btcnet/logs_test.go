package btcnet

import (
	"bytes"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
)

func TestLogsAreMergedByTime(t *testing.T) {
	g := NewWithT(t)
	logs := []lines{
		linesOf("payments-0", strings.NewReader("2026-11-26T12:00:00.1Z first\n2026-11-26T12:00:00.9Z fourth\n")),
		linesOf("payments-10", strings.NewReader("2026-11-26T12:00:00.2Z second\n2026-11-26T12:00:00.2Z third, at the same time\nwithout a time\n2026-11-26T12:00:01Z last, without a line break")),
		linesOf("payments-2", strings.NewReader("")),
	}
	var out bytes.Buffer
	printer := &linePrinter{out: terminal(&out), width: len("payments-10"), colours: coloursOf([]string{"payments-0", "payments-10"})}
	g.Expect(merge(logs, printer.print)).To(Succeed())
	g.Expect(out.String()).To(Equal(`payments-0  first
payments-10 second
payments-10 third, at the same time
payments-0  fourth
payments-10 last, without a line break
`))
}

// A node logs what peers call themselves.
func TestLogsMoveNoCursor(t *testing.T) {
	g := NewWithT(t)
	line, more := linesOf("payments-0", strings.NewReader("2026-11-26T12:00:00Z a\tb\x1b[2J\x07\u009bc ₿\r\n")).next()
	g.Expect(more).To(BeTrue())
	g.Expect(line.text).To(Equal("a\tb[2Jc ₿"))
}
