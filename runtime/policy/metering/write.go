package metering

// maxShared is how many looks may have one end. The engine puts that out of the way of
// the code, which is a little faster than an end for each, but the time that it takes to
// compile grows with the square of their number.
const maxShared = 200

// write puts the function together: two more locals, and the charges in place. Its
// code, and what is done at its end, is in a block that looks at the counter leave when
// nothing is left: the engine puts what is behind that out of the way.
func (b *body) write(code []byte, groups uint32, declared []byte, start int, results []byte) []byte {
	out := make([]byte, 0, len(code)+16*len(b.charges)+32)
	out = append(appendU32(out, groups+2), declared...)
	out = append(out, 1, I64[0], 1, I32[0])
	out = append(append(out, opBlock, typeEmpty, opBlock), results...)
	from := start
	for _, c := range b.charges {
		out = append(out, code[from:c.at]...)
		from = c.at
		switch c.kind {
		case payRun:
			out = b.writeRun(out, c)
		case payBulk:
			out = b.writeBulk(out, c)
		case look:
			out = b.writeLook(out, c)
		case save:
			out = b.writeSave(out)
		case load:
			out = appendU32(append(out, opGlobalGet), b.p.globals)
			out = appendU32(append(out, opLocalSet), b.left())
		case enterCall:
			out = b.writeEnter(out, c)
		case leaveCall:
			out = b.writeLeave(out, c)
		}
	}
	out = b.writeSave(append(out, code[from:]...))
	out = b.writeSave(append(out, opReturn, opEnd))
	return append(out, opUnreachable, opEnd)
}

// left is the local that holds the fuel that is left: the engine keeps it in a
// register. The global has it while other functions run, and at the end.
func (b *body) left() uint32 { return b.locals }

// length is the local that holds the length of a bulk instruction.
func (b *body) length() uint32 { return b.locals + 1 }

func (b *body) writeRun(out []byte, c charge) []byte {
	if c.weight == 0 {
		return out
	}
	out = appendU32(append(out, opLocalGet), b.left())
	out = appendS64(append(out, opI64Const), int64(c.weight))
	return appendU32(append(out, opI64Sub, opLocalSet), b.left())
}

func (b *body) writeSave(out []byte) []byte {
	out = appendU32(append(out, opLocalGet), b.left())
	return appendU32(append(out, opGlobalSet), b.p.globals)
}

// writeLook ends the guest when nothing is left.
func (b *body) writeLook(out []byte, c charge) []byte {
	out = appendU32(append(out, opLocalGet), b.left())
	out = appendS64(append(out, opI64Const), 0)
	out = append(out, opI64LtS)
	if b.looks <= maxShared {
		return appendU32(append(out, opBrIf), c.depth)
	}
	out = b.writeSave(append(out, opIf, typeEmpty))
	return append(out, opUnreachable, opEnd)
}

// writeBulk charges by the i32 on top of the stack and leaves it there.
func (b *body) writeBulk(out []byte, c charge) []byte {
	out = appendU32(append(out, opLocalTee), b.length())
	out = appendU32(append(out, opLocalGet), b.left())
	out = appendU32(append(out, opLocalGet), b.length())
	out = append(out, opExtendU)
	if c.grow {
		out = append(out, opMemorySize, 0, opExtendU, opI64Add)
	}
	if c.shift < 0 {
		out = append(appendS64(append(out, opI64Const), int64(-c.shift)), opI64ShrU)
	} else {
		out = append(appendS64(append(out, opI64Const), int64(c.shift)), opI64Shl)
	}
	out = appendU32(append(out, opI64Sub, opLocalSet), b.left())
	return b.writeLook(out, c)
}

// writeEnter takes the frames and traps when there are no more.
func (b *body) writeEnter(out []byte, c charge) []byte {
	out = appendU32(append(out, opGlobalGet), b.p.globals+1)
	out = appendS64(append(out, opI32Const), int64(c.weight))
	out = appendU32(append(out, opI32Sub, opLocalTee), b.length())
	out = appendU32(append(out, opGlobalSet), b.p.globals+1)
	out = appendU32(append(out, opLocalGet), b.length())
	out = append(out, opI32Const, 0)
	return append(out, opI32LtS, opIf, typeEmpty, opUnreachable, opEnd)
}

// writeLeave gives them back. A call that traps does not come here, but then the
// instance is at its end.
func (b *body) writeLeave(out []byte, c charge) []byte {
	out = appendU32(append(out, opGlobalGet), b.p.globals+1)
	out = appendS64(append(out, opI32Const), int64(c.weight))
	return appendU32(append(out, opI32Add, opGlobalSet), b.p.globals+1)
}
