package main

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
)

var (
	fence    = regexp.MustCompile("(?ms)^ *```.*?^ *```$")
	link     = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading  = regexp.MustCompile(`(?m)^#+ (.*)$`)
	unspoken = regexp.MustCompile(`[^\p{L}\p{N}_\- ]`)
)

// A link in the docs leads to a file that there is, and to a heading that it has.
func TestLinksLeadSomewhere(t *testing.T) {
	g := NewWithT(t)
	all := allPages(g)
	all["docs/reference.md"] = read(g, filepath.Join(root, "docs/reference.md"))
	for page, text := range all {
		for _, found := range link.FindAllStringSubmatch(fence.ReplaceAllString(text, ""), -1) {
			target, anchor, _ := strings.Cut(found[1], "#")
			if strings.Contains(target, ":") {
				continue // the internet is not asked
			}
			file := page
			if target != "" {
				file = filepath.Join(filepath.Dir(page), target)
				g.Expect(filepath.Join(root, file)).To(BeAnExistingFile(), "%s leads to %s", page, found[1])
			}
			if anchor != "" && strings.HasSuffix(file, ".md") {
				g.Expect(anchorsOf(all[file])).To(ContainElement(anchor), "%s leads to %s", page, found[1])
			}
		}
	}
}

// anchorsOf returns what the headings of a page are called in links, as GitHub has it.
func anchorsOf(page string) []string {
	var anchors []string
	for _, found := range heading.FindAllStringSubmatch(fence.ReplaceAllString(page, ""), -1) {
		anchors = append(anchors, strings.ReplaceAll(unspoken.ReplaceAllString(strings.ToLower(found[1]), ""), " ", "-"))
	}
	return anchors
}
