package placement

import (
	"cmp"
	"context"

	"github.com/pacer-run/pacer/runtime/spec"
)

// volumeRows finds rows by the persistent volumes in their offers. It is filled
// at the first question of a match.
type volumeRows struct {
	filled bool
	rows   map[string]int
}

// rowOf returns the row whose offer has the volume, -1 for none.
func (t *table) rowOf(volume string) int {
	v := &t.volumes
	if !v.filled {
		v.filled, v.rows = true, map[string]int{}
		for p := range t.rows {
			for _, d := range t.offer(p).Disks {
				if d.Volume.ID != "" {
					v.rows[d.Volume.ID] = p
				}
			}
		}
	}
	if p, ok := v.rows[volume]; ok {
		return p
	}
	return -1
}

// homeOf returns the row that has all that the seeker's instance holds, -1 when
// there is none.
func (t *table) homeOf(h *Held) int {
	p := t.rowOf(h.Volumes[0])
	if p < 0 || t.offer(p).Agent.ID != h.AgentID {
		return -1
	}
	for _, id := range h.Volumes {
		if t.rowOf(id) != p {
			return -1
		}
	}
	t.extend(p)
	return p
}

// homeward is next for an instance that holds a reservation.
func (s *seeker) homeward(ctx context.Context, m *Matcher) int {
	p := m.table.homeOf(s.wanted.Held)
	if p < 0 || m.heldVerdict(ctx, s, p) != fits {
		return -1
	}
	return p
}

// heldVerdict checks the row that has the instance's volumes.
func (m *Matcher) heldVerdict(ctx context.Context, s *seeker, p int) Reason {
	t := &m.table
	switch {
	case t.maxPerOffer > 0 && int(t.rows[p].launched) >= t.maxPerOffer:
		return full
	case len(s.rulings) > 0 && !s.permits(ctx, m, p):
		return UnfulfilledConstraint
	case t.rows[p].draining:
		return AgentMaintenance
	}
	var free [kinds]Milli
	ports := int32(0)
	t.eachHeld(s.wanted.Held, p, func(_ int, share *Share) {
		for k, amount := range share.Scalars {
			free[k] += amount
		}
		ports += countPorts(share.Ports)
	})
	need := bareNeed(s.wanted.App)
	for k := range need {
		if free[k] < need[k] {
			return InsufficientCpus + Reason(k)
		}
	}
	r := s.requirement
	if int(ports) < r.ports || r.impossible {
		return InsufficientPorts
	}
	t.collectHeld(s.wanted.Held, p)
	for i := 0; i < len(r.fixed)/2; i++ {
		if _, ok := t.shareOf(r.fixedPort(i)); !ok {
			return InsufficientPorts
		}
	}
	return fits
}

// permits tells whether the rules let the instance go to the row.
func (s *seeker) permits(ctx context.Context, m *Matcher, p int) bool {
	if !s.ready(ctx, m) {
		return false
	}
	t := &m.table
	return (s.covers(t, p) || s.learn(ctx, m)) && s.allows(t, p)
}

// bareNeed is what a task of the app takes besides its volumes.
func bareNeed(app *spec.App) [kinds]Milli {
	need := [kinds]Milli{MilliOf(app.CPUs), MilliOf(app.Mem), MilliOf(app.Disk), Milli(app.GPUs) * 1000}
	for k, amount := range ExecutorNeed(app) {
		need[k] += amount
	}
	return need
}

// eachHeld visits the shares of the row's offer that are the instance's. What is
// one instance's nobody else takes, so that they are as they were offered.
func (t *table) eachHeld(h *Held, p int, visit func(i int, s *Share)) {
	shares := t.offer(p).Shares
	for i := range shares {
		if owner, ok := shares[i].Reservation.Owner(); ok && owner == h.Owner {
			visit(i, &shares[i])
		}
	}
}

// collectHeld gathers in t.pieces the ports that the instance holds.
func (t *table) collectHeld(h *Held, p int) {
	t.pieces = t.pieces[:0]
	t.eachHeld(h, p, func(i int, s *Share) {
		for _, g := range s.Ports {
			t.pieces = append(t.pieces, piece{i, g.Begin, g.End})
		}
	})
}

// takeHeld puts an instance on what it holds.
func (t *table) takeHeld(w *Wanted, r *requirement, p int) Placement {
	out := Placement{App: w.App, Offer: t.offer(p), Held: w.Held}
	t.collectHeld(w.Held, p)
	t.choose(w.App, r)
	out.Ports = t.chosenPorts()
	left := bareNeed(w.App)
	t.eachHeld(w.Held, p, func(i int, s *Share) {
		part, some := Share{Reservation: s.Reservation}, false
		for k := range left {
			if amount := min(left[k], s.Scalars[k]); amount > 0 {
				part.Scalars[k], left[k], some = amount, left[k]-amount, true
			}
		}
		if part.Ports = t.rangesOf(i); part.Ports != nil || some {
			out.Take = append(out.Take, part)
		}
	})
	for _, id := range w.Held.Volumes {
		for _, d := range out.Offer.Disks {
			if d.Volume.ID == id {
				out.Disks = append(out.Disks, d)
			}
		}
	}
	t.rows[p].launched++
	t.refresh(p)
	return out
}

// heldRefusals says how the offers fared for an instance that holds a
// reservation: all but the one with its volumes are of no use to it.
func (m *Matcher) heldRefusals(ctx context.Context, s *seeker) Refusals {
	out := Refusals{App: s.wanted.App, Processed: len(m.table.rows)}
	if s.left == 0 {
		out.Processed = 1
		return out
	}
	out.Declined[NoCorrespondingReservationFound] = out.Processed
	p := m.table.homeOf(s.wanted.Held)
	if p < 0 {
		return out
	}
	reason := m.heldVerdict(ctx, s, p)
	if err := cmp.Or(s.fault, s.lapse()); err != nil {
		return Refusals{App: s.wanted.App, Fault: err}
	}
	out.Declined[NoCorrespondingReservationFound]--
	if reason < Reasons {
		out.Declined[reason]++
	} else if reason == full {
		out.Processed--
	}
	return out
}
