package launch

import (
	"encoding/binary"
	"math"
	"slices"
)

// The wire format of protocol buffers, as far as task infos and the calls about
// offers need it. Messages are appended to one buffer; what never changes for an
// app is appended as bytes that were encoded once. A general encoder walks the
// whole tree several times for each call, and an offer of tasks spends most of
// its time there.

// Kinds of value, the low bits of a field's tag.
const (
	varintKind = 0
	doubleKind = 1
	bytesKind  = 2
)

// appendTag appends what stands before each field's value.
func appendTag(b []byte, field, kind int) []byte {
	return binary.AppendUvarint(b, uint64(field)<<3|uint64(kind))
}

// appendVarint appends a whole number or an enum.
func appendVarint(b []byte, field int, v uint64) []byte {
	return binary.AppendUvarint(appendTag(b, field, varintKind), v)
}

// appendTruth appends a truth.
func appendTruth(b []byte, field int, v bool) []byte {
	if v {
		return appendVarint(b, field, 1)
	}
	return appendVarint(b, field, 0)
}

// appendDouble appends a number of eight bytes.
func appendDouble(b []byte, field int, v float64) []byte {
	return binary.LittleEndian.AppendUint64(appendTag(b, field, doubleKind), math.Float64bits(v))
}

// appendText appends a text, or a message that is encoded already.
func appendText[T string | []byte](b []byte, field int, v T) []byte {
	b = binary.AppendUvarint(appendTag(b, field, bytesKind), uint64(len(v)))
	return append(b, v...)
}

// openMessage starts a message in a field; its content is appended next, and
// closeMessage, given what it returned, ends it.
func openMessage(b []byte, field int) (buffer []byte, start int) {
	b = appendTag(b, field, bytesKind)
	return b, len(b)
}

// closeMessage puts the length before what was appended since openMessage.
func closeMessage(b []byte, start int) []byte {
	var length [binary.MaxVarintLen64]byte
	n := binary.PutUvarint(length[:], uint64(len(b)-start))
	return slices.Insert(b, start, length[:n]...)
}

// appendID appends a message that has one text, in its field 1, as all of Mesos'
// ids do.
func appendID(b []byte, field int, id string) []byte {
	b, start := openMessage(b, field)
	return closeMessage(appendText(b, 1, id), start)
}

// appendVariable appends an environment variable as an element of Environment.
func appendVariable[T string | []byte](b []byte, name string, value T) []byte {
	b, start := openMessage(b, 1)
	b = appendText(b, 1, name)
	return closeMessage(appendText(b, 2, value), start)
}
