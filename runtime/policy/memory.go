package policy

import (
	"context"
	"runtime"

	"github.com/pacer-run/pacer/sdk"
)

// chunk is how many values a constraint is asked about in one call. A call into
// a guest cannot be interrupted by Go's scheduler or garbage collector, so it has
// to be short.
const chunk = 128

// memory remembers the verdicts of a constraint that is pure per value. It
// belongs to one prepared constraint, so the value is all of the key; absence has
// its own place.
type memory struct {
	sdk.PreparedConstraint
	limit  int
	known  map[string]uint32
	absent *uint32
	reason string
}

func newMemory(prepared sdk.PreparedConstraint, limit int) *memory {
	return &memory{PreparedConstraint: prepared, limit: limit, known: map[string]uint32{}}
}

// Stale tells whether the constraint should be prepared anew.
func (m *memory) Stale() bool {
	s, ok := m.PreparedConstraint.(interface{ Stale() bool })
	return ok && s.Stale()
}

// Evaluate asks the constraint about the values that are new, some at a time.
func (m *memory) Evaluate(ctx context.Context, in sdk.ConstraintInput) (sdk.ConstraintAnswer, error) {
	quota := make([]uint32, len(in.Values))
	missing := m.recall(in.Values, quota)
	for len(missing) > 0 || m.absent == nil {
		some := missing[:min(chunk, len(missing))]
		missing = missing[len(some):]
		if err := m.ask(ctx, in, some, quota); err != nil {
			return sdk.ConstraintAnswer{}, err
		}
		runtime.Gosched() // between calls that let nobody else in
	}
	if len(quota) > 0 {
		quota[sdk.AbsentSlot] = *m.absent
	}
	if m.limit < 0 {
		m.absent = nil
	}
	return sdk.ConstraintAnswer{Quota: quota, Reason: m.reason}, nil
}

// recall fills in what is known and returns the slots of the rest.
func (m *memory) recall(values []string, quota []uint32) (missing []int) {
	for slot, value := range values {
		if slot == sdk.AbsentSlot {
			continue
		}
		verdict, ok := m.known[value]
		if !ok {
			missing = append(missing, slot)
		}
		quota[slot] = verdict
	}
	return missing
}

// ask fills in the quotas of the slots and remembers them.
func (m *memory) ask(ctx context.Context, in sdk.ConstraintInput, slots []int, quota []uint32) error {
	if err := ctx.Err(); err != nil {
		return context.Cause(ctx)
	}
	part := sdk.ConstraintInput{Values: make([]string, 1, len(slots)+1), First: -1, Instances: in.Instances}
	for _, slot := range slots {
		part.Values = append(part.Values, in.Values[slot])
	}
	answer, err := m.PreparedConstraint.Evaluate(ctx, part)
	if err != nil {
		return err
	}
	m.absent, m.reason = &answer.Quota[sdk.AbsentSlot], answer.Reason
	for i, slot := range slots {
		quota[slot] = answer.Quota[i+1]
		m.keep(in.Values[slot], quota[slot])
	}
	return nil
}

// keep starts anew when it is full: values that come and go (host names) must
// not take ever more memory, and those in use are soon known again.
func (m *memory) keep(value string, verdict uint32) {
	if len(m.known) >= m.limit {
		if m.limit < 0 {
			return
		}
		clear(m.known)
	}
	m.known[value] = verdict
}
