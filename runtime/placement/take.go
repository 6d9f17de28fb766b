package placement

import "github.com/pacer-run/pacer/runtime/spec"

// slab hands out small slices of larger arrays: a placement has several, and
// thousands of placements are made in one match. What it handed out stays valid.
type slab struct {
	size      int // how many values an array has room for; a few times as many ranges
	shareRoom []Share
	rangeRoom []Range
	portRoom  []uint16
}

// slabSize is how many values an array of a slab has room for at most. Placements
// keep the array that they lie in alive, so it is not large.
const slabSize = 256

// newSlab makes one for so many placements.
func newSlab(placements int) slab { return slab{size: min(placements, slabSize)} }

func (s *slab) shares(n int) []Share       { return carve(&s.shareRoom, n, s.size) }
func (s *slab) ranges(n int) []Range       { return carve(&s.rangeRoom, n, min(4*s.size, slabSize)) }
func (s *slab) portNumbers(n int) []uint16 { return carve(&s.portRoom, n, s.size) }

// carve cuts n zero values off room; nobody else can reach them.
func carve[T any](room *[]T, n, size int) []T {
	if n > len(*room) {
		*room = make([]T, max(n, size))
	}
	cut := (*room)[:n:n]
	*room = (*room)[n:]
	return cut
}

// give puts a wanted instance on the offer of row p, which fits.
func (t *table) give(w *Wanted, r *requirement, p int) Placement {
	if w.Held != nil {
		return t.takeHeld(w, r, p)
	}
	return t.take(w.App, r, p)
}

// take puts an instance of the app on the offer of row p, which fits, and
// returns what it takes.
func (t *table) take(app *spec.App, r *requirement, p int) Placement {
	t.choosePorts(app, r, p)
	w := &t.rows[p]
	if len(w.rest) == 0 {
		w.rest = append(w.rest, t.offer(p).Shares...)
	}
	placement := Placement{App: app, Offer: t.offer(p), Take: t.takeShares(r, w)}
	placement.Ports = t.chosenPorts()
	placement.Disks = t.takeDisks(app, r, p)
	placement.apart()
	w.launched++
	t.refresh(p)
	return placement
}

// chosenPorts lists the ports that were chosen; nil for none.
func (t *table) chosenPorts() []uint16 {
	if len(t.chosen) == 0 {
		return nil
	}
	ports := t.slab.portNumbers(len(t.chosen))
	for i, c := range t.chosen {
		ports[i] = c.port
	}
	return ports
}

// takeShares takes the scalars in the order of the offer's shares, and the
// chosen ports from where they are.
func (t *table) takeShares(r *requirement, w *row) []Share {
	left := r.need
	taken := t.slab.shares(len(w.rest))[:0]
	for i := range w.rest {
		s := &w.rest[i]
		at, usable := position(w.role, &s.Reservation)
		if !usable || !r.accepts(at) {
			continue
		}
		part, some := Share{Reservation: s.Reservation}, false
		for k := range left {
			amount := min(left[k], s.Scalars[k])
			if amount <= 0 {
				continue
			}
			part.Scalars[k] = amount
			left[k] -= amount
			s.Scalars[k] -= amount
			w.free[at][k] -= amount
			some = true
		}
		if part.Ports = t.rangesOf(i); part.Ports != nil {
			s.Ports = t.without(s.Ports, part.Ports)
			w.ports[at] -= countPorts(part.Ports)
			some = true
		}
		if some {
			taken = append(taken, part)
		}
	}
	return taken
}
