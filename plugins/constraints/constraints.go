// Package constraints holds the constraint operators that Pacer ships: one file
// each, written against package sdk alone, so that the same source also builds
// as a WASM module (plugins/cmd/builtin-wasm).
package constraints

import (
	"context"
	"slices"

	"github.com/pacer-run/pacer/sdk"
)

// All returns every operator of this package, in the order in which users are
// told of them.
func All() []sdk.Constraint {
	return []sdk.Constraint{
		Unique{}, Cluster{}, GroupBy{}, Like{}, MaxPer{}, Unlike{}, Is{},
	}
}

// perValue is a constraint that looks at nothing but the value itself.
type perValue struct {
	match  func(value string) bool
	absent bool // what an agent without the field gets
	reason string
}

func (p *perValue) Traits() sdk.Traits { return sdk.PurePerValue }

func (p *perValue) Close() {}

func (p *perValue) Evaluate(_ context.Context, in sdk.ConstraintInput) (sdk.ConstraintAnswer, error) {
	quota := make([]uint32, len(in.Values))
	for slot, value := range in.Values {
		fits := p.absent
		if slot != sdk.AbsentSlot {
			fits = p.match(value)
		}
		if fits {
			quota[slot] = sdk.Unlimited
		}
	}
	return sdk.ConstraintAnswer{Quota: quota, Reason: p.reason}, nil
}

// perCount is a constraint that looks at the number of placed instances. The
// quota function fills the slots of values, which are all 0 before; agents
// without the field never fit. in.Placed has as many slots as quota.
type perCount struct {
	quota  func(in sdk.ConstraintInput, quota []uint32) sdk.AnswerFlags
	reason string
}

func (p *perCount) Traits() sdk.Traits { return sdk.Stateful }

func (p *perCount) Close() {}

func (p *perCount) Evaluate(_ context.Context, in sdk.ConstraintInput) (sdk.ConstraintAnswer, error) {
	quota := in.Room
	if len(quota) != len(in.Values) {
		quota = make([]uint32, len(in.Values))
	}
	in.Placed = counts(in)
	flags := p.quota(in, quota)
	if len(quota) > 0 {
		quota[sdk.AbsentSlot] = 0
	}
	return sdk.ConstraintAnswer{Quota: quota, Flags: flags, Reason: p.reason}, nil
}

// counts are those of all slots; a short list stands for zeros.
func counts(in sdk.ConstraintInput) []uint32 {
	n := len(in.Values)
	if len(in.Placed) >= n {
		return in.Placed[:n]
	}
	return append(slices.Clip(in.Placed), make([]uint32, n-len(in.Placed))...)
}
