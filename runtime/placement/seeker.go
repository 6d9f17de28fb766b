package placement

import (
	"context"

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
	at          int     // scan: the first row not refused for good
	groups      *groupCursor
	started     bool
	fault       error
}

// next returns the row of an offer for one more instance, or -1 when none can
// have it in this match. An app whose rules cannot be asked has a fault from
// then on.
func (s *seeker) next(ctx context.Context, m *Matcher) int {
	switch {
	case len(s.rulings) == 0:
		return s.scan(m)
	case !s.prepare(ctx, m):
		return -1
	case s.groups != nil:
		return s.groups.next(ctx, s, m)
	}
	return s.scanRules(ctx, m)
}

// prepare sees to it that every rule has an answer that holds.
func (s *seeker) prepare(ctx context.Context, m *Matcher) bool {
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
	s.regroup(m)
	return true
}

// start sets up the rule for this match, at the app's first turn.
func (s *seeker) start(r *ruling, i int, m *Matcher) error {
	if r.rule.Err != nil {
		return r.rule.Err
	}
	if r.rule.Prepared == nil {
		return r.fault("was not prepared")
	}
	r.memory = &s.memory.rules[i]
	column := m.roster.column(r.memory.field, m.turn)
	if r.memory.column != column {
		r.memory.column, r.memory.verdicts, r.memory.unknown = column, nil, 0
	}
	traits := r.rule.Prepared.Traits()
	r.column, r.stateful = column, traits&sdk.Stateful != 0
	r.pure = traits&sdk.PurePerValue != 0 && !r.stateful
	return nil
}

// regroup gives the app cursors by group when one of its rules has an answer
// that may accept later what it refuses now; a plain scan would pass such offers.
func (s *seeker) regroup(m *Matcher) {
	for i := range s.rulings {
		r := &s.rulings[i]
		if r.flags&dynamic != 0 && !s.groups.has(r.column) {
			s.groups = m.groupCursor(s)
			return
		}
	}
}

// scan is next for an app without rules: the first offer that its requirement
// has not passed.
func (s *seeker) scan(m *Matcher) int {
	r, t := s.requirement, &m.table
	for ; r.floor < len(t.rows); r.floor++ {
		t.extend(r.floor)
		if t.try(r, r.floor) == fits {
			return r.floor
		}
	}
	return -1
}

// scanRules is next for an app whose rules only ever refuse more: what was
// refused once is passed for good.
func (s *seeker) scanRules(ctx context.Context, m *Matcher) int {
	t, r := &m.table, s.requirement
	for s.at = max(s.at, r.floor); s.at < len(t.rows); s.at++ {
		t.extend(s.at)
		if t.try(r, s.at) != fits {
			if s.at == r.floor {
				r.floor++
			}
			continue
		}
		if !s.covers(t, s.at) && !s.learn(ctx, m) {
			return -1
		}
		if s.allows(t, s.at) {
			return s.at
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
