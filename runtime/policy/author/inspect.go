package author

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/pacer-run/pacer/runtime/policy/metering"
	"github.com/pacer-run/pacer/runtime/policy/remote"
	"github.com/pacer-run/pacer/runtime/policy/wasm"
	"github.com/pacer-run/pacer/sdk/manifest"
)

// Inspection is what a file shows without being run.
type Inspection struct {
	File     string             `json:"file"`
	Digest   string             `json:"digest"` // sha256
	Size     int                `json:"size"`   // bytes
	Manifest *manifest.Manifest `json:"manifest"`
	Imports  []Port             `json:"imports"`
	Exports  []Port             `json:"exports"`
	Grants   []string           `json:"grants"`   // that the operator has to give
	MinPages uint32             `json:"minPages"` // of memory, 64 KiB each
	MaxPages uint32             `json:"maxPages"` // it may grow to under this host's limits
	Metered  int                `json:"metered"`  // size of what is compiled, in bytes
}

// Port is one import or export.
type Port struct {
	Name string `json:"name"`
	Type string `json:"type"`
}

// Inspect reads the file's parts. A module that the host refuses as it is, is an error.
func (s *Source) Inspect() (*Inspection, error) {
	limits := wasm.DefaultLimits()
	m, err := metering.Rewrite(s.Code)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.Path, err)
	}
	i := &Inspection{
		File: s.Path, Digest: s.Digest, Size: len(s.Code), Manifest: s.Manifest, MinPages: m.MinPages, MaxPages: limits.MemoryPages,
		Metered: len(m.Code), Imports: []Port{}, Exports: []Port{}, Grants: []string{},
	}
	if s.Manifest != nil && s.Manifest.Limits.MemoryPages > 0 {
		i.MaxPages = min(i.MaxPages, s.Manifest.Limits.MemoryPages)
	}
	for _, im := range m.Imports {
		i.Imports = append(i.Imports, Port{im.Module + "." + im.Name, portType(im.Kind, im.Type)})
		if grant := grantOf(im); grant != "" && !slices.Contains(i.Grants, grant) {
			i.Grants = append(i.Grants, grant)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(m.Exports)) {
		if hidden := []string{metering.FuelGlobal, metering.DepthGlobal, metering.StartExport}; slices.Contains(hidden, name) {
			continue // they come from the metering
		}
		i.Exports = append(i.Exports, Port{name, portType(m.Exports[name].Kind, m.Exports[name].Type)})
	}
	slices.SortFunc(i.Imports, func(a, b Port) int { return cmp.Compare(a.Name, b.Name) })
	slices.Sort(i.Grants)
	return i, nil
}

func portType(kind metering.Kind, of metering.FuncType) string {
	if kind == metering.KindFunction {
		return of.String()
	}
	return kind.String()
}

// grantOf is what an operator has to grant for an import: the group of functions that
// its name begins with; "" for the functions of WASI, which reach nothing.
func grantOf(im metering.Import) string {
	if im.Module != "policy_v1" {
		return ""
	}
	group, _, _ := strings.Cut(im.Name, "_")
	return group
}

// Finding is one thing that was looked at.
type Finding struct {
	Stage string `json:"stage"`
	OK    bool   `json:"ok"`
	Text  string `json:"text"` // what is there, or what is wrong
}

// Checkup is what a host would say of a module.
type Checkup struct {
	File     string    `json:"file"`
	Digest   string    `json:"digest"`
	OK       bool      `json:"ok"`
	Findings []Finding `json:"findings"`
}

// Check does with the module all that a host does until it is used. What is wrong is
// in the findings; an error is about the surroundings.
func (s *Source) Check(ctx context.Context, o LoadOptions) *Checkup {
	c := &Checkup{File: s.Path, Digest: s.Digest, OK: true}
	add := func(stage string, err error, text string) bool {
		if err != nil {
			c.OK, text = false, err.Error()
		}
		c.Findings = append(c.Findings, Finding{stage, err == nil, text})
		return err == nil
	}
	switch {
	case s.Manifest == nil:
		add("manifest", nil, "none: the host's own limits count, and no settings are known")
	default:
		add("manifest", nil, s.Manifest.Name+"@"+s.Manifest.Version+", ABI "+s.Manifest.ABI)
	}
	i, err := s.Inspect()
	if err != nil {
		add("code", err, "")
		return c
	}
	add("code", nil, fmt.Sprintf("%d bytes, %d imports, %d pages of memory at the start", i.Size, len(i.Imports), i.MinPages))
	add("grants", s.undeclared(i.Grants), orNone(i.Grants))
	switch set, err := s.settings(o.Settings); {
	case err != nil:
		add("settings", err, "")
		return c
	case set != "":
		add("settings", nil, set)
	}
	module, end, err := s.Load(ctx, o)
	if !add("start", err, "loaded, metered, compiled and started") {
		return c
	}
	defer end()
	d := module.Description()
	add("description", nil, fmt.Sprintf("%s@%s, ABI 1.%d", d.Name, d.Version, d.Minor))
	for kind := range remote.Kinds {
		if names := remote.Names(module, kind); len(names) > 0 {
			add(kind.String(), nil, strings.Join(names, ", "))
		}
	}
	if s.Manifest != nil {
		add("agreement", s.disagreement(module), "the manifest and the module say the same")
	}
	return c
}

// undeclared refuses imports that the manifest does not ask for.
func (s *Source) undeclared(grants []string) error {
	if s.Manifest == nil {
		return nil
	}
	for _, grant := range grants {
		if !slices.Contains(s.Manifest.Imports, grant) {
			return fmt.Errorf("it imports functions of %q, which are not among the imports of its manifest", grant)
		}
	}
	return nil
}

// disagreement says where the manifest and the module differ.
func (s *Source) disagreement(module remote.Module) error {
	m, d := s.Manifest, module.Description()
	if m.Name != d.Name || m.Version != d.Version {
		return fmt.Errorf("the manifest is of %s@%s, the module says %s@%s", m.Name, m.Version, d.Name, d.Version)
	}
	for kind := range remote.Kinds {
		says := slices.Sorted(slices.Values(remote.Names(module, kind)))
		if declared := m.Kinds[kind.String()]; !slices.Equal(slices.Sorted(slices.Values(declared)), says) {
			return fmt.Errorf("%s: the manifest has %s, the module %s", kind, orNone(declared), orNone(says))
		}
	}
	return nil
}
