package main

import (
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/pacer-run/pacer/runtime/api"
	"github.com/pacer-run/pacer/runtime/policy/trust"
	"github.com/pacer-run/pacer/sdk/manifest"
)

// policyFolder has a module that takes settings, zoo.wasm, and a list of modules.
func policyFolder(t *testing.T, list string) string {
	t.Helper()
	dir := t.TempDir()
	code, err := os.ReadFile("../../runtime/policy/wasm/testdata/zoo.wasm")
	if err != nil {
		t.Fatal(err)
	}
	said := &manifest.Manifest{
		Name: "zoo", Version: "1", ABI: "1.0", Kinds: map[string][]string{"constraint": {"ZOO"}},
		Settings: &manifest.Settings{
			Schema:   json.RawMessage(`{"type":"object","properties":{"per":{"type":"integer"}},"required":["per"],"additionalProperties":false}`),
			Defaults: json.RawMessage(`{"per":2}`),
		},
	}
	if code, err = manifest.Embed(code, said); err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{"zoo.wasm": string(code), "text.wasm": "no module", "policies.yaml": list} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func configured(t *testing.T, list string) (*policies, string, error) {
	t.Helper()
	path := filepath.Join(policyFolder(t, list), "policies.yaml")
	p, err := loadPolicies(t.Context(), policyConfig{file: path}, slog.New(slog.DiscardHandler))
	if err == nil {
		t.Cleanup(p.close)
	}
	return p, path, err
}

// A list that is wrong, or a module that has to be there and is not, ends the start.
func TestWrongPolicyConfig(t *testing.T) {
	for list, want := range map[string]string{
		"modules: [{name: zoo, colour: red}]":                                                         "line 1: modules[0].colour: unknown field",
		"modules: [{name: zoo, ref: file:none.wasm}]":                                                 "the policy module zoo: file:none.wasm: not found",
		"modules: [{name: zoo, ref: file:text.wasm}]":                                                 "the policy module zoo: not a WASM module",
		"modules: [{name: zoo, ref: 'oci://x/y:1'}]":                                                  "expected a digest",
		"modules: [{name: zoo, backend: process, command: zoo.wasm}]":                                 "the policy module zoo: ",
		"modules: [{name: zoo, ref: file:zoo.wasm, settings: {per: x, colour: red}}]":                 "settings/per: got string, want integer",
		"modules: [{name: zoo, ref: file:zoo.wasm, digest: '" + strings.Repeat("00", 32) + "'}]":      "the bytes are not as expected",
		"modules: [{name: zoo, ref: file:zoo.wasm, onFailure: hold}]":                                 "onFailure: hold is not for the kind constraint, whose failures can be closed or static",
		"trust: {require: true, keys: [{name: a, file: none.pub}]}":                                   "trust.keys[0]: file: open",
		"modules: [{name: zoo, ref: file:zoo.wasm}, {name: two, ref: file:zoo.wasm}]":                 "the operator ZOO is offered already by zoo@1 (zoo)",
		"modules: [{name: zoo, ref: file:zoo.wasm}, {name: t, ref: file:text.wasm, optional: false}]": "the policy module t: not a WASM module",
	} {
		_, _, err := configured(t, list)
		if err == nil || !strings.HasPrefix(err.Error(), "--policy_config: ") || !strings.Contains(err.Error(), want) || codeOf(err) != exitFlag {
			t.Errorf("%s:\n%v, want %s", list, err, want)
		}
	}
}

func TestPolicyConfig(t *testing.T) {
	p, path, err := configured(t, "modules: [{name: animals, ref: file:zoo.wasm}, {name: text, ref: file:text.wasm, optional: true}]")
	if err != nil {
		t.Fatal(err)
	}
	zoo := func() api.Module {
		modules := p.modules()
		return modules[slices.IndexFunc(modules, func(m api.Module) bool { return m.ID == "animals" })]
	}
	m := zoo()
	if m.State != "active" || m.Form != "wasm" || m.Ref != "file:zoo.wasm" || m.Name != "zoo" || len(m.Digest) != 64 || m.OnFailure["constraint"] != "closed" ||
		m.Breaker == nil || m.Cost == nil || !m.Loaded {
		t.Errorf("%+v", m)
	}
	text := p.modules()[len(p.modules())-1]
	if text.ID != "text" || text.State != "failed" || text.Loaded || !strings.HasPrefix(text.Error, "not a WASM module") {
		t.Errorf("%+v", text)
	}
	host := policyHost{p.Catalog}
	if err := os.WriteFile(path, []byte("modules: [{name: animals, ref: file:zoo.wasm, mode: off}]"), 0o600); err != nil {
		t.Fatal(err)
	}
	p.Look(t.Context())
	if m := zoo(); m.State != "off" || m.Loaded {
		t.Errorf("%+v", m)
	}
	refusal, unknown := (*api.ModuleRefusal)(nil), (*api.ModuleUnknown)(nil)
	if err := host.Disable(t.Context(), "animals"); !errors.As(err, &refusal) {
		t.Errorf("error %v", err)
	}
	if err := host.Reload(t.Context(), "plants"); !errors.As(err, &unknown) || unknown.Name != "plants" {
		t.Errorf("error %v", err)
	}
	if err := host.Enable(t.Context(), "animals"); err != nil || zoo().State != "active" {
		t.Errorf("%v, %+v", err, zoo())
	}
	if err := os.WriteFile(path, []byte("modules: [{name: 3}]"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := host.Reload(t.Context(), "animals"); !errors.As(err, &refusal) || !strings.Contains(err.Error(), "policies.yaml: line 1: modules[0].name: a text expected") {
		t.Errorf("error %v", err)
	}
}

// A list that is wrong stays wrong, however often it was looked at, until it is another
// one, and so does one with a key that cannot be read, until there is one.
func TestPolicyConfigStaysWrong(t *testing.T) {
	p, path, err := configured(t, "modules: [{name: animals, ref: file:zoo.wasm}]")
	if err != nil {
		t.Fatal(err)
	}
	write := func(path, text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	reload := func(want string) {
		t.Helper()
		p.Look(t.Context())
		err := p.Reload(t.Context(), "animals")
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
	write(path, "modules: [{name: 3}]")
	reload("line 1: modules[0].name: a text expected")
	key := filepath.Join(filepath.Dir(path), "a.pub")
	write(path, "{trust: {keys: [{name: a, file: a.pub}]}, modules: [{name: animals, ref: file:zoo.wasm}]}")
	reload("trust.keys[0]: file: open")
	write(key, publicKey(t))
	reload("")
	write(key, "no key")
	reload("trust.keys[0]: file: ")
}

// publicKey is one in PEM.
func publicKey(t *testing.T) string {
	t.Helper()
	key, err := trust.GenerateKey(trust.Ed25519)
	if err != nil {
		t.Fatal(err)
	}
	text, err := key.Public().PEM()
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// The metrics of modules have one set of labels for each name.
func TestPolicyMetrics(t *testing.T) {
	p, _, err := configured(t, "modules: [{name: animals, ref: file:zoo.wasm}, {name: next, ref: file:zoo.wasm, mode: shadow, of: animals}]")
	if err != nil {
		t.Fatal(err)
	}
	labels := map[string]int{}
	states := map[string]string{}
	for _, m := range policyMetrics(p.Modules()) {
		if n, ok := labels[m.Name]; ok && n != len(m.Labels) {
			t.Errorf("%s has %d labels and %d", m.Name, n, len(m.Labels))
		}
		labels[m.Name] = len(m.Labels)
		if m.Name == "pacer_policy_state" {
			states[m.Labels["module"]] = m.Labels["state"]
		}
	}
	if states["animals"] != "active" || states["next"] != "shadow" || labels["pacer_policy_shadow_compared_total"] != 1 {
		t.Errorf("%v, %v", states, labels)
	}
}
