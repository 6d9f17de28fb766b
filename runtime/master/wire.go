package master

import (
	"encoding/binary"
	"errors"
	"math"
)

// Wire types of protobuf. Groups, long out of use, are not read.
const (
	varintWire = 0
	fixed64    = 1
	bytesWire  = 2
	fixed32    = 5
)

// errWire reports bytes that are no protobuf message.
var errWire = errors.New("malformed protobuf message")

// fields goes over the fields of one encoded message, without copying:
//
//	for f := over(b); f.next(); {
//		switch f.tag {
//		case 1<<3 | bytesWire: … f.bytes() …
//		}
//	}
//
// A field of an unexpected wire type has another tag, so it is passed over like
// one that is not known. After the loop, malformed says whether it ended early.
//
// It holds offsets, not slices: moving on writes no pointers, which would cost the
// garbage collector's write barrier at every field.
type fields struct {
	message   []byte
	start     int    // of the field
	from, end int    // of its bytes, with bytesWire; end is where the next field starts
	tag       uint32 // number<<3 | wire type
	value     uint64 // of varintWire, fixed64 and fixed32
	malformed bool
}

func over(message []byte) fields { return fields{message: message} }

// bytes is the content of a field of bytesWire.
func (f *fields) bytes() []byte { return f.message[f.from:f.end:f.end] }

// raw is the whole field, its tag included.
func (f *fields) raw() []byte { return f.message[f.start:f.end] }

// next moves to the next field; false at the end or at the first fault.
func (f *fields) next() bool {
	if f.end >= len(f.message) || f.malformed {
		return false
	}
	f.start = f.end
	tag := f.varint()
	if tag>>3 == 0 || tag > math.MaxUint32 {
		f.malformed = true
	}
	f.tag = uint32(tag)
	switch tag & 7 {
	case bytesWire:
		size := f.varint()
		f.from = f.end
		f.skip(size)
	case varintWire:
		f.value = f.varint()
	case fixed64:
		if f.from = f.end; f.skip(8) {
			f.value = binary.LittleEndian.Uint64(f.message[f.from:])
		}
	case fixed32:
		if f.from = f.end; f.skip(4) {
			f.value = uint64(binary.LittleEndian.Uint32(f.message[f.from:]))
		}
	default:
		f.malformed = true
	}
	return !f.malformed
}

// varint reads the number at f.end. Nearly all have one byte.
func (f *fields) varint() uint64 {
	if at := f.end; at < len(f.message) && f.message[at] < 0x80 {
		f.end = at + 1
		return uint64(f.message[at])
	}
	return f.longVarint()
}

func (f *fields) longVarint() uint64 {
	v, n := binary.Uvarint(f.message[f.end:])
	if n <= 0 {
		f.malformed = true
		return 0
	}
	f.end += n
	return v
}

// skip passes over n bytes; false when there are fewer.
func (f *fields) skip(n uint64) bool {
	if f.malformed || n > uint64(len(f.message)-f.end) {
		f.malformed = true
		return false
	}
	f.end += int(n)
	return true
}

// float is the value of a double.
func (f *fields) float() float64 { return math.Float64frombits(f.value) }

// inner returns the bytes of field 1 of a message that wraps a single text, such
// as every Mesos id; ok is false when it is malformed or has none.
func inner(message []byte) (text []byte, ok bool) {
	f := over(message)
	for f.next() {
		if f.tag == 1<<3|bytesWire {
			text, ok = f.bytes(), true
		}
	}
	return text, ok && !f.malformed
}
