package main

import (
	"testing"

	. "github.com/onsi/gomega"
)

type object = map[string]any

func TestNoFieldsButThoseOfTheSchema(t *testing.T) {
	for _, test := range []struct {
		what         string
		schema, want object
	}{
		{"an object with fields", object{"properties": object{"a": object{"type": "string"}}},
			object{"properties": object{"a": object{"type": "string"}}, "additionalProperties": false}},
		{"objects in a list", object{"items": object{"properties": object{}}},
			object{"items": object{"properties": object{}, "additionalProperties": false}}},
		{"a map", object{"additionalProperties": object{"type": "string"}},
			object{"additionalProperties": object{"type": "string"}}},
		{"an object that may have any", object{"properties": object{}, "x-kubernetes-preserve-unknown-fields": true},
			object{"properties": object{}, "x-kubernetes-preserve-unknown-fields": true}},
		{"a field called properties", object{"properties": object{"properties": object{"type": "object"}}},
			object{"properties": object{"properties": object{"type": "object"}}, "additionalProperties": false}},
		{"a number or a text", object{"type": "string", "format": "int-or-string"},
			object{"type": []string{"integer", "string"}, "format": "int-or-string"}},
		{"what may be null", object{"type": "string", "nullable": true},
			object{"type": []string{"string", "null"}, "nullable": true}},
	} {
		NewWithT(t).Expect(strict(test.schema)).To(Equal(test.want), test.what)
	}
}

func TestSchemaBringsWhatItRefersTo(t *testing.T) {
	definitions := map[string]map[string]any{
		"pod":   {"properties": object{"spec": object{"$ref": "#/definitions/spec"}}},
		"spec":  {"properties": object{"again": object{"$ref": "#/definitions/spec"}}},
		"other": {},
	}
	g := NewWithT(t)
	schema := bundle("pod", definitions)
	g.Expect(schema).To(HaveKeyWithValue("$ref", "#/definitions/pod"))
	g.Expect(schema["definitions"]).To(And(HaveLen(2), HaveKey("pod"), HaveKey("spec")))
}
