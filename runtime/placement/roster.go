package placement

// roster numbers the known agents, so that what is remembered of an agent lies
// in arrays. It is kept between matches.
type roster struct {
	last    []*Agent // Request.Agents of the match before
	numbers map[*Agent]int32
	agents  []*Agent // by number; nil where free
	seen    []uint32 // the round of sync in which the agent was still there, by number
	free    []int32
	round   uint32
	strays  bool // agents of offers were taken in that Request.Agents did not have
	columns map[string]*column
}

// newRoster makes one that knows no agents.
func newRoster() roster {
	return roster{numbers: map[*Agent]int32{}, columns: map[string]*column{}}
}

// sync makes the roster hold exactly agents. It returns the columns whose slots
// moved. Nothing is looked up while the list stays as it was.
func (r *roster) sync(agents []*Agent) map[*column][]move {
	if !r.strays && sameAgents(r.last, agents) {
		return nil
	}
	r.round++
	for _, a := range agents {
		r.seen[r.number(a)] = r.round
	}
	r.dropUnseen()
	r.last, r.strays = agents, false
	var moved map[*column][]move
	for _, c := range r.columns {
		if moves := c.compact(); len(moves) > 0 {
			if moved == nil {
				moved = map[*column][]move{}
			}
			moved[c] = moves
		}
	}
	return moved
}

// dropUnseen forgets the agents that the running sync did not see. Their numbers
// are given to others.
func (r *roster) dropUnseen() {
	for number, a := range r.agents {
		if a == nil || r.seen[number] == r.round {
			continue
		}
		for _, c := range r.columns {
			c.remove(int32(number))
		}
		delete(r.numbers, a)
		r.agents[number] = nil
		r.free = append(r.free, int32(number))
	}
}

// number returns the agent's number and takes it in when it is new.
func (r *roster) number(a *Agent) int32 {
	if n, ok := r.numbers[a]; ok {
		return n
	}
	var n int32
	if k := len(r.free); k > 0 {
		n, r.free = r.free[k-1], r.free[:k-1]
		r.agents[n] = a
	} else {
		n = int32(len(r.agents))
		r.agents, r.seen = append(r.agents, a), append(r.seen, 0)
	}
	r.numbers[a] = n
	for _, c := range r.columns {
		c.add(n, a)
	}
	return n
}

// column returns the dictionary of the field, made at the first use.
func (r *roster) column(field string, turn uint32) *column {
	c, ok := r.columns[field]
	if !ok {
		c = newColumn(field)
		for n, a := range r.agents {
			if a != nil {
				c.add(int32(n), a)
			}
		}
		c.vacant = c.vacant[:0]
		r.columns[field] = c
	}
	c.turn = turn
	return c
}

// sameAgents compares by identity: an agent whose facts changed is another value,
// and so is a list.
func sameAgents(a, b []*Agent) bool {
	if len(a) != len(b) {
		return false
	}
	if len(a) == 0 || &a[0] == &b[0] {
		return true
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}
