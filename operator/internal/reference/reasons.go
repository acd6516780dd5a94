package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// A group is a group of reasons: of one condition, or of events.
type group struct {
	title   string
	reasons []reason
}

// A reason is one of a condition or event, or a condition itself.
type reason struct{ name, meaning string }

// reasonsOf returns the conditions and reasons of the API, by their constants and what is
// said of these.
func reasonsOf(folder string) ([]group, error) {
	file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(folder, "conditions.go"), nil, parser.ParseComments)
	if err != nil {
		return nil, err
	}
	var groups []group
	for _, declaration := range file.Decls {
		constants, ok := declaration.(*ast.GenDecl)
		if !ok || constants.Tok != token.CONST {
			continue
		}
		found := group{title: strings.TrimSpace(constants.Doc.Text())}
		for _, spec := range constants.Specs {
			constant := spec.(*ast.ValueSpec)
			name, err := strconv.Unquote(constant.Values[0].(*ast.BasicLit).Value)
			if err != nil {
				return nil, fmt.Errorf("constant %s: %w", constant.Names[0], err)
			}
			found.reasons = append(found.reasons, reason{name, meaningOf(constant)})
		}
		groups = append(groups, found)
	}
	return groups, nil
}

// meaningOf returns what a constant's comment says of it, without its name.
func meaningOf(constant *ast.ValueSpec) string {
	text := strings.TrimPrefix(constant.Doc.Text(), constant.Names[0].Name)
	text = strings.TrimSpace(strings.TrimPrefix(strings.TrimPrefix(text, ":"), " is "))
	return strings.ToUpper(text[:1]) + text[1:]
}

func reasonTables(groups []group) string {
	var text strings.Builder
	for _, group := range groups {
		var rows [][]string
		for _, reason := range group.reasons {
			rows = append(rows, []string{"`" + reason.name + "`", inCell(reason.meaning)})
		}
		text.WriteString(strings.Join(strings.Fields(group.title), " ") + "\n\n" + table([]string{"name", "meaning"}, rows))
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
