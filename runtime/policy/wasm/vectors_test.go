package wasm

import (
	"context"
	"os"
	"testing"

	"github.com/pacer-run/pacer/runtime/policy/remote"
	"github.com/pacer-run/pacer/sdk"
	"github.com/pacer-run/pacer/sdk/policytest"
)

func vectors(t *testing.T, path string) []policytest.Vector {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	list, err := policytest.Read(file)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// The operators that are built in, as a WASM module, answer as they do natively.
func TestBuiltinVectors(t *testing.T) {
	m, err := load(t, buildGuest(t, guestBuiltin), DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	prepare := func(ctx context.Context, spec sdk.ConstraintSpec) (sdk.PreparedConstraint, error) {
		spec.Operator = "W_" + spec.Operator // the module's names for them
		return remote.Constraint(m).Prepare(ctx, spec)
	}
	policytest.Run(t, prepare, vectors(t, "../../../plugins/constraints/testdata/vectors.txt"))
}

// The example answers as its own vectors say; its native test uses the same.
func TestRackSpreadVectors(t *testing.T) {
	m, err := load(t, buildGuest(t, guestRackSpread), DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	policytest.Run(t, remote.Constraint(m).Prepare, vectors(t, guestRackSpread+"/vectors.txt"))
}
