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
