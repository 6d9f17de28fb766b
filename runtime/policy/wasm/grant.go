package wasm

import (
	"fmt"
	"slices"

	"github.com/pacer-run/pacer/runtime/policy/metering"
	"github.com/pacer-run/pacer/sdk/manifest"
)

// Grants are the groups of host functions that an operator may give to a module:
// now, rand, metric and kv. The log and WASI are there for all.
func Grants() []string { return []string{grantNow, grantRand, grantMetric, grantKV} }

const (
	grantNow    = "now"
	grantRand   = "rand"
	grantMetric = "metric"
	grantKV     = "kv"
)

// checkImports refuses what is not granted. A module without a manifest is granted
// nothing: what a module needs has to be written where an operator can read it.
func checkImports(imports []metering.Import, said *manifest.Manifest, grants []string) error {
	known := hostFunctions()
	for _, im := range imports {
		name := im.Module + "." + im.Name
		if im.Kind != metering.KindFunction {
			return fmt.Errorf("it imports the %s %s; only functions are granted", im.Kind, name)
		}
		f, ok := known[name]
		switch {
		case !ok && im.Module == moduleWASI && im.Type.Results == metering.I32:
		case !ok:
			return fmt.Errorf("it imports %s, which is not granted", name)
		case f.kind != im.Type:
			return fmt.Errorf("it imports %s with the type %s, want %s", name, im.Type, f.kind)
		case f.grant == "":
		case said == nil:
			return fmt.Errorf("it imports %s, which is not granted: the grant %q is only for a module with a manifest that lists it", name, f.grant)
		case !slices.Contains(said.Imports, f.grant):
			return fmt.Errorf("it imports %s, but its manifest does not list the import %q", name, f.grant)
		case !slices.Contains(grants, f.grant):
			return fmt.Errorf("it imports %s, which is not granted: the grant %q would allow it", name, f.grant)
		}
	}
	return nil
}
