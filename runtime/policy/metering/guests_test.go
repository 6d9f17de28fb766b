//go:build !race

package metering

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/tetratelabs/wazero"

	"github.com/pacer-run/pacer/sdk"
	"github.com/pacer-run/pacer/sdk/wire"
)

// build runs a compiler at the root of the tree, which writes to the file that is
// appended to the command.
func build(t *testing.T, environment []string, command ...string) []byte {
	t.Helper()
	out := filepath.Join(t.TempDir(), "guest.wasm")
	// The place of the output comes before that of the source.
	command = append(command[:len(command)-1], "-o", out, command[len(command)-1])
	c := exec.CommandContext(t.Context(), command[0], command[1:]...)
	c.Dir, c.Env = "../../..", append(os.Environ(), environment...)
	if message, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, message)
	}
	code, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return code
}

// Guests pay for what they execute, and for little else. What they execute is counted
// piece by piece in the same code.
func TestGuestsPayForWhatTheyExecute(t *testing.T) {
	for _, test := range []struct {
		name, operator string
		code           []byte
		most           float64 // paid for each unit that is executed
	}{
		{
			"go", "W_LIKE", build(t, []string{"GOOS=wasip1", "GOARCH=wasm", "GOFLAGS=", "CGO_ENABLED=0"},
				"go", "build", "-buildmode=c-shared", "-ldflags=-s -w", "./plugins/cmd/builtin-wasm"), 1.15,
		},
		{
			"c", "C_LIKE", build(t, nil, "clang", "--target=wasm32", "-nostdlib", "-O2", "-Wl,--no-entry", "-Wl,--stack-first",
				"-Wl,-z,stack-size=32768", "-I", "sdk/c", "examples/policies/attributes-c/attributes.c"), 1.3,
		},
	} {
		metered, err := Rewrite(test.code)
		if err != nil {
			t.Fatal(err)
		}
		paid := askLike(t, metered.Code, wazero.NewRuntimeConfig(), test.operator)
		executed := askLike(t, exact(t, test.code), wazero.NewRuntimeConfigInterpreter(), test.operator)
		for i, what := range []string{"start", "prepare", "evaluate"} {
			ratio := float64(paid[i]) / max(1, float64(executed[i]))
			t.Logf("%s, %s: %d executed, %d paid, %.2f", test.name, what, executed[i], paid[i], ratio)
			if paid[i] < executed[i] || ratio > test.most && executed[i] > 1000 {
				t.Errorf("%s, %s: paid %d for %d that were executed", test.name, what, paid[i], executed[i])
			}
		}
	}
}

// askLike is the fuel of the start, and of LIKE about 20 values.
func askLike(t *testing.T, code []byte, config wazero.RuntimeConfig, operator string) (used [3]int64) {
	t.Helper()
	g := start(t, code, config)
	call := func(part int, name string, args ...uint64) uint64 {
		result, fuel, err := g.call(1<<50, name, args...)
		if err != nil {
			t.Fatal(name, err)
		}
		used[part] += fuel
		return result
	}
	send := func(part int, message []byte) uint64 {
		at := call(part, "policy_buffer", uint64(len(message)))
		g.code.Memory().Write(uint32(at), message)
		return uint64(len(message))
	}
	if g.code.ExportedFunction("_initialize") != nil {
		call(0, "_initialize")
	}
	spec := sdk.ConstraintSpec{Field: "rack", Operator: operator, Value: "(rack|row)-[0-2][0-9]-row.*[0-5]", HasValue: true}
	answer := call(1, "constraint_prepare", send(1, wire.AppendSpec(nil, spec)))
	message, _ := g.code.Memory().Read(uint32(answer>>32), uint32(answer))
	prepared, err := wire.DecodePrepared(message)
	if err != nil {
		t.Fatal(err)
	}
	in := sdk.ConstraintInput{Values: []string{""}, First: -1}
	for i := range 20 {
		in.Values = append(in.Values, fmt.Sprintf("rack-%02d-row%d", i, i%10))
	}
	call(2, "constraint_evaluate", uint64(prepared.Handle), send(2, wire.AppendInput(nil, in)))
	return used
}
