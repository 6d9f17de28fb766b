package wasm

import (
	"fmt"
	"regexp"
	"slices"

	"github.com/pacer-run/pacer/runtime/policy/remote"
	"github.com/pacer-run/pacer/sdk/wire"
)

// Forms of what a module says of itself.
const (
	nameForm     = `\A[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\z`
	versionForm  = `\A[0-9A-Za-z.+-]{1,64}\z`
	operatorForm = `\A[A-Z][A-Z0-9_]{0,63}\z`
	policyForm   = `\A[a-z][a-z0-9-]{0,63}\z`
	maxNames     = 64 // of one kind
)

func decodeDescription(b []byte) (wire.Description, error) {
	d, err := wire.DecodeDescription(b)
	if err != nil {
		return d, err
	}
	if d.Minor > wire.Minor {
		return d, fmt.Errorf("the module needs version 1.%d of the ABI; this host speaks 1.%d", d.Minor, wire.Minor)
	}
	if !regexp.MustCompile(nameForm).MatchString(d.Name) {
		return d, fmt.Errorf("name %q: lower-case letters, digits and dashes expected", d.Name)
	}
	if !regexp.MustCompile(versionForm).MatchString(d.Version) {
		return d, fmt.Errorf("version %q: letters, digits, dots, dashes and plus signs expected", d.Version)
	}
	total := 0
	for kind := range remote.Kinds {
		names := remote.NamesIn(d, kind)
		if err := checkNames(kind, names); err != nil {
			return d, err
		}
		total += len(names)
	}
	if total == 0 {
		return d, fmt.Errorf("it offers nothing: at least one name of a policy expected")
	}
	return d, nil
}

func checkNames(kind remote.Kind, names []string) error {
	what, form, letters := kind.String()+" policy", policyForm, "lower-case letters, digits and dashes"
	if kind == remote.KindConstraint {
		what, form, letters = "operator", operatorForm, "upper-case letters, digits and underscores"
	}
	if len(names) > maxNames {
		return fmt.Errorf("%d names of the kind %s: %d at most expected", len(names), kind, maxNames)
	}
	match := regexp.MustCompile(form)
	for i, name := range names {
		if !match.MatchString(name) {
			return fmt.Errorf("%s %q: %s expected", what, name, letters)
		}
		if slices.Contains(names[:i], name) {
			return fmt.Errorf("%s %s: named twice", what, name)
		}
	}
	return nil
}

// agree refuses names of a kind without the functions to answer for them. The
// reverse, functions of a kind without names, is allowed, and they are never
// called: what a Go guest exports is fixed by the package that it imports, not by
// what it registers. The names alone say what a module offers.
func agree(d wire.Description, kinds kindSet) error {
	for kind := range remote.Kinds {
		if names := remote.NamesIn(d, kind); len(names) > 0 && !kinds[kind] {
			return fmt.Errorf("it names the %s policy %s, but does not export the function %s", kind, names[0], exportsOf(kind).ask)
		}
	}
	return nil
}
