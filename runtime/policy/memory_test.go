package policy_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/pacer-run/pacer/runtime/policy"
	"github.com/pacer-run/pacer/sdk"
)

// named is a constraint that offers one operator and refuses everything.
type named string

func (n named) Operators() []string { return []string{string(n)} }

func (n named) Prepare(context.Context, sdk.ConstraintSpec) (sdk.PreparedConstraint, error) {
	return nil, &sdk.Invalid{Message: "no"}
}

// even takes values of even length and counts what it is asked.
type even struct {
	asked []int // values of each call
	fail  error
}

func (*even) Operators() []string { return []string{"EVEN"} }
func (*even) Traits() sdk.Traits  { return sdk.PurePerValue }
func (*even) Close()              {}

func (e *even) Prepare(context.Context, sdk.ConstraintSpec) (sdk.PreparedConstraint, error) {
	return e, nil
}

func (e *even) Evaluate(_ context.Context, in sdk.ConstraintInput) (sdk.ConstraintAnswer, error) {
	e.asked = append(e.asked, len(in.Values)-1)
	quota := make([]uint32, len(in.Values))
	for i, v := range in.Values {
		if len(v)%2 == 0 {
			quota[i] = sdk.Unlimited
		}
	}
	return sdk.ConstraintAnswer{Quota: quota, Reason: "odd"}, e.fail
}

func prepareEven(t *testing.T, e *even, remember int) sdk.PreparedConstraint {
	t.Helper()
	c, err := policy.Open(t.Context(), policy.Config{Builtins: []sdk.Constraint{e}, Remember: remember})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close(context.Background()) })
	p, err := c.Prepare(t.Context(), sdk.ConstraintSpec{Operator: "EVEN"})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func evaluate(t *testing.T, p sdk.PreparedConstraint, values ...string) []uint32 {
	t.Helper()
	answer, err := p.Evaluate(t.Context(), sdk.ConstraintInput{Values: append([]string{""}, values...), First: -1})
	if err != nil {
		t.Fatal(err)
	}
	return answer.Quota
}

func TestVerdictsAreRemembered(t *testing.T) {
	const all = sdk.Unlimited
	tests := []struct {
		name     string
		remember int
		asked    []int
	}{
		{"with room", 0, []int{2, 1}},
		{"with room for one", 1, []int{2, 1, 1, 3, 2}},
		{"not at all", -1, []int{2, 2, 2, 3, 3}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			e := &even{}
			p := prepareEven(t, e, test.remember)
			steps := []struct {
				values []string
				want   []uint32
			}{
				{[]string{"a", "bb"}, []uint32{all, 0, all}},
				{[]string{"bb", "a"}, []uint32{all, all, 0}},
				{[]string{"a", "bb"}, []uint32{all, 0, all}},
				{[]string{"a", "bb", "ccc"}, []uint32{all, 0, all, 0}},
				{[]string{"ccc", "bb", "a"}, []uint32{all, 0, all, 0}},
			}
			for _, step := range steps {
				if got := evaluate(t, p, step.values...); !slices.Equal(got, step.want) {
					t.Errorf("%v: %v, want %v", step.values, got, step.want)
				}
			}
			if test.remember != 1 && !slices.Equal(e.asked, test.asked) {
				t.Errorf("asked about %v values, want %v", e.asked, test.asked)
			}
		})
	}
}

// A call asks about few values, so that it is short, and a caller whose time is
// up gets no further ones.
func TestManyValuesAreAskedInParts(t *testing.T) {
	e := &even{}
	p := prepareEven(t, e, 0)
	var values []string
	for i := range 300 {
		values = append(values, fmt.Sprint(i))
	}
	quota := evaluate(t, p, values...)
	if !slices.Equal(e.asked, []int{128, 128, 44}) {
		t.Errorf("asked about %v values", e.asked)
	}
	for i, value := range values {
		if (quota[i+1] != 0) != (len(value)%2 == 0) {
			t.Errorf("%s: %d", value, quota[i+1])
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := p.Evaluate(ctx, sdk.ConstraintInput{Values: []string{"", "new"}}); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

// A fault is not remembered as a verdict.
func TestFaultsAreNotRemembered(t *testing.T) {
	e := &even{fail: errors.New("broken")}
	p := prepareEven(t, e, 0)
	_, err := p.Evaluate(t.Context(), sdk.ConstraintInput{Values: []string{"", "bb"}})
	var fault *sdk.Fault
	if !errors.As(err, &fault) || fault.Module != "builtin" || fault.Cause != "broken" {
		t.Fatalf("error %v", err)
	}
	e.fail = nil
	if got := evaluate(t, p, "bb"); got[1] != sdk.Unlimited {
		t.Errorf("quota %v", got)
	}
}
