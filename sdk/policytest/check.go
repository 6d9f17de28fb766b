package policytest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/pacer-run/pacer/sdk"
)

// Prepare is the method of sdk.Constraint that a policy under test is reached by.
type Prepare func(context.Context, sdk.ConstraintSpec) (sdk.PreparedConstraint, error)

// Run checks each vector in a subtest named after its line.
func Run(t *testing.T, prepare Prepare, vectors []Vector) {
	t.Helper()
	for _, v := range vectors {
		t.Run(fmt.Sprintf("line %d", v.Line), func(t *testing.T) {
			if err := v.Check(t.Context(), prepare); err != nil {
				t.Errorf("%s\n%v", v.Text, err)
			}
		})
	}
}

// Check says how the policy's answer differs from the vector; nil if it does not.
// The input is asked twice, the second time with the dictionary in reverse and
// with room for the answer: neither must matter.
func (v Vector) Check(ctx context.Context, prepare Prepare) error {
	prepared, err := prepare(ctx, v.Spec)
	if invalid := (*sdk.Invalid)(nil); errors.As(err, &invalid) && v.Invalid != "" {
		if !strings.Contains(invalid.Message, v.Invalid) {
			return fmt.Errorf("invalid: %q, want %q in it", invalid.Message, v.Invalid)
		}
		return nil
	}
	if err != nil {
		return fmt.Errorf("prepare: %w", err)
	}
	defer prepared.Close()
	if v.Invalid != "" {
		return fmt.Errorf("accepted, want it invalid with %q", v.Invalid)
	}
	if err := v.ask(ctx, prepared, v.Input); err != nil {
		return err // once is enough
	}
	if err := v.ask(ctx, prepared, reversed(v.Input)); err != nil {
		return fmt.Errorf("with the values in another order: %w", err)
	}
	return nil
}

func (v Vector) ask(ctx context.Context, prepared sdk.PreparedConstraint, in sdk.ConstraintInput) error {
	if prepared.Traits()&sdk.Stateful == 0 {
		in.Placed, in.First = nil, -1 // what a host gives to such a constraint
	}
	answer, err := prepared.Evaluate(ctx, in)
	if err != nil {
		return fmt.Errorf("evaluate: %w", err)
	}
	if len(answer.Quota) != len(in.Values) {
		return fmt.Errorf("%d quotas for %d values", len(answer.Quota), len(in.Values))
	}
	var errs []error
	if answer.Flags != v.Flags {
		errs = append(errs, fmt.Errorf("flags %s, want %s", flagsText(answer.Flags), flagsText(v.Flags)))
	}
	if got := answer.Quota[sdk.AbsentSlot]; v.Absent != nil && got != *v.Absent {
		errs = append(errs, fmt.Errorf("absent: quota %s, want %s", quotaText(got), quotaText(*v.Absent)))
	}
	for slot, value := range in.Values {
		want, checked := v.Quota[value]
		if got := answer.Quota[slot]; slot != sdk.AbsentSlot && checked && got != want {
			errs = append(errs, fmt.Errorf("%q: quota %s, want %s", value, quotaText(got), quotaText(want)))
		}
	}
	return errors.Join(errs...)
}

// reversed is the same input with the slots after AbsentSlot the other way round,
// and with room.
func reversed(in sdk.ConstraintInput) sdk.ConstraintInput {
	out := in
	out.Values, out.Placed = slices.Clone(in.Values), slices.Clone(in.Placed)
	slices.Reverse(out.Values[1:])
	slices.Reverse(out.Placed[1:])
	out.Room = make([]uint32, len(out.Values))
	if in.First > 0 {
		out.First = len(in.Values) - in.First
	}
	return out
}
