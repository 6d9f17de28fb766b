package settings_test

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/pacer-run/pacer/runtime/policy/settings"
)

func TestMerge(t *testing.T) {
	for _, tt := range []struct{ defaults, set, want string }{
		{"", "", ""},
		{`{"a":1}`, "", `{"a":1}`},
		{"", `{"a":1}`, `{"a":1}`},
		{`{"a":1,"b":2}`, `{"a":3}`, `{"a":3,"b":2}`},
		{`{"a":{"x":1,"y":2}}`, `{"a":{"y":3}}`, `{"a":{"x":1,"y":3}}`},
		{`{"a":{"x":1}}`, `{"a":null}`, `{"a":null}`},
		{`{"a":[1,2]}`, `{"a":[3]}`, `{"a":[3]}`},
		{`{"a":1}`, `{"b":12345678901234567890.5}`, `{"a":1,"b":12345678901234567890.5}`},
	} {
		got, err := settings.Merge(json.RawMessage(tt.defaults), json.RawMessage(tt.set))
		if err != nil || string(got) != tt.want {
			t.Errorf("%s with %s: %s, %v, want %s", tt.defaults, tt.set, got, err, tt.want)
		}
	}
	for _, tt := range [][2]string{{"{", "{}"}, {"{}", "{"}} {
		if _, err := settings.Merge(json.RawMessage(tt[0]), json.RawMessage(tt[1])); err == nil {
			t.Errorf("%v: no error", tt)
		}
	}
}

const schema = `{"type":"object","additionalProperties":false,"required":["per"],
	"properties":{"per":{"type":"integer","minimum":1},"racks":{"type":"array","items":{"type":"string"}}}}`

// names bounds names at several places, some of them behind references.
const names = `{"propertyNames":{"not":{"const":"root"}},"properties":{"teams":{"$ref":"#/$defs/short"},"a":{"$ref":"#"},
	"twins":{"$ref":"#/$defs/short"},"list":{"items":{"$ref":"#"}},"warnPercent":{"type":"integer"}},
	"$defs":{"short":{"propertyNames":{"$ref":"#/$defs/two"}},"two":{"pattern":"^..$"}}}`

func TestCheck(t *testing.T) {
	for _, tt := range []struct{ schema, set, want string }{
		{"", `{"anything":1}`, ""},
		{schema, `{"per":2,"racks":["a"]}`, ""},
		{schema, "", "settings/: missing property 'per'"},
		{schema, `{"per":0}`, "settings/per: minimum: got 0, want 1"},
		{schema, `{"per":2,"racks":["a",3]}`, "settings/racks/1: got number, want string"},
		{schema, `{"per":"x","colour":1}`, "settings/: additional properties 'colour' not allowed"},
		{schema, `{"per":"x","colour":1}`, "settings/per: got string, want integer"},
		{names, `{"teams":{"web":1,"db":2},"warnPercent":7}`, "settings/teams: invalid property name 'web': 'web' does not match pattern '^..$'"},
		{names, `{"a":{"teams":{"web":1}},"warnPercent":7}`, "settings/a/teams: invalid property name 'web': "},
		{names, `{"a":{"teams":{"web":1},"twins":{"web":1}},"warnPercent":7}`, "settings/a/teams or settings/a/twins: invalid property name 'web': "},
		{names, `{"list":[{},{"teams":{"web":1}}],"warnPercent":7}`, "settings/list/1/teams: invalid property name 'web': "},
		{names, `{"a":{"x/y~":{}},"warnPercent":"7"}`, "settings/warnPercent: got string, want integer"},
		{`{"properties":{"x/y~":{"type":"string"}}}`, `{"x/y~":1}`, "settings/x~1y~0: got number, want string"},
		{names, `{"root":{}}`, "settings/: invalid property name 'root': "},
		{schema, `{`, "settings: "},
		{`{"type":"what"}`, `{}`, "the schema of the settings: "},
		{`{"$ref":"https://example.com/other.json"}`, `{}`, "other schemas are not fetched"},
		{`{"$ref":"file:///etc/passwd"}`, `{}`, "other schemas are not fetched"},
	} {
		err := settings.Check(json.RawMessage(tt.schema), json.RawMessage(tt.set))
		if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("%s: %v, want %s", tt.set, err, tt.want)
		}
	}
}

