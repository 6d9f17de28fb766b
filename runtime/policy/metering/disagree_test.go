package metering

import (
	"bytes"
	"testing"

	"github.com/tetratelabs/wazero"
)

const (
	nop       = 0x01
	drop      = 0x1a
	typedNull = 0x63 // (ref null), in front of a type of its own
)

// turns is a loop that turns until the parameter is 0.
func turns() []byte {
	return []byte{opLoop, typeEmpty, opLocalGet, 0, opI32Const, 1, opI32Sub, opLocalTee, 0, opBrIf, 0, opEnd}
}

// Code that the engine takes for other instructions than the rewriting does is not let in:
// a loop in what looks like the types of a select, or like a constant, would cost nothing.
func TestCodeThatTheEngineReadsInAnotherWay(t *testing.T) {
	tests := map[string]struct {
		body  []byte
		cause string
	}{
		"a block that gives a reference to a function of the type 28": {behindSelect(turns()), "code section: " + unknownType},
		"a long form of a vector instruction's number":                {insideConstant(turns()), "code section: a vector instruction that is not of WebAssembly 2.0"},
	}
	for name, test := range tests {
		metered, err := Rewrite(moreTypes(t, assembled(0, test.body), 100))
		if err == nil {
			g := start(t, metered.Code, wazero.NewRuntimeConfig())
			_, used, err := g.call(1<<40, "f0", 1_000_000)
			t.Errorf("%s: a million turns cost %d, %v", name, used, err)
		} else if err.Error() != test.cause {
			t.Errorf("%s: %v, want %s", name, err, test.cause)
		}
	}
}

// behindSelect is code that would be the types of a select, 65 of them, which is i32.const,
// if the type of the block ended in front of it.
func behindSelect(code []byte) []byte {
	const types = opI32Const
	out := []byte{opBlock, typedNull, opSelectTyped, types, 0, drop}
	out = append(append(out, code...), opUnreachable)
	out = append(out, bytes.Repeat([]byte{nop}, 4+types-len(out))...)
	return append(out, opEnd, drop, opLocalGet, 0)
}

// insideConstant is code that would be a constant if the number of the instruction were read
// as one of two bytes. For the engine it has one, and unreachable is the next instruction.
func insideConstant(code []byte) []byte {
	const shift = 0x8c // i16x8.shr_s; the low bits are v128.const
	vector := append([]byte{prefixVector, 12}, make([]byte, 16)...)
	out := append([]byte{opBlock, typeEmpty, opI32Const, 1, opBrIf, 0}, vector...)
	out = append(append(out, opI32Const, 0, prefixVector, shift, 0, opEnd), code...)
	return append(out, opBlock, typeEmpty, opUnreachable, opEnd, opLocalGet, 0)
}

// moreTypes adds types until there are as many, so that there is one for an opcode.
func moreTypes(t *testing.T, module []byte, n uint32) []byte {
	s, err := split(module)
	if err != nil {
		t.Fatal(err)
	}
	own, rest, err := cutCount(s.body[sectionType], "types")
	if err != nil {
		t.Fatal(err)
	}
	s.body[sectionType] = append(append(appendU32(nil, n), rest...), bytes.Repeat([]byte{0x60, 0, 0}, int(n-own))...)
	return s.join()
}
