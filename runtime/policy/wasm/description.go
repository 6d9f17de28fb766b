package wasm

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pacer-run/pacer/runtime/policy/remote"
	"github.com/pacer-run/pacer/sdk/wire"
)

// Bounds on what a module says of itself.
const (
	maxName  = 63 // bytes
	maxWord  = 64 // bytes of a version and of a policy's name
	maxNames = 64 // of one kind
)

// Letters of names. The forms are looked at by hand: an expression costs more to
// compile than all else that a small module's start takes.
const (
	lowers = "abcdefghijklmnopqrstuvwxyz"
	uppers = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	digits = "0123456789"
)

// made tells whether a text has 1 to longest letters, all of those allowed.
func made(text, allowed string, longest int) bool {
	return text != "" && len(text) <= longest && strings.Trim(text, allowed) == ""
}

func decodeDescription(b []byte) (wire.Description, error) {
	d, err := wire.DecodeDescription(b)
	if err != nil {
		return d, err
	}
	if d.Minor > wire.Minor {
		return d, fmt.Errorf("the module needs version 1.%d of the ABI; this host speaks 1.%d", d.Minor, wire.Minor)
	}
	if !made(d.Name, lowers+digits+"-", maxName) || strings.Trim(d.Name, "-") != d.Name {
		return d, fmt.Errorf("name %q: lower-case letters, digits and dashes expected", d.Name)
	}
	if !made(d.Version, lowers+uppers+digits+".+-", maxWord) {
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
	what, first, rest, letters := kind.String()+" policy", lowers, digits+"-", "lower-case letters, digits and dashes"
	if kind == remote.KindConstraint {
		what, first, rest, letters = "operator", uppers, digits+"_", "upper-case letters, digits and underscores"
	}
	if len(names) > maxNames {
		return fmt.Errorf("%d names of the kind %s: %d at most expected", len(names), kind, maxNames)
	}
	for i, name := range names {
		if !made(name, first+rest, maxWord) || strings.IndexByte(first, name[0]) < 0 {
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
