package btcnet

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/colorprofile"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/duration"
	"k8s.io/cli-runtime/pkg/printers"

	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/explain"
)

const (
	// columns is how wide what is printed may be. Commands are not broken.
	columns = 80
	// stepWidth is that of a step's name, with its mark.
	stepWidth = 17
)

// mark is how a level is shown.
type mark struct {
	sign  string
	style lipgloss.Style
}

var (
	bold  = lipgloss.NewStyle().Bold(true)
	faint = lipgloss.NewStyle().Faint(true)
	green = lipgloss.NewStyle().Foreground(lipgloss.Green)
	red   = lipgloss.NewStyle().Foreground(lipgloss.Red).Bold(true)

	marks = map[explain.Level]mark{
		explain.OK:      {"✓", green},
		explain.Note:    {"!", lipgloss.NewStyle().Foreground(lipgloss.Cyan)},
		explain.Waiting: {"…", lipgloss.NewStyle().Foreground(lipgloss.Yellow)},
		explain.Problem: {"✗", red},
		explain.Unknown: {"?", faint},
	}
)

// terminal takes colours away from what is not a terminal, or where NO_COLOR asks for it.
func terminal(out io.Writer) io.Writer {
	return colorprofile.NewWriter(out, os.Environ())
}

// printReports prints how networks stand: one in full, several as a table that what is
// wrong with them follows.
func printReports(out io.Writer, reports []explain.Report, now time.Time) error {
	page := &page{now: now}
	if len(reports) == 1 {
		page.report(reports[0])
	} else {
		page.table(reports)
	}
	_, err := io.WriteString(out, page.String())
	return err
}

// page is what is printed at once.
type page struct {
	strings.Builder
	now time.Time
}

func (p *page) line(format string, args ...any) {
	fmt.Fprintln(p, strings.TrimRight(fmt.Sprintf(format, args...), " "))
}

// report prints all that was found of a network.
func (p *page) report(report explain.Report) {
	p.title(report)
	p.line("")
	for _, finding := range report.Findings {
		if finding.Step != explain.Events || finding.Level != explain.Note {
			p.finding(finding)
		}
	}
	p.remedies(report)
	p.events(report)
}

// title says which network it is and, in a line, how it is.
func (p *page) title(report explain.Report) {
	verdict := green.Render("healthy")
	if !report.Healthy {
		verdict = red.Render("not healthy")
	}
	p.line("%s %s", bold.Render(nameOf(report)+":"), verdict)
	if report.Chain == "" {
		return
	}
	facts := []string{report.Chain}
	if report.Ready != "" {
		facts = append(facts, report.Ready+" nodes answer")
	}
	if report.Connected != "" {
		facts = append(facts, report.Connected+" links")
	}
	if report.Height != nil {
		facts = append(facts, fmt.Sprint("height ", *report.Height))
	}
	p.line("%s", strings.Join(facts, ", "))
}

func nameOf(report explain.Report) string {
	if report.Network == "" {
		return "namespace " + report.Namespace
	}
	return report.Namespace + "/" + report.Network
}

// finding prints a step's.
func (p *page) finding(finding explain.Finding) {
	mark := marks[finding.Level]
	var asides []string
	if since := p.since(finding.Since); finding.IsWrong() && since != "" {
		asides = append(asides, since)
	}
	if finding.Cause != "" {
		asides = append(asides, fmt.Sprintf("follows from %s", finding.Cause))
	}
	message := finding.Message
	if len(asides) > 0 {
		message += " (" + strings.Join(asides, ", ") + ")"
	}
	p.line("%s", hanging(fmt.Sprintf("  %s %-13s", mark.style.Render(mark.sign), finding.Step), stepWidth, message))
}

// remedies prints what is wrong by itself and what to do about it; then what else there is
// to know, and do.
func (p *page) remedies(report explain.Report) {
	p.todo("What is wrong, and what to do next", report.Findings, explain.Finding.IsRoot)
	p.todo("Good to know", report.Findings, func(finding explain.Finding) bool {
		return finding.Level == explain.Note && finding.Remedy != nil && finding.Step != explain.Events
	})
}

func (p *page) todo(title string, findings []explain.Finding, which func(explain.Finding) bool) {
	for _, finding := range findings {
		if !which(finding) {
			continue
		}
		if title != "" {
			p.line("\n%s", bold.Render(title))
			title = ""
		}
		mark := marks[finding.Level]
		head := string(finding.Step)
		if finding.Reason != "" {
			head += ": " + finding.Reason
		}
		if since := p.since(finding.Since); since != "" {
			head += ", " + since
		}
		p.line("  %s %s", mark.style.Render(mark.sign), head)
		p.line("%s", hanging("    ", 4, finding.Message))
		p.remedy(finding.Remedy)
	}
}

func (p *page) remedy(remedy *explain.Remedy) {
	if remedy == nil {
		return
	}
	p.line("%s", hanging("    → ", 6, remedy.Do))
	if remedy.Command != "" {
		p.line("      %s", bold.Render(remedy.Command))
	}
	if remedy.Doc != "" {
		p.line("      %s", faint.Render(remedy.Doc))
	}
}

// events prints the warnings of late.
func (p *page) events(report explain.Report) {
	title := "\n" + bold.Render("Warnings of the last hour")
	for _, finding := range report.Findings {
		if finding.Step != explain.Events || finding.Level != explain.Note {
			continue
		}
		if title != "" {
			p.line("%s", title)
			title = ""
		}
		p.line("%s", hanging(fmt.Sprintf("  %4s ago  ", p.age(finding.Since)), 12, finding.Reason+": "+finding.Message))
	}
}

// table prints a line for each network, and then what is wrong.
func (p *page) table(reports []explain.Report) {
	table := printers.GetNewTabWriter(p)
	fmt.Fprintln(table, "NAMESPACE\tNETWORK\tCHAIN\tREADY\tLINKS\tHEIGHT\tSTATUS\tHEALTHY")
	for _, report := range reports {
		height, healthy := "", "yes"
		if report.Height != nil {
			height = fmt.Sprint(*report.Height)
		}
		if !report.Healthy {
			healthy = "no"
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n",
			report.Namespace, report.Network, report.Chain, report.Ready, report.Connected, height, report.Status, healthy)
	}
	table.Flush()
	for _, report := range reports {
		if !report.Healthy {
			p.line("\n%s", bold.Render(nameOf(report)))
			p.todo("", report.Findings, explain.Finding.IsRoot)
		}
	}
}

// since says for how long something is so.
func (p *page) since(since *metav1.Time) string {
	if since == nil || since.IsZero() {
		return ""
	}
	return "for " + p.age(since)
}

func (p *page) age(since *metav1.Time) string {
	return duration.HumanDuration(p.now.Sub(since.Time))
}

// hanging returns a text behind a head of that width, broken between words into lines that
// go on under its beginning. A word is not broken: it may be one to copy.
func hanging(head string, width int, text string) string {
	var out strings.Builder
	out.WriteString(head)
	used := 0
	for word := range strings.FieldsSeq(text) {
		long := lipgloss.Width(word)
		switch {
		case used == 0:
		case width+used+1+long > columns:
			out.WriteString("\n" + strings.Repeat(" ", width))
			used = 0
		default:
			out.WriteString(" ")
			used++
		}
		out.WriteString(word)
		used += long
	}
	return out.String()
}
