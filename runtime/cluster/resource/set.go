package resource

import (
	"slices"
	"strings"
)

// Set is a sum of resources. It holds at most one entry for each name and reservation, in the order they were first
// added, and no empty entry. Its methods never change the receiver; nil is the empty set.
type Set []Resource

// Plus is the sum of both sets.
func (s Set) Plus(o Set) Set {
	out := slices.Clone(s)
	for _, r := range o {
		if r.empty() {
			continue
		}
		if i := out.index(r); i >= 0 {
			out[i] = out[i].plus(r)
		} else {
			out = append(out, r)
		}
	}
	return out
}

// Minus is what is left of s without o. What s does not have is ignored: callers ask Contains first.
func (s Set) Minus(o Set) Set {
	out := slices.Clone(s)
	for _, r := range o {
		if i := out.index(r); i >= 0 {
			out[i] = out[i].minus(r)
			if out[i].empty() {
				out = slices.Delete(out, i, i+1)
			}
		}
	}
	return out
}

// Contains tells whether every resource of o can be taken from s at once.
func (s Set) Contains(o Set) bool {
	for _, r := range o {
		if r.empty() {
			continue
		}
		if i := s.index(r); i < 0 || !s[i].contains(r) {
			return false
		}
	}
	return true
}

// Amount is the sum of the scalars called name over all reservations, in units (cpus, MB).
func (s Set) Amount(name string) float64 {
	var milli int64
	for _, r := range s {
		if r.Name == name {
			milli += r.Milli
		}
	}
	return float64(milli) / 1000
}

// Numbers are the ranges called name over all reservations, joined.
func (s Set) Numbers(name string) []Range {
	var all []Range
	for _, r := range s {
		if r.Name == name {
			all = append(all, r.Ranges...)
		}
	}
	return coalesce(all)
}

// Keep is the part of s whose resources the function wants.
func (s Set) Keep(want func(Resource) bool) Set {
	var out Set
	for _, r := range s {
		if want(r) {
			out = append(out, r)
		}
	}
	return out
}

// OfferableTo is the part of s that a framework in role may be offered: unreserved resources and those reserved for the
// role or one of its ancestors. Without refinement stacked reservations stay out of sight.
func (s Set) OfferableTo(role string, refinement bool) Set {
	return s.Keep(func(r Resource) bool {
		if len(r.Reservations) > 1 && !refinement {
			return false
		}
		have := r.Role()
		return have == "*" || have == role || strings.HasPrefix(role, have+"/")
	})
}

// Text is the set in Mesos' notation, allocated to role ("" = not allocated).
func (s Set) Text(role string) string {
	parts := make([]string, len(s))
	for i, r := range s {
		parts[i] = r.Text(role)
	}
	return strings.Join(parts, "; ")
}

// String is Text without an allocation.
func (s Set) String() string { return s.Text("") }

func (s Set) index(r Resource) int {
	return slices.IndexFunc(s, r.sameThing)
}
