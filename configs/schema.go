package configs

import (
	"encoding/json"
	"fmt"
	"reflect"

	"github.com/invopop/jsonschema"
)

// Schema is the JSON Schema (draft 2020-12) of a configuration file, for
// editors and for programs that write configurations. It says everything that
// can be said about a key by itself; rules between keys are in
// [Config.Validate] only.
func Schema() ([]byte, error) {
	root := object("Configuration of a training run.")
	root.Version = jsonschema.Version
	root.ID = "https://github.com/seed52467199/trainer/configs/schema.json"
	root.Title = "trainer"
	root.Properties.Set(keyExtends, &jsonschema.Schema{
		Type:        "string",
		Description: "Recipe or file, relative to this one, whose values hold where this one says nothing.",
	})
	for _, s := range sections() {
		inner := object(s.doc)
		for _, f := range s.fields {
			inner.Properties.Set(f.key, f.schema())
		}
		// A section whose keys are all commented out is null in YAML.
		root.Properties.Set(s.key, &jsonschema.Schema{
			Description: s.doc,
			AnyOf:       []*jsonschema.Schema{inner, {Type: "null"}},
		})
	}
	text, err := json.MarshalIndent(root, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("writing the JSON Schema: %w", err)
	}
	return append(text, '\n'), nil
}

func object(description string) *jsonschema.Schema {
	return &jsonschema.Schema{
		Type:                 "object",
		Description:          description,
		Properties:           jsonschema.NewProperties(),
		AdditionalProperties: jsonschema.FalseSchema,
	}
}

// schema is the field's part of the schema.
func (f *field) schema() *jsonschema.Schema {
	s := f.valueSchema()
	s.Description = f.doc
	s.Default = f.preset()
	return s
}

func (f *field) valueSchema() *jsonschema.Schema {
	pair := uint64(2)
	one := uint64(1)
	switch f.typ {
	case typeStats:
		return &jsonschema.Schema{AnyOf: []*jsonschema.Schema{
			{Type: "string", Enum: []any{auto}},
			{Type: "array", Items: f.numberSchema("number"), MinItems: &one},
		}}
	case typeWeights:
		return &jsonschema.Schema{AnyOf: []*jsonschema.Schema{
			{Type: "string", Enum: []any{balanced}},
			{Type: "array", Items: f.numberSchema("number")},
		}}
	case typeBytes:
		return &jsonschema.Schema{AnyOf: []*jsonschema.Schema{{Type: "string", Pattern: bytesPattern}, {Type: "integer", Enum: []any{0}}}}
	case typePair:
		return &jsonschema.Schema{Type: "array", Items: f.numberSchema("number"), MinItems: &pair, MaxItems: &pair}
	case typeNumbers:
		list := &jsonschema.Schema{Type: "array", Items: f.numberSchema("number")}
		if f.alone {
			return &jsonschema.Schema{AnyOf: []*jsonschema.Schema{list, f.numberSchema("number")}}
		}
		return list
	case typeTexts:
		return &jsonschema.Schema{Type: "array", Items: &jsonschema.Schema{Type: "string"}}
	}
	switch f.typ.Kind() {
	case reflect.Bool:
		s := &jsonschema.Schema{Type: "boolean"}
		for _, value := range f.off {
			s.Enum = append(s.Enum, value == "true")
		}
		return s
	case reflect.Float64:
		return f.numberSchema("number")
	case reflect.Int, reflect.Int64:
		return f.numberSchema("integer")
	}
	return f.textSchema()
}

func (f *field) numberSchema(kind string) *jsonschema.Schema {
	s := &jsonschema.Schema{Type: kind}
	for _, value := range f.off {
		s.Enum = append(s.Enum, json.Number(value))
	}
	if f.min.set {
		*map[bool]*json.Number{false: &s.Minimum, true: &s.ExclusiveMinimum}[f.min.open] = json.Number(number(f.min.at))
	}
	if f.max.set {
		*map[bool]*json.Number{false: &s.Maximum, true: &s.ExclusiveMaximum}[f.max.open] = json.Number(number(f.max.at))
	}
	return s
}

func (f *field) textSchema() *jsonschema.Schema {
	s := &jsonschema.Schema{Type: "string"}
	for _, name := range append(f.known, f.off...) {
		s.Enum = append(s.Enum, name)
	}
	if f.match != nil {
		s.Pattern = f.match.String()
	}
	return s
}
