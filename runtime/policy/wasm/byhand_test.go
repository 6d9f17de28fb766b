package wasm

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pacer-run/pacer/runtime/policy/remote"
	"github.com/pacer-run/pacer/sdk"
	"github.com/pacer-run/pacer/sdk/policytest"
)

// A module that is WebAssembly text, written from docs/policy-abi.md, answers as its
// vectors say, and also when its input is larger than its memory was.
func TestByHand(t *testing.T) {
	const source = "testdata/by-hand/guest.wat"
	out := filepath.Join(t.TempDir(), "guest.wasm")
	if message, err := exec.CommandContext(t.Context(), "wat2wasm", source, "-o", out).CombinedOutput(); err != nil {
		t.Fatalf("assembling %s, which needs wabt (make needs): %v\n%s", source, err, message)
	}
	code, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	loader, err := NewLoader(DefaultLimits(), "", quiet())
	if err != nil {
		t.Fatal(err)
	}
	m, err := loader.Load(t.Context(), code, Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeModule(t, m) })
	text, err := os.ReadFile("testdata/by-hand/vectors.txt")
	if err != nil {
		t.Fatal(err)
	}
	vectors, err := policytest.Read(strings.NewReader(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	constraint := remote.Constraint(m)
	policytest.Run(t, constraint.Prepare, vectors)

	p, err := constraint.Prepare(t.Context(), sdk.ConstraintSpec{Field: "room", Operator: "NO_STOVE"})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	const many = 20_000
	values := make([]string, many)
	for i := 1; i < many; i++ {
		values[i] = "a rather long value of the field"
	}
	values[many-1] = "stove"
	answer, err := p.Evaluate(t.Context(), sdk.ConstraintInput{Values: values})
	if err != nil || answer.Quota[1] != sdk.Unlimited || answer.Quota[many-1] != 0 {
		t.Errorf("%v", err)
	}
}
