package scheduler

import (
	"slices"

	"github.com/pacer-run/pacer/runtime/spec"
)

// roles are those that the framework is offered resources for: its own, and those
// of apps and instances as they come up. A role is kept until the term ends, for
// what is reserved for a role that was given up would be offered to nobody.
type roles struct {
	all     []string // sorted; never changed, only replaced
	told    bool     // the master knows all of them
	revived []string // not suppressed, if demand.told is toldRevive
	wishes  map[string]spec.Timestamp
}

func newRoles(own string) roles {
	return roles{all: []string{own}, told: true, wishes: map[string]spec.Timestamp{}}
}

// Roles returns the roles that a subscription is made for. The slice is not the
// caller's.
func (s *Scheduler) Roles() []string { return s.roles.all }

// SuppressedRoles returns the roles that a subscription should begin without
// offers for: all for which no app needs a place and nothing is to be given back.
// The slice is not the caller's.
func (s *Scheduler) SuppressedRoles() []string {
	wanted := s.wantedRoles(s.wants())
	if len(wanted) == 0 {
		return s.roles.all
	}
	return without(s.roles.all, wanted)
}

// wantedRoles are those of the apps and of what is to be given back, sorted.
func (s *Scheduler) wantedRoles(apps []*app) []string {
	roles := rolesOf(apps)
	for _, r := range s.releases {
		if !slices.Contains(roles, r.Role) {
			roles = append(roles, r.Role)
		}
	}
	slices.Sort(roles)
	return roles
}

// addRole takes a role in.
func (s *Scheduler) addRole(role string) {
	r := &s.roles
	at, known := slices.BinarySearch(r.all, role)
	if known || role == "" {
		return
	}
	r.all = slices.Insert(slices.Clone(r.all), at, role)
	r.told = false
}

// tellRoles sees to it that the master knows all roles.
func (s *Scheduler) tellRoles() {
	if r := &s.roles; !r.told && s.now >= s.demand.blockedUntil {
		r.told = true
		s.call(UpdateRoles{Roles: r.all, Suppressed: s.SuppressedRoles()})
	}
}

// rolesOf are the roles of the apps, sorted.
func rolesOf(apps []*app) []string {
	var roles []string
	for _, a := range apps {
		if !slices.Contains(roles, a.spec.Role) {
			roles = append(roles, a.spec.Role)
		}
	}
	slices.Sort(roles)
	return roles
}

// without returns the roles that are not among gone; nil for none.
func without(roles, gone []string) (left []string) {
	for _, r := range roles {
		if !slices.Contains(gone, r) {
			left = append(left, r)
		}
	}
	return left
}

// suppressIdle asks for no more offers for the roles that nobody needs while others
// are needed, after the same while as when none is.
func (s *Scheduler) suppressIdle(apps []*app) {
	r := &s.roles
	if len(r.all) == 1 {
		return
	}
	wanted := s.wantedRoles(apps)
	for _, role := range wanted {
		r.wishes[role] = s.now
	}
	if s.demand.told != toldRevive || s.now < s.demand.blockedUntil {
		return
	}
	idle := slices.DeleteFunc(without(r.revived, wanted), func(role string) bool {
		return s.now < r.wishes[role].Add(s.cfg.OfferHold)
	})
	if len(idle) > 0 {
		r.revived = without(r.revived, idle)
		s.counts.Suppresses++
		s.call(Suppress{Roles: idle})
	}
}
