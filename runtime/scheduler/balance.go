package scheduler

import (
	"slices"

	"github.com/pacer-run/pacer/sdk"
)

// groupBy is the operator whose balance scaling down keeps.
const groupBy = "GROUP_BY"

// spread counts instances by the value that their agents have of one field.
type spread struct {
	field   string
	count   map[string]int // by value; "" with a zero byte for agents without the field
	initial int            // largest minus smallest at the beginning
}

// noValue is the group of agents without the field: no value has the byte.
const noValue = "\x00"

func (d *spread) valueOf(m *member) string {
	if m.inst.Agent != nil {
		if v, ok := m.inst.Agent.Value(d.field); ok {
			return v
		}
	}
	return noValue
}

// bounds returns the smallest and the largest group, if one instance of the value
// were gone; noValue+noValue stands for none.
func (d *spread) bounds(without string) (least, most int) {
	least = int(^uint(0) >> 1)
	for value, n := range d.count {
		if value == without {
			n--
		}
		least, most = min(least, n), max(most, n)
	}
	return least, most
}

func (d *spread) width() int {
	least, most := d.bounds(noValue + noValue)
	return most - least
}

// balanced picks up to n of the candidates, which are in the order in which they
// should go, such that the app stays as evenly spread over the fields of its
// GROUP_BY constraints as it is. It picks none without such constraints, and fewer
// than n when no pick keeps the balance.
func (a *app) balanced(candidates []*member, n int) []*member {
	spreads := a.spreads(candidates)
	if len(spreads) == 0 || n >= len(candidates) {
		return nil
	}
	left := slices.Clone(candidates)
	var picked []*member
	for len(picked) < n {
		i := pickBalanced(spreads, left)
		if i < 0 {
			break
		}
		for _, d := range spreads {
			d.count[d.valueOf(left[i])]--
		}
		picked = append(picked, left[i])
		left = slices.Delete(left, i, i+1)
	}
	return picked
}

func (a *app) spreads(candidates []*member) []*spread {
	var spreads []*spread
	for _, c := range a.spec.Constraints {
		if c.Operator != groupBy {
			continue
		}
		d := &spread{field: sdk.CanonicalField(c.Field), count: map[string]int{}}
		for _, m := range candidates {
			d.count[d.valueOf(m)]++
		}
		d.initial = d.width()
		spreads = append(spreads, d)
	}
	return spreads
}

// pickBalanced returns the place of the next to go: of the largest groups of the
// most uneven field first, then any whose end leaves every field even, or less
// uneven than it was; -1 when there is none.
func pickBalanced(spreads []*spread, left []*member) int {
	order := slices.Clone(spreads)
	slices.SortStableFunc(order, func(x, y *spread) int { return y.width() - x.width() })
	for _, d := range order {
		least, most := d.bounds(noValue + noValue)
		if least == most {
			continue
		}
		for i, m := range left {
			if d.count[d.valueOf(m)] == most && keepsBalance(spreads, m) {
				return i
			}
		}
	}
	return slices.IndexFunc(left, func(m *member) bool { return keepsBalance(spreads, m) })
}

func keepsBalance(spreads []*spread, m *member) bool {
	for _, d := range spreads {
		least, most := d.bounds(d.valueOf(m))
		if width := most - least; width > 1 && width >= d.initial {
			return false
		}
	}
	return true
}
