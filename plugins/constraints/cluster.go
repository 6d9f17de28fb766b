package constraints

import (
	"context"

	"github.com/pacer-run/pacer/sdk"
)

// Cluster is CLUSTER: all instances on one value, the given one or whichever the
// first instance got.
type Cluster struct{}

// Operators returns CLUSTER.
func (Cluster) Operators() []string { return []string{"CLUSTER"} }

// Prepare takes any value; an empty one is as good as none.
func (Cluster) Prepare(_ context.Context, c sdk.ConstraintSpec) (sdk.PreparedConstraint, error) {
	if c.Value == "" {
		return &perCount{quota: cluster, reason: "all instances stay where the first one is"}, nil
	}
	wanted := c.Value
	return &perValue{
		match:  func(value string) bool { return value == wanted },
		reason: `is not "` + wanted + `"`,
	}, nil
}

// cluster lets the first instance choose. A first instance on an agent without
// the field leaves nowhere to go.
func cluster(in sdk.ConstraintInput, quota []uint32) sdk.AnswerFlags {
	if in.First >= 0 {
		if in.First < len(quota) {
			quota[in.First] = sdk.Unlimited
		}
		return 0
	}
	for slot := range quota {
		quota[slot] = sdk.Unlimited
	}
	return sdk.Exclusive
}
