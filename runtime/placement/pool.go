package placement

import (
	"cmp"
	"slices"
)

// Pool puts together what can be accepted together: the offers of one agent that
// are made to one role. What one task leaves of an agent and what another frees
// come as offers of their own, and an instance that fits none of them may fit all.
// The order is that of the first of each; an offer that stays alone is returned as
// it is. Offers that differ in what they say of the agent or of its maintenance
// are kept apart: one of them is out of date. It looks at each pair of offers, so
// it is for those of one agent.
func Pool(offers []*Offer) []*Offer {
	out := make([]*Offer, 0, len(offers))
	for _, o := range offers {
		i := slices.IndexFunc(out, o.joins)
		if i < 0 {
			out = append(out, o)
			continue
		}
		if out[i].Parts == nil {
			out[i] = out[i].alone()
		}
		out[i].add(o)
	}
	return out
}

// joins tells whether the offers can be accepted together.
func (o *Offer) joins(other *Offer) bool {
	if o.Agent != other.Agent || o.Role != other.Role {
		return false
	}
	if o.Unavailable == nil || other.Unavailable == nil {
		return o.Unavailable == other.Unavailable
	}
	return *o.Unavailable == *other.Unavailable
}

// alone is a pool of one offer, which can be added to.
func (o *Offer) alone() *Offer {
	pool := *o
	pool.Parts, pool.Shares, pool.Disks = []*Offer{o}, slices.Clone(o.Shares), slices.Clone(o.Disks)
	for i := range pool.Shares {
		pool.Shares[i].Ports = slices.Clone(pool.Shares[i].Ports)
	}
	return &pool
}

// add adds up what the pool and the offer hold, by reservation.
func (o *Offer) add(other *Offer) {
	o.Parts, o.ID = append(o.Parts, other), other.ID
	o.Disks = append(o.Disks, other.Disks...) // a volume, or a source, is in one offer only
	for _, s := range other.Shares {
		i := slices.IndexFunc(o.Shares, func(mine Share) bool { return mine.Reservation == s.Reservation })
		if i < 0 {
			s.Ports = slices.Clone(s.Ports)
			o.Shares = append(o.Shares, s)
			continue
		}
		mine := &o.Shares[i]
		for k, amount := range s.Scalars {
			mine.Scalars[k] += amount
		}
		mine.Ports = Disjoint(append(mine.Ports, s.Ports...))
	}
}

// Disjoint sorts ranges and joins those that touch, in place; nil for none.
func Disjoint(ranges []Range) []Range {
	if len(ranges) == 0 {
		return nil
	}
	slices.SortFunc(ranges, func(a, b Range) int { return cmp.Compare(a.Begin, b.Begin) })
	n := 0
	for _, r := range ranges[1:] {
		if last := &ranges[n]; int(r.Begin) <= int(last.End)+1 {
			last.End = max(last.End, r.End)
			continue
		}
		n++
		ranges[n] = r
	}
	return ranges[:n+1]
}

// IDs are the ids of the offers that are accepted or given back with it: its own,
// or those of its parts.
func (o *Offer) IDs() []string {
	if o.Parts == nil {
		return []string{o.ID}
	}
	ids := make([]string, len(o.Parts))
	for i, part := range o.Parts {
		ids[i] = part.ID
	}
	return ids
}
