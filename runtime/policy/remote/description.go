package remote

import (
	"errors"
	"fmt"
	"regexp"
	"slices"

	"github.com/pacer-run/pacer/sdk/wire"
)

// Forms of what a module says of itself.
const (
	nameForm     = `\A[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\z`
	versionForm  = `\A[0-9A-Za-z.+-]{1,64}\z`
	operatorForm = `\A[A-Z][A-Z0-9_]{0,63}\z`
	policyForm   = `\A[a-z][a-z0-9-]{0,63}\z`
	maxPolicies  = 64 // of one kind
)

// DecodeDescription reads what a module says of itself, and refuses what this host
// cannot work with.
func DecodeDescription(b []byte) (wire.Description, error) {
	d, err := wire.DecodeDescription(b)
	switch {
	case err != nil:
		return d, err
	case d.Minor > wire.Minor:
		return d, fmt.Errorf("the module needs version 1.%d of the ABI; this host speaks 1.%d", d.Minor, wire.Minor)
	case !regexp.MustCompile(nameForm).MatchString(d.Name):
		return d, fmt.Errorf("name %q: lower-case letters, digits and dashes expected", d.Name)
	case !regexp.MustCompile(versionForm).MatchString(d.Version):
		return d, fmt.Errorf("version %q: letters, digits, dots, dashes and plus signs expected", d.Version)
	}
	policies := 0
	for kind, names := range [Kinds][]string{d.Operators, d.Fetchers, d.Strategies, d.Rules, d.Admission} {
		if err := checkPolicies(Kind(kind), names); err != nil {
			return d, err
		}
		policies += len(names)
	}
	if policies == 0 {
		return d, errors.New("the module offers nothing: one policy of any kind expected at least")
	}
	return d, nil
}

func checkPolicies(kind Kind, names []string) error {
	what, form, expected := kind.String()+" policy", policyForm, "a lower-case letter, then lower-case letters, digits and dashes"
	if kind == KindConstraint {
		what, form, expected = "operator", operatorForm, "an upper-case letter, then upper-case letters, digits and underscores"
	}
	if len(names) > maxPolicies {
		return fmt.Errorf("%d policies of the kind %s: %d at most expected", len(names), kind, maxPolicies)
	}
	match := regexp.MustCompile(form)
	for i, name := range names {
		if !match.MatchString(name) {
			return fmt.Errorf("%s %q: %s expected", what, name, expected)
		}
		if slices.Contains(names[:i], name) {
			return fmt.Errorf("%s %s: named twice", what, name)
		}
	}
	return nil
}
