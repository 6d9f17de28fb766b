package constraints

import (
	"context"
	"strconv"

	"github.com/pacer-run/pacer/sdk"
)

// GroupBy is GROUP_BY: instances spread evenly over the values. The groups are
// all values that are known, of agents as well as of placed instances. A number
// is the least number of groups: those not yet known count as empty ones.
type GroupBy struct{}

// Operators returns GROUP_BY.
func (GroupBy) Operators() []string { return []string{"GROUP_BY"} }

// Prepare takes no value or an integer of 32 bits; below 1 is as good as none.
func (GroupBy) Prepare(_ context.Context, c sdk.ConstraintSpec) (sdk.PreparedConstraint, error) {
	least, err := int64(0), error(nil)
	if c.HasValue {
		least, err = strconv.ParseInt(c.Value, 10, 32)
	}
	if err != nil {
		return nil, &sdk.Invalid{Message: "GROUP BY must define an integer value or else no value at all"}
	}
	return &perCount{
		quota: func(in sdk.ConstraintInput, quota []uint32) sdk.AnswerFlags {
			return fillLeast(in, quota, least)
		},
		reason: "another value holds fewer instances",
	}, nil
}

// fillLeast gives one instance to each of the least filled groups: no other
// choice keeps the groups even at every moment. Instances without the field are
// in no group, since counting them could leave a group that nobody can fill.
func fillLeast(in sdk.ConstraintInput, quota []uint32, groups int64) sdk.AnswerFlags {
	if len(quota) == 0 {
		return sdk.Refill
	}
	values := in.Placed[sdk.AbsentSlot+1:]
	lowest := leastOf(values)
	if int64(len(values)) < groups {
		lowest = 0
	}
	quota = quota[sdk.AbsentSlot+1:]
	for i, n := range values {
		if n == lowest {
			quota[i] = 1
		}
	}
	return sdk.Refill
}

// leastOf is the smallest count. There is none below 0, which is what most
// values have in a large cluster: it seldom looks far.
func leastOf(counts []uint32) uint32 {
	least := sdk.Unlimited
	for _, n := range counts {
		if n == 0 {
			return 0
		}
		least = min(least, n)
	}
	return least
}
