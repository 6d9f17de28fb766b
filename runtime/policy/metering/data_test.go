package metering

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/tetratelabs/wazero"
)

// segment is a data segment as it is written.
func segment(at int64, data ...byte) []byte {
	b := append(appendS64([]byte{0, opI32Const}, at), opEnd)
	return append(appendU32(b, uint32(len(data))), data...)
}

// withData is a module of that data, and of other sections of its own.
func withData(t testing.TB, other func(*sections), segments ...[]byte) []byte {
	t.Helper()
	s, err := split(assembled(0, []byte{opI32Const, 0}))
	if err != nil {
		t.Fatal(err)
	}
	s.body[sectionData] = append(appendU32(nil, uint32(len(segments))), bytes.Join(segments, nil)...)
	if other != nil {
		other(s)
	}
	return s.join()
}

// segmentsOf is how many data segments a module has.
func segmentsOf(t testing.TB, code []byte) uint32 {
	t.Helper()
	s, err := split(code)
	if err != nil {
		t.Fatal(err)
	}
	return s.read(sectionData).u32()
}

// rewritten is the metered form of what is taken.
func rewritten(t testing.TB, code []byte) []byte {
	t.Helper()
	m, err := Rewrite(code)
	if err != nil {
		t.Fatal(err)
	}
	return m.Code
}

func TestDataSegmentsAreJoined(t *testing.T) {
	const count = 12 // the section of the number of segments
	padded := []byte{0, opI32Const, 0x81, 0x80, 0x80, 0x80, 0x00, opEnd, 1, 'a'}
	beyond := []byte{0, opI32Const, 0x81, 0x80, 0x80, 0x80, 0x10, opEnd, 1, 'a'}
	for name, test := range map[string]struct {
		other    func(*sections)
		segments [][]byte
		want     uint32
	}{
		"none":                     {nil, nil, 0},
		"backwards, then closely":  {nil, [][]byte{segment(100, 'a'), segment(90, 'b'), segment(105, 'c')}, 1},
		"side by side":             {nil, [][]byte{segment(0, 'a'), segment(1, 'b'), segment(2, 'c')}, 1},
		"the widest gap":           {nil, [][]byte{segment(0, 'a'), segment(1+maxGap, 'b')}, 1},
		"one more":                 {nil, [][]byte{segment(0, 'a'), segment(2+maxGap, 'b')}, 2},
		"one over the other":       {nil, [][]byte{segment(0, 'a', 'b'), segment(1, 'c')}, 2},
		"backwards":                {nil, [][]byte{segment(5, 'a'), segment(0, 'b')}, 1},
		"empty ones":               {nil, [][]byte{segment(0), segment(3), segment(9, 'a')}, 1},
		"a place of five bytes":    {nil, [][]byte{padded, segment(2, 'b')}, 1},
		"a place beyond 32 bits":   {nil, [][]byte{beyond, segment(2, 'b')}, 2},
		"a passive one":            {nil, [][]byte{segment(0, 'a'), {1, 1, 'b'}, segment(1, 'c')}, 3},
		"for a memory by number":   {nil, [][]byte{segment(0, 'a'), append([]byte{2, 0}, segment(1, 'c')[1:]...)}, 2},
		"where a global says":      {nil, [][]byte{segment(0, 'a'), {0, opGlobalGet, 0, opEnd, 1, 'c'}}, 2},
		"named by code, perhaps":   {func(s *sections) { s.body[count] = []byte{2} }, [][]byte{segment(0, 'a'), segment(1, 'b')}, 2},
		"more than is said":        {func(s *sections) { s.body[sectionData] = append(s.body[sectionData], 0) }, [][]byte{segment(0, 'a'), segment(1, 'b')}, 2},
		"without a memory":         {func(s *sections) { s.body[sectionMemory], s.body[sectionExport] = nil, nil }, [][]byte{segment(0, 'a'), segment(1, 'b')}, 2},
		"for an imported memory":   {imported, [][]byte{segment(0, 'a'), segment(1, 'b')}, 2},
		"of which one is cut":      {nil, [][]byte{segment(0, 'a'), segment(1, 'b')[:4]}, 2},
		"where addresses are high": {nil, [][]byte{segment(-3, 'a'), segment(-2, 'b', 'c')}, 1},
	} {
		if got := segmentsOf(t, rewritten(t, withData(t, test.other, test.segments...))); got != test.want {
			t.Errorf("%s: %d segments, expected %d", name, got, test.want)
		}
	}
}

// imported gives a module a memory of another one instead of its own.
func imported(s *sections) {
	s.body[sectionMemory] = nil
	s.body[sectionImport] = append([]byte{1, 1, 'm', 1, 'm', byte(KindMemory)}, 0, 1)
}

// However segments lie, memory starts with the same bytes as without the rewriting, or
// the module does not start in either form.
func TestJoinedDataIsTheSame(t *testing.T) {
	started, joined := 0, 0
	for seed := range uint64(400) {
		random := rand.New(rand.NewPCG(seed, 1))
		var segments [][]byte
		at := int64(random.IntN(70_000))
		for range 1 + random.IntN(20) {
			data := make([]byte, random.IntN(20))
			for i := range data {
				data[i] = byte(random.Uint32())
			}
			segments = append(segments, segment(at, data...))
			at += int64(len(data) + random.IntN(2*maxGap))
			if random.IntN(10) == 0 {
				at = max(0, at-int64(random.IntN(500)))
			}
		}
		code := withData(t, nil, segments...)
		metered := rewritten(t, code)
		want, err := memoryOf(t, code)
		got, errJoined := memoryOf(t, metered)
		if (err == nil) != (errJoined == nil) || !bytes.Equal(got, want) {
			t.Fatalf("seed %d: it starts with %v, expected %v; memory is the same: %t", seed, errJoined, err, bytes.Equal(got, want))
		}
		if err == nil {
			started++
		}
		if segmentsOf(t, metered) < uint32(len(segments)) {
			joined++
		}
	}
	if started < 100 || joined < 100 || started == 400 {
		t.Errorf("%d of 400 started, segments were joined in %d", started, joined)
	}
}

// memoryOf is what the memory of an instance holds at its start.
func memoryOf(t testing.TB, code []byte) ([]byte, error) {
	t.Helper()
	engine := wazero.NewRuntimeWithConfig(t.Context(), wazero.NewRuntimeConfigInterpreter())
	defer func() { _ = engine.Close(context.Background()) }()
	m, err := engine.InstantiateWithConfig(t.Context(), code, wazero.NewModuleConfig().WithStartFunctions())
	if err != nil {
		return nil, err
	}
	memory := m.ExportedMemory("m")
	b, ok := memory.Read(0, memory.Size())
	if !ok {
		return nil, fmt.Errorf("a memory of %d bytes cannot be read", memory.Size())
	}
	return bytes.Clone(b), nil
}
