package main

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"sigs.k8s.io/yaml"
)

// A field is one of a custom resource.
type field struct {
	path, kind, unset, limits, meaning string
}

// kubernetes are the fields whose own fields Kubernetes explains.
var kubernetes = []string{"affinity", "conditions", "imagePullSecrets", "metadata", "resources", "tolerations", "topologySpreadConstraints"}

// fieldsOf returns the fields of a resource, by its definition.
func fieldsOf(file string) ([]field, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var definition apiextensionsv1.CustomResourceDefinition
	if err := yaml.UnmarshalStrict(text, &definition); err != nil {
		return nil, fmt.Errorf("read %s: %w", file, err)
	}
	schema := definition.Spec.Versions[0].Schema.OpenAPIV3Schema
	fields := []field{{path: "metadata.name", kind: "string", limits: messages(schema.XValidations), meaning: "The name of the object."}}
	for _, part := range []string{"spec", "status"} {
		fields = append(fields, fieldsUnder(part, schema.Properties[part])...)
	}
	return fields, nil
}

// fieldsUnder returns the fields of an object, each followed by its own.
func fieldsUnder(path string, schema apiextensionsv1.JSONSchemaProps) []field {
	fields := []field{{path, kindOf(schema), "", limitsOf(schema), schema.Description}}
	if name := path[strings.LastIndex(path, ".")+1:]; slices.Contains(kubernetes, name) {
		return fields
	}
	inner := schema
	if schema.Items != nil {
		path, inner = path+"[]", *schema.Items.Schema
	}
	for _, name := range slices.Sorted(maps.Keys(inner.Properties)) {
		property := inner.Properties[name]
		its := fieldsUnder(path+"."+name, property)
		its[0].unset = unsetOf(inner, name, property)
		fields = append(fields, its...)
	}
	return fields
}

// kindOf returns what a field is.
func kindOf(schema apiextensionsv1.JSONSchemaProps) string {
	switch {
	case schema.XIntOrString:
		return "quantity"
	case schema.Items != nil:
		return "list of " + strings.TrimSuffix(kindOf(*schema.Items.Schema), "s") + "s"
	case schema.AdditionalProperties != nil:
		return "map"
	case schema.Format == "date-time":
		return "time"
	default:
		return schema.Type
	}
}

// unsetOf returns what a field is when nobody sets it.
func unsetOf(of apiextensionsv1.JSONSchemaProps, name string, schema apiextensionsv1.JSONSchemaProps) string {
	switch {
	case schema.Default != nil && string(schema.Default.Raw) != "{}":
		return "`" + strings.Trim(string(schema.Default.Raw), `"`) + "`"
	case slices.Contains(of.Required, name):
		return "required"
	default:
		return ""
	}
}

// limitsOf returns what the API server demands of a field.
func limitsOf(schema apiextensionsv1.JSONSchemaProps) string {
	var limits []string
	add := func(format string, values ...any) { limits = append(limits, fmt.Sprintf(format, values...)) }
	of := schema
	if schema.Items != nil {
		of = *schema.Items.Schema
	}
	if len(of.Enum) > 0 {
		var values []string
		for _, value := range of.Enum {
			values = append(values, "`"+strings.Trim(string(value.Raw), `"`)+"`")
		}
		add("one of %s", strings.Join(values, ", "))
	}
	if schema.Minimum != nil && schema.Maximum != nil {
		add("%v to %v", *schema.Minimum, *schema.Maximum)
	}
	if schema.MaxItems != nil {
		add("at most %d", *schema.MaxItems)
	}
	if schema.MaxProperties != nil {
		add("at most %d", *schema.MaxProperties)
	}
	if of.MaxLength != nil {
		add("at most %d characters", *of.MaxLength)
	}
	if text := messages(slices.Concat(schema.XValidations, itemRules(schema))); text != "" {
		limits = append(limits, text)
	}
	return strings.Join(limits, "; ")
}

func itemRules(schema apiextensionsv1.JSONSchemaProps) apiextensionsv1.ValidationRules {
	if schema.Items == nil {
		return nil
	}
	return schema.Items.Schema.XValidations
}

// messages returns what rules say when they are broken, each with the field that it is of.
func messages(rules apiextensionsv1.ValidationRules) string {
	var texts []string
	for _, rule := range rules {
		texts = append(texts, strings.TrimSpace(strings.TrimPrefix(rule.FieldPath, ".")+" "+rule.Message))
	}
	return strings.Join(texts, "; ")
}

// fieldTables returns the tables of a resource's fields.
func fieldTables(fields []field) string {
	var spec, status [][]string
	for _, field := range fields {
		if field.path == "status" || strings.HasPrefix(field.path, "status.") {
			status = append(status, []string{"`" + field.path + "`", field.kind, inCell(field.meaning)})
			continue
		}
		spec = append(spec, []string{"`" + field.path + "`", field.kind, field.unset, inCell(field.limits), inCell(field.meaning)})
	}
	return table([]string{"field", "type", "if unset", "limits", "meaning"}, spec) + table([]string{"field", "type", "meaning"}, status)
}
