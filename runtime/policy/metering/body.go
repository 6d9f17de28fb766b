package metering

// maxUnchecked bounds the weight of what a call executes after its fuel is used up,
// before it comes to a place where the counter is looked at, in one function: the
// frames below may each do as much on their way back.
const maxUnchecked = 256

// charge is a place where code is put in.
type charge struct {
	at     int    // offset in the body, in front of which it goes
	weight uint32 // fuel, or frames
	kind   chargeKind
	parent int    // of payRun: index of the run without which this one is not executed; -1: none may pay for it
	shift  int    // of payBulk: how length becomes fuel
	grow   bool   // of payBulk: the length is in pages, and the old ones count too
	depth  uint32 // of look and payBulk: the label of the block around all code
}

// chargeKind is what the code does.
type chargeKind uint8

const (
	payRun    chargeKind = iota // takes from the fuel
	payBulk                     // takes by length, and looks
	look                        // traps when nothing is left
	save                        // shows others the fuel that is left
	load                        // learns what others have left
	enterCall                   // counts frames, in front of a call
	leaveCall                   // gives them back
)

// frame is a block, loop or arm that is open.
type frame struct {
	loop  bool
	reach int // index of the outermost frame that a branch inside goes to; its own: none goes beyond its end
	run   int // index in charges of the run that is around it
	// What the longest ways to its end weigh since the counter was looked at: those by
	// branches and through the first arm, and that past an arm.
	unchecked, past uint32
}

// body is the rewriting of one function.
type body struct {
	r        *reader
	p        *program
	graph    *callGraph
	function uint32 // among those defined
	locals   uint32 // with parameters, in the original
	charges  []charge
	frames   []frame
	// run is the index in charges of the run that the code is part of: code of which all
	// is executed, once, if any is, with any other code in between.
	run       int
	unchecked uint32 // weight of the longest way here since the counter was looked at
	looks     int    // places where it is
	pieces    uint64 // of code without a branch, about, as the engine has them
	levels    []level
	height    int // of the stack of values
	highest   int
}

func (b *body) meter(kind FuncType) ([]byte, error) {
	code := b.r.b
	groups, declared := b.parseLocals()
	start := b.r.at
	b.frames = append(b.frames, frame{})
	b.levels = append(b.levels, level{results: len(kind.Results)})
	b.put(charge{at: start, kind: load})
	b.openRun(-1)
	b.charges[b.run].weight = entryWeight(b.locals - uint32(len(kind.Params)))
	b.look(start)
	for b.r.more() && len(b.frames) > 0 {
		b.step()
	}
	if b.r.err == nil && (len(b.frames) > 0 || b.r.at != len(code)) {
		b.r.fail("a function that does not end where it should")
	}
	if b.r.err != nil {
		return nil, b.r.err
	}
	if err := b.p.compiles(b.pieces, uint64(b.locals)+uint64(b.highest)); err != nil {
		return nil, err
	}
	b.merge()
	return b.write(code, groups, declared, start, b.p.blockType(kind.Results)), nil
}

// parseLocals returns the number of groups of locals and their bytes.
func (b *body) parseLocals() (groups uint32, declared []byte) {
	groups = uint32(b.r.count(maxLocals, "groups of locals"))
	from := b.r.at
	total := uint64(0)
	for n := groups; n > 0 && b.r.err == nil; n-- {
		total += uint64(b.r.u32())
		b.r.valueType()
	}
	if total > maxLocals {
		b.r.fail("more locals than are allowed")
		return 0, nil
	}
	b.locals += uint32(total)
	return groups, b.r.b[from:b.r.at]
}

func (b *body) put(c charge) {
	b.charges = append(b.charges, c)
	if c.kind == look || c.kind == payBulk {
		b.looks++
	}
	if c.kind == look || c.kind == payBulk || c.kind == enterCall {
		b.pieces += 2
	}
}

// openRun starts a run behind the instruction that was read last.
func (b *body) openRun(parent int) {
	b.put(charge{at: b.r.at, kind: payRun, parent: parent})
	b.run = len(b.charges) - 1
}

// look has the counter looked at in that place.
func (b *body) look(at int) {
	b.put(charge{at: at, kind: look, depth: uint32(len(b.frames))})
	b.unchecked = 0
}

// step takes the next instruction into account.
func (b *body) step() {
	at := b.r.at
	in := b.r.next()
	if b.r.err != nil {
		return
	}
	if b.check(in); b.r.err != nil {
		return
	}
	b.follow(at, in)
	w := weight(in, b.p.imported)
	if w > 0 && b.unchecked+w > maxUnchecked {
		b.look(at)
	}
	b.unchecked += w
	b.charges[b.run].weight += w
	if shift, ok := bulk(in); ok {
		b.put(charge{at: at, kind: payBulk, shift: shift, grow: in.op == opMemoryGrow, depth: uint32(len(b.frames))})
		b.unchecked = 0
	}
	b.control(at, in)
}

// call is a call of another function, which looks at the counter when it is entered
// unless it is the host's: that pays for what it does itself.
func (b *body) call(at int, in instruction) {
	b.put(charge{at: at, kind: save})
	frames := b.graph.price(b.function, in, b.p.imported)
	if frames > 0 {
		b.charges[b.run].weight += depthWeight
		b.put(charge{at: at, kind: enterCall, weight: frames})
		b.put(charge{at: b.r.at, kind: leaveCall, weight: frames})
	}
	b.put(charge{at: b.r.at, kind: load})
	if in.op == opCall && int64(in.index) >= int64(b.p.imported) {
		b.unchecked = 0
	}
}

// check refuses references to what the rewriting adds: without it, code that was
// invalid could become valid and reach the counter.
func (b *body) check(in instruction) {
	switch {
	case in.op >= opLocalGet && in.op <= opLocalTee && in.index >= b.locals:
		b.r.fail("a local that does not exist")
	case (in.op == opGlobalGet || in.op == opGlobalSet) && in.index >= b.p.globals:
		b.r.fail("a global that does not exist")
	case in.types > uint64(len(b.p.types)):
		b.r.fail("a type that does not exist")
	}
}
