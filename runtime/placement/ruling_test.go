package placement

import (
	"testing"

	"github.com/pacer-run/pacer/sdk"
)

// TestUsedUp wants a Refill answer to be asked for again when nothing of it is
// left and not before, wherever in a dictionary the rest lies.
func TestUsedUp(t *testing.T) {
	tests := map[string]struct {
		quota []uint32
		extra int // how many of quota are of values that no known agent has
		flags sdk.AnswerFlags
		spend []int32
		asked []bool // whether the answer still holds, after each
	}{
		"in order":           {[]uint32{0, 1, 1}, 0, 0, []int32{1, 2}, []bool{true, false}},
		"from behind":        {[]uint32{0, 1, 1}, 0, 0, []int32{2, 1}, []bool{true, false}},
		"several on a value": {[]uint32{0, 2, 0, 1}, 0, 0, []int32{1, 3, 1}, []bool{true, true, false}},
		"without the field":  {[]uint32{1, 1}, 0, 0, []int32{1, 0}, []bool{true, false}},
		"no limit":           {[]uint32{0, sdk.Unlimited, 1}, 0, 0, []int32{2, 1, 1}, []bool{true, true, true}},
		"out of reach":       {[]uint32{0, 1, 1}, 1, 0, []int32{1}, []bool{true}},
		"gone and empty":     {[]uint32{0, 1, 0}, 1, 0, []int32{1}, []bool{false}},
		"the chosen one":     {[]uint32{0, 3, 2, 4}, 0, sdk.Exclusive, []int32{2, 2}, []bool{true, false}},
		"chosen, no limit":   {[]uint32{0, sdk.Unlimited}, 0, sdk.Exclusive, []int32{1, 1}, []bool{true, true}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			r := ruling{
				quota: test.quota[:len(test.quota)-test.extra], whole: test.quota,
				flags: sdk.Refill | test.flags, chosen: anySlot, asked: true,
			}
			for i, slot := range test.spend {
				if r.spend(slot); r.asked != test.asked[i] {
					t.Errorf("after %v: the answer holds: %v", test.spend[:i+1], r.asked)
				}
			}
		})
	}
}
