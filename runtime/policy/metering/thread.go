package metering

import (
	"cmp"
	"slices"
)

// Go's compiler knows no structured control flow: it makes a function one loop
// around nested blocks, with a table at its start that goes to one of them by a
// local, and jumps by setting the local and going back to the loop. Every turn of
// a loop of the source, and nearly every condition, costs a look at the table.
//
// Jumps forward can go there at once, since the block that they want is around
// them. That spares them the table, and the metering its work at the loop: it makes up
// for the cost of metering in guests built by Go.

// dispatch is a loop that starts with such a table.
type dispatch struct {
	local   uint32
	targets []int // ids of the blocks inside it, by the value of the local; 0 for others
}

// label is a block, loop or arm that is open.
type label struct {
	id       int
	plain    bool      // a block or loop that takes and gives nothing
	dispatch *dispatch // of a loop; nil: none
}

// threading is the rewriting of the jumps of one function.
type threading struct {
	r      *reader
	labels []label
	ids    int // given so far
	jump   jumpState
	table  tableState
	out    []byte // the code up to from; nil: nothing has changed
	from   int
}

// jumpState is how much of a jump was read: the constant, and the setting of the local.
type jumpState struct {
	constant, set bool
	value         int32
	local         uint32
}

// tableState is how much of the start of a dispatch was read: the loop, with nothing
// but blocks behind it, and the local.
type tableState struct {
	opened, got bool
	loop        int // index in labels
	local       uint32
}

// thread returns the body of a function with its jumps forward direct, or the body
// as it is.
func thread(code []byte) []byte {
	t := &threading{r: &reader{b: code}}
	for n := t.r.count(maxLocals, "groups of locals"); n > 0 && t.r.err == nil; n-- {
		t.r.u32()
		t.r.valueType()
	}
	t.labels = append(t.labels, label{})
	for t.r.more() && len(t.labels) > 0 {
		t.step()
	}
	if t.r.err != nil || t.out == nil {
		return code
	}
	return append(t.out, code[t.from:]...)
}

func (t *threading) step() {
	at := t.r.at
	in := t.r.next()
	plain := at+1 < len(t.r.b) && t.r.b[at+1] == typeEmpty
	switch {
	case in.op == opBlock, in.op == opLoop, in.op == opIf:
		t.ids++
		t.labels = append(t.labels, label{id: t.ids, plain: plain && in.op != opIf})
	case in.op == opEnd:
		t.labels = t.labels[:len(t.labels)-1]
	case in.op == opBrTable && t.table.got:
		t.learn(at)
	case in.op == opBr && t.jump.set:
		t.direct(at, in.index)
	}
	t.remember(in)
}

// remember keeps what the next instruction may be the end of.
func (t *threading) remember(in instruction) {
	t.jump.set = t.jump.constant && in.op == opLocalSet
	t.jump.constant = in.op == opI32Const
	switch {
	case t.jump.set:
		t.jump.local = in.index
	case t.jump.constant:
		t.jump.value = int32(in.index)
	}
	t.table.got = t.table.opened && in.op == opLocalGet
	t.table.opened = in.op == opLoop || t.table.opened && in.op == opBlock
	switch {
	case t.table.got:
		t.table.local = in.index
	case in.op == opLoop:
		t.table.loop = len(t.labels) - 1
	}
}

// learn learns where the table goes.
func (t *threading) learn(at int) {
	loop := &t.labels[t.table.loop]
	if !loop.plain {
		return
	}
	loop.dispatch = &dispatch{local: t.table.local}
	depths := labels(t.r.b, at)
	for _, depth := range depths[:len(depths)-1] {
		id := 0
		if to := len(t.labels) - 1 - int(depth); to > t.table.loop && t.labels[to].plain {
			id = t.labels[to].id
		}
		loop.dispatch.targets = append(loop.dispatch.targets, id)
	}
}

// direct makes the branch at that place go to what it is a jump to, if that is around it.
func (t *threading) direct(at int, depth uint32) {
	loop := len(t.labels) - 1 - int(depth)
	if loop < 0 {
		return
	}
	d := t.labels[loop].dispatch
	if d == nil || d.local != t.jump.local || t.jump.value < 0 || int(t.jump.value) >= len(d.targets) {
		return
	}
	inside := t.labels[loop+1:] // their ids rise
	i, found := slices.BinarySearchFunc(inside, d.targets[t.jump.value], func(l label, id int) int { return cmp.Compare(l.id, id) })
	if found {
		t.out = append(append(t.out, t.r.b[t.from:at]...), opBr)
		t.out = appendU32(t.out, uint32(len(inside)-1-i))
		t.from = t.r.at
	}
}
