package trust

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"
)

func TestPoliciesAreReadFromYAML(t *testing.T) {
	dir := t.TempDir()
	private, public := people(t, "ann", "ben")
	if err := os.Mkdir(filepath.Join(dir, "keys"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "keys", "ann.pub"), []byte(public[0].PEM), 0o644); err != nil {
		t.Fatal(err)
	}
	text := `
require: true
keys:
  - name: ann
    file: keys/ann.pub
    notAfter: 2030-01-01T00:00:00Z
  - name: ben
    pem: |
      ` + strings.ReplaceAll(public[1].PEM, "\n", "\n      ") + `
allOf: [ann]
anyOf: {keys: [ann, ben], minMatches: 2}
modules:
  canary: {require: false}
  strict: {allOf: [ben]}
`
	var p Policy
	decoder := yaml.NewDecoder(strings.NewReader(text))
	decoder.KnownFields(true)
	if err := decoder.Decode(&p); err != nil {
		t.Fatal(err)
	}
	v := must(p.Compile(dir))(t)
	m := sign(t, module(t, "m", "1.0.0", ""), private["ben"])
	at := time.Date(2029, 1, 1, 0, 0, 0, 0, time.UTC)
	_, err := v.Verify("m", m, at)
	expect(t, err, ErrUntrusted, "lacks ann", "needs 2 of")
	for _, name := range []string{"canary", "strict"} {
		if _, err := v.Verify(name, m, at); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := v.Verify("m", sign(t, m, private["ann"]), at); err != nil {
		t.Error(err)
	}
	if v.Required("canary") || !v.Required("m") || !v.Required("") {
		t.Error("signatures are required of the wrong modules")
	}
}

func TestPoliciesThatAreNone(t *testing.T) {
	_, keys := people(t, "ann", "ben")
	twin := Key{Name: "twin", PEM: keys[0].PEM}
	large := filepath.Join(t.TempDir(), "large")
	if err := os.WriteFile(large, make([]byte, 20<<10), 0o600); err != nil {
		t.Fatal(err)
	}
	yes, no := true, false
	for name, c := range map[string]struct {
		policy Policy
		want   []string
	}{
		"no keys":        {Policy{Require: true}, []string{"trust.require: signatures are required, but trust.keys is empty"}},
		"no key at all":  {Policy{Keys: []Key{{Name: "a"}}}, []string{"trust.keys[0]: expected either file or pem"}},
		"a key twice":    {Policy{Keys: []Key{keys[0], twin}}, []string{`trust.keys[1]: it is the same key as "ann"`}},
		"a name twice":   {Policy{Keys: []Key{keys[0], {Name: "ann", PEM: keys[1].PEM}}}, []string{`trust.keys[1].name: "ann" is the name of trust.keys[0] already`}},
		"no name":        {Policy{Keys: []Key{{PEM: keys[0].PEM}}}, []string{"trust.keys[0].name: expected a name"}},
		"no file":        {Policy{Keys: []Key{{Name: "a", File: "/nowhere/a.pub"}}}, []string{"trust.keys[0]: file: ", "/nowhere/a.pub"}},
		"a large file":   {Policy{Keys: []Key{{Name: "a", File: large}}}, []string{"trust.keys[0]: file: ", "larger than 16384 bytes"}},
		"a bad key":      {Policy{Keys: []Key{{Name: "a", PEM: "x"}}}, []string{"trust.keys[0]: pem: expected a PEM block"}},
		"too many keys":  {Policy{Keys: make([]Key, 65)}, []string{"trust.keys: 65 keys, expected up to 64"}},
		"unknown names":  {Policy{Require: true, Keys: keys, AllOf: []string{"eve"}, AnyOf: &AnyOf{Keys: []string{"mal"}}}, []string{`trust.allOf[0]: "eve"`, `trust.anyOf.keys[0]: "mal"`}},
		"a name again":   {Policy{Require: true, Keys: keys, AllOf: []string{"ann", "ann"}}, []string{`trust.allOf[1]: "ann" is named twice`}},
		"too many":       {Policy{Require: true, Keys: keys, AnyOf: &AnyOf{[]string{"ann"}, 2}}, []string{"trust.anyOf.minMatches: 2, expected 1 to the number of keys, 1"}},
		"less than none": {Policy{Require: true, Keys: keys, AnyOf: &AnyOf{[]string{"ann"}, -1}}, []string{"trust.anyOf.minMatches: -1"}},
		"of nobody":      {Policy{Require: true, Keys: keys, AnyOf: &AnyOf{}}, []string{"trust.anyOf.minMatches: 0, expected 1 to the number of keys, 0"}},
		"of no effect":   {Policy{Keys: keys, AllOf: []string{"ann"}}, []string{"trust.require: expected true, since allOf or anyOf say who has to sign"}},
		"an exception of no effect": {
			Policy{Require: true, Keys: keys, Modules: map[string]Exception{"m": {Require: &no, AllOf: []string{"ann"}}, "n": {Require: &yes, AllOf: []string{"x"}}}},
			[]string{"trust.modules.m.require: expected true", `trust.modules.n.allOf[0]: "x"`},
		},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := c.policy.Compile("")
			expect(t, err, nil, c.want...)
		})
	}
}
