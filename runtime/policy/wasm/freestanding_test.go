package wasm

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pacer-run/pacer/runtime/policy/remote"
	"github.com/pacer-run/pacer/sdk"
	"github.com/pacer-run/pacer/sdk/policytest"
)

const guestC = "testdata/freestanding-c"

// buildC builds the guest as docs/policy-abi.md says.
func buildC(t *testing.T) []byte {
	t.Helper()
	out := filepath.Join(t.TempDir(), "guest.wasm")
	cmd := exec.CommandContext(t.Context(), "clang", "--target=wasm32", "-nostdlib", "-O2", "-fno-builtin",
		"-Wl,--no-entry", "-o", out, "guest.c")
	cmd.Dir = guestC
	if message, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("building %s, which needs clang and lld (make needs): %v\n%s", guestC, err, message)
	}
	code, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return code
}

// loadC loads the guest with one instance, so that every call meets the same one.
func loadC(t *testing.T, log *slog.Logger) *Module {
	t.Helper()
	limits := DefaultLimits()
	limits.Instances = 1
	loader, err := NewLoader(limits, "", log)
	if err != nil {
		t.Fatal(err)
	}
	m, err := loader.Load(t.Context(), buildC(t), Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeModule(t, m) })
	return m
}

// A guest that knows of the ABI what docs/policy-abi.md says, and nothing of the Go
// SDK, answers as the builtins do and as its own vectors say. It can hold 16
// constraints, so it would run full if they were not released.
func TestFreestandingVectors(t *testing.T) {
	m := loadC(t, quiet())
	builtin := 0
	asC := func(ctx context.Context, spec sdk.ConstraintSpec) (sdk.PreparedConstraint, error) {
		spec.Operator = "C_" + spec.Operator
		return remote.Constraint(m).Prepare(ctx, spec)
	}
	for _, v := range vectors(t, "../../../plugins/constraints/testdata/vectors.txt") {
		if v.Spec.Operator == "MAX_PER" || v.Spec.Operator == "CLUSTER" {
			policytest.Run(t, asC, []policytest.Vector{v})
			builtin++
		}
	}
	if builtin < 20 {
		t.Errorf("%d vectors of builtins were tried", builtin)
	}
	policytest.Run(t, remote.Constraint(m).Prepare, vectors(t, guestC+"/vectors.txt"))
}

// Its errors, its exit and its need for more memory are met as documented.
func TestFreestandingGuest(t *testing.T) {
	var log bytes.Buffer
	m := loadC(t, slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})))
	if name := m.label(); name != "freestanding-c@1.2.3" {
		t.Errorf("it is %s", name)
	}
	if got := strings.Join(m.Description().Operators, " "); got != "C_MAX_PER C_CLUSTER C_PREFIX C_TELL" {
		t.Errorf("operators %s", got)
	}
	spec := sdk.ConstraintSpec{Field: "rack", Operator: "C_TELL", Value: "labels", HasValue: true}
	spec.App = sdk.AppFacts{ID: "/a", Role: "*", Labels: map[string]string{"x": "1", "y": ""}}
	labels, err := remote.Constraint(m).Prepare(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	wantCalls(t, labels, 2)
	for range 15 {
		defer prepareC(t, m, "instances").Close()
	}
	_, err = remote.Constraint(m).Prepare(t.Context(), spec)
	wantFault(t, err, "16 constraints are in use")
	wantCalls(t, labels, 2)
	manyValues(t, m, labels)
	labels.Close()
	exit := prepareC(t, m, "exit") // takes the handle that is free now
	_, err = exit.Evaluate(t.Context(), two())
	wantFault(t, err, "exited with code 3")
	wantCalls(t, prepareC(t, m, "output"), 13)
	wantCalls(t, prepareC(t, m, "log"), 11)
	for _, line := range []string{
		`level=DEBUG msg=detail`, `level=WARN msg="a warning in two lines"`, `level=WARN msg="printed text"`,
	} {
		if !strings.Contains(log.String(), line+" module=freestanding-c@1.2.3\n") {
			t.Errorf("the log lacks %s of the module:\n%s", line, &log)
		}
	}
}

func prepareC(t *testing.T, m *Module, what string) sdk.PreparedConstraint {
	t.Helper()
	return prepare(t, m, "C_TELL", what)
}

// manyValues asks about more than the memory that the guest begins with can hold.
func manyValues(t *testing.T, m *Module, p sdk.PreparedConstraint) {
	t.Helper()
	in := sdk.ConstraintInput{Values: []string{""}, First: -1}
	for i := range 20_000 {
		in.Values = append(in.Values, fmt.Sprintf("agent-%d.example.com", i))
	}
	in.Placed = make([]uint32, len(in.Values))
	answer, err := p.Evaluate(t.Context(), in)
	if err != nil || answer.Quota[20_000] != 2 || answer.Reason != "said by C" {
		t.Errorf("%v, reason %q", err, answer.Reason)
	}
	err = m.pool.with(t.Context(), func(in *instance) error {
		if in.memory.Size() <= in.startSize {
			t.Error("its memory did not grow")
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}
