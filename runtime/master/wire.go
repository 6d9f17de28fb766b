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
//		case 1<<3 | bytesWire: … f.bytes …
//		}
//	}
//
// A field of an unexpected wire type has another tag, so it is passed over like
// one that is not known. After the loop, malformed says whether it ended early.
type fields struct {
	rest      []byte
	tag       uint32 // number<<3 | wire type
	value     uint64 // of varintWire, fixed64 and fixed32
	bytes     []byte // of bytesWire
	raw       []byte // the whole field, its tag included
	malformed bool
}

func over(message []byte) fields { return fields{rest: message} }

// next moves to the next field; false at the end or at the first fault.
func (f *fields) next() bool {
	if len(f.rest) == 0 || f.malformed {
		return false
	}
	whole := f.rest
	tag := f.varint()
	if tag>>3 == 0 || tag > math.MaxUint32 {
		f.malformed = true
	}
	f.tag = uint32(tag)
	switch tag & 7 {
	case varintWire:
		f.value = f.varint()
	case bytesWire:
		f.bytes = f.cut(f.varint())
	case fixed64:
		if b := f.cut(8); b != nil {
			f.value = binary.LittleEndian.Uint64(b)
		}
	case fixed32:
		if b := f.cut(4); b != nil {
			f.value = uint64(binary.LittleEndian.Uint32(b))
		}
	default:
		f.malformed = true
	}
	f.raw = whole[:len(whole)-len(f.rest)]
	return !f.malformed
}

// varint takes a number off the front.
func (f *fields) varint() uint64 {
	if len(f.rest) > 0 && f.rest[0] < 0x80 { // nearly all of them
		v := uint64(f.rest[0])
		f.rest = f.rest[1:]
		return v
	}
	v, n := binary.Uvarint(f.rest)
	if n <= 0 {
		f.malformed = true
		return 0
	}
	f.rest = f.rest[n:]
	return v
}

// cut takes n bytes off the front; nil when there are fewer.
func (f *fields) cut(n uint64) []byte {
	if f.malformed || n > uint64(len(f.rest)) {
		f.malformed = true
		return nil
	}
	b := f.rest[:n:n]
	f.rest = f.rest[n:]
	return b
}

// float is the value of a double.
func (f *fields) float() float64 { return math.Float64frombits(f.value) }

// inner returns the bytes of field 1 of a message that wraps a single text, such
// as every Mesos id; ok is false when it is malformed or has none.
func inner(message []byte) (text []byte, ok bool) {
	f := over(message)
	for f.next() {
		if f.tag == 1<<3|bytesWire {
			text, ok = f.bytes, true
		}
	}
	return text, ok && !f.malformed
}
