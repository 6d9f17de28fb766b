package metering

// How many values are on the stack counts for the engine as much as locals do (see effort).

// level is a block, loop or arm that is open, as the stack has it.
type level struct {
	base            int // height below what the block takes
	params, results int
}

// follow follows the stack of values. In code that nothing leads to it may be lower.
func (b *body) follow(at int, in instruction) {
	top := len(b.levels) - 1
	switch in.op {
	case opBlock, opLoop, opIf:
		b.grow(change(in))
		params, results := b.values(at, in)
		b.levels = append(b.levels, level{max(b.height-params, b.levels[top].base), params, results})
	case opElse:
		b.height = b.levels[top].base
		b.grow(b.levels[top].params)
	case opEnd:
		b.height = b.levels[top].base
		b.grow(b.levels[top].results)
		if top > 0 { // there is nothing behind the function's own end
			b.levels = b.levels[:top]
		}
	case opBr, opBrTable, opReturn, opUnreachable:
		b.height = b.levels[top].base
	case opCall, opCallIndirect:
		params, results := b.values(at, in)
		b.grow(change(in) - params)
		b.grow(results)
	default:
		b.grow(change(in))
	}
}

func (b *body) grow(n int) {
	b.height = max(b.height+n, b.levels[len(b.levels)-1].base)
	b.highest = max(b.highest, b.height)
}

// values is how many a block or call takes and gives.
func (b *body) values(at int, in instruction) (params, results int) {
	var kind FuncType
	switch {
	case in.types > 0:
		kind = b.p.types[in.types-1]
	case in.op != opCall:
		if b.r.b[at+1] == typeEmpty {
			return 0, 0
		}
		return 0, 1
	case int64(in.index) < int64(len(b.p.funcs)):
		kind = b.p.types[b.p.funcs[in.index]]
	}
	return len(kind.Params), len(kind.Results)
}

// change is by how much an instruction, the values of a call left out, makes the stack
// higher, or more than that: for vectors it does not tell all.
func change(in instruction) int {
	switch op := in.op; {
	case op == opLocalGet, op == opGlobalGet, op == opMemorySize, op >= opI32Const && op <= 0x44,
		op == opRefNull, op == opRefFunc, op == prefixMisc && in.sub == 16, op == prefixVector && in.sub == 12:
		return 1
	case op == opIf, op == opBrIf, op == opCallIndirect, op == 0x1a, op == opLocalSet, op == opGlobalSet,
		op >= 0x46 && op <= 0x4f, op >= 0x51 && op <= 0x66, // comparisons
		op >= 0x6a && op <= 0x78, op >= 0x7c && op <= 0x8a, op >= 0x92 && op <= 0x98, op >= 0xa0 && op <= 0xa6, // arithmetic
		op == prefixMisc && in.sub == 15:
		return -1
	case op == 0x1b, op == opSelectTyped, op == 0x26, op >= 0x36 && op <= 0x3e: // selects, stores
		return -2
	case op == prefixMisc && in.sub >= 8 && in.sub != 9 && in.sub != 13:
		return -3
	case op == prefixVector:
		return changeOfVector(in.sub)
	}
	return 0
}

func changeOfVector(sub uint32) int {
	switch {
	case sub == 11, sub == 82, sub >= 88 && sub <= 91: // stores, bitselect
		return -2
	case sub == 13, sub == 14, sub >= 35 && sub <= 76, sub >= 78 && sub <= 81, sub >= 84 && sub <= 87:
		return -1
	}
	return 0
}
