package placement

import (
	"context"
	"fmt"

	"github.com/pacer-run/pacer/sdk"
)

// seeker finds offers for the instances of one Wanted.
type seeker struct {
	wanted      *Wanted
	requirement *requirement
	memory      *remembered
	rulings     []ruling
	left        int     // instances without a place
	hosts       []int32 // rows that instances went to, in order
	groups      *groupCursor
	started     bool
	fault       error
}

// next returns the row of an offer for one more instance, or -1 when none can
// have it in this match. An app whose rules cannot be asked has a fault from
// then on.
func (s *seeker) next(ctx context.Context, m *Matcher) int {
	if s.wanted.Held != nil {
		return s.homeward(ctx, m)
	}
	p := s.scan(m)
	if len(s.rulings) == 0 || p < 0 {
		return p // without an offer that is large enough, rules need not be asked
	}
	if !s.prepare(ctx, m) {
		return -1
	}
	return s.groups.next(ctx, s, m)
}

// prepare sees to it that every rule has an answer that holds, and that there is
// a way through the offers.
func (s *seeker) prepare(ctx context.Context, m *Matcher) bool {
	return s.ready(ctx, m) && s.regroup(ctx, m)
}

// ready sees to it that every rule has an answer that holds.
func (s *seeker) ready(ctx context.Context, m *Matcher) bool {
	for i := range s.rulings {
		r := &s.rulings[i]
		if !s.started {
			s.fault = s.start(r, i, m)
		}
		if s.fault == nil {
			s.fault = r.ask(ctx, s, m)
		}
		if s.fault != nil {
			return false
		}
	}
	s.started = true
	return true
}

// start sets up the rule for this match, at the app's first turn.
func (s *seeker) start(r *ruling, i int, m *Matcher) error {
	if r.rule.Err != nil {
		return fmt.Errorf("constraint %s: %w", constraintText(r.rule.Constraint), r.rule.Err)
	}
	if r.rule.Prepared == nil {
		return r.fault("was not prepared")
	}
	r.memory = &s.memory.rules[i]
	column := m.roster.column(r.memory.field, m.turn)
	if r.memory.column != column {
		*r.memory = pureRule{prepared: r.memory.prepared, field: r.memory.field, column: column}
	}
	traits := r.rule.Prepared.Traits()
	r.column, r.stateful = column, traits&sdk.Stateful != 0
	r.pure = traits&sdk.PurePerValue != 0 && !r.stateful
	return nil
}

// narrowest is the rule that accepts the fewest values, if those are few; nil
// for none, and for an app with a rule that may accept later what it refuses
// now: its rows have to be gone through by group.
func (s *seeker) narrowest() (narrow *ruling) {
	for i := range s.rulings {
		r := &s.rulings[i]
		if r.flags&dynamic != 0 {
			return nil
		}
		if r.pure && r.memory.narrow() && (narrow == nil || len(r.memory.hits) < len(narrow.memory.hits)) {
			narrow = r
		}
	}
	return narrow
}

// regroup gives the app its way through the offers: straight to those that a
// narrow rule accepts, else round the groups that the other rules tell apart.
func (s *seeker) regroup(ctx context.Context, m *Matcher) bool {
	narrow := s.narrowest()
	if s.groups != nil && (s.groups.narrow == nil) == (narrow == nil) {
		return true
	}
	if narrow != nil {
		// Which offers it accepts has to be known of all of them.
		m.table.extend(len(m.table.rows) - 1)
		if !s.learn(ctx, m) {
			return false
		}
		narrow = s.narrowest()
	}
	for i := range s.rulings {
		r := &s.rulings[i]
		r.grouped = r == narrow || narrow == nil && (!r.pure || s.allPure())
	}
	s.groups = m.groupCursor(s, narrow)
	return true
}

// allPure tells whether no rule depends on what was placed.
func (s *seeker) allPure() bool {
	for i := range s.rulings {
		if !s.rulings[i].pure {
			return false
		}
	}
	return true
}

// scan returns the first row that can host an instance if the rules let it.
func (s *seeker) scan(m *Matcher) int {
	r, t := s.requirement, &m.table
	for ; r.floor < len(t.rows); r.floor++ {
		if t.try(r, r.floor) == fits {
			return r.floor
		}
	}
	return -1
}

// allows tells whether all rules let an instance go to the row.
func (s *seeker) allows(t *table, p int) bool {
	agent := t.rows[p].agent
	for i := range s.rulings {
		r := &s.rulings[i]
		if !r.open(r.column.of[agent]) {
			return false
		}
	}
	return true
}

// covers tells whether the rules' answers are good for the row.
func (s *seeker) covers(t *table, p int) bool {
	agent := t.rows[p].agent
	for i := range s.rulings {
		r := &s.rulings[i]
		if !r.covers(r.column.of[agent]) {
			return false
		}
	}
	return true
}

// learn asks the rules again because of a row with values that they were not
// asked about. It reports whether they could be asked.
func (s *seeker) learn(ctx context.Context, m *Matcher) bool {
	for i := range s.rulings {
		if s.fault = s.rulings[i].ask(ctx, s, m); s.fault != nil {
			return false
		}
	}
	return true
}

// settle notes that an instance went to the row.
func (s *seeker) settle(m *Matcher, p int) {
	s.left--
	s.hosts = append(s.hosts, int32(p))
	agent := m.table.rows[p].agent
	for i := range s.rulings {
		s.rulings[i].spend(s.rulings[i].column.of[agent])
	}
}

// release gives back what its rules hold of the matcher's. They cannot be asked
// any more afterwards.
func (s *seeker) release(m *Matcher) {
	for i := range s.rulings {
		s.rulings[i].release(m)
	}
}
