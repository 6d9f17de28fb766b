package metering

import "unicode/utf8"

// reader reads the binary format. The first fault sticks: everything read after
// it is zero, so callers check err once, but must not loop on a count alone.
type reader struct {
	b   []byte
	at  int
	err error
}

func (r *reader) fail(text string) {
	if r.err == nil {
		r.err = fault(text)
	}
	r.at = len(r.b)
}

func (r *reader) more() bool { return r.err == nil && r.at < len(r.b) }

func (r *reader) byte() byte {
	if r.at >= len(r.b) {
		r.fail("cut short")
		return 0
	}
	r.at++
	return r.b[r.at-1]
}

func (r *reader) bytes(n uint32) []byte {
	if uint64(n) > uint64(len(r.b)-r.at) {
		r.fail("length beyond the end")
		return nil
	}
	r.at += int(n)
	return r.b[r.at-int(n) : r.at]
}

// u32 reads an unsigned LEB128 of 32 bits.
func (r *reader) u32() uint32 {
	var v uint64
	for shift := 0; shift < 35; shift += 7 {
		b := r.byte()
		v |= uint64(b&0x7f) << shift
		if b < 0x80 {
			if v>>32 != 0 {
				r.fail("number too large")
				return 0
			}
			return uint32(v)
		}
	}
	r.fail("number too long")
	return 0
}

// s32 reads a signed LEB128 of 32 bits; what is beyond them is not looked at.
func (r *reader) s32() int32 {
	var v uint64
	for shift := 0; shift < 35; shift += 7 {
		b := r.byte()
		v |= uint64(b&0x7f) << shift
		if b < 0x80 {
			return int32(int64(v<<(57-shift)) >> (57 - shift))
		}
	}
	r.fail("number too long")
	return 0
}

// blockType reads the type of a block, and returns how many types there have to be, for the
// one that it names.
func (r *reader) blockType() (types uint64) {
	if r.more() && (r.b[r.at] == typeEmpty || isValueType(r.b[r.at])) {
		r.at++
		return 0
	}
	var v uint64
	for shift := 0; shift < 35; shift += 7 {
		b := r.byte()
		v |= uint64(b&0x7f) << shift
		if b < 0x80 {
			if b >= 0x40 {
				break // negative: a type that is not of WebAssembly 2.0
			}
			return v + 1
		}
	}
	r.fail(unknownType)
	return 0
}

const unknownType = "a type that is not of WebAssembly 2.0"

// isValueType tells the types of values. The engine knows more, some of which have more
// than one byte.
func isValueType(b byte) bool {
	return b >= 0x7b && b <= 0x7f || b == 0x70 || b == 0x6f // numbers and vectors, references
}

func (r *reader) valueType() {
	if !isValueType(r.byte()) {
		r.fail(unknownType)
	}
}

func (r *reader) referenceType() byte {
	b := r.byte()
	if b != 0x70 && b != 0x6f {
		r.fail(unknownType)
	}
	return b
}

// valueTypes reads the types of parameters or results.
func (r *reader) valueTypes() string {
	types := r.bytes(r.u32())
	for _, b := range types {
		if !isValueType(b) {
			r.fail(unknownType)
		}
	}
	return string(types)
}

// end is the first fault, or that there is something after the last of these.
func (r *reader) end(what string) error {
	if r.more() {
		r.fail("bytes after the last " + what)
	}
	return r.err
}

// skipSigned passes over a signed LEB128 of at most that many bytes.
func (r *reader) skipSigned(size int) {
	for range size {
		if r.byte() < 0x80 {
			return
		}
	}
	r.fail("number too long")
}

func (r *reader) name() string {
	b := r.bytes(r.u32())
	if !utf8.Valid(b) {
		r.fail("name is not UTF-8")
	}
	return string(b)
}

// count reads the length of a vector whose elements take at least one byte.
func (r *reader) count(limit int, what string) int {
	n := r.u32()
	if int64(n) > int64(limit) {
		r.fail("more than is allowed: " + what)
		return 0
	}
	if int(n) > len(r.b)-r.at {
		r.fail("more than there is: " + what)
		return 0
	}
	return int(n)
}

func appendU32(b []byte, v uint32) []byte {
	for ; v >= 0x80; v >>= 7 {
		b = append(b, byte(v)|0x80)
	}
	return append(b, byte(v))
}

// appendS64 appends a signed LEB128.
func appendS64(b []byte, v int64) []byte {
	for {
		low := byte(v & 0x7f)
		v >>= 7
		if v == 0 && low&0x40 == 0 || v == -1 && low&0x40 != 0 {
			return append(b, low)
		}
		b = append(b, low|0x80)
	}
}
