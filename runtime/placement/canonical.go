package placement

import (
	"sort"
	"strconv"
	"strings"

	"github.com/pacer-run/pacer/sdk"
)

// CanonicalScalar is the text of a scalar attribute, see sdk.CanonicalScalar.
func CanonicalScalar(v float64) string { return sdk.CanonicalScalar(v) }

// Span is one element of a ranges attribute, both ends inclusive.
type Span struct {
	Begin, End uint64
}

// CanonicalRanges is the text of a ranges attribute: "[b-e,b-e]", sorted by
// begin. It does not change spans and does not merge them.
func CanonicalRanges(spans []Span) string {
	sorted := append([]Span(nil), spans...)
	sort.SliceStable(sorted, func(i, j int) bool { return sorted[i].Begin < sorted[j].Begin })
	text := []byte{'['}
	for i, s := range sorted {
		if i > 0 {
			text = append(text, ',')
		}
		text = strconv.AppendUint(text, s.Begin, 10)
		text = append(text, '-')
		text = strconv.AppendUint(text, s.End, 10)
	}
	return string(append(text, ']'))
}

// CanonicalSet is the text of a set attribute: "{a,b}", items sorted as strings.
// It does not change items.
func CanonicalSet(items []string) string {
	sorted := append([]string(nil), items...)
	sort.Strings(sorted)
	return "{" + strings.Join(sorted, ",") + "}"
}
