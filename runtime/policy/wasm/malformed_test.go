package wasm

import (
	"encoding/binary"
	"testing"

	"github.com/pacer-run/pacer/runtime/policy/remote"
)

// field is a field of bytes in a message, shorter than 128 bytes.
func field(number byte, content ...byte) []byte {
	return append([]byte{number<<3 | 2, byte(len(content))}, content...)
}

// packed are numbers as they lie in a message.
func packed(numbers ...uint32) []byte {
	var b []byte
	for _, n := range numbers {
		b = binary.LittleEndian.AppendUint32(b, n)
	}
	return b
}

// column is an input with these values and nothing else.
func column(data string, off ...uint32) []byte {
	return field(1, append(field(2, []byte(data)...), field(3, packed(off...)...)...)...)
}

// Bytes that are no message are an error that the module answers by itself: it does not
// read what is not there.
func TestLanguagesMalformed(t *testing.T) {
	specs := map[string][]byte{
		"a tag without a field":  {0x12},
		"text that is cut short": {0x12, 5, 'a'},
		"a number for a text":    {0x10, 1},
		"a text for a number":    field(4, 'a'),
		"a wire type of no kind": {0x17, 1},
		"a varint without end":   {0x10, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1},
		"a size beyond memory":   {0x12, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1},
		"an app that is no app":  field(5, 0x0a, 9),
		"a label that is none":   field(5, field(5, 0x0a, 9)...),
	}
	inputs := map[string][]byte{
		"nothing":                    nil,
		"no slots":                   column(""),
		"one offset":                 column("", 0),
		"a value of absence":         column("a", 0, 1),
		"offsets that go back":       column("abc", 0, 0, 2, 1),
		"offsets beyond the values":  column("abc", 0, 0, 4),
		"offsets around all memory":  column("abc", 0, 0, 1<<32-1),
		"a part of an offset":        field(1, field(3, make([]byte, 9)...)...),
		"too few counts":             append(column("a", 0, 0, 1), field(2, packed(1)...)...),
		"too many counts":            append(column("a", 0, 0, 1), field(2, packed(1, 2, 3)...)...),
		"a first that is no slot":    append(column("a", 0, 0, 1), 0x18, 3),
		"a column that is cut short": {0x0a, 2, 0x12, 9},
	}
	for _, l := range languages() {
		t.Run(l.name, func(t *testing.T) {
			m := loadKinds(t, l, quiet())
			for _, spec := range specs {
				_, err := m.Prepare(t.Context(), remote.KindConstraint, spec)
				wantFault(t, err, "malformed message")
			}
			p, err := m.Prepare(t.Context(), remote.KindConstraint, field(2, []byte("EVERY")...))
			if err != nil {
				t.Fatal(err)
			}
			for about, input := range inputs {
				err := p.Ask(t.Context(), input, 4, func(answer []byte) error {
					t.Errorf("%s: answered %v", about, answer)
					return nil
				})
				wantFault(t, err, "malformed message")
			}
		})
	}
}
