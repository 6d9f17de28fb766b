package metering

import (
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
)

// FuzzValid finds functions that are not valid and become so, those that the rewriting
// spoils, and those that the engine fails on. The rest of the module is as it should be, so
// that the changes are all in instructions.
func FuzzValid(f *testing.F) {
	vector := append([]byte{prefixVector, 12}, make([]byte, 16)...)
	for _, body := range [][]byte{
		behindSelect(turns()),
		insideConstant(turns()),
		append(steps(3), opLocalGet, 0),
		append(vector, prefixVector, 0x8e, 1, opLocalGet, 0),                                             // a vector instruction with a long number
		append(vector, drop, opRefNull, 0x70, 0xd1),                                                      // ref.is_null
		{opLocalGet, 0, opLocalGet, 0, opLocalGet, 0, opSelectTyped, 1, 0x7f},                            // of i32
		{opLocalGet, 0, opLocalGet, 0, opCallIndirect, 0, 0, opMemoryGrow, 0},                            // through the table
		{opLocalGet, 0, opLocalGet, 0, opLocalGet, 0, prefixMisc, 10, 0, 0, opMemorySize, 0},             // memory.copy
		{opLocalGet, 0, opLocalGet, 0, opLocalGet, 0, prefixMisc, 14, 0, 0, prefixMisc, 16, 0},           // table.copy, table.size
		{opRefFunc, 0, opLocalGet, 0, prefixMisc, 15, 0},                                                 // table.grow
		{opLocalGet, 0, opBlock, 0, opLoop, 0, opEnd, opEnd},                                             // that take and give a value
		{opBlock, 0x7f, opLocalGet, 0, opLocalGet, 0, opBrTable, 1, 0, 0, opEnd},                         // br_table
		{0x43, 0, 0, 0, 0, 0x44, 0, 0, 0, 0, 0, 0, 0, 0, drop, prefixMisc, 0, opI64Const, 0, drop, 0xc0}, // f32, f64, saturating, sign extension
	} {
		f.Add(body, uint16(3))
	}
	for seed := range uint64(4) {
		f.Add(randomBody(seed, randomFunctions-1), uint16(randomLocals-1))
	}
	config := wazero.NewRuntimeConfigInterpreter().WithCoreFeatures(api.CoreFeaturesV2).WithMemoryLimitPages(100)
	f.Fuzz(func(t *testing.T, body []byte, locals uint16) {
		code := moreTypes(t, assembled(int(locals%100), body), 100)
		m, err := Rewrite(code)
		if err != nil {
			return
		}
		runtime := wazero.NewRuntimeWithConfig(t.Context(), config)
		defer runtime.Close(t.Context())
		_, before := runtime.CompileModule(t.Context(), code)
		_, after := runtime.CompileModule(t.Context(), m.Code)
		if (before == nil) != (after == nil) {
			t.Errorf("it was %v and is %v", before, after)
		}
	})
}
