package metering

// Opcodes that the rewriter writes or treats by themselves.
const (
	opUnreachable  = 0x00
	opBlock        = 0x02
	opLoop         = 0x03
	opIf           = 0x04
	opElse         = 0x05
	opEnd          = 0x0b
	opBr           = 0x0c
	opBrIf         = 0x0d
	opBrTable      = 0x0e
	opReturn       = 0x0f
	opCall         = 0x10
	opCallIndirect = 0x11
	opSelectTyped  = 0x1c
	opLocalGet     = 0x20
	opLocalSet     = 0x21
	opLocalTee     = 0x22
	opGlobalGet    = 0x23
	opGlobalSet    = 0x24
	opMemorySize   = 0x3f
	opMemoryGrow   = 0x40
	opI32Const     = 0x41
	opI64Const     = 0x42
	opI32LtS       = 0x48
	opI64LtS       = 0x53
	opI32Add       = 0x6a
	opI32Sub       = 0x6b
	opI64Add       = 0x7c
	opI64Sub       = 0x7d
	opI64Shl       = 0x86
	opI64ShrU      = 0x88
	opExtendU      = 0xad // i64.extend_i32_u
	opRefNull      = 0xd0
	opRefFunc      = 0xd2
	prefixMisc     = 0xfc
	prefixVector   = 0xfd

	typeEmpty = 0x40 // of a block without values
)

// instruction is one instruction as far as metering cares.
type instruction struct {
	op    byte
	sub   uint32 // after a prefix
	index uint32 // of the local, global or function that it names; of a table of labels: how many
	types uint64 // how many types there have to be, for the one that it names
}

// next reads an instruction with all of its immediates. It knows those of the
// WebAssembly 2.0 core and refuses the rest, and forms of them that the engine reads in
// another way: code that is not seen here is not paid for.
func (r *reader) next() instruction {
	in := instruction{op: r.byte()}
	switch op := in.op; {
	case op == opBlock, op == opLoop, op == opIf:
		in.types = r.blockType()
	case op <= 0x01, op == opElse, op == opEnd, op == 0x0f, op == 0x1a, op == 0x1b:
	case op == 0x0c, op == 0x0d, op == opCall, op >= opLocalGet && op <= 0x26, op == opRefFunc:
		in.index = r.u32()
	case op == opBrTable:
		n := r.count(maxBody, "labels")
		in.index = uint32(n)
		for ; n > 0 && r.err == nil; n-- {
			r.u32()
		}
		r.u32()
	case op == opCallIndirect:
		in.types = uint64(r.u32()) + 1
		r.u32()
	case op == opSelectTyped:
		if r.byte() != 1 {
			r.fail("a select of other than one type")
		}
		r.valueType()
	case op >= 0x28 && op <= 0x3e:
		r.memoryArgument()
	case op == opMemorySize, op == opMemoryGrow:
		r.byte()
	case op == opRefNull:
		r.referenceType()
	case op == opI32Const:
		in.index = uint32(r.s32())
	case op == opI64Const:
		r.skipSigned(10)
	case op == 0x43:
		r.bytes(4)
	case op == 0x44:
		r.bytes(8)
	case op >= 0x45 && op <= 0xc4, op == 0xd1: // numeric, ref.is_null
	case op == prefixMisc:
		in.sub = r.misc()
	case op == prefixVector:
		in.sub = r.vector()
	default:
		r.fail("an instruction that is not of WebAssembly 2.0")
	}
	return in
}

func (r *reader) memoryArgument() {
	r.u32() // alignment
	r.u32() // offset
}

// misc reads what follows the prefix 0xfc.
func (r *reader) misc() uint32 {
	sub := r.u32()
	switch {
	case sub <= 7: // saturating conversions
	case sub == 9, sub == 13, sub == 15, sub == 16, sub == 17, sub == 11:
		r.u32()
	case sub == 8, sub == 10, sub == 12, sub == 14:
		r.u32()
		r.u32()
	default:
		r.fail("an instruction that is not of WebAssembly 2.0")
	}
	return sub
}

// vector reads what follows the prefix 0xfd. The engine takes one byte for the number and
// the second byte of a number above 127, which is 1, for a nop: no other form of it is.
func (r *reader) vector() uint32 {
	sub := uint32(r.byte())
	if sub >= 0x80 && r.byte() != 1 {
		r.fail("a vector instruction that is not of WebAssembly 2.0")
	}
	switch {
	case sub <= 11, sub == 92, sub == 93: // loads and stores
		r.memoryArgument()
	case sub == 12, sub == 13: // constant, shuffle
		r.bytes(16)
	case sub >= 21 && sub <= 34: // lanes
		r.byte()
	case sub >= 84 && sub <= 91: // loads and stores of a lane
		r.memoryArgument()
		r.byte()
	}
	return sub
}

// weight is the price of an instruction, about its time in simple ones. Those
// that only give code its structure are free.
func weight(in instruction, imported int) uint32 {
	switch op := in.op; {
	case op == 0x01, op == opBlock, op == opLoop, op == opElse, op == opEnd:
		return 0
	case op == opCall && int64(in.index) < int64(imported):
		return 100 // leaves the guest
	case op == opCall:
		return 4
	case op == opCallIndirect:
		return 8
	case op == opBrTable:
		return 3
	case op >= 0x6d && op <= 0x70, op >= 0x7f && op <= 0x82, // integer division
		op == 0x91, op == 0x95, op == 0x9f, op == 0xa3: // square root, division
		return 8
	case op == opMemoryGrow:
		return 1000
	case op == prefixMisc && in.sub >= 8:
		return 20
	case op == prefixVector:
		return 4
	}
	return 1
}

// What is paid besides instructions: for a turn of a loop, and for counting frames.
const (
	loopWeight  = 2
	depthWeight = 6
)

// entryWeight is the price of an entry of a function with so many locals besides its
// parameters: they are cleared.
func entryWeight(locals uint32) uint32 { return 4 + locals }

// bulk is how a bulk instruction is charged by the length on top of the stack:
// shifted left by a positive number, right by a negative one.
func bulk(in instruction) (shift int, ok bool) {
	switch {
	case in.op == opMemoryGrow:
		return 14, true // a unit for 4 bytes, of the old memory too: it may be copied
	case in.op != prefixMisc:
		return 0, false
	case in.sub == 8, in.sub == 10, in.sub == 11: // memory.init, copy, fill
		return -1, true
	case in.sub == 12, in.sub == 14, in.sub == 15, in.sub == 17: // table.init, copy, grow, fill
		return 3, true
	}
	return 0, false
}
