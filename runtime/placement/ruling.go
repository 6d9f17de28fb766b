package placement

import (
	"context"
	"errors"
	"fmt"

	"github.com/pacer-run/pacer/runtime/spec"
	"github.com/pacer-run/pacer/sdk"
)

// ruling is one rule of one app in one match: the last answer and what has been
// used up of it.
type ruling struct {
	rule     *Rule
	memory   *pureRule
	column   *column
	pure     bool // memory.verdicts rule, the rest is not used
	stateful bool
	grouped  bool // the app's groups keep the column's values apart
	asked    bool // there is an answer that holds
	// lapse is a fault in spite of which the verdicts hold that are known; values that
	// are unknown are closed.
	lapse  error
	quota  []uint32 // of the known slots
	whole  []uint32 // quota and, behind it, the quotas of extra
	room   []uint32 // of the matcher; lent for the answer and perhaps used by it
	spent  int      // the quotas of whole up to here are used up
	flags  sdk.AnswerFlags
	chosen int32 // the one slot of an Exclusive answer; -1: none yet

	// placed counts instances by slot, for a rule that will be asked again in
	// this match; nil: to be counted anew. Behind the known slots, of which there
	// are known, come those of extra.
	placed []uint32
	known  int
	extra  []string // values of placed instances that no known agent has
	first  int      // slot of the instance placed first; -1: none
}

// anySlot is ruling.chosen while no value was chosen.
const anySlot = -1

// dynamic answers are asked for again after placements: a value may be refused
// now and accepted later.
const dynamic = sdk.Volatile | sdk.Refill

// open tells whether the rule lets one more instance go to the slot.
func (r *ruling) open(slot int32) bool {
	if r.pure {
		return r.memory.verdicts[slot] == accepted
	}
	return r.quota[slot] > 0 && (r.chosen == anySlot || r.chosen == slot)
}

// covers tells whether the rule's answer is good for the slot; it is not when
// the slot came with an agent that Request.Agents did not name.
func (r *ruling) covers(slot int32) bool {
	if r.pure {
		return int(slot) < len(r.memory.verdicts)
	}
	return int(slot) < len(r.quota)
}

// spend notes an instance that went to the slot.
func (r *ruling) spend(slot int32) {
	if r.pure {
		return
	}
	if r.placed != nil {
		r.note(int(slot))
	}
	if r.quota[slot] != sdk.Unlimited {
		r.quota[slot]--
	}
	if r.flags&sdk.Exclusive != 0 && r.chosen == anySlot {
		r.chosen = slot
	}
	if r.flags&sdk.Volatile != 0 || r.flags&sdk.Refill != 0 && r.usedUp() {
		r.asked = false
	}
}

// usedUp tells whether no slot may take another instance, those of extra
// included. It goes on where it found a quota the last time: a large dictionary
// is gone through at most once for an answer, and only as far as it is used up.
func (r *ruling) usedUp() bool {
	if r.chosen != anySlot {
		return r.quota[r.chosen] == 0
	}
	for r.spent < len(r.whole) && r.whole[r.spent] == 0 {
		r.spent++
	}
	return r.spent == len(r.whole)
}

// ask makes the rule's answer hold for every slot of its column.
func (r *ruling) ask(ctx context.Context, s *seeker, m *Matcher) error {
	if r.pure {
		return r.askPure(ctx, s.wanted.App)
	}
	slots := len(r.column.values)
	if r.asked && len(r.quota) >= slots {
		return nil
	}
	in := sdk.ConstraintInput{Values: r.column.values, First: -1, Instances: instancesOf(s.wanted.App)}
	if r.stateful {
		if r.placed == nil || r.known != slots {
			r.count(s, m)
		}
		in.Values = append(in.Values[:slots:slots], r.extra...)
		in.Placed, in.First = r.placed, r.first
	}
	answer, err := r.evaluateIn(ctx, in, m)
	if err != nil {
		return err
	}
	r.quota, r.whole, r.spent = answer.Quota[:slots], answer.Quota, 0
	r.flags, r.chosen, r.asked = answer.Flags, anySlot, true
	if r.flags&dynamic == 0 {
		m.rooms.give(&r.placed) // it is not asked again
	}
	return nil
}

