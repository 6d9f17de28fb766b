package placement

// table holds the offers of a match as rows, in the order in which they are
// tried. A row is made when it is first looked at: a match that needs few offers
// costs nothing for the others.
type table struct {
	offers      []*Offer
	start       int // the offer that is tried first
	rows        []row
	lanes       []*lane
	ready       int // rows made
	roster      *roster
	home        string
	now         int64 // Unix milliseconds
	terms       *Terms
	maxPerOffer int  // 0: any number
	shared      bool // maxPerOffer is an equal share
	random      random
	slab        slab
	pieces      []piece // scratch of the choice of ports
	chosen      []chosen
	marks       []uint32 // scratch of counting, by row; none is above mark
	volumes     volumeRows
	mark        uint32 // goes on from match to match, so that marks need no clearing
}

// row is what the checks need to know of an offer.
type row struct {
	free     [2][kinds]Milli // left over: reserved for the offer's role; unreserved
	ports    [2]int32        // how many are left of each
	disks    []DiskPart      // what is left, when carved
	carved   bool
	rest     []Share // what is left; empty: as offered. Its room is kept between matches
	agent    int32   // number in the roster
	launched int32
	role     string // the role the offer is allocated to
	has      [2]bool
	away     bool // not in the home region
	draining bool // in maintenance, or about to be
	gpus     bool
}

// Positions in row.free, row.ports and row.has.
const (
	reserved   = 0
	unreserved = 1
)

// verdict of the checks besides the reasons.
const (
	fits = Reasons + iota // it can host an instance
	full                  // it has taken as many instances as it may; not looked at
)

// begin takes over the offers of a match. No row is made yet.
func (t *table) begin(req *Request, maxPerOffer int, terms *Terms) {
	n := len(req.Offers)
	t.offers, t.home, t.now, t.maxPerOffer = req.Offers, req.HomeRegion, int64(req.Now), maxPerOffer
	t.terms = terms
	t.random, t.ready, t.start, t.shared, t.volumes = random(req.Seed), 0, 0, false, volumeRows{}
	if n > 0 {
		t.start = int(t.random.below(uint64(n)))
	}
	if cap(t.rows) < n {
		t.rows, t.marks = make([]row, n), make([]uint32, n)
	}
	t.rows, t.marks = t.rows[:n], t.marks[:n]
	for _, l := range t.lanes {
		l.spots = l.spots[:0]
	}
}

// share limits every offer to an equal share of so many instances.
func (t *table) share(instances int) {
	if n := len(t.offers); n > 0 {
		if share := (instances + n - 1) / n; t.maxPerOffer <= 0 || share < t.maxPerOffer {
			t.maxPerOffer, t.shared = max(1, share), true
		}
	}
}

// shareMore raises that limit so that the offers which have reached it take an
// equal share of the instances left, up to limit in all. It reports whether there
// are any such instances and offers: otherwise raising changes nothing.
func (t *table) shareMore(left, limit int) bool {
	full := 0
	for p := range t.rows[:t.ready] {
		if int(t.rows[p].launched) == t.maxPerOffer {
			full++
		}
	}
	if left == 0 || full == 0 || t.maxPerOffer == limit {
		return false
	}
	before := t.maxPerOffer
	t.maxPerOffer += (left + full - 1) / full
	if limit > 0 {
		t.maxPerOffer = min(t.maxPerOffer, limit)
	}
	for p := range t.rows[:t.ready] {
		if int(t.rows[p].launched) == before {
			t.refresh(p)
		}
	}
	return true
}

// end lets go of the match's offers.
func (t *table) end() {
	for p := range t.rows[:t.ready] {
		t.rows[p].reset()
	}
	t.offers, t.slab, t.volumes = nil, slab{}, volumeRows{}
	if len(t.lanes) > mostLanes {
		t.lanes = nil
	}
}

// mostKept is how many shares of an offer a row keeps room for.
const mostKept = 4

// reset lets go of the offer.
func (r *row) reset() {
	clear(r.rest)
	*r = row{rest: r.rest[:0]}
	if cap(r.rest) > mostKept {
		r.rest = nil
	}
}

// offer is the one that the row at p is about.
func (t *table) offer(p int) *Offer {
	p += t.start
	if p >= len(t.offers) {
		p -= len(t.offers)
	}
	return t.offers[p]
}

// extend makes the rows up to and with p.
func (t *table) extend(p int) {
	for ; t.ready <= p; t.ready++ {
		t.fill(&t.rows[t.ready], t.offer(t.ready))
	}
}

// fill makes the row of an offer. An agent that Request.Agents does not name is
// taken into the roster until the next match.
func (t *table) fill(r *row, o *Offer) {
	number, known := t.roster.numbers[o.Agent]
	if !known {
		number = t.roster.number(o.Agent)
		t.roster.strays = true
	}
	*r = row{
		rest:     r.rest[:0],
		agent:    number,
		role:     o.Role,
		away:     o.Agent.Region != "" && o.Agent.Region != t.home,
		draining: t.terms.closed(o.Unavailable, t.now),
	}
	for i := range o.Shares {
		s := &o.Shares[i]
		r.gpus = r.gpus || s.Scalars[GPUs] > 0
		at, usable := position(o.Role, &s.Reservation)
		if !usable {
			continue
		}
		r.has[at] = true
		for k, amount := range s.Scalars {
			r.free[at][k] += amount
		}
		r.ports[at] += countPorts(s.Ports)
	}
}

// position says in which column of a row a share counts, and whether it can be
// used by new instances at all.
func position(role string, r *Reservation) (at int, usable bool) {
	switch {
	case r.owned():
		return 0, false
	case r.Role == "" || r.Role == unreservedRole:
		return unreserved, true
	}
	return reserved, r.Role == role
}

// accepts tells whether the requirement takes what counts at the position.
func (d *demand) accepts(at int) bool {
	if at == reserved {
		return d.own
	}
	return d.star
}
