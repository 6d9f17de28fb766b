package placement

import "context"

// tally counts offers by verdict: the reasons, fits and full.
type tally [full + 1]int

// refusals says how the offers fared for the seeker's app, as they are at the
// end of the match. An app that got all it wanted looked only at the offers it
// took; one with a fault at none.
func (m *Matcher) refusals(ctx context.Context, s *seeker) Refusals {
	if s.wanted.Held != nil && s.fault == nil {
		return m.heldRefusals(ctx, s)
	}
	out := Refusals{App: s.wanted.App, Fault: s.fault}
	if s.fault != nil {
		return out
	}
	if s.left == 0 {
		out.Processed = len(m.hosts(s))
		return out
	}
	m.table.extend(len(m.table.rows) - 1)
	if len(s.rulings) > 0 && !s.prepare(ctx, m) {
		return Refusals{App: s.wanted.App, Fault: s.fault}
	}
	if err := s.lapse(); err != nil { // values that nobody judged have refused nobody
		return Refusals{App: s.wanted.App, Fault: err}
	}
	m.count(s, &out)
	for _, p := range m.hosts(s) {
		// Those that hold an instance of the app did not refuse it.
		switch reason := m.verdict(s, int(p)); {
		case reason == full:
			out.Processed++
		case reason < Reasons:
			out.Declined[reason]--
		}
	}
	return out
}

// lapse is the first fault in spite of which the seeker was placed where it could be.
func (s *seeker) lapse() error {
	for i := range s.rulings {
		if err := s.rulings[i].lapse; err != nil {
			return err
		}
	}
	return nil
}

// hosts are the rows that hold an instance of the app, each once. Its instances
// cannot be counted any more afterwards.
func (m *Matcher) hosts(s *seeker) []int32 {
	t := &m.table
	if t.mark++; t.mark == 0 { // the numbers are used up and start anew
		clear(t.marks[:cap(t.marks)])
		t.mark = 1
	}
	distinct := s.hosts[:0]
	for _, p := range s.hosts {
		if t.marks[p] != t.mark {
			t.marks[p] = t.mark
			distinct = append(distinct, p)
		}
	}
	return distinct
}

// verdict is the first reason of the row at p for the seeker's app, or fits, or
// full.
func (m *Matcher) verdict(s *seeker, p int) Reason {
	reason := m.table.try(s.requirement, p)
	if reason != full && reason != UnfulfilledRole && !s.allows(&m.table, p) {
		return UnfulfilledConstraint
	}
	return reason
}

// count sums up all rows. Rules come right behind the role: what they refuse
// counts as a constraint whatever else speaks against it, so only the rows that
// they let pass have to be told apart.
func (m *Matcher) count(s *seeker, out *Refusals) {
	all := m.tallyOf(s.requirement)
	rows := len(m.table.rows)
	passed := *all
	if len(s.rulings) > 0 {
		passed = m.passed(s)
	}
	out.Processed = rows - all[full]
	behind := 0
	for reason := UnfulfilledRole + 1; reason <= fits; reason++ {
		behind += passed[reason]
		if reason < Reasons {
			out.Declined[reason] = passed[reason]
		}
	}
	out.Declined[UnfulfilledRole] = all[UnfulfilledRole]
	out.Declined[UnfulfilledConstraint] += rows - all[full] - all[UnfulfilledRole] - behind
}

// tallyOf counts all rows for the requirement, once for all apps that have it.
func (m *Matcher) tallyOf(r *requirement) *tally {
	if !r.counted {
		for p := range m.table.rows {
			r.tally[m.table.try(r, p)]++
		}
		r.counted = true
	}
	return &r.tally
}

// mostTallied is up to how many groups counts are kept by group for apps with
// the same requirement.
const mostTallied = 256

// passed counts the rows that the rules let pass.
func (m *Matcher) passed(s *seeker) (sum tally) {
	t, c := &m.table, s.groups
	for c.grouping.extend(t) {
	}
	byGroup := []tally(nil)
	if c.narrow == nil && c.size() <= mostTallied && s.allGrouped() {
		byGroup = c.grouping.tallyOf(s.requirement, t)
	}
	for i := range c.size() {
		head := c.head(i)
		if !s.opens(t, int(head)) {
			continue
		}
		if byGroup != nil {
			for verdict, n := range byGroup[i] {
				sum[verdict] += n
			}
			continue
		}
		for p := head; p != none; p = c.grouping.next[p] {
			if s.allows(t, int(p)) {
				sum[t.try(s.requirement, int(p))]++
			}
		}
	}
	return sum
}

// allGrouped tells whether the groups tell apart all that the rules look at.
func (s *seeker) allGrouped() bool {
	for i := range s.rulings {
		if !s.rulings[i].grouped {
			return false
		}
	}
	return true
}

// tallyOf counts the rows of each group for the requirement, once for all apps
// that have it.
func (g *grouping) tallyOf(r *requirement, t *table) []tally {
	counts, ok := g.tallies[r]
	if !ok {
		counts = make([]tally, len(g.head))
		for group, p := range g.head {
			for ; p != none; p = g.next[p] {
				counts[group][t.try(r, int(p))]++
			}
		}
		g.tallies[r] = counts
	}
	return counts
}
