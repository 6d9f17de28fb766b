package metering

// control takes into account where the code may go on.
func (b *body) control(at int, in instruction) {
	b.pieces += pieces(in)
	switch in.op {
	case opCall, opCallIndirect:
		b.call(at, in)
	case opBlock, opLoop, opIf:
		b.open(in)
	case opElse:
		f := &b.frames[len(b.frames)-1]
		f.unchecked = max(f.unchecked, b.unchecked)
		b.unchecked, f.past = f.past, 0
		b.openRun(f.run)
	case opEnd:
		b.end()
	case opBr, opBrIf, opBrTable:
		b.branch(at, in)
	case opReturn:
		b.put(charge{at: at, kind: save})
		b.leave(uint32(len(b.frames) - 1))
		b.unreachable()
	case opUnreachable:
		b.unreachable()
	}
}

func (b *body) open(in instruction) {
	f := frame{run: b.run, reach: len(b.frames)}
	switch in.op {
	case opLoop:
		f.loop = true
		b.frames = append(b.frames, f)
		b.openRun(-1)
		b.charges[b.run].weight = loopWeight
		b.look(b.r.at)
	case opIf:
		f.past = b.unchecked
		b.frames = append(b.frames, f)
		b.openRun(f.run)
	default:
		b.frames = append(b.frames, f)
	}
}

// end closes a frame. What follows is part of the run around it, unless the code may
// have gone elsewhere.
func (b *body) end() {
	f := b.frames[len(b.frames)-1]
	b.frames = b.frames[:len(b.frames)-1]
	at := len(b.frames)
	if at == 0 {
		return
	}
	around := &b.frames[at-1]
	around.reach = min(around.reach, f.reach)
	b.unchecked = max(b.unchecked, f.unchecked, f.past)
	b.run = f.run
	if f.reach < at {
		b.openRun(f.run)
	}
}

// branch is a branch to one or more labels.
func (b *body) branch(at int, in instruction) {
	if in.op != opBrTable {
		b.leave(in.index)
	} else {
		for _, depth := range labels(b.r.b, at) {
			b.leave(depth)
		}
	}
	if in.op == opBrIf {
		b.openRun(b.run)
	} else {
		b.unreachable()
	}
}

// leave notes that the code may go to that label from here. The frames around this one
// learn it when this one ends: a module may have very many branches out of very many
// frames.
func (b *body) leave(depth uint32) {
	to := len(b.frames) - 1 - int(depth)
	if to < 0 {
		b.r.fail("a branch to a label that does not exist")
		return
	}
	inner := &b.frames[len(b.frames)-1]
	inner.reach = min(inner.reach, to)
	if f := &b.frames[to]; !f.loop {
		f.unchecked = max(f.unchecked, b.unchecked)
	}
}

// unreachable starts code that nothing leads to.
func (b *body) unreachable() {
	b.unchecked = 0
	b.openRun(-1)
}

// labels are those of the branch at that place.
func labels(code []byte, at int) (depths []uint32) {
	r := &reader{b: code, at: at}
	n := uint32(0)
	if r.byte() == opBrTable {
		n = r.u32()
	}
	for ; ; n-- {
		depths = append(depths, r.u32())
		if n == 0 || r.err != nil {
			return depths
		}
	}
}
