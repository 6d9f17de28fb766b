package placement

import (
	"slices"

	"github.com/pacer-run/pacer/runtime/spec"
)

// random is a small generator (splitmix64); its value is its state. Quality is
// of no concern: it spreads ports.
type random uint64

// next steps the generator.
func (r *random) next() uint64 {
	*r += 0x9e3779b97f4a7c15
	z := uint64(*r)
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// below returns a number in [0,n); n must not be 0.
func (r *random) below(n uint64) uint64 { return r.next() % n }

// piece is a range of ports that a requirement may use, and the share it is in.
type piece struct {
	share      int
	begin, end uint16
}

// chosen is one port that an instance gets, and the share it is taken from; it is
// none when share is negative.
type chosen struct {
	share int
	port  uint16
}

// countPorts is how many ports the ranges hold; up to 65,536, one more than a
// port number can say.
func countPorts(ranges []Range) int32 {
	n := int32(0)
	for _, r := range ranges {
		n += int32(r.End) - int32(r.Begin) + 1
	}
	return n
}

// shares is what is left of the offer of row p.
func (t *table) shares(p int) []Share {
	if rest := t.rows[p].rest; len(rest) > 0 {
		return rest
	}
	return t.offer(p).Shares
}

// hasPorts tells whether choosePorts will find what the requirement needs.
func (t *table) hasPorts(r *requirement, s *spot, p int) bool {
	if int(s.ports) < r.ports || r.impossible {
		return false
	}
	if r.fixed == "" {
		return true
	}
	t.collect(r, p)
	for i := 0; i < len(r.fixed)/2; i++ {
		if _, ok := t.shareOf(r.fixedPort(i)); !ok {
			return false
		}
	}
	return true
}

// collect gathers in t.pieces the ranges that the requirement may use.
func (t *table) collect(r *requirement, p int) {
	t.pieces = t.pieces[:0]
	role, shares := t.rows[p].role, t.shares(p)
	for i := range shares {
		if len(shares[i].Ports) == 0 {
			continue
		}
		if at, usable := position(role, &shares[i].Reservation); usable && r.accepts(at) {
			for _, g := range shares[i].Ports {
				t.pieces = append(t.pieces, piece{i, g.Begin, g.End})
			}
		}
	}
}

// shareOf finds the share that offers the port, among t.pieces.
func (t *table) shareOf(port uint16) (int, bool) {
	for i := range t.pieces {
		if t.pieces[i].begin <= port && port <= t.pieces[i].end {
			return t.pieces[i].share, true
		}
	}
	return 0, false
}

// choosePorts fills t.chosen with what each port of the app gets of the host, in
// their order. hasPorts must have said that there are enough.
func (t *table) choosePorts(app *spec.App, r *requirement, p int) {
	if r.ports > 0 {
		t.collect(r, p)
	}
	t.choose(app, r)
}

// choose is choosePorts among the pieces that were collected.
func (t *table) choose(app *spec.App, r *requirement) {
	t.chosen = t.chosen[:0]
	var walk walker
	if len(r.fixed)/2 < r.ports {
		walk = t.walker()
	}
	for i := range app.Ports() {
		number, wanted := app.HostPort(i)
		switch {
		case !wanted:
			t.chosen = append(t.chosen, chosen{share: -1})
		case number == 0:
			t.chosen = append(t.chosen, walk.next(t.pieces, &r.demand))
		default:
			share, _ := t.shareOf(uint16(number))
			t.chosen = append(t.chosen, chosen{share, uint16(number)})
		}
	}
}

// walker goes through pieces from a random port on, upwards and around.
type walker struct {
	piece int
	port  int
}

// walker shuffles t.pieces and starts at a random port, so that a port is seldom
// given out again soon after its last user died.
func (t *table) walker() walker {
	total := uint64(0)
	for i := range t.pieces {
		if i > 0 {
			j := int(t.random.below(uint64(i + 1)))
			t.pieces[i], t.pieces[j] = t.pieces[j], t.pieces[i]
		}
	}
	for _, g := range t.pieces {
		total += uint64(g.end) - uint64(g.begin) + 1
	}
	skip := int(t.random.below(total))
	for i, g := range t.pieces {
		if size := int(g.end) - int(g.begin) + 1; skip >= size {
			skip -= size
			continue
		}
		return walker{piece: i, port: int(g.begin) + skip}
	}
	return walker{}
}

// next returns the next port that is not a required one.
func (w *walker) next(pieces []piece, d *demand) chosen {
	for {
		g := pieces[w.piece]
		c := chosen{g.share, uint16(w.port)}
		if w.port++; w.port > int(g.end) {
			w.piece = (w.piece + 1) % len(pieces)
			w.port = int(pieces[w.piece].begin)
		}
		if d.fixed == "" || !d.isFixed(c.port) {
			return c
		}
	}
}

// rangesOf returns the chosen ports of one share as sorted ranges, adjacent and
// equal ones merged.
func (t *table) rangesOf(share int) []Range {
	n := 0
	for _, c := range t.chosen {
		if c.share == share {
			n++
		}
	}
	if n == 0 {
		return nil
	}
	ranges := t.slab.ranges(n)[:0]
	for _, c := range t.chosen {
		if c.share == share {
			ranges = append(ranges, Range{c.port, c.port})
		}
	}
	if n == 1 {
		return ranges
	}
	slices.SortFunc(ranges, func(a, b Range) int { return int(a.Begin) - int(b.Begin) })
	merged := ranges[:1]
	for _, g := range ranges[1:] {
		if last := &merged[len(merged)-1]; int(last.End)+1 >= int(g.Begin) {
			last.End = g.End
		} else {
			merged = append(merged, g)
		}
	}
	return merged
}

// without returns ranges less gone, which lie in them; both are sorted.
func (t *table) without(ranges, gone []Range) []Range {
	left := t.slab.ranges(len(ranges) + len(gone))[:0]
	for _, r := range ranges {
		begin := int(r.Begin)
		for len(gone) > 0 && gone[0].Begin <= r.End {
			if int(gone[0].Begin) > begin {
				left = append(left, Range{uint16(begin), gone[0].Begin - 1})
			}
			begin, gone = int(gone[0].End)+1, gone[1:]
		}
		if begin <= int(r.End) {
			left = append(left, Range{uint16(begin), r.End})
		}
	}
	return left
}
