package wire

import (
	"encoding/binary"
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
// costs a comparison and allocates nothing.
type InputDecoder struct {
	in     sdk.ConstraintInput
	text   []byte // of the message: all values
	ends   []byte // of the message: the packed offsets
	placed []byte // of the message: the packed counts
	counts []uint32
	known  [4]cut // as many fields as apps commonly use
	next   int    // the one of them whose turn it is to go
}

// cut is a dictionary that was read before.
type cut struct {
	text, ends string
	values     []string // none: there is no dictionary
}

// Decode reads a ConstraintInput, which is good until the next call, and as long as b
// is; its values must not be changed.
func (d *InputDecoder) Decode(b []byte) (sdk.ConstraintInput, error) {
	d.text, d.ends, d.placed = nil, nil, nil
	first := uint32(0)
	d.in.Instances = 0
	err := each(b, func(it item) error {
		switch it.field {
		case 1:
			return it.message(d.column)
		case 2:
			return it.packed(&d.placed)
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
		if it.kind != typeBytes {
			return Malformed("values are not UTF-8 text")
		}
		d.text = it.bytes
	case 3:
		return it.packed(&d.ends)
	}
	return nil
}

// finish checks that the parts fit together and cuts the values.
func (d *InputDecoder) finish(first uint32) error {
	n := len(d.ends)/4 - 1
	if n < 1 || binary.LittleEndian.Uint64(d.ends) != 0 { // where slot 0 begins and ends
		return Malformed("the dictionary lacks the slot of absence")
	}
	if first > uint32(n) || len(d.placed) != 0 && len(d.placed) != 4*n {
		return Malformed("placed instances do not match the values")
	}
	if err := d.cut(n); err != nil {
		return err
	}
	d.in.First = int(first) - 1
	d.in.Placed = nil
	if len(d.placed) > 0 {
		d.in.Placed, d.counts = numbers(d.placed, d.counts)
	}
	return nil
}

// cut makes the values, or finds those that were made before.
func (d *InputDecoder) cut(n int) error {
	for i := range d.known {
		if c := &d.known[i]; len(c.values) > 0 && same(c.ends, d.ends) && same(c.text, d.text) {
			d.in.Values = c.values
			return nil
		}
	}
	if !utf8.Valid(d.text) {
		return Malformed("values are not UTF-8 text")
	}
	c := &d.known[d.next]
	d.next = (d.next + 1) % len(d.known)
	c.text, c.ends, c.values = string(d.text), string(d.ends), c.values[:0] // one copy: values may outlive the buffer
	from := uint32(0)
	for i := range n {
		to := binary.LittleEndian.Uint32(d.ends[4*i+4:])
		if from > to || to > uint32(len(c.text)) {
			c.values = c.values[:0] // it is none
			return Malformed("offset beyond the values")
		}
		c.values = append(c.values, c.text[from:to])
		from = to
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
	var d AnswerDecoder
	return d.Decode(nil, b, values)
}

// AnswerDecoder reads the answers to one constraint, whose reason is nearly always that of
// the answer before.
type AnswerDecoder struct{ reason string }

// Decode is DecodeAnswer with the quotas in room when it is as long as there are values.
func (d *AnswerDecoder) Decode(room []uint32, b []byte, values int) (sdk.ConstraintAnswer, error) {
	var a sdk.ConstraintAnswer
	if len(room) == values {
		a.Quota = room[:0]
	}
	var err error
	for len(b) > 0 && err == nil {
		var it item
		if it, b, err = next(b); err == nil {
			err = d.field(&a, it)
		}
	}
	if err == nil && len(a.Quota) != values {
		err = Malformed("not one quota for each value")
	}
	if err == nil && a.Flags&^(sdk.Exclusive|sdk.Volatile|sdk.Refill) != 0 {
		err = Malformed("unknown flags")
	}
	return a, err
}

func (d *AnswerDecoder) field(a *sdk.ConstraintAnswer, it item) error {
	switch it.field {
	case 1:
		return it.fixed32s(&a.Quota)
	case 2:
		return it.uint32((*uint32)(&a.Flags))
	case 3:
		if it.kind == typeBytes && string(it.bytes) == d.reason {
			a.Reason = d.reason
			return nil
		}
		err := it.text(&a.Reason)
		d.reason = a.Reason
		return err
	}
	return nil
}
