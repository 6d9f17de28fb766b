// Package settings merges what an operator sets of a policy module with the module's
// defaults, and checks it against the module's JSON Schema.
package settings

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
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
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err == nil {
		err = plain(value, 0)
	}
	return value, err
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
	effort := &effort{left: maxEffort}
	compiled, err := compile(schema, effort)
	if err != nil {
		return fmt.Errorf("the schema of the settings: %w", short(err))
	}
	err = effort.validate(compiled, value)
	if wrong, ok := errors.AsType[*jsonschema.ValidationError](err); ok {
		return errors.Join(faults(value, wrong)...)
	}
	return err
}

// short is the error with a text that can be shown: the library repeats what it is about.
func short(err error) error {
	const most = 2000
	if text := err.Error(); len(text) > most {
		return errors.New(strings.ToValidUTF8(text[:most], "") + "…")
	}
	return err
}

const schemaName = "mem:settings"

func compile(schema json.RawMessage, effort *effort) (*jsonschema.Schema, error) {
	document, err := decode(schema)
	if err != nil {
		return nil, err
	}
	compiler := jsonschema.NewCompiler()
	compiler.DefaultDraft(jsonschema.Draft2020)
	compiler.UseLoader(nowhere{})
	compiler.UseRegexpEngine(effort.compilePattern)
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

// maxFaults is how many faults are told, and how many places of one.
const maxFaults = 20

// faults are the innermost causes in the value, which say what to change. Those around
// them, "does not fit the schema", have no text that helps. Each is told once.
func faults(value any, wrong *jsonschema.ValidationError) []error {
	var list []error
	told, named := map[string]bool{}, map[string]bool{}
	tell := func(text string) {
		if !told[text] {
			told[text] = true
			list = append(list, errors.New(text))
		}
	}
	var walk func(*jsonschema.ValidationError)
	walk = func(e *jsonschema.ValidationError) {
		if len(list) == maxFaults {
			return
		}
		if of, ok := e.ErrorKind.(*kind.PropertyNames); ok {
			key := fmt.Sprint(len(e.InstanceLocation), of.Property, texts(e))
			if named[key] {
				return // its owners are told
			}
			named[key] = true
			tell(fmt.Sprintf("%s: invalid property name '%s': %s", owners(value, e, of.Property), of.Property, strings.Join(texts(e), "; ")))
			return
		}
		if len(e.Causes) == 0 {
			tell(pointer(e.InstanceLocation) + ": " + text(e))
		}
		for _, cause := range e.Causes {
			walk(cause)
		}
	}
	walk(wrong)
	return list
}

// text is what the library says of an error without causes.
func text(e *jsonschema.ValidationError) string { return e.BasicOutput().Error.String() }

// texts are those of the innermost causes.
func texts(e *jsonschema.ValidationError) (list []string) {
	for _, cause := range e.Causes {
		if len(cause.Causes) == 0 {
			list = append(list, text(cause))
		}
		list = append(list, texts(cause)...)
	}
	return list
}

// pointer is the place as a JSON pointer behind "settings".
func pointer(path []string) string {
	escaped := make([]string, len(path))
	for i, name := range path {
		escaped[i] = strings.NewReplacer("~", "~0", "/", "~1").Replace(name)
	}
	return "settings/" + strings.Join(escaped, "/")
}

// owners are the objects that have the property and lie as deep as the error says. The
// library knows of an error of names only how deep it is: the path may be another one by
// then.
func owners(value any, e *jsonschema.ValidationError, property string) string {
	var found []string
	var walk func(any, []string)
	walk = func(v any, path []string) {
		object, _ := v.(map[string]any)
		if len(path) == len(e.InstanceLocation) {
			if _, ok := object[property]; ok {
				found = append(found, pointer(path))
			}
			return
		}
		for name, inner := range object {
			walk(inner, append(slices.Clip(path), name))
		}
		if array, ok := v.([]any); ok {
			for i, inner := range array {
				walk(inner, append(slices.Clip(path), strconv.Itoa(i)))
			}
		}
	}
	walk(value, nil)
	slices.Sort(found)
	if len(found) > maxFaults {
		found = append(found[:maxFaults], "others")
	}
	return strings.Join(found, " or ")
}