// A hostile schema cannot keep a check busy: without the bounds, each of these takes minutes at
// least, and most of them longer than anybody waits.
func TestHostileSchemas(t *testing.T) {
	doubled := func(applicator, around string) string {
		var b strings.Builder
		b.WriteString(`{` + around + `"$defs":{`)
		for i := range 40 {
			fmt.Fprintf(&b, `"a%d":{%q:[{"$ref":"#/$defs/a%d"},{"$ref":"#/$defs/a%d"}]},`, i, applicator, i+1, i+1)
		}
		return b.String() + `"a40":{"type":"string"}}}`
	}
	nested := func(open, inner, end string, n int) string {
		return strings.Repeat(open, n) + inner + strings.Repeat(end, n)
	}
	many := func(form string, n int) string {
		parts := make([]string, n)
		for i := range parts {
			parts[i] = strings.ReplaceAll(form, "#", strconv.Itoa(i))
		}
		return strings.Join(parts, ",")
	}
	for name, tt := range map[string]struct{ schema, set, want string }{
		"doubled, and not":      {doubled("anyOf", `"not":{"$ref":"#/$defs/a0"},`), `{}`, "too much to check"},
		"doubled by the values": {`{"properties":{"a":{"allOf":[{"$ref":"#"},{"$ref":"#"}]}}}`, nested(`{"a":`, `1`, `}`, 60), "too much to check"},
		"itself":                {`{"$ref":"#"}`, `{}`, "settings/"},
		"deep schema":           {nested(`{"not":`, `{}`, `}`, 5000), `{}`, "nested deeper than 200"},
		"deep settings":         {`{"additionalProperties":{"$ref":"#"}}`, nested(`{"a":`, `{}`, `}`, 5000), "nested deeper than 200"},
		"huge expressions":      {`{"patternProperties":{` + many(`"^#(ab?){1000}":{}`, 4000) + `}}`, `{}`, "too large"},
		"many expressions":      {`{"patternProperties":{` + many(`"#":{}`, 5000) + `}}`, `{` + many(`"k#":1`, 20_000) + `}`, "too much to check"},
		"slow expression":       {`{"properties":{"a":{"pattern":"(a?){1000}(a?){1000}b"}}}`, `{"a":"` + strings.Repeat("a", 4<<20) + `"}`, "too much to check"},
		"huge exponents":        {`{"items":{"type":"integer"}}`, `[` + many("1e999999", 10_000) + `]`, "exponent"},
		"long number":           {`{}`, `[` + strings.Repeat("7", 1<<20) + `]`, "digits"},
		"names in many places":  {`{"additionalProperties":{"propertyNames":{"const":"x"}}}`, `{` + many(`"k#":{"bad":1}`, 30_000) + `}`, "settings/k0 or settings/k1 or "},
		"many names":            {`{"propertyNames":{"const":"x"}}`, `{` + many(`"k#":1`, 20_000) + `}`, "invalid property name 'k"},
		"many faults":           {`{"items":{"type":"string"}}`, `[` + many("#", 100_000) + `]`, "got number, want string"},
	} {
		err := settings.Check(json.RawMessage(tt.schema), json.RawMessage(tt.set))
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %.200v, want %s", name, err, tt.want)
		} else if n := len(err.Error()); n > 20_000 {
			t.Errorf("%s: a text of %d bytes", name, n)
		}
	}
	large := `{` + many(`"key#":{"per":#,"racks":["a","b"]}`, 20_000) + `}`
	if err := settings.Check(json.RawMessage(`{"additionalProperties":`+schema+`}`), json.RawMessage(strings.ReplaceAll(large, `"per":0,`, `"per":1,`))); err != nil {
		t.Errorf("settings of %d bytes: %.200v", len(large), err)
	}
}
