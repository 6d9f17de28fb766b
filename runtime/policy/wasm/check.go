package wasm

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/pacer-run/pacer/runtime/policy/metering"
)

// Names of the ABI.
const (
	exportMemory     = "memory"
	exportMarker     = "policy_abi_v1"
	exportInitialize = "_initialize"
	exportBuffer     = "policy_buffer"
	exportDescribe   = "policy_describe"
	exportConfigure  = "policy_configure"
	exportPrepare    = "constraint_prepare"
	exportEvaluate   = "constraint_evaluate"
	exportRelease    = "constraint_release"

	markerPrefix = "policy_abi_v"
)

// signatures of the exports that a module has to have; the constraint kind is
// the only one yet.
func signatures() map[string]metering.FuncType {
	const i32, i64 = metering.I32, metering.I64
	return map[string]metering.FuncType{
		exportMarker:    {},
		exportBuffer:    {Params: i32, Results: i32},
		exportDescribe:  {Results: i64},
		exportConfigure: {Params: i32, Results: i64},
		exportPrepare:   {Params: i32, Results: i64},
		exportEvaluate:  {Params: i32 + i32, Results: i64},
		exportRelease:   {Params: i32},
	}
}

// check refuses a module that does not speak the ABI or wants what it is not
// granted, before anything of it is compiled.
func check(m *metering.Module, limits Limits) error {
	if err := checkMarker(m); err != nil {
		return err
	}
	if memory, ok := m.Exports[exportMemory]; !ok || memory.Kind != metering.KindMemory {
		return fmt.Errorf("it does not export its memory as %q", exportMemory)
	}
	if m.MinPages > limits.MemoryPages {
		return fmt.Errorf("it asks for %d pages of memory, %d are allowed", m.MinPages, limits.MemoryPages)
	}
	want := signatures()
	if _, ok := m.Exports[exportInitialize]; ok {
		want[exportInitialize] = metering.FuncType{}
	}
	for _, name := range slices.Sorted(maps.Keys(want)) {
		export, ok := m.Exports[name]
		if !ok || export.Kind != metering.KindFunction {
			return fmt.Errorf("it does not export the function %s", name)
		}
		if export.Type != want[name] {
			return fmt.Errorf("its export %s has the type %s, want %s", name, export.Type, want[name])
		}
	}
	return checkImports(m.Imports)
}

func checkMarker(m *metering.Module) error {
	if _, ok := m.Exports[exportMarker]; ok {
		return nil
	}
	for name := range m.Exports {
		if version, ok := strings.CutPrefix(name, markerPrefix); ok {
			return fmt.Errorf("it speaks version %s of the policy ABI; this host speaks 1", version)
		}
	}
	return fmt.Errorf("it is not a policy module: it does not export %s", exportMarker)
}

func checkImports(imports []metering.Import) error {
	known := hostFunctions()
	for _, im := range imports {
		name := im.Module + "." + im.Name
		if im.Kind != metering.KindFunction {
			return fmt.Errorf("it imports the %s %s; only functions are granted", im.Kind, name)
		}
		f, ok := known[name]
		if ok && f.kind != im.Type {
			return fmt.Errorf("it imports %s with the type %s, want %s", name, im.Type, f.kind)
		}
		if !ok && !(im.Module == moduleWASI && im.Type.Results == metering.I32) {
			return fmt.Errorf("it imports %s, which is not granted", name)
		}
	}
	return nil
}
