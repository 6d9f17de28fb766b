package metering

// minRun is the least weight of a straight run of code that pays for itself when
// it is entered. Lighter ones are paid by the loop or function around them,
// executed or not: that costs the guest some fuel and saves most of the time of
// counting.
const minRun = 64

// charge is a place where code is put in.
type charge struct {
	at     int    // offset in the body, in front of which it goes
	weight uint32 // fuel, or frames
	kind   chargeKind
	shift  int  // of bulk: how length becomes fuel
	grow   bool // of bulk: the length is in pages, and the old ones count too
}

// chargeKind is what the code does.
type chargeKind uint8

const (
	payWeight chargeKind = iota
	payBulk
	enterCall // counts frames, in front of a call
	leaveCall // gives them back
)

// body is the rewriting of one function.
type body struct {
	r        *reader
	p        *program
	graph    *callGraph
	function uint32 // among those defined
	locals   uint32 // with parameters, in the original
	charges  []charge
	frames   []int // index in charges of the loop or function around each open block
	runStart int
	run      uint32
	runOwner int // index in charges when the run is a head's own, else -1
	movable  bool
}

func (p *program) meterCode() error {
	src := p.sections.body[sectionCode]
	if src == nil {
		if len(p.funcs) != p.imported {
			return fault("missing")
		}
		return nil
	}
	r := &reader{b: src}
	n := r.count(maxFunctions, "functions")
	if r.err == nil && n != len(p.funcs)-p.imported {
		return fault("not one body for each function")
	}
	bodies := make([][]byte, n)
	for i := range bodies {
		bodies[i] = r.bytes(r.u32())
		if len(bodies[i]) > maxBody {
			return fault("a function of more bytes than are allowed")
		}
	}
	if r.more() {
		r.fail("bytes after the last function")
	}
	if r.err != nil {
		return r.err
	}
	return p.meterBodies(bodies, len(src))
}

func (p *program) meterBodies(bodies [][]byte, size int) error {
	graph, err := p.graph(bodies)
	if err != nil {
		return err
	}
	out := appendU32(make([]byte, 0, 2*size), uint32(len(bodies)))
	for i, code := range bodies {
		params := len(p.types[p.funcs[p.imported+i]].Params)
		b := &body{r: &reader{b: code}, p: p, graph: graph, function: uint32(i), locals: uint32(params)}
		metered, err := b.meter(params)
		if err != nil {
			return err
		}
		out = append(appendU32(out, uint32(len(metered))), metered...)
	}
	p.sections.body[sectionCode] = out
	return nil
}

func (b *body) meter(params int) ([]byte, error) {
	code := b.r.b
	groups, declared := b.parseLocals()
	start := b.r.at
	// Locals are cleared at each entry, so they are part of its price.
	b.openHead(start, 4+b.locals-uint32(params))
	for b.r.more() && len(b.frames) > 0 {
		b.step()
	}
	if b.r.err == nil && (len(b.frames) > 0 || b.r.at != len(code)) {
		b.r.fail("a function that does not end where it should")
	}
	if b.r.err != nil {
		return nil, b.r.err
	}
	return b.write(code, groups, declared, start), nil
}

// parseLocals returns the number of groups of locals and their bytes.
func (b *body) parseLocals() (groups uint32, declared []byte) {
	groups = uint32(b.r.count(maxLocals, "groups of locals"))
	from := b.r.at
	total := uint64(0)
	for n := groups; n > 0 && b.r.err == nil; n-- {
		total += uint64(b.r.u32())
		b.r.byte()
	}
	if total > maxLocals {
		b.r.fail("more locals than are allowed")
		return 0, nil
	}
	b.locals += uint32(total)
	return groups, b.r.b[from:b.r.at]
}

// openHead starts the code of a function or loop, which pays at that place.
func (b *body) openHead(at int, base uint32) {
	b.charges = append(b.charges, charge{at: at, weight: base})
	head := len(b.charges) - 1
	b.frames = append(b.frames, head)
	b.run, b.runStart, b.runOwner, b.movable = 0, at, head, true
}

// openLoop starts a loop. When everything between the head around it and the
// loop is passed exactly once on the way (no branch, no call), the loop pays for
// that, too: functions built by Go begin with a loop, and would pay twice.
func (b *body) openLoop() {
	moved := uint32(0)
	if b.runOwner >= 0 && b.movable {
		head := &b.charges[b.runOwner]
		moved, head.weight, b.run = head.weight+b.run, 0, 0
	}
	b.closeRun()
	b.openHead(b.r.at, 2+moved)
}

// leaves tells an instruction after which the code may go on elsewhere.
func leaves(op byte) bool {
	return op == opUnreachable || op >= 0x0c && op <= opCallIndirect
}

// openRun starts a straight run of code inside the innermost head.
func (b *body) openRun() { b.run, b.runStart, b.runOwner = 0, b.r.at, -1 }

// closeRun settles who pays for the run. The head may: no instruction is
// executed twice without passing the innermost head around it in between.
func (b *body) closeRun() {
	switch {
	case b.run == 0:
	case b.runOwner >= 0:
		b.charges[b.runOwner].weight += b.run
	case b.run >= minRun:
		b.insert(charge{at: b.runStart, weight: b.run})
	default:
		b.charges[b.frames[len(b.frames)-1]].weight += b.run
	}
	b.run = 0
}

// insert keeps the charges in the order of their places: those of instructions
// in the same run have been noted already.
func (b *body) insert(c charge) {
	i := len(b.charges)
	for i > 0 && b.charges[i-1].at > c.at {
		i--
	}
	b.charges = append(b.charges, charge{})
	copy(b.charges[i+1:], b.charges[i:])
	b.charges[i] = c
}

// step takes the next instruction into account.
func (b *body) step() {
	at := b.r.at
	in := b.r.next()
	if b.r.err != nil {
		return
	}
	b.check(in)
	b.run += weight(in, b.p.imported)
	b.movable = b.movable && !leaves(in.op)
	if shift, ok := bulk(in); ok {
		b.charges = append(b.charges, charge{at: at, kind: payBulk, shift: shift, grow: in.op == opMemoryGrow})
	}
	if frames := b.graph.price(b.function, in, b.p.imported); frames > 0 {
		b.run += 6
		b.charges = append(b.charges,
			charge{at: at, kind: enterCall, weight: frames}, charge{at: b.r.at, kind: leaveCall, weight: frames})
	}
	switch in.op {
	case opBlock:
		b.frames = append(b.frames, b.frames[len(b.frames)-1])
	case opLoop:
		b.openLoop()
	case opIf:
		b.closeRun()
		b.frames = append(b.frames, b.frames[len(b.frames)-1])
		b.openRun()
	case opElse:
		b.closeRun()
		b.openRun()
	case opEnd:
		b.closeRun()
		b.frames = b.frames[:len(b.frames)-1]
		b.openRun()
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
	}
}
