package policy_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pacer-run/pacer/plugins/constraints"
	"github.com/pacer-run/pacer/runtime/policy"
	"github.com/pacer-run/pacer/sdk"
)

// directory has the fixtures under the names.
func directory(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, fixture := range files {
		code := []byte(fixture)
		if path, ok := strings.CutPrefix(fixture, "@"); ok {
			var err error
			if code, err = os.ReadFile(filepath.Join("wasm/testdata", path+".wasm")); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.WriteFile(filepath.Join(dir, name), code, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func open(t *testing.T, dir string) *policy.Catalog {
	t.Helper()
	return openWith(t, policy.Config{Builtins: constraints.All(), Dir: dir})
}

func openWith(t *testing.T, config policy.Config) *policy.Catalog {
	t.Helper()
	c, err := policy.Open(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return c
}

const builtins = "operator must be one of the following UNIQUE, CLUSTER, GROUP_BY, LIKE, MAX_PER, UNLIKE or IS"

func TestUnknownOperator(t *testing.T) {
	c := open(t, "")
	_, err := c.Prepare(t.Context(), sdk.ConstraintSpec{Field: "rack", Operator: "NEAR"})
	var invalid *sdk.Invalid
	if !errors.As(err, &invalid) || invalid.Message != builtins {
		t.Errorf("error %v", err)
	}
}

func TestSpellings(t *testing.T) {
	c := open(t, "")
	p, err := c.Prepare(t.Context(), sdk.ConstraintSpec{Field: "hostname", Operator: " unique "})
	if err != nil {
		t.Fatal(err)
	}
	p.Close()
}

// Broken modules are told with their cause and stop neither the others nor the
// start; the first to claim an operator has it.
func TestModules(t *testing.T) {
	c := open(t, directory(t, map[string]string{
		"a-text.wasm":   "this is not a module",
		"b-zoo.wasm":    "@zoo",
		"c-again.wasm":  "@zoo",
		"d-import.wasm": "@refused-import",
		"notes.txt":     "not looked at",
	}))
	<-c.Loaded()
	type row struct {
		File, Name string
		State      policy.State
		Error      string
	}
	var got []row
	for _, m := range c.Modules() {
		got = append(got, row{m.File, m.Name, m.State, m.Error})
		if m.File != "" && len(m.Digest) != 64 {
			t.Errorf("%s: digest %q", m.File, m.Digest)
		}
	}
	want := []row{
		{"", "builtin", policy.Active, ""},
		{"a-text.wasm", "", policy.Failed, "not a WASM module: it does not start with the magic number and version 1"},
		{"b-zoo.wasm", "zoo", policy.Active, ""},
		{"c-again.wasm", "", policy.Failed, "the operator ZOO is offered already by zoo@1 (b-zoo.wasm)"},
		{"d-import.wasm", "", policy.Failed, "it imports env.open_socket, which is not granted"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if operators := c.Operators(); operators[len(operators)-1] != "ZOO" {
		t.Errorf("operators %v", operators)
	}
	_, err := c.Prepare(t.Context(), sdk.ConstraintSpec{Operator: "NEAR"})
	for _, part := range []string{"UNLIKE, IS or ZOO", "a-text.wasm could not be loaded: not a WASM module", "d-import.wasm"} {
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("error %v, want %q in it", err, part)
		}
	}
}

// shadow offers an operator that is built in, for the side of the module.
func TestBuiltinsCannotBeShadowed(t *testing.T) {
	c, err := policy.Open(t.Context(), policy.Config{
		Builtins: []sdk.Constraint{named("ZOO")}, Dir: directory(t, map[string]string{"zoo.wasm": "@zoo"}),
	})
	if err != nil {
		t.Fatal(err)
	}
	<-c.Loaded()
	if m := c.Modules()[1]; m.State != policy.Failed || m.Error != "the operator ZOO is built in" {
		t.Errorf("%v: %s", m.State, m.Error)
	}
	if err := c.Close(t.Context()); err != nil {
		t.Error(err)
	}
	if _, err := policy.Open(t.Context(), policy.Config{Builtins: []sdk.Constraint{named("A"), named("A")}}); err == nil {
		t.Error("one operator was built in twice")
	}
	if _, err := policy.Open(t.Context(), policy.Config{Dir: filepath.Join(t.TempDir(), "none")}); err == nil {
		t.Error("a directory that does not exist was taken")
	}
}

// A module that hangs is a fault, counted, and others go on.
func TestFaultsAreCounted(t *testing.T) {
	c := open(t, directory(t, map[string]string{"zoo.wasm": "@zoo"}))
	hang, err := c.Prepare(t.Context(), sdk.ConstraintSpec{Field: "f", Operator: "ZOO", Value: "l"})
	if err != nil {
		t.Fatal(err)
	}
	in := sdk.ConstraintInput{Values: []string{"", "a"}, Placed: []uint32{0, 0}, First: -1}
	var fault *sdk.Fault
	if _, err = hang.Evaluate(t.Context(), in); !errors.As(err, &fault) || fault.Module != "zoo@1" {
		t.Fatalf("error %v", err)
	}
	m := c.Modules()[1]
	if m.Calls != 2 || m.Faults != 1 || m.Error != "constraint_evaluate: fuel exhausted" || m.Fuel <= 0 {
		t.Errorf("%d calls, %d faults, %d fuel, %q", m.Calls, m.Faults, m.Fuel, m.Error)
	}
	unique, err := c.Prepare(t.Context(), sdk.ConstraintSpec{Field: "f", Operator: "UNIQUE"})
	if err != nil {
		t.Fatal(err)
	}
	if answer, err := unique.Evaluate(t.Context(), in); err != nil || !slices.Equal(answer.Quota, []uint32{0, 1}) {
		t.Errorf("UNIQUE answers %v, %v", answer, err)
	}
}
