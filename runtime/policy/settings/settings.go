// Package settings merges what an operator sets of a policy module with the module's
// defaults, and checks it against the module's JSON Schema.
package settings

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// Merge returns the settings with the defaults where they set nothing, as JSON; nil
// when there is neither. Objects are merged field by field, at any depth; all else,
// null included, takes the place of the default.
func Merge(defaults, settings json.RawMessage) (json.RawMessage, error) {
	if len(defaults) == 0 || len(settings) == 0 {
		return append(append(json.RawMessage(nil), defaults...), settings...), nil
	}
	base, err := decode(defaults)
	if err != nil {
		return nil, fmt.Errorf("the defaults of the settings: %w", err)
	}
	over, err := decode(settings)
	if err != nil {
		return nil, fmt.Errorf("settings: %w", err)
	}
	return json.Marshal(merge(base, over))
}

func merge(base, over any) any {
	into, ok := base.(map[string]any)
	from, also := over.(map[string]any)
	if !ok || !also {
		return over
	}
	for name, value := range from {
		if old, ok := into[name]; ok {
			value = merge(old, value)
		}
		into[name] = value
	}
	return into
}

// decode reads JSON and keeps numbers as they are written.
func decode(raw json.RawMessage) (any, error) {
	return jsonschema.UnmarshalJSON(bytes.NewReader(raw))
}

// Check holds settings against a schema. The error has one line for each fault, which
// names the field by its JSON pointer. No settings are an empty object; no schema
// takes everything. A schema must not refer to others: nothing is fetched.
func Check(schema, settings json.RawMessage) error {
	if len(schema) == 0 {
		return nil
	}
	if len(settings) == 0 {
		settings = json.RawMessage("{}")
	}
	value, err := decode(settings)
	if err != nil {
		return fmt.Errorf("settings: %w", err)
	}
	compiled, err := compile(schema)
	if err != nil {
		return fmt.Errorf("the schema of the settings: %w", err)
	}
	err = compiled.Validate(value)
	if wrong, ok := errors.AsType[*jsonschema.ValidationError](err); ok {
		return errors.Join(faults(wrong)...)
	}
	return err
}

const schemaName = "mem:settings"

func compile(schema json.RawMessage) (*jsonschema.Schema, error) {
	document, err := decode(schema)
	if err != nil {
		return nil, err
	}
	compiler := jsonschema.NewCompiler()
	compiler.DefaultDraft(jsonschema.Draft2020)
	compiler.UseLoader(nowhere{})
	if err := compiler.AddResource(schemaName, document); err != nil {
		return nil, err
	}
	return compiler.Compile(schemaName)
}

// nowhere is where no schema is found.
type nowhere struct{}

// Load implements jsonschema.URLLoader.
func (nowhere) Load(url string) (any, error) {
	return nil, fmt.Errorf("%s: other schemas are not fetched: %w", url, io.EOF)
}

// faults are the innermost causes, which say what to change. Those around them, "does
// not fit the schema", have no text that helps.
func faults(wrong *jsonschema.ValidationError) (list []error) {
	for _, unit := range wrong.BasicOutput().Errors {
		if unit.Error != nil {
			list = append(list, fmt.Errorf("settings/%s: %s", strings.TrimPrefix(unit.InstanceLocation, "/"), unit.Error))
		}
	}
	return list
}
