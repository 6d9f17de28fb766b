package sdk

import (
	"strconv"
	"strings"
)

// CanonicalScalar is the text in which a number is compared, the same for agent
// attributes and for constraint values: at most three decimals, rounded half to
// even on the binary value, no trailing zeros, exponent or grouping.
func CanonicalScalar(v float64) string {
	text := strconv.FormatFloat(v, 'f', 3, 64)
	if strings.IndexByte(text, '.') >= 0 {
		text = strings.TrimRight(strings.TrimRight(text, "0"), ".")
	}
	if text == "-0" {
		return "0"
	}
	return text
}
