package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// A group is a group of reasons: of one condition, or of events.
type group struct {
	title   string
	reasons []reason
}

// A reason is one of a condition or event, or a condition itself. The kind is that of the
// event that has the reason, Normal or Warning or either; empty where there is none.
type reason struct{ name, kind, meaning string }

// reasonsOf returns the conditions and reasons of the API, by their constants and what is
// said of these.
func reasonsOf(folder string) ([]group, error) {
	var groups []group
	for _, name := range []string{"conditions.go", "bitcoinrequest_types.go"} {
		file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(folder, name), nil, parser.ParseComments)
		if err != nil {
			return nil, err
		}
		for _, declaration := range file.Decls {
			constants, ok := declaration.(*ast.GenDecl)
			if !ok || constants.Tok != token.CONST {
				continue
			}
			found, err := groupOf(constants)
			if err != nil {
				return nil, err
			}
			groups = append(groups, found)
		}
	}
	return groups, nil
}

func groupOf(constants *ast.GenDecl) (group, error) {
	found := group{title: strings.TrimSpace(constants.Doc.Text())}
	for _, spec := range constants.Specs {
		constant := spec.(*ast.ValueSpec)
		name, err := strconv.Unquote(constant.Values[0].(*ast.BasicLit).Value)
		if err != nil {
			return group{}, fmt.Errorf("constant %s: %w", constant.Names[0], err)
		}
		parts := ofComment.FindStringSubmatch(strings.TrimPrefix(constant.Doc.Text(), constant.Names[0].Name))
		if parts == nil {
			return group{}, fmt.Errorf("constant %s: the comment reads otherwise: %s", constant.Names[0], constant.Doc.Text())
		}
		found.reasons = append(found.reasons, reason{name, parts[1], strings.ToUpper(parts[2][:1]) + parts[2][1:]})
	}
	return found, nil
}

// ofComment is how a comment goes on behind its constant's name: "(Warning): the chain is
// lost." for a reason that an event has, and ": …" or " is …" for others.
var ofComment = regexp.MustCompile(`(?s)^(?: \((Normal|Warning|Normal, Warning)\))?(?::| is) (.+)\n$`)

func reasonTables(groups []group) string {
	var text strings.Builder
	for _, group := range groups {
		header, told := []string{"name", "meaning"}, slices.ContainsFunc(group.reasons, func(r reason) bool { return r.kind != "" })
		if told {
			header = []string{"name", "event", "meaning"}
		}
		var rows [][]string
		for _, reason := range group.reasons {
			row := []string{"`" + reason.name + "`", inCell(reason.meaning)}
			if told {
				row = slices.Insert(row, 1, reason.kind)
			}
			rows = append(rows, row)
		}
		text.WriteString(strings.Join(strings.Fields(group.title), " ") + "\n\n" + table(header, rows))
	}
	return text.String()
}

// namesOf returns the names of all that is in the groups.
func namesOf(groups []group) []string {
	var names []string
	for _, group := range groups {
		for _, reason := range group.reasons {
			names = append(names, reason.name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}
