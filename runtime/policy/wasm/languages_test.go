package wasm

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pacer-run/pacer/runtime/policy/remote"
	"github.com/pacer-run/pacer/sdk"
	"github.com/pacer-run/pacer/sdk/policytest"
)

// buildClang builds a module of one C file with the flags that sdk/c asks for.
func buildClang(t testing.TB, source string) []byte {
	t.Helper()
	out := filepath.Join(scratch(), strings.TrimSuffix(filepath.Base(source), ".c")+"-c.wasm")
	if code, err := os.ReadFile(out); err == nil {
		return code
	}
	include, err := filepath.Abs("../../../sdk/c")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "clang", "--target=wasm32", "-nostdlib", "-O2", "-Wall", "-Wextra", "-Werror",
		"-Wl,--no-entry", "-Wl,--stack-first", "-Wl,-z,stack-size=32768", "-I", include, "-o", out, source)
	if message, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("building %s, which needs clang and lld (make needs): %v\n%s", source, err, message)
	}
	code, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return code
}

const exampleC = "../../../examples/policies/attributes-c/attributes.c"

// runBuiltinVectors runs the vectors of LIKE, UNLIKE and MAX_PER on a module that has
// them with a prefix.
func runBuiltinVectors(t *testing.T, c sdk.Constraint, prefix string) {
	t.Helper()
	prepare := func(ctx context.Context, spec sdk.ConstraintSpec) (sdk.PreparedConstraint, error) {
		spec.Operator = prefix + spec.Operator
		return c.Prepare(ctx, spec)
	}
	tried := map[string]int{}
	for _, v := range vectors(t, "../../../plugins/constraints/testdata/vectors.txt") {
		switch v.Spec.Operator {
		case "LIKE", "UNLIKE", "MAX_PER":
			policytest.Run(t, prepare, []policytest.Vector{v})
			tried[v.Spec.Operator]++
		}
	}
	if tried["LIKE"] < 20 || tried["UNLIKE"] < 5 || tried["MAX_PER"] < 10 {
		t.Errorf("vectors tried: %v", tried)
	}
}

// The example in C answers as the builtins do.
func TestExampleCVectors(t *testing.T) {
	m, err := load(t, buildClang(t, exampleC), DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	runBuiltinVectors(t, remote.Constraint(m), "C_")
}
