package scheduler

import (
	"math/bits"
	"slices"

	"github.com/pacer-run/pacer/runtime/spec"
)

// portBook knows which service ports of the range are taken, and by how many
// definitions: users may name one port twice, the book never hands one out twice.
type portBook struct {
	first, last int
	taken       map[int]int
	// free has a bit for each port of the range, in words of 64 from first on: with
	// thousands of apps the next free one is thousands of ports away.
	free []uint64
}

func newPortBook(first, last int) portBook {
	b := portBook{first: first, last: last, taken: map[int]int{}, free: make([]uint64, max(0, last-first+64)/64)}
	for port := first; port <= last; port++ {
		b.mark(port, true)
	}
	return b
}

// mark sets or clears the bit of a port of the range.
func (b *portBook) mark(port int, free bool) {
	word, bit := (port-b.first)/64, uint64(1)<<((port-b.first)%64)
	if free {
		b.free[word] |= bit
	} else {
		b.free[word] &^= bit
	}
}

func (b *portBook) inRange(port int) bool { return b.first <= port && port <= b.last }

// claim counts the ports of a definition as taken.
func (b *portBook) claim(a *spec.App) {
	for _, port := range a.ServicePorts() {
		if port == 0 {
			continue
		}
		b.taken[port]++
		if b.inRange(port) {
			b.mark(port, false)
		}
	}
}

// release undoes claim.
func (b *portBook) release(a *spec.App) {
	for _, port := range a.ServicePorts() {
		if port == 0 {
			continue
		}
		if b.taken[port]--; b.taken[port] == 0 {
			delete(b.taken, port)
			if b.inRange(port) {
				b.mark(port, true)
			}
		}
	}
}

// nextFree returns the lowest free port of the range that is not below a port of it.
func (b *portBook) nextFree(from int) (port int, ok bool) {
	for ; from <= b.last; from += 64 - (from-b.first)%64 {
		word := b.free[(from-b.first)/64] >> ((from - b.first) % 64)
		if word != 0 {
			return from + bits.TrailingZeros64(word), true
		}
	}
	return 0, false
}

// assign returns a with a service port for each definition that has none: one
// that the app had before, else the lowest free one. The ports are not claimed.
func (b *portBook) assign(a, before *spec.App) (*spec.App, error) {
	ports := a.ServicePorts()
	if !slices.Contains(ports, 0) {
		return a, nil
	}
	used := map[int]bool{}
	for _, port := range ports {
		used[port] = true
	}
	free := b.candidates(before)
	for i := range ports {
		for ports[i] == 0 {
			p, ok := free()
			if !ok {
				return nil, &PortsExhausted{First: b.first, Last: b.last}
			}
			if !used[p] {
				ports[i], used[p] = p, true
			}
		}
	}
	return a.WithServicePorts(ports), nil
}

// candidates yields the app's earlier ports of the range, then the free ones.
func (b *portBook) candidates(before *spec.App) func() (int, bool) {
	var own []int
	if before != nil {
		own = slices.DeleteFunc(before.ServicePorts(), func(port int) bool { return !b.inRange(port) })
	}
	from := b.first
	return func() (int, bool) {
		if len(own) > 0 {
			p := own[0]
			own = own[1:]
			return p, true
		}
		p, ok := b.nextFree(from)
		from = p + 1
		return p, ok
	}
}
