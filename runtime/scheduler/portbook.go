package scheduler

import (
	"slices"

	"github.com/pacer-run/pacer/runtime/spec"
)

// portBook knows which service ports of the range are taken, and by how many
// definitions: users may name one port twice, the book never hands one out twice.
type portBook struct {
	first, last int
	taken       map[int]int
	hint        int // no free port below it
}

func newPortBook(first, last int) portBook {
	return portBook{first: first, last: last, taken: map[int]int{}, hint: first}
}

// claim counts the ports of a definition as taken.
func (b *portBook) claim(a *spec.App) {
	for _, port := range a.ServicePorts() {
		if port != 0 {
			b.taken[port]++
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
			if port >= b.first && port < b.hint {
				b.hint = port
			}
		}
	}
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
		own = slices.DeleteFunc(before.ServicePorts(), func(port int) bool { return port < b.first || port > b.last })
	}
	for b.hint <= b.last && b.taken[b.hint] > 0 {
		b.hint++
	}
	next := b.hint
	return func() (int, bool) {
		if len(own) > 0 {
			p := own[0]
			own = own[1:]
			return p, true
		}
		for ; next <= b.last; next++ {
			if b.taken[next] == 0 {
				next++
				return next - 1, true
			}
		}
		return 0, false
	}
}
