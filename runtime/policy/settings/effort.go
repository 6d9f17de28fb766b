package settings

import (
	"encoding/json"
	"fmt"
	"regexp"
	"regexp/syntax"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// Bounds on JSON, far above what people write, without which some of it takes the library
// minutes or gigabytes.
const (
	maxNesting = 200
	maxNumber  = 400       // digits, and decimal exponent
	maxEffort  = 2_000_000 // of a check, in schemas that a value is held against and the like
	maxPattern = 100_000   // instructions of all expressions of a schema
)

// plain refuses values that are out of bounds.
func plain(value any, nesting int) error {
	if nesting > maxNesting {
		return fmt.Errorf("nested deeper than %d", maxNesting)
	}
	switch v := value.(type) {
	case json.Number:
		_, exponent, _ := strings.Cut(strings.ToLower(v.String()), "e")
		if n, err := strconv.Atoi(exponent); len(v) > maxNumber || exponent != "" && (err != nil || n > maxNumber || n < -maxNumber) {
			return fmt.Errorf("the number %.20s…: at most %d digits and an exponent of at most %d expected", v, maxNumber, maxNumber)
		}
	case []any:
		for _, inner := range v {
			if err := plain(inner, nesting+1); err != nil {
				return err
			}
		}
	case map[string]any:
		for _, inner := range v {
			if err := plain(inner, nesting+1); err != nil {
				return err
			}
		}
	}
	return nil
}

// errTooMuch is the panic that ends a check.
const errTooMuch = fault("settings: they take too much to check: the schema holds the same values against very many schemas")

// effort is what is left for a check. A schema is the module's: it may hold a value against
// itself twice, and so on, 40 times; and the library cannot be interrupted.
type effort struct {
	left     int
	patterns int // instructions
}

func (e *effort) spend(n int) {
	if e.left -= n; e.left < 0 {
		panic(errTooMuch)
	}
}

// validate holds the value against the schema.
func (e *effort) validate(schema *jsonschema.Schema, value any) (err error) {
	defer func() {
		switch r := recover().(type) {
		case nil:
		case fault:
			err = r
		default:
			panic(r)
		}
	}()
	e.watch(schema)
	return schema.Validate(value)
}

// watch has the schema, and those in it, count how often they are used: the format is what
// the library looks at before it goes on to other schemas.
func (e *effort) watch(root *jsonschema.Schema) {
	seen := map[*jsonschema.Schema]bool{root: true}
	for list := []*jsonschema.Schema{root}; len(list) > 0; {
		s := list[len(list)-1]
		list = list[:len(list)-1]
		fan := 1
		for _, inner := range parts(s) {
			fan++
			if inner.Enum != nil {
				fan += len(inner.Enum.Values)
			}
			if !seen[inner] {
				seen[inner] = true
				list = append(list, inner)
			}
		}
		asked := s.Format
		counting := &jsonschema.Format{Validate: func(v any) error {
			e.spend(fan + sizeOf(v)*(1+len(s.PatternProperties)))
			if asked != nil {
				return asked.Validate(v)
			}
			return nil
		}}
		if asked != nil {
			counting.Name = asked.Name
		}
		s.Format = counting
	}
}

func sizeOf(v any) int {
	switch v := v.(type) {
	case map[string]any:
		return len(v)
	case []any:
		return len(v)
	}
	return 0
}

// parts are the schemas that one names.
func parts(s *jsonschema.Schema) []*jsonschema.Schema {
	list := []*jsonschema.Schema{
		s.Ref, s.RecursiveRef, s.Not, s.If, s.Then, s.Else, s.PropertyNames, s.UnevaluatedProperties,
		s.Contains, s.Items2020, s.UnevaluatedItems, s.ContentSchema,
	}
	if s.DynamicRef != nil {
		list = append(list, s.DynamicRef.Ref)
	}
	for _, some := range [][]*jsonschema.Schema{s.AllOf, s.AnyOf, s.OneOf, s.PrefixItems} {
		list = append(list, some...)
	}
	for _, some := range []map[string]*jsonschema.Schema{s.Properties, s.DependentSchemas} {
		for _, inner := range some {
			list = append(list, inner)
		}
	}
	for _, inner := range s.PatternProperties {
		list = append(list, inner)
	}
	for _, inner := range s.Dependencies {
		list = append(list, oneOrMore(inner)...)
	}
	for _, inner := range []any{s.AdditionalProperties, s.Items, s.AdditionalItems} {
		list = append(list, oneOrMore(inner)...)
	}
	found := list[:0]
	for _, inner := range list {
		if inner != nil {
			found = append(found, inner)
		}
	}
	return found
}

func oneOrMore(v any) []*jsonschema.Schema {
	switch v := v.(type) {
	case *jsonschema.Schema:
		return []*jsonschema.Schema{v}
	case []*jsonschema.Schema:
		return v
	}
	return nil
}

// pattern is an expression that counts what it takes.
type pattern struct {
	*regexp.Regexp
	size   int
	effort *effort
}

// MatchString implements jsonschema.Regexp.
func (p *pattern) MatchString(s string) bool {
	p.effort.spend(1 + p.size*len(s)/100)
	return p.Regexp.MatchString(s)
}

const errTooLarge = fault("its expressions are too large, all together")

// fault is an error that is always the same.
type fault string

func (f fault) Error() string { return string(f) }

// compilePattern implements jsonschema.RegexpEngine.
func (e *effort) compilePattern(text string) (jsonschema.Regexp, error) {
	if e.patterns > maxPattern {
		return nil, errTooLarge
	}
	parsed, err := syntax.Parse(text, syntax.Perl)
	if err != nil {
		return nil, err
	}
	program, err := syntax.Compile(parsed.Simplify())
	if err != nil {
		return nil, err
	}
	if e.patterns += len(program.Inst); e.patterns > maxPattern {
		return nil, errTooLarge
	}
	compiled, err := regexp.Compile(text)
	if err != nil {
		return nil, err
	}
	return &pattern{compiled, len(program.Inst), e}, nil
}
