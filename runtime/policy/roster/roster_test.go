package roster_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pacer-run/pacer/runtime/policy"
	"github.com/pacer-run/pacer/runtime/policy/artifact"
	"github.com/pacer-run/pacer/runtime/policy/remote"
	"github.com/pacer-run/pacer/runtime/policy/roster"
	"github.com/pacer-run/pacer/runtime/policy/trust"
)

var digest = strings.Repeat("0a", 32)

func TestRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "policies.yaml")
	text := `
modules:
  - name: rack-spread
    ref: oci://registry.example/policies/rack-spread:1.2@sha256:` + digest + `
    digest: sha256:` + digest + `
    grants: [metric, now]
    settings: {racks: [a, b], per: 2}
    limits: {memoryPages: 64, startFuel: 1, prepareFuel: 2, baseFuel: 3, itemFuel: 4, callFuel: 5, replyBytes: 6}
    instances: 2
    isolation: fresh
    onFailure: closed
    maxStaleness: 90s
    rollback: {ref: "file:old.wasm", digest: ` + digest + `}
  - name: next
    ref: file:next.wasm
    mode: shadow
    of: rack-spread
    optional: true
    onFailure: {constraint: static, upgrade: closed, admission: open}
  - name: rules
    backend: process
    command: /usr/lib/rules
    args: [-v]
    files: [/usr/lib/rules.d/a, /etc/b, {path: c, as: d/c, digest: ` + digest + `}]
    env: {LANG: C, N: 0x10, EMPTY: "", TOKEN: }
    mode: off
trust:
  require: true
  keys: [{name: team, file: team.pub}]
  modules: {next: {require: false}}
`
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := roster.Read(path)
	if err != nil {
		t.Fatal(err)
	}
	no := false
	want := &roster.Roster{
		Dir: filepath.Dir(path),
		Modules: []policy.ModuleConfig{
			{
				Name: "rack-spread", Backend: "wasm", Ref: policy.Ref{Ref: "oci://registry.example/policies/rack-spread:1.2@sha256:" + digest, Digest: digest},
				Grants: []string{"metric", "now"}, Settings: json.RawMessage(`{"per":2,"racks":["a","b"]}`), Instances: 2, Isolation: "fresh",
				Limits:    policy.Limits{MemoryPages: 64, StartFuel: 1, PrepareFuel: 2, BaseFuel: 3, ItemFuel: 4, CallFuel: 5, ReplyBytes: 6},
				OnFailure: policy.Closed, MaxStaleness: 90 * time.Second, Rollback: policy.Ref{Ref: "file:old.wasm", Digest: digest},
			},
			{Name: "next", Backend: "wasm", Ref: policy.Ref{Ref: "file:next.wasm"}, Mode: policy.Shadow, Of: "rack-spread", Optional: true, FailureOf: [remote.Kinds]policy.OnFailure{
				remote.KindConstraint: policy.Static, remote.KindUpgrade: policy.Closed, remote.KindAdmission: policy.LetPass,
			}},
			{Name: "rules", Backend: "process", Ref: policy.Ref{Ref: "file:/usr/lib/rules"}, Args: []string{"-v"}, Mode: policy.Off, Files: []artifact.AttachmentRef{
				{Name: "rules.d/a", Path: "/usr/lib/rules.d/a"}, {Name: "b", Path: "/etc/b"}, {Name: "d/c", Path: "c", Digest: "sha256:" + digest},
			}, Env: []policy.Variable{
				{Name: "LANG", Value: "C"}, {Name: "N", Value: "0x10"}, {Name: "EMPTY"}, {Name: "TOKEN", Inherit: true},
			}},
		},
		Trust: trust.Policy{
			Require: true, Keys: []trust.Key{{Name: "team", File: "team.pub"}}, Modules: map[string]trust.Exception{"next": {Require: &no}},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// All that is wrong is told at once, each with its file, line and field.
func TestFaults(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"- a", "line 1: fields expected: modules, trust"},
		{"modules: 3", "line 1: modules: a list expected"},
		{"modules: [3]", "line 1: modules[0]: fields expected: args"},
		{"module: []", "line 1: module: unknown field; expected one of modules, trust"},
		{"modules: [}", "did not find expected node content"},
		{"modules: [{name: a, ref: file:a}]\nmodules: []", "given twice"},
		{"modules: [{name: A, ref: file:a}]", `modules[0].name: "A": lower-case letters`},
		{"modules: [{name: a, ref: ''}]", "modules[0].ref: a text expected"},
		{"modules: [{name: a}]", "modules[0].ref: a reference expected: file:, oci:// or oci-layout:"},
		{item("colour: red"), "line 4: modules[0].colour: unknown field; expected one of args, backend"},
		{item("name: b"), "line 4: modules[0].name: given twice"},
		{item("digest: sha256:12"), `modules[0].digest: "sha256:12": sha256: and 64 hexadecimal digits expected`},
		{item("backend: lua"), `modules[0].backend: "lua": expected one of wasm, process`},
		{item("backend: process\n    command: /a"), "modules[0].ref: a process has either a command or a ref"},
		{"modules: [{name: a, backend: process}]", "modules[0].command: the path of an executable file expected, or a ref"},
		{item("files: [a]"), "modules[0].files: only for backend: process"},
		{item("backend: process\n    files: a"), "line 5: modules[0].files: a list expected"},
		{process("files: [{as: b}]"), "modules[0].files[0].path: the path of a file expected"},
		{process("files: [{path: b, name: c}]"), "modules[0].files[0].name: unknown field; expected one of as, digest, path"},
		{process("files: [{path: b, digest: c}]"), "modules[0].files[0].digest: "},
		{process("files: [{path: b, as: ../c}]"), `modules[0].files: file "../c": expected a path below`},
		{process("files: [b, {path: c, as: b}]"), `modules[0].files: file "b": there is "b" already`},
		{process("files: [/a]"), `modules[0].files: file "a": there is "a" already`},
		{"modules: [{name: a, backend: process, ref: 'oci://r/p:1', files: [b]}]", "modules[0].files: only with a command: what comes from oci://r/p:1 has its files with it"},
		{"modules: [{name: a, backend: process, command: /a, grants: []}]", "modules[0].grants: only for backend: wasm"},
		{item("env: {A: b}"), "modules[0].env: only for backend: process"},
		{process("env: [A]"), "line 1: modules[0].env: names and values expected"},
		{process("env: {1A: b}"), `modules[0].env: "1A": the name of a variable expected`},
		{process("env: {'': b}"), `modules[0].env: "": the name of a variable expected`},
		{process("env: {PLUGIN_X: b}"), "modules[0].env.PLUGIN_X: names that start with PACER_ and PLUGIN_ belong to the protocol"},
		{process("env: {PACER_X: b}"), "modules[0].env.PACER_X: names that start with PACER_"},
		{process("env: {A: b, A: c}"), "modules[0].env.A: given twice"},
		{process("env: {A: [b]}"), "modules[0].env.A: a text expected, or nothing for the value that Pacer itself has"},
		{process(`env: {A: "\0"}`), "modules[0].env.A: a text of up to 32768 bytes without a zero byte expected"},
		{item("grants: metric"), "modules[0].grants: a list expected"},
		{item("grants: [metric, files]"), `modules[0].grants[1]: "files": expected one of now, rand, metric, kv`},
		{item("settings: 3"), "modules[0].settings: names and values expected"},
		{item("settings:"), "line 4: modules[0].settings: names and values expected"},
		{item("settings:\n      a: 1\n      b: {c: 1, c: 2}"), "line 6: modules[0].settings.b.c: given twice"},
		{item("settings: {[a]: b}"), "line 4: modules[0].settings: a text expected as a name"},
		{item("settings: {a: [.inf]}"), "line 4: modules[0].settings.a[0]: a number that JSON has expected"},
		{item("limits: {fuel: 3}"), "modules[0].limits.fuel: unknown field; expected one of baseFuel"},
		{item("limits: {startFuel: -3}"), "modules[0].limits.startFuel: a whole number from 1 to"},
		{item("instances: many"), "modules[0].instances: a whole number from 1 to 64 expected"},
		{item("isolation: none"), `modules[0].isolation: "none": expected one of pooled, fresh`},
		{item("mode: on"), `modules[0].mode: "on": expected one of enforce, shadow, off`},
		{item("mode: shadow"), "line 2: modules[0].of: the name of the module expected"},
		{item("of: b"), "line 4: modules[0].of: only for mode: shadow"},
		{item("mode: shadow\n    of: b"), `line 5: modules[0].of: there is no module "b"`},
		{item("mode: shadow\n    of: a"), `line 5: modules[0].of: "a" has to be a module with mode: enforce`},
		{item("onFailure: shut"), `modules[0].onFailure: "shut": expected one of closed, hold, static, open`},
		{item("onFailure: {offer: closed}"), "modules[0].onFailure.offer: unknown field; expected one of admission, constraint, fetch, health, upgrade"},
		{item("onFailure: {fetch: open}"), "line 4: modules[0].onFailure.fetch: open is not for the kind fetch, whose failures can be closed"},
		{item("onFailure: {constraint: open}"), "open is not for the kind constraint, whose failures can be closed or static"},
		{item("onFailure: {upgrade: static}"), "static is not for the kind upgrade, whose failures can be hold or closed"},
		{item("onFailure: {health: closed}"), "closed is not for the kind health, whose failures can be static"},
		{item("onFailure: {admission: hold}"), "hold is not for the kind admission, whose failures can be closed or open"},
		{item("maxStaleness: 0s"), `modules[0].maxStaleness: "0s": a duration such as 90s or 5m expected, from 1s to 24h0m0s`},
		{item("maxStaleness: long"), "a duration such as"},
		{item("optional: maybe"), "modules[0].optional: true or false expected"},
		{item("rollback: {ref: 'ftp://x'}"), `line 4: modules[0].rollback.ref: reference "ftp://x": expected a path`},
		{"modules:\n  - name: a\n    ref: oci://h/r\n", `line 3: modules[0].ref: reference "oci://h/r": expected a tag or a digest`},
		{item("rollback: {}"), "modules[0].rollback.ref: a reference expected"},
		{"modules:\n  - {name: a, ref: file:a}\n  - {name: a, ref: file:b}", `line 3: modules[1].name: "a" is the name of modules[0] already`},
		{"modules: [" + strings.Repeat("{name: a, ref: file:a}, ", 257) + "]", "line 1: modules: 257 modules; at most 256 are allowed"},
		{item("") + "---\nmodules: []\n", "line 5: one document expected; another one begins"},
		{item("") + "---\n}", "line 5: did not find expected node content"},
		{item("args: [a]"), "line 4: modules[0].args: only for backend: process"},
		{item("command: a"), "line 4: modules[0].command: only for backend: process"},
		{"trust: {requires: true}", "line 1: trust.requires: unknown field; expected one of allOf, anyOf, keys, modules, require"},
		{"trust: {require: maybe}", "line 1: trust.require: true or false expected"},
		{"trust: {keys: platform}", "trust.keys: a list expected"},
		{"trust: {keys: [{name: a, notAfter: soon}]}", `trust.keys[0].notAfter: "soon": a time such as 2027-06-30T00:00:00Z expected`},
		{"trust: {anyOf: [a]}", "trust.anyOf: fields expected: keys, minMatches"},
		{"trust: {anyOf: {keys: [a], minMatches: x}}", "trust.anyOf.minMatches: "},
		{"trust: {modules: [a]}", "trust.modules: names of modules expected, each with its fields"},
		{"trust: {modules: {a: {}, a: {}}}", "trust.modules.a: given twice"},
		{"trust: {modules: {a: {anyOf: {key: [a]}}}}", "trust.modules.a.anyOf.key: unknown field"},
	} {
		_, err := roster.Parse([]byte(tt.text))
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s:\n%v, want %s", tt.text, err, tt.want)
		}
	}
	_, err := roster.Parse([]byte(item("mode: on\n    optional: maybe")))
	if err == nil || strings.Count(err.Error(), "\n") != 1 {
		t.Errorf("two faults: %v", err)
	}
}

