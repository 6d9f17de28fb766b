package metering

// write puts the function together: two more locals, and the charges in place.
func (b *body) write(code []byte, groups uint32, declared []byte, start int) []byte {
	out := make([]byte, 0, len(code)+32*len(b.charges)+16)
	out = append(appendU32(out, groups+2), declared...)
	out = append(out, 1, 0x7e, 1, 0x7f) // one i64, one i32
	from := start
	for _, c := range b.charges {
		out = append(out, code[from:c.at]...)
		from = c.at
		switch {
		case c.kind == payBulk:
			out = b.writeBulk(out, c)
		case c.kind == enterCall:
			out = b.writeEnter(out, c)
		case c.kind == leaveCall:
			out = b.writeLeave(out, c)
		case c.weight > 0: // else a loop inside pays
			out = b.writeFixed(out, c)
		}
	}
	return append(out, code[from:]...)
}

// left is the local that holds the fuel that is left for a moment; it saves the
// engine a load, since it cannot know that the global did not change.
func (b *body) left() uint32 { return b.locals }

// length is the local that holds the length of a bulk instruction.
func (b *body) length() uint32 { return b.locals + 1 }

func (b *body) writeFixed(out []byte, c charge) []byte {
	out = appendU32(append(out, opGlobalGet), b.p.globals)
	out = appendS64(append(out, opI64Const), int64(c.weight))
	return b.writePay(out)
}

// writeBulk charges by the i32 on top of the stack and leaves it there.
func (b *body) writeBulk(out []byte, c charge) []byte {
	out = appendU32(append(out, opLocalTee), b.length())
	out = appendU32(append(out, opGlobalGet), b.p.globals)
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
	return b.writePay(out)
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

// writePay subtracts and traps when nothing is left: on the stack are the fuel
// and the price.
func (b *body) writePay(out []byte) []byte {
	out = appendU32(append(out, opI64Sub, opLocalTee), b.left())
	out = appendU32(append(out, opGlobalSet), b.p.globals)
	out = appendU32(append(out, opLocalGet), b.left())
	out = appendS64(append(out, opI64Const), 0)
	return append(out, opI64LtS, opIf, typeEmpty, opUnreachable, opEnd)
}
