package scheduler

import "github.com/pacer-run/pacer/runtime/spec"

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
	for _, d := range a.PortDefinitions {
		if d.Port != 0 {
			b.taken[d.Port]++
		}
	}
}

// release undoes claim.
func (b *portBook) release(a *spec.App) {
	for _, d := range a.PortDefinitions {
		if d.Port == 0 {
			continue
		}
		if b.taken[d.Port]--; b.taken[d.Port] == 0 {
			delete(b.taken, d.Port)
			if d.Port >= b.first && d.Port < b.hint {
				b.hint = d.Port
			}
		}
	}
}

// assign returns a with a service port for each definition that has none: one
// that the app had before, else the lowest free one. The ports are not claimed.
func (b *portBook) assign(a, before *spec.App) (*spec.App, error) {
	missing := 0
	for _, d := range a.PortDefinitions {
		if d.Port == 0 {
			missing++
		}
	}
	if missing == 0 {
		return a, nil
	}
	used := map[int]bool{}
	for _, d := range a.PortDefinitions {
		used[d.Port] = true
	}
	free := b.candidates(before)
	out := *a
	out.PortDefinitions = append([]spec.PortDefinition(nil), a.PortDefinitions...)
	for i := range out.PortDefinitions {
		d := &out.PortDefinitions[i]
		for d.Port == 0 {
			p, ok := free()
			if !ok {
				return nil, &PortsExhausted{First: b.first, Last: b.last}
			}
			if !used[p] {
				d.Port, used[p] = p, true
			}
		}
	}
	return &out, nil
}

// candidates yields the app's earlier ports of the range, then the free ones.
func (b *portBook) candidates(before *spec.App) func() (int, bool) {
	var own []int
	if before != nil {
		for _, d := range before.PortDefinitions {
			if d.Port >= b.first && d.Port <= b.last {
				own = append(own, d.Port)
			}
		}
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
