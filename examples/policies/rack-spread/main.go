// Command rack-spread is a policy module for Pacer with one operator:
//
//	["rack", "RACK_SPREAD", "2"]
//
// lets at most two instances run on agents with the same value of the field.
// Unlike MAX_PER it refuses 0, and it says how full each value is.
package main

import (
	"context"
	"strconv"

	"github.com/pacer-run/pacer/sdk"
	"github.com/pacer-run/pacer/sdk/guest"
)

// The module is served from here on; main is never run.
var _ = guest.Register(guest.Module{Name: "rack-spread", Version: "1.0.0", Constraint: rackSpread{}})

func main() {}

// rackSpread is the operator RACK_SPREAD.
type rackSpread struct{}

func (rackSpread) Operators() []string { return []string{"RACK_SPREAD"} }

// Prepare is called when an app is submitted: mistakes are told here, to its
// author.
func (rackSpread) Prepare(_ context.Context, c sdk.ConstraintSpec) (sdk.PreparedConstraint, error) {
	limit, err := strconv.ParseUint(c.Value, 10, 31)
	if err != nil || limit == 0 {
		return nil, &sdk.Invalid{Message: "RACK_SPREAD requires a number of instances above 0, such as 2"}
	}
	return spread{limit: uint32(limit)}, nil
}

// spread is one constraint of one app.
type spread struct{ limit uint32 }

// Traits: the answer depends on what is placed already.
func (spread) Traits() sdk.Traits { return sdk.Stateful }

func (spread) Close() {}

// Evaluate says for each value of the field how many more instances it takes.
func (s spread) Evaluate(_ context.Context, in sdk.ConstraintInput) (sdk.ConstraintAnswer, error) {
	quota := make([]uint32, len(in.Values))
	full := 0
	for slot := range quota {
		if slot == sdk.AbsentSlot {
			continue // agents without the field take none
		}
		quota[slot] = s.limit - min(s.limit, in.Placed[slot])
		if quota[slot] == 0 {
			full++
		}
	}
	reason := strconv.Itoa(full) + " of " + strconv.Itoa(len(quota)-1) + " values hold " +
		strconv.FormatUint(uint64(s.limit), 10) + " already"
	return sdk.ConstraintAnswer{Quota: quota, Reason: reason}, nil
}