// Settings reach a module as they are written: what YAML takes for dates and for names
// of other kinds are texts.
func TestSettings(t *testing.T) {
	for text, want := range map[string]string{
		"{}":                                      `{}`,
		"{day: 2027-01-01, 1: {2: yes}}":          `{"1":{"2":"yes"},"day":"2027-01-01"}`,
		"{true: ~, ~: [on, true]}":                `{"true":null,"~":["on",true]}`,
		"{a: &x {b: 2027-01-01}, c: *x}":          `{"a":{"b":"2027-01-01"},"c":{"b":"2027-01-01"}}`,
		"{a: &x {b: 1, c: 2}, d: {<<: *x, c: 3}}": `{"a":{"b":1,"c":2},"d":{"b":1,"c":3}}`,
	} {
		r, err := roster.Parse([]byte(item("settings: " + text)))
		if err != nil {
			t.Errorf("%s: %v", text, err)
		} else if got := string(r.Modules[0].Settings); got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
}

// process is a list of one process, with one more field.
func process(field string) string {
	return "modules: [{name: a, backend: process, command: /a, " + field + "}]"
}

// item is a list of one module, with one more line.
func item(line string) string { return "modules:\n  - name: a\n    ref: file:a\n    " + line + "\n" }

func TestNothing(t *testing.T) {
	for _, text := range []string{"", "# nothing\n", "modules: []", "{}"} {
		if r, err := roster.Parse([]byte(text)); err != nil || len(r.Modules) != 0 {
			t.Errorf("%q: %+v, %v", text, r, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(item("settings: {a: &x [1], b: *x}")))
	f.Fuzz(func(t *testing.T, data []byte) {
		if r, err := roster.Parse(data); (r == nil) == (err == nil) {
			t.Errorf("%+v, %v", r, err)
		}
	})
}
