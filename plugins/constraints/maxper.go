package constraints

import (
	"context"
	"strconv"

	"github.com/pacer-run/pacer/sdk"
)

// MaxPer is MAX_PER: at most that many instances on each value. The first
// instance of a value always fits, even when the number is 0 or negative.
type MaxPer struct{}

// Operators returns MAX_PER.
func (MaxPer) Operators() []string { return []string{"MAX_PER"} }

// Prepare wants an integer of 32 bits.
func (MaxPer) Prepare(_ context.Context, c sdk.ConstraintSpec) (sdk.PreparedConstraint, error) {
	n, err := strconv.ParseInt(c.Value, 10, 32)
	if !c.HasValue || err != nil {
		return nil, &sdk.Invalid{Message: "MAX_PER requires an integer value"}
	}
	limit := uint32(max(n, 1))
	return &perCount{
		quota: func(in sdk.ConstraintInput, quota []uint32) sdk.AnswerFlags {
			for slot, n := range in.Placed {
				quota[slot] = limit - min(limit, n)
			}
			return 0
		},
		reason: "each value takes " + strconv.Itoa(int(limit)) + " at most",
	}, nil
}
