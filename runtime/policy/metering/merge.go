package metering

import (
	"cmp"
	"slices"
)

// A run pays for light runs that depend on it, too, executed or not, as far as these
// come to no more than one part in mergeShare of its own weight, and mergeSmall: that
// costs the guest little fuel and saves much of the time of counting. So a guest pays
// at most half more than it executes, and a little for each run.
const (
	mergeShare = 2
	mergeSmall = 8
)

// merge settles which runs pay for others: the lightest come first. A run is behind
// that which it depends on, so what depends on it is settled before it is.
func (b *body) merge() {
	dependent := make(map[int][]int)
	for i := len(b.charges) - 1; i >= 0; i-- {
		c := &b.charges[i]
		if c.kind != payRun {
			continue
		}
		b.take(c, dependent[i])
		if c.parent >= 0 && c.weight > 0 {
			dependent[c.parent] = append(dependent[c.parent], i)
		}
	}
}

// take has a run pay for some of those that depend on it.
func (b *body) take(c *charge, dependent []int) {
	slices.SortFunc(dependent, func(x, y int) int {
		return cmp.Or(cmp.Compare(b.charges[x].weight, b.charges[y].weight), cmp.Compare(x, y))
	})
	room := c.weight/mergeShare + mergeSmall
	for _, i := range dependent {
		light := &b.charges[i]
		if light.weight > room {
			return
		}
		room -= light.weight
		c.weight += light.weight
		light.weight = 0
	}
}
