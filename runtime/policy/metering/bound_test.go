package metering

import (
	"testing"

	"github.com/tetratelabs/wazero"
)

// steps is loop-free code of so many pieces, each of which may be the last: it counts
// those that are executed, in the memory.
func steps(pieces int) (code []byte) {
	code = append(code, opBlock, typeEmpty)
	for range pieces {
		code = append(code, opI32Const, 0, opI32Const, 0, 0x28, 2, 0, opI32Const, 1, opI32Add, 0x36, 2, 0) // load, add, store
		code = append(code, opLocalGet, 0, opI32Const, 0x7f, 0x46, opBrIf, 0)                              // equal to -1
	}
	return append(code, opEnd)
}

const stepWeight = 10 // the instructions of a piece

func stepsDone(g guest) int64 {
	n, _ := g.code.Memory().ReadUint32Le(0)
	return int64(n)
}

// One way through a function stops close to where its fuel ends, and wherever that is.
func TestBoundOfStraightCode(t *testing.T) {
	const pieces = 500
	metered, err := Rewrite(assembled(0, append(steps(pieces), opLocalGet, 0)))
	if err != nil {
		t.Fatal(err)
	}
	for _, fuel := range []int64{0, 1, 100, 1000, 3333} {
		g := start(t, metered.Code, wazero.NewRuntimeConfig())
		if _, used, err := g.call(fuel, "f0", 0); err == nil || used <= fuel {
			t.Errorf("with %d units it ended, having used %d: %v", fuel, used, err)
		}
		if did := stepsDone(g) * stepWeight; did > fuel+maxUnchecked || did < fuel/2-maxUnchecked {
			t.Errorf("with %d units it executed %d", fuel, did)
		}
	}
}

// What a recursion does on its way back, where nothing is looked at in short functions,
// is bounded by the frames, and no loop or call begins any more.
func TestBoundOfReturns(t *testing.T) {
	const deep, pieces = 1000, 20
	body := []byte{opLocalGet, 0, opIf, typeEmpty, opLocalGet, 0, opI32Const, 1, opI32Sub, opCall, 0, 0x1a, opEnd} // drop
	body = append(append(body, steps(pieces)...), opLocalGet, 0)
	metered, err := Rewrite(assembled(0, body))
	if err != nil {
		t.Fatal(err)
	}
	g := start(t, metered.Code, wazero.NewRuntimeConfig())
	_, whole, err := g.call(1<<40, "f0", deep)
	if err != nil || stepsDone(g) != (deep+1)*pieces {
		t.Fatalf("%d steps, %v", stepsDone(g), err)
	}
	for part := int64(1); part < 10; part++ {
		g := start(t, metered.Code, wazero.NewRuntimeConfig())
		fuel := whole * part / 10
		_, used, err := g.call(fuel, "f0", deep)
		if err == nil {
			// The last of it may be looked at by nobody, except the host.
			if used <= fuel {
				t.Errorf("with %d of %d units it ended and used %d", fuel, whole, used)
			}
		}
		if did := stepsDone(g) * stepWeight; did > fuel+deep*maxUnchecked {
			t.Errorf("with %d units it executed %d", fuel, did)
		}
	}
}

// Functions that give more than one value keep their types, and give them.
func TestSeveralResults(t *testing.T) {
	s := &sections{}
	s.body[sectionType] = []byte{1, 0x60, 1, I32[0], 2, I32[0], I64[0]}
	s.body[sectionFunction] = []byte{1, 0}
	s.body[sectionExport] = append([]byte{1}, appendExport(nil, "f", KindFunction, 0)...)
	body := []byte{0, opLocalGet, 0, opI64Const, 7, opLocalGet, 0, opBrIf, 0, 0x1a, opI64Const, 8, opEnd}
	s.body[sectionCode] = append([]byte{1, byte(len(body))}, body...)
	metered, err := Rewrite(s.join())
	if err != nil {
		t.Fatal(err)
	}
	g := start(t, metered.Code, wazero.NewRuntimeConfig())
	g.code.ExportedGlobal(FuelGlobal)
	for arg, want := range map[uint64]uint64{0: 8, 3: 7} {
		if _, _, err := g.call(1000, "f", arg); err != nil {
			t.Fatal(err)
		}
		results, err := g.code.ExportedFunction("f").Call(t.Context(), arg)
		if err != nil || results[0] != arg || results[1] != want {
			t.Errorf("f(%d) is %v, %v", arg, results, err)
		}
	}
}
