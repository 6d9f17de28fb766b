package guest

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pacer-run/pacer/sdk"
	"github.com/pacer-run/pacer/sdk/wire"
)

// echo answers as many instances as the value has bytes.
type echo struct{ closed *int }

func (echo) Operators() []string { return []string{"ECHO"} }

func (e echo) Prepare(_ context.Context, c sdk.ConstraintSpec) (sdk.PreparedConstraint, error) {
	switch c.Value {
	case "invalid":
		return nil, &sdk.Invalid{Message: "change it"}
	case "fault":
		return nil, errors.New("broken")
	}
	return e, nil
}

func (echo) Traits() sdk.Traits { return sdk.Stateful }
func (e echo) Close()           { *e.closed++ }

func (echo) Evaluate(_ context.Context, in sdk.ConstraintInput) (sdk.ConstraintAnswer, error) {
	var a sdk.ConstraintAnswer
	for _, v := range in.Values {
		a.Quota = append(a.Quota, uint32(len(v)))
	}
	return a, nil
}

// write does what the host does: ask for the buffer, fill it.
func write(a *adapter, b []byte) uint32 {
	return uint32(copy(a.buffer(len(b)), b))
}

func TestCalls(t *testing.T) {
	closed := 0
	a := &adapter{module: Module{Name: "echo", Version: "1.0.0", Constraint: echo{&closed}}}
	if !a.configure(write(a, wire.AppendHostInfo(nil, wire.HostInfo{Minor: wire.Minor}))) {
		t.Fatal("configure failed")
	}
	if !a.describe() {
		t.Fatal("describe failed")
	}
	want := wire.Description{Minor: wire.Minor, Name: "echo", Version: "1.0.0", Operators: []string{"ECHO"}}
	got, err := wire.DecodeDescription(a.out)
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("describe: %v %s", err, diff)
	}
	for range 2 { // a handle that was released is given again
		if !a.prepareConstraint(write(a, wire.AppendSpec(nil, sdk.ConstraintSpec{Operator: "ECHO"}))) {
			t.Fatal("prepare failed")
		}
		prepared, err := wire.DecodePrepared(a.out)
		if prepared != (wire.Prepared{Handle: 1, Traits: sdk.Stateful}) || err != nil {
			t.Fatalf("prepared %v, %v", prepared, err)
		}
		in := sdk.ConstraintInput{Values: []string{"", "abc"}, First: -1}
		if !a.evaluate(1, write(a, wire.AppendInput(nil, in))) {
			t.Fatal("evaluate failed")
		}
		answer, err := wire.DecodeAnswer(a.out, 2)
		if diff := cmp.Diff([]uint32{0, 3}, answer.Quota); diff != "" || err != nil {
			t.Errorf("answer: %v %s", err, diff)
		}
		a.constraints.release(1)
		a.constraints.release(1)
	}
	if closed != 2 {
		t.Errorf("closed %d times, want 2", closed)
	}
}

func TestErrors(t *testing.T) {
	closed := 0
	a := &adapter{module: Module{Constraint: echo{&closed}}}
	prepare := func(value string) func() bool {
		return func() bool {
			return a.prepareConstraint(write(a, wire.AppendSpec(nil, sdk.ConstraintSpec{Value: value})))
		}
	}
	tests := map[string]struct {
		call func() bool
		want wire.Error
	}{
		"invalid":   {prepare("invalid"), wire.Error{Code: wire.Invalid, Reason: "change it"}},
		"fault":     {prepare("fault"), wire.Error{Code: wire.Fault, Reason: "broken"}},
		"handle 0":  {func() bool { return a.evaluate(0, 0) }, wire.Error{Code: wire.Fault, Reason: "no such handle"}},
		"handle 9":  {func() bool { return a.evaluate(9, 0) }, wire.Error{Code: wire.Fault, Reason: "no such handle"}},
		"settings":  {func() bool { return a.configure(write(a, wire.AppendHostInfo(nil, wire.HostInfo{Settings: "{}"}))) }, wire.Error{Code: wire.Invalid, Reason: "the module takes no settings"}},
		"kind":      {func() bool { return a.review(0) }, wire.Error{Code: wire.Fault, Reason: "the module has no policy of this kind"}},
		"no policy": {new(adapter).describe, wire.Error{}},
		"malformed": {func() bool { return a.prepareConstraint(write(a, []byte{1})) }, wire.Error{Code: wire.Fault, Reason: "malformed message: bad tag"}},
	}
	for name, test := range tests {
		if test.call() {
			t.Errorf("%s: taken", name)
			continue
		}
		if got, err := wire.DecodeError(a.out); name != "no policy" && (got != test.want || err != nil) {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
}
