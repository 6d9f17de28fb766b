package wire

import (
	"encoding/binary"
	"slices"
	"unicode/utf8"

	"github.com/pacer-run/pacer/sdk"
)

// AppendInput appends the ConstraintInput to b. It is the hot one: one pass, no
// allocation when b has the room.
func AppendInput(b []byte, in sdk.ConstraintInput) []byte {
	size := 0
	for _, value := range in.Values {
		size += len(value)
	}
	offs := 4 * (len(in.Values) + 1)
	b = appendSize(b, 1, sizeOf(size)+sizeOf(offs))
	b = appendSize(b, 2, size)
	for _, value := range in.Values {
		b = append(b, value...)
	}
	b = appendSize(b, 3, offs)
	at := uint32(0)
	b = binary.LittleEndian.AppendUint32(b, 0)
	for _, value := range in.Values {
		at += uint32(len(value))
		b = binary.LittleEndian.AppendUint32(b, at)
	}
	b = appendFixed32s(b, 2, in.Placed)
	b = appendUint(b, 3, uint32(in.First+1))
	return appendUint(b, 4, in.Instances)
}

// sizeOf is the length of a length-delimited field with content of that size.
func sizeOf(content int) int {
	n := 2 + content
	for v := content; v >= 0x80; v >>= 7 {
		n++
	}
	return n
}

// InputDecoder reads ConstraintInputs and keeps its lists for the next ones. One about
// the same values as one of the last few, as there are many about the names of all hosts,
// costs two comparisons and allocates nothing.
type InputDecoder struct {
	off    []uint32
	in     sdk.ConstraintInput
	data   []byte
	placed []uint32
	known  [4]cut // as many fields as apps commonly use
	next   int    // the one of them whose turn it is to go
}

// cut is a dictionary that was read before.
type cut struct {
	text   string // all its values
	off    []uint32
	values []string
}

// Decode reads a ConstraintInput, which is good until the next call; its values must
// not be changed.
func (d *InputDecoder) Decode(b []byte) (sdk.ConstraintInput, error) {
	d.data, d.off, d.placed = nil, d.off[:0], d.placed[:0]
	first := uint32(0)
	d.in.Instances = 0
	err := each(b, func(it item) error {
		switch it.field {
		case 1:
			return it.message(d.column)
		case 2:
			return it.fixed32s(&d.placed)
		case 3:
			return it.uint32(&first)
		case 4:
			return it.uint32(&d.in.Instances)
		}
		return nil
	})
	if err == nil {
		err = d.finish(first)
	}
	return d.in, err
}

func (d *InputDecoder) column(it item) error {
	switch it.field {
	case 2:
		if it.kind != typeBytes || !d.met(it.bytes) && !utf8.Valid(it.bytes) {
			return Malformed("values are not UTF-8 text")
		}
		d.data = it.bytes
	case 3:
		return it.fixed32s(&d.off)
	}
	return nil
}

// finish checks that the parts fit together and cuts the values.
func (d *InputDecoder) finish(first uint32) error {
	n := len(d.off) - 1
	if n < 1 || d.off[0] != 0 || d.off[1] != 0 {
		return Malformed("the dictionary lacks the slot of absence")
	}
	if first > uint32(n) || len(d.placed) != 0 && len(d.placed) != n {
		return Malformed("placed instances do not match the values")
	}
	if err := d.cut(n); err != nil {
		return err
	}
	d.in.First = int(first) - 1
	d.in.Placed = nil
	if len(d.placed) > 0 {
		d.in.Placed = d.placed
	}
	return nil
}

// met tells whether the text is one that was read before, and so valid.
func (d *InputDecoder) met(text []byte) bool {
	return slices.ContainsFunc(d.known[:], func(c cut) bool { return c.text == string(text) })
}

// cut makes the values, or finds those that were made before.
func (d *InputDecoder) cut(n int) error {
	for i := range d.known {
		if c := &d.known[i]; len(c.values) > 0 && c.text == string(d.data) && slices.Equal(c.off, d.off) {
			d.in.Values = c.values
			return nil
		}
	}
	c := &d.known[d.next]
	d.next = (d.next + 1) % len(d.known)
	c.text = string(d.data) // one copy: values may outlive the buffer
	c.off, c.values = append(c.off[:0], d.off...), c.values[:0]
	for i := range n {
		from, to := d.off[i], d.off[i+1]
		if from > to || to > uint32(len(c.text)) {
			c.values = c.values[:0] // it is none
			return Malformed("offset beyond the values")
		}
		c.values = append(c.values, c.text[from:to])
	}
	d.in.Values = c.values
	return nil
}

// AppendAnswer appends the ConstraintAnswer to b.
func AppendAnswer(b []byte, a sdk.ConstraintAnswer) []byte {
	b = appendFixed32s(b, 1, a.Quota)
	b = appendUint(b, 2, uint32(a.Flags))
	return appendText(b, 3, a.Reason)
}

// DecodeAnswer reads the ConstraintAnswer to an input of that many values and
// refuses one that cannot be: wrong number of quotas, unknown flags.
func DecodeAnswer(b []byte, values int) (sdk.ConstraintAnswer, error) {
	var a sdk.ConstraintAnswer
	err := each(b, func(it item) error {
		switch it.field {
		case 1:
			return it.fixed32s(&a.Quota)
		case 2:
			return it.uint32((*uint32)(&a.Flags))
		case 3:
			return it.text(&a.Reason)
		}
		return nil
	})
	if err == nil && len(a.Quota) != values {
		err = Malformed("not one quota for each value")
	}
	if err == nil && a.Flags&^(sdk.Exclusive|sdk.Volatile|sdk.Refill) != 0 {
		err = Malformed("unknown flags")
	}
	return a, err
}
