package placement

import (
	"context"
	"slices"
	"strings"
)

// groupCursor is an app's way through the groups: it goes round them, taking
// from each while the rules let it, and forwards only within a group.
type groupCursor struct {
	grouping *grouping
	passed   []int32 // the last row of a group that was refused for good; none
	at       int     // the group to look at first
	// narrow is the rule whose accepted groups, in only, are all that is gone
	// round; nil for all groups.
	narrow *ruling
	only   []int32
}

// groupCursor makes a cursor over the columns of the rules that are grouped.
func (m *Matcher) groupCursor(s *seeker, narrow *ruling) *groupCursor {
	var columns []*column
	for i := range s.rulings {
		if r := &s.rulings[i]; r.grouped && !slices.Contains(columns, r.column) {
			columns = append(columns, r.column)
		}
	}
	c := &groupCursor{grouping: m.grouping(columns), narrow: narrow}
	if narrow == nil {
		return c
	}
	for c.grouping.extend(&m.table) {
	}
	for _, slot := range narrow.memory.hits {
		if int(slot) < len(c.grouping.bySlot) && c.grouping.bySlot[slot] != none {
			c.only = append(c.only, c.grouping.bySlot[slot])
		}
	}
	// In the order of the offers: that of the slots depends on earlier matches.
	slices.Sort(c.only)
	return c
}

// grouping returns the one by the columns, which the apps of a match share.
func (m *Matcher) grouping(columns []*column) *grouping {
	key := columns[0].field
	if len(columns) > 1 {
		fields := make([]string, len(columns))
		for i, c := range columns {
			fields[i] = c.field
		}
		key = strings.Join(fields, "\x00")
	}
	// A column may have been forgotten and made anew since.
	g, ok := m.groupings[key]
	if !ok || !slices.Equal(g.columns, columns) {
		g = &grouping{columns: columns, byGroup: map[groupKey]int32{}, tallies: map[*requirement][]tally{}}
		m.groupings[key] = g
	}
	return g
}

// next is the row for one more instance, or -1.
func (c *groupCursor) next(ctx context.Context, s *seeker, m *Matcher) int {
	for {
		n := c.size()
		for len(c.passed) < n {
			c.passed = append(c.passed, none)
		}
		for range n {
			if c.at >= n {
				c.at = 0
			}
			if p := c.first(ctx, s, m); p >= 0 || s.fault != nil {
				return p
			}
			c.at++
		}
		if c.narrow != nil || !c.grouping.extend(&m.table) {
			return -1
		}
		c.at = n // new groups first
	}
}

// size is how many groups there are to go round.
func (c *groupCursor) size() int {
	if c.narrow != nil {
		return len(c.only)
	}
	return len(c.grouping.head)
}

// head is the first row of the i-th group to go round.
func (c *groupCursor) head(i int) int32 {
	if c.narrow != nil {
		return c.grouping.head[c.only[i]]
	}
	return c.grouping.head[i]
}

// first is the first row of the current group that can host an instance, or -1.
func (c *groupCursor) first(ctx context.Context, s *seeker, m *Matcher) int {
	t := &m.table
	p := c.head(c.at)
	if !s.opens(t, int(p)) {
		return -1 // not now: all rows of the group are alike in this
	}
	if passed := c.passed[c.at]; passed != none {
		p = c.grouping.next[passed]
	}
	for ; p != none; p = c.grouping.next[p] {
		if !s.covers(t, int(p)) {
			if !s.learn(ctx, m) || !s.opens(t, int(p)) {
				return -1
			}
		}
		if t.try(s.requirement, int(p)) == fits && s.allows(t, int(p)) {
			return int(p)
		}
		c.passed[c.at] = p
	}
	return -1
}

// opens tells whether the grouped rules let an instance go to the row, as far as
// they have been asked about it.
func (s *seeker) opens(t *table, p int) bool {
	agent := t.rows[p].agent
	for i := range s.rulings {
		r := &s.rulings[i]
		if !r.grouped {
			continue
		}
		if slot := r.column.of[agent]; r.covers(slot) && !r.open(slot) {
			return false
		}
	}
	return true
}
