package metering

import (
	"bytes"
	"strings"
	"testing"
)

// A function that the engine would compile for hours is refused, at once. That takes time in
// proportion to its length: with the square of it, these would take a quarter of an hour.
func TestTooMuchToCompile(t *testing.T) {
	const n = 290_000
	blocks := bytes.Repeat([]byte{opBlock, typeEmpty}, n)
	ends := bytes.Repeat([]byte{opEnd}, n)

	outward := appendU32(append(bytes.Clone(blocks), opLocalGet, 0, opBrTable), n)
	outward = append(outward, bytes.Repeat(appendU32(nil, n-1), n+1)...)
	outward = append(append(outward, ends...), opLocalGet, 0)

	// A loop with a table, as Go's compiler makes them, and jumps to it from far inside.
	jump := append(appendU32([]byte{opBlock, typeEmpty, opI32Const, 0, opLocalSet, 0, opBr}, n+1), opEnd)
	jumps := []byte{opLoop, typeEmpty, opBlock, typeEmpty, opLocalGet, 0, opBrTable, 1, 0, 0, opEnd}
	jumps = append(append(append(jumps, blocks...), bytes.Repeat(jump, n)...), ends...)
	jumps = append(jumps, opEnd, opLocalGet, 0)

	// Values that are all there where the fuel is looked at.
	values := bytes.Repeat([]byte{opLocalGet, 0, 0x28, 2, 0}, 60_000)
	values = append(values, bytes.Repeat([]byte{opI32Add}, 60_000-1)...)

	turn := []byte{opLoop, typeEmpty, opLocalGet, 0, opBrIf, 0, opEnd}
	for name, test := range map[string]struct {
		locals int
		body   []byte
	}{
		"branches out of many blocks": {0, outward},
		"jumps in many blocks":        {0, jumps},
		"values":                      {0, values},
		"loops":                       {0, append(bytes.Repeat(turn, 10_000), opLocalGet, 0)},
		"loops and locals":            {4_000, append(bytes.Repeat(turn, 300), opLocalGet, 0)},
	} {
		if _, err := Rewrite(assembled(test.locals, test.body)); err == nil || !strings.Contains(err.Error(), "too much to compile") {
			t.Errorf("%s: %v", name, err)
		}
	}
	for locals, loops := range map[int]int{0: 4_000, 100: 2_000, 1_000: 1_000} {
		if _, err := Rewrite(assembled(locals, append(bytes.Repeat(turn, loops), opLocalGet, 0))); err != nil {
			t.Errorf("%d loops in a function of %d locals: %v", loops, locals, err)
		}
	}
}

// The height of the stack is that of the engine's validation, or more.
func TestHeightOfTheStack(t *testing.T) {
	tests := map[string]struct {
		body []byte
		want int
	}{
		"nothing":      {[]byte{opLocalGet, 0}, 1},
		"a sum":        {[]byte{opLocalGet, 0, opLocalGet, 0, opLocalGet, 0, opI32Add, opI32Add}, 3},
		"blocks":       {bytes.Repeat([]byte{opBlock, I32[0], opLocalGet, 0, opEnd, drop}, 9), 1},
		"empty blocks": {append(bytes.Repeat([]byte{opBlock, typeEmpty, opEnd}, 9), opLocalGet, 0), 1},
		"arms":         {[]byte{opLocalGet, 0, opLocalGet, 0, opIf, I32[0], opLocalGet, 0, opElse, opLocalGet, 0, opEnd, opI32Add}, 2},
		"dead code":    {append(bytes.Repeat([]byte{opBlock, typeEmpty, opLocalGet, 0, opLocalGet, 0, opBr, 0, opI32Add, drop, opEnd}, 9), opLocalGet, 0), 2},
		"calls":        {append([]byte{opLocalGet, 0}, bytes.Repeat([]byte{opCall, 0, opI32Const, 0, opCallIndirect, 0, 0}, 9)...), 2},
		"stores":       {append(bytes.Repeat([]byte{opLocalGet, 0, opLocalGet, 0, 0x36, 2, 0}, 9), opLocalGet, 0), 2},
		"bulk":         {append(bytes.Repeat([]byte{opLocalGet, 0, opLocalGet, 0, opLocalGet, 0, prefixMisc, 11, 0}, 9), opLocalGet, 0), 3},
	}
	for name, test := range tests {
		p := &program{types: []FuncType{{Params: I32, Results: I32}}, funcs: []uint32{0}}
		code := append(append([]byte{0}, test.body...), opEnd)
		b := &body{r: &reader{b: code}, p: p, graph: &callGraph{}, locals: 1}
		if _, err := b.meter(p.types[0]); err != nil || b.highest != test.want {
			t.Errorf("%s: %d high, want %d, %v", name, b.highest, test.want, err)
		}
	}
}
