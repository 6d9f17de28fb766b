package wasm

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pacer-run/pacer/runtime/policy/metering"
	"github.com/pacer-run/pacer/runtime/policy/remote"
	"github.com/pacer-run/pacer/sdk/manifest"
	"github.com/pacer-run/pacer/sdk/wire"
)

// plan is how a module will be run: what is known before it is compiled.
type plan struct {
	limits   Limits
	options  Options
	manifest *manifest.Manifest // nil: none
	kinds    kindSet
}

func (l *Loader) plan(code []byte, metered *metering.Module, options Options) (*plan, error) {
	if options.Now == nil {
		options.Now = time.Now
	}
	said, err := manifest.Extract(code)
	if err != nil {
		return nil, err
	}
	p := &plan{limits: l.limits.within(options.Limits), options: options, manifest: said}
	if said != nil {
		p.limits = p.limits.within(asked(said.Limits))
		if p.options.Settings == "" && said.Settings != nil {
			p.options.Settings = string(said.Settings.Defaults)
		}
	}
	if p.kinds, err = check(metered, p.limits); err != nil {
		return nil, err
	}
	if said != nil {
		if err := promised(said, p.kinds); err != nil {
			return nil, err
		}
	}
	return p, checkImports(metered.Imports, said, options.Grants)
}

// asked are the limits that a manifest has; 0 asks for nothing.
func asked(l manifest.Limits) Limits {
	return Limits{
		StartFuel: l.StartFuel, PrepareFuel: l.PrepareFuel, BaseFuel: l.BaseFuel, ItemFuel: l.ItemFuel,
		CallFuel: l.CallFuel, MemoryPages: l.MemoryPages, ReplyBytes: l.ReplyBytes,
	}
}

// promised refuses a manifest that names what the module has no functions for.
func promised(said *manifest.Manifest, kinds kindSet) error {
	if major, _, _ := strings.Cut(said.ABI, "."); major != "1" {
		return fmt.Errorf("its manifest says that it needs the ABI %s; this host speaks 1.%d", said.ABI, wire.Minor)
	}
	for kind := range remote.Kinds {
		if names := said.Kinds[kind.String()]; len(names) > 0 && !kinds[kind] {
			return fmt.Errorf("its manifest lies: it names the %s policy %s, but the module does not export the function %s",
				kind, names[0], exportsOf(kind).ask)
		}
	}
	return nil
}

// honest refuses a manifest that says something else than the module itself. The
// order of names does not matter.
func honest(said *manifest.Manifest, d wire.Description) error {
	var lies []string
	compare := func(what, said, is string) {
		if said != is {
			lies = append(lies, fmt.Sprintf("%s is %q there and %q here", what, said, is))
		}
	}
	compare("name", said.Name, d.Name)
	compare("version", said.Version, d.Version)
	compare("abi", said.ABI, fmt.Sprintf("1.%d", d.Minor))
	for kind := range remote.Kinds {
		list := func(names []string) string { return strings.Join(slices.Sorted(slices.Values(names)), " ") }
		compare(kind.String(), list(said.Kinds[kind.String()]), list(remote.NamesIn(d, kind)))
	}
	if len(lies) == 0 {
		return nil
	}
	return fmt.Errorf("the manifest lies: %s", strings.Join(lies, "; "))
}
