package placement

import "github.com/pacer-run/pacer/sdk"

// column is the dictionary of one field: every value that a known agent has,
// with its slot, and each agent's slot. It lives from match to match, so that a
// match costs nothing per agent; slots of values that no agent has any more are
// given away when the agents change.
type column struct {
	field  string
	values []string         // by slot; values[sdk.AbsentSlot] is "" and means absence
	slots  map[string]int32 // of the values that are present
	refs   []int32          // how many known agents have the value, by slot
	of     []int32          // slot, by number of the agent in the roster
	turn   uint32           // the last match that used it
	vacant []int32          // slots whose last agent left, until compact
}

// newColumn makes an empty dictionary; absence has its slot from the start.
func newColumn(field string) *column {
	return &column{
		field:  field,
		values: []string{sdk.AbsentSlot: ""},
		slots:  map[string]int32{},
		refs:   []int32{sdk.AbsentSlot: 0},
	}
}

// add notes the agent with the number.
func (c *column) add(number int32, a *Agent) {
	slot := int32(sdk.AbsentSlot)
	if value, ok := a.Value(c.field); ok {
		slot = c.intern(value)
	}
	for int(number) >= len(c.of) {
		c.of = append(c.of, sdk.AbsentSlot)
	}
	c.of[number] = slot
	c.refs[slot]++
}

// intern returns the slot of a value that is present, "" included: an empty text
// is a value, and not the same as absence.
func (c *column) intern(value string) int32 {
	if slot, ok := c.slots[value]; ok {
		return slot
	}
	slot := int32(len(c.values))
	c.values = append(c.values, value)
	c.refs = append(c.refs, 0)
	c.slots[value] = slot
	return slot
}

// remove forgets the agent with the number.
func (c *column) remove(number int32) {
	slot := c.of[number]
	c.refs[slot]--
	if c.refs[slot] == 0 && slot != sdk.AbsentSlot {
		c.vacant = append(c.vacant, slot)
	}
}

// move says that the value of slot from, the last one, is now that of slot to;
// from == to: the last slot was dropped.
type move struct{ from, to int32 }

// compact drops the values that no agent has: a known value is a group for
// spreading constraints, so one that is gone must not stay. It returns how slots
// moved, in order, for those that remember something per slot.
func (c *column) compact() []move {
	var moves []move
	for i := 0; i < len(c.vacant); i++ { // grows while it runs
		slot := c.vacant[i]
		// A value may have come back with another agent, or a slot may be listed
		// twice and have been given away already.
		if int(slot) >= len(c.values) || c.refs[slot] != 0 {
			continue
		}
		last := int32(len(c.values) - 1)
		delete(c.slots, c.values[slot])
		if slot != last {
			if c.refs[last] == 0 {
				c.vacant = append(c.vacant, slot) // another vacant one takes its place: look again
			}
			c.values[slot], c.refs[slot] = c.values[last], c.refs[last]
			c.slots[c.values[slot]] = slot
		}
		c.values, c.refs = c.values[:last], c.refs[:last]
		moves = append(moves, move{from: last, to: slot})
	}
	c.vacant = c.vacant[:0]
	c.renumber(moves)
	return moves
}

// renumber follows the moves in the agents' slots.
func (c *column) renumber(moves []move) {
	if len(moves) == 0 {
		return
	}
	now := make(map[int32]int32, len(moves)) // slot before all moves → slot after them
	origin := make(map[int32]int32, len(moves))
	for _, m := range moves {
		first, moved := origin[m.from]
		if !moved {
			first = m.from
		}
		delete(origin, m.from)
		if m.from != m.to {
			now[first], origin[m.to] = m.to, first
		}
	}
	for number, slot := range c.of {
		if to, ok := now[slot]; ok {
			c.of[number] = to
		}
	}
}
