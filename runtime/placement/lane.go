package placement

// lane is how the offers of a match look to all requirements that take the
// resources of the same roles: what a check needs lies close together, since
// checks are what a match with many pending apps consists of.
type lane struct {
	role      string
	own, star bool
	spots     []spot // by row, as far as somebody looked
}

// spot is an offer in a lane.
type spot struct {
	free  [kinds]Milli
	ports int32
	state state
}

// state is what can speak against an offer whatever amounts are needed.
type state uint8

const (
	isFull     state = 1 << iota // it has taken as many instances as it may
	isForeign                    // of another role, or without resources for this one
	isAway                       // not in the home region
	isDraining                   // in maintenance, or about to be
	hasGPUs
)

// mostLanes is how many lanes are kept between matches.
const mostLanes = 64

// lane returns the one for the demand.
func (t *table) lane(d *demand) *lane {
	for _, l := range t.lanes {
		if l.role == d.role && l.own == d.own && l.star == d.star {
			return l
		}
	}
	l := &lane{role: d.role, own: d.own, star: d.star}
	t.lanes = append(t.lanes, l)
	return l
}

// spot returns the offer of row p in the lane.
func (t *table) spot(l *lane, p int) *spot {
	for len(l.spots) <= p {
		t.extend(len(l.spots))
		l.spots = append(l.spots, t.look(l, &t.rows[len(l.spots)]))
	}
	return &l.spots[p]
}

// look works out how the row looks in the lane.
func (t *table) look(l *lane, w *row) spot {
	var s spot
	if t.maxPerOffer > 0 && int(w.launched) >= t.maxPerOffer {
		s.state |= isFull
	}
	if w.role != l.role || !(l.own && w.has[reserved] || l.star && w.has[unreserved]) {
		s.state |= isForeign
	}
	if w.away {
		s.state |= isAway
	}
	if w.draining {
		s.state |= isDraining
	}
	if w.gpus {
		s.state |= hasGPUs
	}
	for at, taken := range [...]bool{reserved: l.own, unreserved: l.star} {
		if !taken {
			continue
		}
		for k, amount := range w.free[at] {
			s.free[k] += amount
		}
		s.ports += w.ports[at]
	}
	return s
}

// refresh carries a change of row p to the lanes.
func (t *table) refresh(p int) {
	for _, l := range t.lanes {
		if p < len(l.spots) {
			l.spots[p] = t.look(l, &t.rows[p])
		}
	}
}

// try checks the offer of row p against the requirement: a Reason, fits or full.
// Ports are looked at last and only if all else fits.
func (t *table) try(r *requirement, p int) Reason {
	var s *spot
	if l := r.lane; p < len(l.spots) {
		s = &l.spots[p]
	} else {
		s = t.spot(l, p)
	}
	if s.state != 0 {
		if reason := s.state.against(r); reason != fits {
			return reason
		}
	}
	for k := range r.need {
		if s.free[k] < r.need[k] {
			return InsufficientCpus + Reason(k)
		}
	}
	if r.volumes != nil && !t.hasDisks(r.volumes, p) {
		return InsufficientDisk
	}
	if s.state&hasGPUs != 0 && !r.scarce {
		return DeclinedScarceResources
	}
	if r.ports > 0 && !t.hasPorts(r, s, p) {
		return InsufficientPorts
	}
	return fits
}

// against says why the state rules the offer out before amounts are looked at,
// or fits.
func (s state) against(r *requirement) Reason {
	switch {
	case s&isFull != 0:
		return full
	case s&isForeign != 0:
		return UnfulfilledRole
	case s&isAway != 0 && !r.anywhere:
		return UnfulfilledConstraint
	case s&isDraining != 0:
		return AgentMaintenance
	}
	return fits
}
