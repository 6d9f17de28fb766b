package placement

// refusals says how the offers fared for the seeker's app, as they are at the
// end of the match. An app that got all it wanted looked only at the offers it
// took; one with a fault at none.
func (m *Matcher) refusals(s *seeker) Refusals {
	out := Refusals{App: s.wanted.App, Fault: s.fault}
	hosted := m.markHosts(s)
	switch {
	case s.fault != nil:
	case s.left == 0:
		out.Processed = hosted
	case len(s.rulings) == 0:
		m.shareTally(s, &out)
	default:
		m.count(s, &out)
	}
	return out
}

// markHosts marks the rows that hold an instance of the app and counts them.
func (m *Matcher) markHosts(s *seeker) int {
	t := &m.table
	t.mark++
	n := 0
	for _, p := range s.hosts {
		if t.marks[p] != t.mark {
			t.marks[p] = t.mark
			n++
		}
	}
	return n
}

// count looks at every row once more.
func (m *Matcher) count(s *seeker, out *Refusals) {
	t := &m.table
	t.extend(len(t.rows) - 1)
	for p := range t.rows {
		if t.marks[p] == t.mark {
			out.Processed++
			continue
		}
		reason := t.try(s.requirement, p)
		if reason == full {
			continue
		}
		if reason != UnfulfilledRole && s.covers(t, p) && !s.allows(t, p) {
			reason = UnfulfilledConstraint
		}
		out.Processed++
		if reason < Reasons {
			out.Declined[reason]++
		}
	}
}

// shareTally takes the counts of all apps with the same requirement and no
// rules, and sets right the offers that this app has an instance on.
func (m *Matcher) shareTally(s *seeker, out *Refusals) {
	t, r := &m.table, s.requirement
	if !r.counted {
		t.extend(len(t.rows) - 1)
		for p := range t.rows {
			r.tally.add(t.try(r, p), 1)
		}
		r.counted = true
	}
	out.Processed, out.Declined = r.tally.Processed, r.tally.Declined
	for _, p := range s.hosts {
		if t.marks[p] != t.mark {
			continue // seen
		}
		t.marks[p] = 0
		out.add(t.try(r, int(p)), -1)
		out.Processed++
	}
}

// add counts n offers with the verdict.
func (r *Refusals) add(reason Reason, n int) {
	if reason == full {
		return
	}
	r.Processed += n
	if reason < Reasons {
		r.Declined[reason] += n
	}
}
