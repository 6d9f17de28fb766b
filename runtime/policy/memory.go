package policy

import (
	"context"
	"runtime"

	"github.com/pacer-run/pacer/runtime/policy/remote"
	"github.com/pacer-run/pacer/sdk"
)

// A call into a guest cannot be interrupted by Go's scheduler or garbage collector,
// so it has to be short; and a budget has to do for it, with a collection of the
// guest's own garbage besides. What a value costs is known when some were asked about:
// the first call has few, those that follow as many as partFuel suffices for.
const (
	firstPart = 8
	mostPart  = 1024 // also where nothing is metered
	partFuel  = 2_000_000
)

// memory remembers the verdicts of a constraint that is pure per value. It
// belongs to one prepared constraint, so the value is all of the key; absence has
// its own place.
type memory struct {
	sdk.PreparedConstraint
	limit  int
	known  map[string]uint32
	absent *uint32
	reason string
	part   int // how many values the next call is about
	// leave is given what is known when the constraint is closed; nil: nobody wants it.
	leave func(verdicts)
}

func newMemory(prepared sdk.PreparedConstraint, limit int) *memory {
	return &memory{PreparedConstraint: prepared, limit: limit, known: map[string]uint32{}, part: firstPart}
}

// begin has it know what was answered before.
func (m *memory) begin(v verdicts) {
	if m.limit >= 0 && v.size() > 0 {
		m.known, m.absent, m.reason = v.known, v.absent, v.reason
	}
}

// Close implements sdk.PreparedConstraint.
func (m *memory) Close() {
	m.PreparedConstraint.Close()
	if m.leave != nil {
		m.leave(verdicts{m.known, m.absent, m.reason})
		m.known, m.leave = map[string]uint32{}, nil
	}
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
		some := missing[:min(m.size(), len(missing))]
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

// size is how many values to ask about next: that of m.part where fuel is counted.
func (m *memory) size() int {
	if lastFuel(m.PreparedConstraint) == 0 {
		return mostPart
	}
	return m.part
}

// learn takes what a call about so many values has cost as what the next ones cost.
func (m *memory) learn(values int) {
	if fuel := lastFuel(m.PreparedConstraint); fuel > 0 && values > 0 {
		m.part = int(min(max(partFuel*int64(values)/fuel, 1), mostPart))
	}
}

// lastFuel is what the last call about p cost; 0 where nothing is metered.
func lastFuel(p any) int64 {
	if m, ok := p.(remote.Metered); ok {
		return m.LastFuel()
	}
	return 0
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
	m.learn(len(slots))
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
