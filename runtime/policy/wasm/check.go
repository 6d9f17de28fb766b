package wasm

import (
	"fmt"
	"strings"

	"github.com/pacer-run/pacer/runtime/policy/metering"
	"github.com/pacer-run/pacer/runtime/policy/remote"
)

// kindSet tells which kinds of policy a module has the functions of.
type kindSet [remote.Kinds]bool

// check refuses a module that does not speak the ABI, before anything of it is
// compiled. It returns the kinds whose functions there are.
func check(m *metering.Module, limits Limits) (kinds kindSet, err error) {
	if err := checkMarker(m); err != nil {
		return kinds, err
	}
	if memory, ok := m.Exports[exportMemory]; !ok || memory.Kind != metering.KindMemory {
		return kinds, fmt.Errorf("it does not export its memory as %q", exportMemory)
	}
	if m.MinPages > limits.MemoryPages {
		return kinds, fmt.Errorf("it asks for %d pages of memory, %d are allowed", m.MinPages, limits.MemoryPages)
	}
	want := signatures()
	if _, ok := m.Exports[exportInitialize]; ok {
		want = append(want, signature{name: exportInitialize})
	}
	if err := checkExports(m, want); err != nil {
		return kinds, err
	}
	if kinds, err = checkKinds(m); err != nil {
		return kinds, err
	}
	return kinds, nil
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

func checkExports(m *metering.Module, want []signature) error {
	for _, s := range want {
		export, ok := m.Exports[s.name]
		if !ok || export.Kind != metering.KindFunction {
			return fmt.Errorf("it does not export the function %s", s.name)
		}
		if export.Type != s.kind {
			return fmt.Errorf("its export %s has the type %s, want %s", s.name, export.Type, s.kind)
		}
	}
	return nil
}

// checkKinds sees to it that a kind's functions are there all or none. Which kinds
// the module offers is what it says of itself later (see agree).
func checkKinds(m *metering.Module) (kinds kindSet, err error) {
	any := false
	for kind := range remote.Kinds {
		want := exportsOf(kind).signatures()
		for _, s := range want {
			if _, ok := m.Exports[s.name]; ok {
				kinds[kind] = true
			}
		}
		if !kinds[kind] {
			continue
		}
		any = true
		if err := checkExports(m, want); err != nil {
			return kinds, err
		}
	}
	if !any {
		return kinds, fmt.Errorf("it exports the functions of no kind of policy, such as %s", exportsOf(remote.KindConstraint).ask)
	}
	return kinds, nil
}
