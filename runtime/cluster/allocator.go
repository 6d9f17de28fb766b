package cluster

import (
	"slices"
	"time"

	"github.com/mesos/mesos-go/api/v1/lib"

	"github.com/pacer-run/pacer/runtime/cluster/resource"
)

// The least that is worth an offer: either of them.
const (
	minCPUs   = 0.01
	minMemory = 32 // MB
)

// filterKey names what a filter applies to.
type filterKey struct{ role, agent string }

// filter keeps resources from being offered again that the framework has refused. It covers any part of them, and stops
// mattering as soon as more is free on the agent than was refused.
type filter struct {
	refused resource.Set
	expiry  *alarm
}

// claim is one framework in one of its roles.
type claim struct {
	f    *framework
	role string
}

// allocate offers what is free on the agents that changed since the last time. The cost is that of the changes, not of
// the fleet: an agent that nobody wanted stays out until something about it, or about who may want it, changes.
func (m *master) allocate() {
	m.offerFree()
	if len(m.upkeep.machines) > 0 {
		m.askBack()
	}
}

func (m *master) offerFree() {
	if len(m.dirty) == 0 {
		return
	}
	claims := m.claims()
	made := map[*framework][]*offer{}
	for _, a := range m.dirty {
		a.dirty = false
		if a.host == nil || len(a.free) == 0 {
			continue
		}
		// The whole of an agent goes to one role; only what is reserved for others is left for the next.
		for i := range claims {
			c := claims[(m.turn+i)%len(claims)]
			if o := m.offer(a, c); o != nil {
				made[c.f] = append(made[c.f], o)
			}
		}
		m.turn++
	}
	m.dirty = m.dirty[:0]
	for _, f := range m.order {
		if len(made[f]) > 0 {
			m.send(f, m.offersOf(f, made[f]))
		}
	}
}

// claims lists who may be offered anything at all.
func (m *master) claims() []claim {
	var out []claim
	for _, f := range m.order {
		if f.stream == nil {
			continue
		}
		for _, role := range f.roles {
			if !f.suppressed[role] {
				out = append(out, claim{f, role})
			}
		}
	}
	return out
}

// offer takes what the claim may have of the agent out of the free resources; nil if that is nothing, too little, of a
// kind the framework cannot handle, or refused by it not long ago.
func (m *master) offer(a *agent, c claim) *offer {
	if !m.visible(a, c.f) {
		return nil
	}
	part := a.free.OfferableTo(c.role, c.f.able.shape.Refinement)
	if part.Amount("cpus") < minCPUs && part.Amount("mem") < minMemory {
		return nil
	}
	for _, x := range c.f.filters[filterKey{c.role, a.id}] {
		if x.refused.Contains(part) {
			return nil
		}
	}
	return m.newOffer(a, c, part)
}

// visible applies the rules for frameworks that do not know GPUs or regions: they never see such agents.
func (m *master) visible(a *agent, f *framework) bool {
	if a.total.Amount("gpus") > 0 && !f.able.gpus {
		return false
	}
	spec := a.spec
	return f.able.regionAware || spec.region == "" || spec.region == m.cfg.Region
}

// touch makes the next allocation look at the agent.
func (m *master) touch(a *agent) {
	if !a.dirty {
		a.dirty = true
		m.dirty = append(m.dirty, a)
	}
}

// touchAll makes the next allocation look at every agent: somebody's wishes changed.
func (m *master) touchAll() {
	for _, a := range m.fleet {
		m.touch(a)
	}
}

// recover gives resources back to the agent; they are offered again at the next allocation.
func (m *master) recover(a *agent, part resource.Set) {
	if len(part) > 0 {
		a.free = a.free.Plus(part)
		m.touch(a)
	}
}

// The bounds of a filter's time.
const (
	defaultRefusal = 5 * time.Second
	maxRefusal     = 365 * 24 * time.Hour
)

// refusalTime is how long a filter lasts; 0 = it refuses nothing. An absent one means the default as well.
func refusalTime(in *mesos.Filters) time.Duration {
	if in == nil || in.RefuseSeconds == nil {
		return defaultRefusal
	}
	switch s := *in.RefuseSeconds; {
	case s == 0:
		return 0
	case s > maxRefusal.Seconds():
		return maxRefusal
	case s > 0:
		return time.Duration(s * float64(time.Second))
	default: // negative and not-a-number: as if absent
		return defaultRefusal
	}
}

// refuse recovers resources that the framework does not want for that long.
func (m *master) refuse(f *framework, a *agent, role string, part resource.Set, d time.Duration) {
	m.recover(a, part)
	if d == 0 || len(part) == 0 {
		return
	}
	// A filter lasts over the next allocation, or it would mean nothing.
	d = max(d, m.cfg.AllocationInterval)
	key, x := filterKey{role, a.id}, &filter{refused: part}
	f.filters[key] = append(f.filters[key], x)
	x.expiry = m.after(d, func() {
		f.filters[key] = slices.DeleteFunc(f.filters[key], func(o *filter) bool { return o == x })
		if len(f.filters[key]) == 0 {
			delete(f.filters, key)
		}
		m.touch(a)
	})
}

// clearFilters forgets what was refused in the role.
func (f *framework) clearFilters(role string) {
	for key, list := range f.filters {
		if key.role == role {
			for _, x := range list {
				x.expiry.stop()
			}
			delete(f.filters, key)
		}
	}
}

// ownRoles is the framework's roles that a call means: all when it names none, nil when one of them is not its own.
func (f *framework) ownRoles(named []string) []string {
	if len(named) == 0 {
		return f.roles
	}
	for _, role := range named {
		if !slices.Contains(f.roles, role) {
			return nil
		}
	}
	return named
}

// revive lets offers come again and forgets what was refused. It is answered at once, not at the next batch: a framework
// that revives has something to place. A role that is not the framework's makes the whole call void.
func (m *master) revive(f *framework, named []string) {
	for _, role := range f.ownRoles(named) {
		delete(f.suppressed, role)
		f.clearFilters(role)
	}
	m.touchAll()
	m.allocate()
}

// suppress stops new offers; outstanding ones stay valid.
func (m *master) suppress(f *framework, named []string) {
	for _, role := range f.ownRoles(named) {
		f.suppressed[role] = true
	}
}
