package constraints

import (
	"context"
	"regexp"
	"strconv"

	"github.com/pacer-run/pacer/sdk"
)

// Is is IS: the value equals the given text, or number. A number is brought into
// the form that scalars of agents have, so that 1.0 equals 1; it therefore never
// equals the text "1.0".
type Is struct{}

// Operators returns IS.
func (Is) Operators() []string { return []string{"IS"} }

// Prepare takes what a text or scalar attribute can be; no value means "".
func (Is) Prepare(_ context.Context, c sdk.ConstraintSpec) (sdk.PreparedConstraint, error) {
	if !matchWhole(`[a-zA-Z0-9_/.-]*`, c.Value) {
		return nil, &sdk.Invalid{Message: "IS only supports Mesos text and float values " +
			"(see http://mesos.apache.org/documentation/latest/attributes-resources/)"}
	}
	wanted := c.Value
	if matchWhole(`[0-9]+(\.[0-9]+)?`, wanted) {
		// A number too large for a scalar stays text: no scalar can equal it.
		if number, err := strconv.ParseFloat(wanted, 64); err == nil {
			wanted = sdk.CanonicalScalar(number)
		}
	}
	return &perValue{
		match:  func(value string) bool { return value == wanted },
		reason: `is not "` + wanted + `"`,
	}, nil
}

func matchWhole(expr, text string) bool {
	return regexp.MustCompile(`\A(?:` + expr + `)\z`).MatchString(text)
}