// evaluateIn asks the policy with room for its answer, which takes the place of
// the answer before.
func (r *ruling) evaluateIn(ctx context.Context, in sdk.ConstraintInput, m *Matcher) (sdk.ConstraintAnswer, error) {
	r.quota, r.whole = nil, nil
	m.rooms.give(&r.room)
	in.Room = m.rooms.take(len(in.Values))
	r.room = in.Room
	answer, err := r.evaluate(ctx, in)
	if err == nil && &answer.Quota[0] != &r.room[0] {
		m.rooms.give(&r.room)
	}
	return answer, err
}

// release gives the matcher's rooms back. The rule cannot be asked any more.
func (r *ruling) release(m *Matcher) {
	m.rooms.give(&r.placed)
	m.rooms.give(&r.room)
	r.quota, r.whole = nil, nil
}

// askPure asks about the values whose verdicts are not known yet.
func (r *ruling) askPure(ctx context.Context, app *spec.App) error {
	m := r.memory
	for len(m.verdicts) < len(r.column.values) {
		m.verdicts = append(m.verdicts, unknown)
		m.unknown++
	}
	if m.unknown == 0 || r.lapse != nil {
		return nil
	}
	// Slot 0 of what is asked means absence, whether that is known or not.
	values, slots := []string{sdk.AbsentSlot: ""}, []int32{sdk.AbsentSlot: sdk.AbsentSlot}
	for slot, v := range m.verdicts {
		if v == unknown && slot != sdk.AbsentSlot {
			values, slots = append(values, r.column.values[slot]), append(slots, int32(slot))
		}
	}
	answer, err := r.evaluate(ctx, sdk.ConstraintInput{Values: values, First: -1, Instances: instancesOf(app)})
	if static(err) {
		r.lapse = err
		m.summarize()
		return nil
	}
	if err != nil {
		return err
	}
	if answer.Flags != 0 {
		return r.fault("answered flags %#x although it is pure", uint32(answer.Flags))
	}
	for _, q := range answer.Quota {
		if q != 0 && q != sdk.Unlimited {
			return r.fault("answered the quota %d although it is pure", q)
		}
	}
	for i, q := range answer.Quota {
		m.verdicts[slots[i]] = refused
		if q == sdk.Unlimited {
			m.verdicts[slots[i]] = accepted
		}
	}
	m.summarize()
	return nil
}

// static tells of a fault that leaves verdicts good that were given before.
func static(err error) bool {
	var s interface{ Static() bool }
	return errors.As(err, &s) && s.Static()
}

// evaluate asks the policy and refuses an answer that does not fit the question.
func (r *ruling) evaluate(ctx context.Context, in sdk.ConstraintInput) (sdk.ConstraintAnswer, error) {
	n := len(in.Values)
	answer, err := r.rule.Prepared.Evaluate(ctx, in)
	switch {
	case err != nil:
		return answer, fmt.Errorf("constraint %s: %w", constraintText(r.rule.Constraint), err)
	case len(answer.Quota) != n:
		return answer, r.fault("answered %d quotas for %d values", len(answer.Quota), n)
	case answer.Flags&^(sdk.Exclusive|dynamic) != 0:
		return answer, r.fault("answered unknown flags %#x", uint32(answer.Flags))
	}
	return answer, nil
}

// fault says what is wrong with an answer.
func (r *ruling) fault(format string, args ...any) error {
	return &sdk.Fault{
		Module: "of constraint " + constraintText(r.rule.Constraint),
		Cause:  fmt.Sprintf(format, args...),
	}
}

// constraintText names a constraint in messages for people.
func constraintText(c spec.Constraint) string {
	text := c.Field + ":" + c.Operator
	if c.HasValue {
		text += ":" + c.Value
	}
	return text
}

// instancesOf is the app's size as policies are told it.
func instancesOf(app *spec.App) uint32 {
	return uint32(max(0, min(app.Instances, int(sdk.Unlimited))))
}
