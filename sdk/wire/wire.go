// Package wire is the bytes of the messages in sdk/policy.proto: protobuf's wire
// format, written and read by hand. It serves the host and Go guests, so it must
// stay small (no fmt, no reflection) and must take any bytes without a panic: the
// other side may be hostile.
package wire

import (
	"encoding/binary"
	"math"
	"slices"
	"unicode/utf8"
)

// Malformed is why bytes are not the message that was expected.
type Malformed string

// Error returns the reason.
func (m Malformed) Error() string { return "malformed message: " + string(m) }

// Wire types of protobuf.
const (
	typeVarint  = 0
	typeFixed64 = 1
	typeBytes   = 2
	typeFixed32 = 5
)

// appendTag starts a field. Numbers above 15 take two bytes.
func appendTag(b []byte, field, kind int) []byte {
	return binary.AppendUvarint(b, uint64(field<<3|kind))
}

func appendUint(b []byte, field int, v uint32) []byte {
	if v == 0 {
		return b // proto3 leaves out defaults
	}
	return binary.AppendUvarint(appendTag(b, field, typeVarint), uint64(v))
}

func appendUint64(b []byte, field int, v uint64) []byte {
	if v == 0 {
		return b
	}
	return binary.AppendUvarint(appendTag(b, field, typeVarint), v)
}

func appendBool(b []byte, field int, v bool) []byte {
	if !v {
		return b
	}
	return append(appendTag(b, field, typeVarint), 1)
}

func appendFixed64(b []byte, field int, v uint64) []byte {
	if v == 0 {
		return b
	}
	return binary.LittleEndian.AppendUint64(appendTag(b, field, typeFixed64), v)
}

func appendDouble(b []byte, field int, v float64) []byte {
	return appendFixed64(b, field, math.Float64bits(v))
}

func appendBytes(b []byte, field int, v []byte) []byte {
	if len(v) == 0 {
		return b
	}
	return append(appendSize(b, field, len(v)), v...)
}

// appendMessage appends a message that is there even when it is empty.
func appendMessage(b []byte, field int, write func([]byte) []byte) []byte {
	message := write(nil)
	return append(appendSize(b, field, len(message)), message...)
}

func appendTexts(b []byte, field int, list []string) []byte {
	for _, text := range list {
		b = append(appendSize(b, field, len(text)), text...)
	}
	return b
}

func appendText(b []byte, field int, s string) []byte {
	if s == "" {
		return b
	}
	return append(appendSize(b, field, len(s)), s...)
}

// appendSize starts a length-delimited field; the content follows.
func appendSize(b []byte, field, size int) []byte {
	return binary.AppendUvarint(appendTag(b, field, typeBytes), uint64(size))
}

func appendFixed32s(b []byte, field int, list []uint32) []byte {
	if len(list) == 0 {
		return b
	}
	return appendPacked(appendSize(b, field, 4*len(list)), list)
}

// item is one field as it is on the wire.
type item struct {
	field uint64
	kind  uint64 // wire type
	bits  uint64 // of the numeric types
	bytes []byte // of typeBytes; part of the message
}

// next cuts the first field off the message.
func next(b []byte) (item, []byte, error) {
	tag, n := binary.Uvarint(b)
	if n <= 0 || tag>>3 == 0 || tag > math.MaxUint32 {
		return item{}, nil, Malformed("bad tag")
	}
	it := item{field: tag >> 3, kind: tag & 7}
	b = b[n:]
	switch it.kind {
	case typeVarint:
		it.bits, n = binary.Uvarint(b)
		if n <= 0 {
			return it, nil, Malformed("bad varint")
		}
	case typeFixed64:
		n = 8
		if len(b) >= n {
			it.bits = binary.LittleEndian.Uint64(b)
		}
	case typeFixed32:
		n = 4
		if len(b) >= n {
			it.bits = uint64(binary.LittleEndian.Uint32(b))
		}
	case typeBytes:
		size, head := binary.Uvarint(b)
		if head <= 0 || size > uint64(len(b)-head) {
			return it, nil, Malformed("length beyond the end")
		}
		n = head + int(size)
		it.bytes = b[head:n]
	default:
		return it, nil, Malformed("unknown wire type")
	}
	if n > len(b) {
		return it, nil, Malformed("cut short")
	}
	return it, b[n:], nil
}

// each calls the function for each field of the message.
func each(b []byte, do func(item) error) error {
	for len(b) > 0 {
		it, rest, err := next(b)
		if err != nil {
			return err
		}
		if err := do(it); err != nil {
			return err
		}
		b = rest
	}
	return nil
}

// uint32 is the number; of a longer one the low half, as protobuf has it.
func (it item) uint32(into *uint32) error {
	if it.kind != typeVarint {
		return Malformed("number expected")
	}
	*into = uint32(it.bits)
	return nil
}

func (it item) uint64(into *uint64) error {
	if it.kind != typeVarint {
		return Malformed("number expected")
	}
	*into = it.bits
	return nil
}

// int64 is a number that is never negative.
func (it item) int64(into *int64) error {
	if it.kind != typeVarint || it.bits > math.MaxInt64 {
		return Malformed("number expected")
	}
	*into = int64(it.bits)
	return nil
}

func (it item) flag(into *bool) error {
	if it.kind != typeVarint {
		return Malformed("flag expected")
	}
	*into = it.bits != 0
	return nil
}

func (it item) fixed64(into *uint64) error {
	if it.kind != typeFixed64 {
		return Malformed("fixed number expected")
	}
	*into = it.bits
	return nil
}

func (it item) double(into *float64) error {
	if it.kind != typeFixed64 {
		return Malformed("number with a fraction expected")
	}
	*into = math.Float64frombits(it.bits)
	return nil
}

// data is a copy of the bytes; nil when there are none.
func (it item) data(into *[]byte) error {
	if it.kind != typeBytes {
		return Malformed("bytes expected")
	}
	*into = append([]byte(nil), it.bytes...)
	return nil
}

// texts adds to the list.
func (it item) texts(into *[]string) error {
	var text string
	err := it.text(&text)
	*into = append(*into, text)
	return err
}

func (it item) text(into *string) error {
	if it.kind != typeBytes {
		return Malformed("text expected")
	}
	if !utf8.Valid(it.bytes) {
		return Malformed("text is not UTF-8")
	}
	*into = string(it.bytes)
	return nil
}

func (it item) message(decode func(item) error) error {
	if it.kind != typeBytes {
		return Malformed("message expected")
	}
	return each(it.bytes, decode)
}

// packed is the bytes of packed numbers, four each. A field that came in one piece, as it
// does, stays where it is in the message; the pieces of another are put together.
func (it item) packed(into *[]byte) error {
	switch {
	case it.kind == typeFixed32:
		*into = binary.LittleEndian.AppendUint32(slices.Clip(*into), uint32(it.bits))
	case it.kind != typeBytes:
		return Malformed("packed numbers expected")
	case len(it.bytes)%4 != 0:
		return Malformed("packed numbers cut short")
	case len(*into) == 0:
		*into = it.bytes
	default:
		*into = append(slices.Clip(*into), it.bytes...)
	}
	return nil
}

// fixed32s appends to the list, whether the field is packed or not.
func (it item) fixed32s(into *[]uint32) error {
	var b []byte
	if err := it.packed(&b); err != nil {
		return err
	}
	*into = appendNumbers(*into, b)
	return nil
}
