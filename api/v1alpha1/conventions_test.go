package v1alpha1_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
)

// A field says whether it must be set, agrees with what is written of it, and begins its
// comment with the name that users know it by: `kubectl explain` shows the comment. A list
// says how appliers share it.
func TestFieldsFollowTheConventions(t *testing.T) {
	g := NewWithT(t)
	fields := 0
	for _, file := range written(g) {
		ast.Inspect(file, func(node ast.Node) bool {
			of, ok := node.(*ast.TypeSpec)
			if !ok {
				return true
			}
			object, ok := of.Type.(*ast.StructType)
			if !ok {
				return false
			}
			for _, field := range object.Fields.List {
				if len(field.Names) == 0 { // embedded: Kubernetes explains it
					continue
				}
				fields++
				for _, fault := range faultsOf(field) {
					t.Errorf("%s.%s %s", of.Name, field.Names[0], fault)
				}
			}
			return false
		})
	}
	g.Expect(fields).To(BeNumerically(">", 100), "the test reads the API")
}

// written returns the files of the API that people write.
func written(g Gomega) []*ast.File {
	names, err := filepath.Glob("*.go")
	g.Expect(err).NotTo(HaveOccurred())
	var files []*ast.File
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") || strings.HasPrefix(name, "zz_generated") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments)
		g.Expect(err).NotTo(HaveOccurred())
		files = append(files, file)
	}
	return files
}

// faultsOf returns what a field does not follow.
func faultsOf(field *ast.Field) []string {
	if field.Tag == nil {
		return []string{"needs a tag with its name"}
	}
	tag, _ := strconv.Unquote(field.Tag.Value)
	name, options, _ := strings.Cut(reflect.StructTag(tag).Get("json"), ",")
	comment := field.Doc.Text()
	has := func(marker string) bool { return slices.Contains(strings.Split(comment, "\n"), marker) }
	optional := has("+optional")
	var faults []string
	if optional == has("+required") {
		faults = append(faults, "needs one of +required and +optional")
	}
	if optional != slices.Contains(strings.Split(options, ","), "omitempty") {
		faults = append(faults, "is omitted when empty if, and only if, it is optional")
	}
	if !strings.HasPrefix(comment, name+" ") {
		faults = append(faults, "has a comment that does not begin with "+name)
	}
	if _, isList := field.Type.(*ast.ArrayType); isList && name != "items" && !strings.Contains(comment, "+listType=") {
		faults = append(faults, "needs +listType")
	}
	return faults
}

// What the convention is for, by what breaks it.
func TestFaultsOfFields(t *testing.T) {
	for _, test := range []struct {
		reason, source string
		want           []string
	}{
		{"a required field", "// name is the name.\n// +required\nName string `json:\"name\"`", nil},
		{"an optional list", "// names are names.\n// +optional\n// +listType=set\nNames []string `json:\"names,omitempty\"`", nil},
		{"neither required nor optional", "// name is the name.\nName string `json:\"name\"`", []string{"needs one of +required and +optional"}},
		{"both", "// name is the name.\n// +optional\n// +required\nName string `json:\"name,omitempty\"`", []string{"needs one of +required and +optional"}},
		{"required, yet not written when empty", "// name is the name.\n// +required\nName string `json:\"name,omitempty\"`", []string{"is omitted when empty if, and only if, it is optional"}},
		{"Go's name", "// Name is the name.\n// +required\nName string `json:\"name\"`", []string{"has a comment that does not begin with name"}},
		{"no tag", "// name is the name.\n// +required\nName string", []string{"needs a tag with its name"}},
		{"no comment", "Names []string `json:\"names\"`", []string{"needs one of +required and +optional", "has a comment that does not begin with names", "needs +listType"}},
	} {
		t.Run(test.reason, func(t *testing.T) {
			g := NewWithT(t)
			file, err := parser.ParseFile(token.NewFileSet(), "", "package p\ntype T struct {\n"+test.source+"\n}", parser.ParseComments)
			g.Expect(err).NotTo(HaveOccurred())
			field := file.Decls[0].(*ast.GenDecl).Specs[0].(*ast.TypeSpec).Type.(*ast.StructType).Fields.List[0]
			g.Expect(faultsOf(field)).To(Equal(test.want))
		})
	}
}
