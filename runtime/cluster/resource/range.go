package resource

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Range is an inclusive interval of whole numbers, mostly ports. Begin is never above End.
type Range struct{ Begin, End uint64 }

// String is the interval in Mesos' notation without brackets, as 31000-31099.
func (r Range) String() string { return fmt.Sprintf("%d-%d", r.Begin, r.End) }

// coalesce sorts ranges and joins those that touch or overlap; its result is the only form kept in a Set.
func coalesce(in []Range) []Range {
	out := slices.Clone(in)
	slices.SortFunc(out, func(a, b Range) int { return cmp.Compare(a.Begin, b.Begin) })
	n := 0
	for _, r := range out {
		// The second comparison keeps End+1 from wrapping at the largest number.
		if n > 0 && (r.Begin <= out[n-1].End || r.Begin == out[n-1].End+1) {
			out[n-1].End = max(out[n-1].End, r.End)
			continue
		}
		out[n] = r
		n++
	}
	return out[:n]
}

// without returns the coalesced a less every number in the coalesced b.
func without(a, b []Range) []Range {
	var out []Range
	for _, r := range a {
		begin, done := r.Begin, false
		for _, cut := range b {
			if cut.End < begin || cut.Begin > r.End {
				continue
			}
			if cut.Begin > begin {
				out = append(out, Range{begin, cut.Begin - 1})
			}
			if cut.End >= r.End {
				done = true
				break
			}
			begin = cut.End + 1
		}
		if !done {
			out = append(out, Range{begin, r.End})
		}
	}
	return out
}

// covers tells whether every number in the coalesced b is in the coalesced a.
func covers(a, b []Range) bool {
	for _, r := range b {
		if !slices.ContainsFunc(a, func(have Range) bool { return have.Begin <= r.Begin && r.End <= have.End }) {
			return false
		}
	}
	return true
}

func rangesText(rs []Range) string {
	parts := make([]string, len(rs))
	for i, r := range rs {
		parts[i] = r.String()
	}
	return "[" + strings.Join(parts, ", ") + "]"
}
