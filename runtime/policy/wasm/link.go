package wasm

import (
	"context"
	"fmt"

	"github.com/tetratelabs/wazero/api"

	"github.com/pacer-run/pacer/runtime/policy/metering"
)

// Modules that a guest may import from.
const (
	moduleWASI   = "wasi_snapshot_preview1"
	modulePolicy = "policy_v1"
)

// hostFunction is a function that guests may import. What it returns goes to the
// guest when it has a result.
type hostFunction struct {
	kind  metering.FuncType
	call  func(c *call, args []uint64) uint64
	grant string // that a module needs to import it; "" for none
}

// call is one call into a guest, as the functions that the guest calls see it.
type call struct {
	in  *instance
	mod api.Module
}

// link gives the guest the functions that it imports. They all return at once
// and pay for what they do from the guest's fuel.
func (m *Module) link(ctx context.Context, imports []metering.Import) error {
	known := hostFunctions()
	wanted := map[string]map[string]hostFunction{}
	for _, im := range imports {
		f, ok := known[im.Module+"."+im.Name]
		if !ok { // of WASI: check has seen to that
			f = hostFunction{kind: im.Type, call: func(*call, []uint64) uint64 { return errnoNoSys }}
		}
		if wanted[im.Module] == nil {
			wanted[im.Module] = map[string]hostFunction{}
		}
		wanted[im.Module][im.Name] = f
	}
	for module, functions := range wanted {
		builder := m.runtime.NewHostModuleBuilder(module)
		for name, f := range functions {
			builder.NewFunctionBuilder().
				WithGoModuleFunction(m.adapt(f), valueTypes(f.kind.Params), valueTypes(f.kind.Results)).
				Export(name)
		}
		if _, err := builder.Instantiate(ctx); err != nil {
			return fmt.Errorf("imports from %s: %w", module, err)
		}
	}
	return nil
}

// adapt makes of the function what the engine calls.
func (m *Module) adapt(f hostFunction) api.GoModuleFunc {
	results := len(f.kind.Results)
	params := len(f.kind.Params)
	return func(_ context.Context, mod api.Module, stack []uint64) {
		found, _ := m.instances.Load(mod)
		in, _ := found.(*instance)
		result := f.call(&call{in: in, mod: mod}, stack[:params])
		if results > 0 {
			stack[0] = result
		}
	}
}

func valueTypes(types string) []api.ValueType { return []api.ValueType(types) }

// exhausted is the panic that ends a guest from inside a host function.
type exhausted struct{}

func (exhausted) Error() string { return "fuel exhausted" }

// pay takes fuel from the guest and ends it when none is left. The counter is
// looked up by name because the instance may be in the middle of its start.
func (c *call) pay(units uint64) {
	fuel, ok := c.mod.ExportedGlobal(metering.FuelGlobal).(api.MutableGlobal)
	if !ok {
		return // only modules that were not metered lack it, and Load makes none
	}
	left := int64(fuel.Get()) - int64(units)
	fuel.Set(uint64(left))
	if left < 0 {
		panic(exhausted{})
	}
}

// misuse is the panic that ends a guest which called a host function wrongly.
type misuse string

func (m misuse) Error() string { return string(m) }

// read returns what the guest points to, which is the guest's.
func (c *call) read(what string, at, size uint64) []byte {
	b, ok := c.mod.Memory().Read(uint32(at), uint32(size))
	if !ok {
		panic(misuse(what + " lies outside of the memory"))
	}
	return b
}

// moment is that of the call under way. Host functions with a grant are linked for
// guests that have an instance.
func (c *call) moment() *moment { return &c.in.moment }

// hostFunctions is everything that can be granted, by module and name.
func hostFunctions() map[string]hostFunction {
	const i32, i64, f64 = metering.I32, metering.I64, metering.F64
	type kind = metering.FuncType
	functions := map[string]hostFunction{}
	for name, f := range map[string]hostFunction{
		"log":            {kind{Params: i32 + i32 + i32}, policyLog, ""},
		"log_enabled":    {kind{Params: i32, Results: i32}, policyLogEnabled, ""},
		"now_ms":         {kind{Results: i64}, nowMillis, grantNow},
		"rand_u64":       {kind{Results: i64}, randU64, grantRand},
		"metric_add":     {kind{Params: i32 + f64}, metricAdd, grantMetric},
		"metric_observe": {kind{Params: i32 + f64}, metricObserve, grantMetric},
		"kv_get":         {kind{Params: i32 + i32 + i32 + i32, Results: i32}, kvGet, grantKV},
		"kv_put":         {kind{Params: i32 + i32 + i32 + i32, Results: i32}, kvPut, grantKV},
	} {
		functions[modulePolicy+"."+name] = f
	}
	for name, f := range wasiFunctions() {
		functions[moduleWASI+"."+name] = f
	}
	return functions
}
