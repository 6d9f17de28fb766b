package placement

import "github.com/pacer-run/pacer/sdk"

// count fills placed, extra and first from the instances placed before and in
// this match.
func (r *ruling) count(s *seeker, m *Matcher) {
	slots := len(r.column.values)
	m.rooms.give(&r.placed)
	r.placed, r.known, r.extra, r.first = m.rooms.take(slots), slots, nil, -1
	for _, a := range s.wanted.Placed {
		slot := r.slotOf(a, &m.roster)
		for slot >= len(r.placed) {
			r.placed = append(r.placed, 0)
		}
		r.note(slot)
	}
	for _, p := range s.hosts {
		r.note(int(r.column.of[m.table.rows[p].agent]))
	}
}

// note counts one instance.
func (r *ruling) note(slot int) {
	r.placed[slot]++
	if r.first < 0 {
		r.first = slot
	}
}

// slotOf is the slot of an instance's agent: one of the column, or behind them
// one of extra for an agent that is gone.
func (r *ruling) slotOf(a *Agent, roster *roster) int {
	if number, ok := roster.numbers[a]; ok {
		return int(r.column.of[number])
	}
	value, ok := a.Value(r.column.field)
	if !ok {
		return sdk.AbsentSlot
	}
	if slot, ok := r.column.slots[value]; ok {
		return int(slot)
	}
	for i, v := range r.extra {
		if v == value {
			return r.known + i
		}
	}
	r.extra = append(r.extra, value)
	return r.known + len(r.extra) - 1
}
