package metering

// maxDepth is how deep calls may nest, in frames at worst. The engine grows its
// stack by copying, up to a hundred megabytes: without this bound a recursion
// would cost far more than its fuel.
const maxDepth = 20_000

// callGraph tells which calls can take part in a recursion. Each circle of calls
// has a call back to a function that is being visited, or one through a table; it
// is enough to count those, each with the frames that can follow until the next.
type callGraph struct {
	calls   [][]uint32 // by defined function: the defined functions it calls
	height  []uint32   // by defined function: frames of the longest way down without a counted call
	back    map[[2]uint32]bool
	highest uint32
}

// graph reads the calls of every function.
func (p *program) graph(bodies [][]byte) (*callGraph, error) {
	g := &callGraph{
		calls:  make([][]uint32, len(bodies)),
		height: make([]uint32, len(bodies)),
		back:   map[[2]uint32]bool{},
	}
	for f, code := range bodies {
		r := &reader{b: code}
		for n := r.count(maxLocals, "groups of locals"); n > 0 && r.err == nil; n-- {
			r.u32()
			r.valueType()
		}
		for r.more() {
			in := r.next()
			if in.op != opCall || int64(in.index) < int64(p.imported) {
				continue
			}
			callee := in.index - uint32(p.imported)
			if int64(callee) >= int64(len(bodies)) {
				return nil, fault("a call of a function that does not exist")
			}
			g.calls[f] = append(g.calls[f], callee)
		}
		if r.err != nil {
			return nil, r.err
		}
	}
	g.visitAll()
	return g, nil
}

// visit is a function on the way down and the next of its calls to look at.
type visit struct {
	function uint32
	next     int
}

// visitAll goes through the graph depth first. The way is kept in a list: a
// module may nest its calls deeper than a Go stack should grow.
func (g *callGraph) visitAll() {
	const unseen, open, done = 0, 1, 2
	state := make([]uint8, len(g.calls))
	var way []visit
	for root := range g.calls {
		if state[root] == unseen {
			state[root] = open
			way = append(way, visit{function: uint32(root)})
		}
		for len(way) > 0 {
			at := &way[len(way)-1]
			f := at.function
			if at.next == len(g.calls[f]) {
				state[f] = done
				g.finish(f)
				way = way[:len(way)-1]
				continue
			}
			callee := g.calls[f][at.next]
			at.next++
			switch state[callee] {
			case unseen:
				state[callee] = open
				way = append(way, visit{function: callee})
			case open:
				g.back[[2]uint32{f, callee}] = true
			}
		}
	}
}

// finish knows the height of a function from those that it calls.
func (g *callGraph) finish(f uint32) {
	g.height[f] = 1
	for _, callee := range g.calls[f] {
		if !g.back[[2]uint32{f, callee}] {
			g.height[f] = max(g.height[f], 1+g.height[callee])
		}
	}
	g.highest = max(g.highest, g.height[f])
}

// price is how many frames the call of that instruction has to count; 0: none.
func (g *callGraph) price(caller uint32, in instruction, imported int) uint32 {
	switch {
	case in.op == opCallIndirect:
		return g.highest
	case in.op != opCall || int64(in.index) < int64(imported):
		return 0
	}
	callee := in.index - uint32(imported)
	if g.back[[2]uint32{caller, callee}] {
		return g.height[callee]
	}
	return 0
}
