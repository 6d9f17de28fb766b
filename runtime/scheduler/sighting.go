package scheduler

import (
	"maps"
	"slices"

	"github.com/pacer-run/pacer/runtime/placement"
	"github.com/pacer-run/pacer/runtime/spec"
)

// Sighting is a known agent with the last offer that was seen of it, whatever
// became of the offer. While others of the agent were in hand as well, that is
// their pool.
type Sighting struct {
	Agent *placement.Agent
	Offer *placement.Offer // nil when none came in this term
	At    spec.Timestamp   // when it came
}

// Sightings are all known agents, as of one moment. They answer questions of
// users, which are rare, about offers, which are many: so offers are only noted
// one behind the other, and whoever asks puts them together.
type Sightings struct {
	base map[string]Sighting // by the agent's id; never changed
	log  []Sighting          // later ones, oldest first; one without an offer takes its agent away
}

// ByAgent returns the sightings by the id of the agent. The map is the caller's.
func (v Sightings) ByAgent() map[string]Sighting {
	all := make(map[string]Sighting, len(v.base)+len(v.log))
	maps.Copy(all, v.base)
	for _, s := range v.log {
		if s.Offer == nil {
			delete(all, s.Agent.ID)
		} else {
			all[s.Agent.ID] = s
		}
	}
	return all
}

// see notes new offers.
func (v *Sightings) see(offers []*placement.Offer, now spec.Timestamp) {
	v.fold(len(offers))
	for _, o := range offers {
		v.log = append(v.log, Sighting{Agent: o.Agent, Offer: o, At: now})
	}
}

// forget drops an agent that left the cluster.
func (v *Sightings) forget(agent string) {
	v.fold(1)
	v.log = append(v.log, Sighting{Agent: &placement.Agent{ID: agent}})
}

// fold makes room for more by putting the log into the base once it is much
// longer, so that its cost is shared by many offers.
func (v *Sightings) fold(more int) {
	if len(v.log)+more > max(1024, 2*len(v.base)) && len(v.log) > 0 {
		*v = Sightings{base: v.ByAgent(), log: make([]Sighting, 0, more)}
	}
}

// know begins with agents that instances are on.
func (v *Sightings) know(agents []*placement.Agent) {
	v.base = make(map[string]Sighting, len(agents))
	for _, a := range agents {
		v.base[a.ID] = Sighting{Agent: a}
	}
}

// Cluster is what is known of the agents, for questions about what a match would
// do. Its offers are the last ones seen, of which some may be gone or used up.
func (s *Snapshot) Cluster(now spec.Timestamp) placement.Cluster {
	c := placement.Cluster{Now: now, HomeRegion: s.HomeRegion}
	all := s.Sightings.ByAgent()
	for _, id := range slices.Sorted(maps.Keys(all)) {
		seen := all[id]
		c.Agents = append(c.Agents, seen.Agent)
		if seen.Offer != nil {
			c.Offers = append(c.Offers, seen.Offer)
		}
	}
	return c
}

// Wanted is what the app asks of a match.
func (v *AppView) Wanted() placement.Wanted {
	w := placement.Wanted{App: v.App}
	for _, i := range v.Instances {
		if i.needsPlace() {
			w.Count++
		}
		if i.Agent != nil && (i.Reservation != nil || i.placed() && i.Version >= v.App.LastConfigChangeAt) {
			w.Placed = append(w.Placed, i.Agent)
		}
	}
	return w
}
