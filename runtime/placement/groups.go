package placement

// grouping sorts the rows of a match by their slots in some columns: rows of one
// group look the same to every rule on these columns. Apps with the same columns
// share it. Rows are sorted in as far as somebody looked for them.
type grouping struct {
	columns []*column
	ready   int     // rows sorted in
	head    []int32 // the first row of a group
	tail    []int32 // its last row so far
	next    []int32 // the row behind a row in its group; none at the tail
	bySlot  []int32 // group of a slot of columns[0], for one column; none
	byGroup map[groupKey]int32
	tallies map[*requirement][]tally // by group, at the end of the match
}

// groupKey leads from a group of the first columns to one of one column more.
type groupKey struct {
	column, group, slot int32
}

// none ends chains of rows and stands for no group.
const none = -1

// firstSorted is how many rows are sorted into groups at first; then half as many
// again each time. Every time costs a turn round the groups, and of the last rows
// some are made in vain.
const firstSorted = 64

// extend sorts in more rows. It reports whether there were any.
func (g *grouping) extend(t *table) bool {
	if g.ready == len(t.rows) {
		return false
	}
	to := min(max(firstSorted, g.ready+g.ready/2), len(t.rows))
	t.extend(to - 1)
	for ; g.ready < to; g.ready++ {
		p := int32(g.ready)
		g.next = append(g.next, none)
		group := g.groupOf(t.rows[p].agent)
		if group == none {
			continue
		}
		g.next[g.tail[group]], g.tail[group] = p, p
	}
	return true
}

// groupOf returns the group of the agent's rows, or none after it has made a
// new group with the row that is being sorted in.
func (g *grouping) groupOf(agent int32) int32 {
	first := g.columns[0].of[agent]
	for int(first) >= len(g.bySlot) {
		g.bySlot = append(g.bySlot, none)
	}
	if len(g.columns) == 1 {
		if group := g.bySlot[first]; group != none {
			return group
		}
		g.bySlot[first] = g.add()
		return none
	}
	group := first
	for i, c := range g.columns[1:] {
		key := groupKey{int32(i), group, c.of[agent]}
		next, ok := g.byGroup[key]
		if !ok {
			// The last step's number is the group's, earlier ones only tell apart.
			next = int32(len(g.byGroup))
			if i == len(g.columns)-2 {
				next = g.add()
			}
			g.byGroup[key] = next
			if i == len(g.columns)-2 {
				return none
			}
		}
		group = next
	}
	return group
}

// add makes a group of the row that is being sorted in.
func (g *grouping) add() int32 {
	g.head, g.tail = append(g.head, int32(g.ready)), append(g.tail, int32(g.ready))
	return int32(len(g.head) - 1)
}

// reset empties it for the next match but keeps its room.
func (g *grouping) reset() {
	g.ready, g.head, g.tail, g.next = 0, g.head[:0], g.tail[:0], g.next[:0]
	g.bySlot = g.bySlot[:0]
	clear(g.byGroup)
	clear(g.tallies)
}
