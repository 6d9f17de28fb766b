package metering

import (
	"context"
	"fmt"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"
)

// assembled is a module with a page of memory whose functions, of the type (i32) -> (i32)
// and with so many locals besides the parameter, are exported as f0, f1 and so on. They
// may be called through its table, too.
func assembled(locals int, bodies ...[]byte) []byte {
	var types, functions, exports, elements, code []byte
	types = append(types, 1, 0x60, 1, I32[0], 1, I32[0])
	n := uint32(len(bodies))
	functions, elements = appendU32(functions, n), appendU32([]byte{1, 0, opI32Const, 0, opEnd}, n)
	code, exports = appendU32(code, n), appendU32(exports, n+1)
	exports = append(exports, 1, 'm', byte(KindMemory), 0)
	for i, body := range bodies {
		functions = append(functions, 0)
		elements = appendU32(elements, uint32(i))
		exports = appendExport(exports, fmt.Sprint("f", i), KindFunction, uint32(i))
		body = append(append(appendU32([]byte{1}, uint32(locals)), I32[0]), body...)
		body = append(body, opEnd)
		code = append(appendU32(code, uint32(len(body))), body...)
	}
	s := &sections{}
	s.body[sectionType], s.body[sectionFunction] = types, functions
	s.body[sectionTable] = appendU32([]byte{1, 0x70, 0}, n)
	s.body[sectionMemory] = []byte{1, 0, 1}
	s.body[sectionExport], s.body[9], s.body[sectionCode] = exports, elements, code
	return s.join()
}

// guest is a module in the engine.
type guest struct {
	t    testing.TB
	code api.Module
}

// start runs a module in the engine; the compiler unless it is asked not to.
func start(t testing.TB, code []byte, config wazero.RuntimeConfig) guest {
	t.Helper()
	runtime := wazero.NewRuntimeWithConfig(t.Context(), config.WithCoreFeatures(api.CoreFeaturesV2))
	t.Cleanup(func() { _ = runtime.Close(context.Background()) })
	if _, err := wasi_snapshot_preview1.Instantiate(t.Context(), runtime); err != nil {
		t.Fatal(err)
	}
	m, err := runtime.InstantiateWithConfig(t.Context(), code, wazero.NewModuleConfig().WithStartFunctions())
	if err != nil {
		t.Fatal(err)
	}
	return guest{t, m}
}

// call gives the guest fuel and calls it; used is what it took of that.
func (g guest) call(fuel int64, name string, args ...uint64) (result uint64, used int64, err error) {
	counter, _ := g.code.ExportedGlobal(FuelGlobal).(api.MutableGlobal)
	if counter != nil {
		counter.Set(uint64(fuel))
	}
	results, err := g.code.ExportedFunction(name).Call(g.t.Context(), args...)
	if counter != nil {
		used = fuel - int64(counter.Get())
	}
	if len(results) > 0 {
		result = results[0]
	}
	return result, used, err
}

// exact is the module with a counter that is charged for each straight piece of code
// alone, when it is executed, and never looked at.
func exact(t testing.TB, code []byte) []byte {
	t.Helper()
	m, err := rewrite(code, func(p *program) error {
		bodies, err := p.bodies()
		if err != nil {
			return err
		}
		graph, err := p.graph(bodies)
		if err != nil {
			return err
		}
		return p.rewriteBodies(bodies, func(f uint32, code []byte, params uint32) ([]byte, error) {
			b := &body{r: &reader{b: code}, p: p, graph: graph, function: f, locals: params}
			return b.count(params), b.r.err
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	return m.Code
}

// count rewrites a function in that way.
func (b *body) count(params uint32) []byte {
	groups, declared := b.parseLocals()
	out := append(append(appendU32(nil, groups+1), declared...), 1, I32[0])
	piece, from := entryWeight(b.locals-params), b.r.at
	pay := func(at int) {
		out = append(out, b.r.b[from:at]...)
		from = at
		out = appendU32(append(out, opGlobalGet), b.p.globals)
		out = appendS64(append(out, opI64Const), int64(piece))
		out = appendU32(append(out, opI64Sub, opGlobalSet), b.p.globals)
		piece = 0
	}
	for b.r.more() {
		at := b.r.at
		in := b.r.next()
		piece += weight(in, b.p.imported)
		if b.graph.price(b.function, in, b.p.imported) > 0 {
			piece += depthWeight
		}
		if in.op <= opCallIndirect {
			pay(at)
		}
		if in.op == opLoop {
			piece = loopWeight
		}
		if shift, ok := bulk(in); ok {
			pay(at)
			out = b.countBulk(out, shift, in.op == opMemoryGrow)
		}
	}
	return append(out, b.r.b[from:]...)
}

// countBulk charges by the length on the stack.
func (b *body) countBulk(out []byte, shift int, grow bool) []byte {
	length := b.locals
	out = appendU32(append(out, opLocalTee), length)
	out = appendU32(append(out, opGlobalGet), b.p.globals)
	out = append(appendU32(append(out, opLocalGet), length), opExtendU)
	if grow {
		out = append(out, opMemorySize, 0, opExtendU, opI64Add)
	}
	if shift < 0 {
		out = append(appendS64(append(out, opI64Const), int64(-shift)), opI64ShrU)
	} else {
		out = append(appendS64(append(out, opI64Const), int64(shift)), opI64Shl)
	}
	return appendU32(append(out, opI64Sub, opGlobalSet), b.p.globals)
}
