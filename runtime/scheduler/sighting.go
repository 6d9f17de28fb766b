package scheduler

import (
	iradix "github.com/hashicorp/go-immutable-radix/v2"

	"github.com/pacer-run/pacer/runtime/placement"
	"github.com/pacer-run/pacer/runtime/spec"
)

// Sighting is a known agent with the last offer that was seen of it, whatever
// became of the offer.
type Sighting struct {
	Agent *placement.Agent
	Offer *placement.Offer // nil when none came in this term
	At    spec.Timestamp   // when it came
}

// sightings answer questions of users about the agents. They are not saved:
// another leader sees offers of its own.
type sightings struct {
	latest *iradix.Tree[Sighting] // by the agent's id
	// voidSince is when all offers became void the last time; 0 for never.
	voidSince spec.Timestamp
}

func newSightings() sightings { return sightings{latest: iradix.New[Sighting]()} }

// see notes new offers. The tree is shared with snapshots.
func (v *sightings) see(offers []*placement.Offer, now spec.Timestamp) {
	txn := v.latest.Txn()
	for _, o := range offers {
		txn.Insert([]byte(o.Agent.ID), Sighting{Agent: o.Agent, Offer: o, At: now})
	}
	v.latest = txn.Commit()
}

// know notes agents that instances are on.
func (v *sightings) know(agents map[string]*placement.Agent) {
	txn := v.latest.Txn()
	for id, a := range agents {
		txn.Insert([]byte(id), Sighting{Agent: a})
	}
	v.latest = txn.Commit()
}

// forget drops an agent that left the cluster.
func (v *sightings) forget(agent string) {
	v.latest, _, _ = v.latest.Delete([]byte(agent))
}

// Cluster is what is known of the agents, for questions about what a match would
// do. Its offers are the last ones seen, of which some may be gone or used up.
func (s *Snapshot) Cluster(now spec.Timestamp) placement.Cluster {
	c := placement.Cluster{Now: now, HomeRegion: s.HomeRegion}
	for i := s.Sightings.Root().Iterator(); ; {
		_, seen, ok := i.Next()
		if !ok {
			return c
		}
		c.Agents = append(c.Agents, seen.Agent)
		if seen.Offer != nil {
			c.Offers = append(c.Offers, seen.Offer)
		}
	}
}

// Wanted is what the app asks of a match.
func (v *AppView) Wanted() placement.Wanted {
	w := placement.Wanted{App: v.App}
	for _, i := range v.Instances {
		if i.needsPlace() {
			w.Count++
		}
		if i.Agent != nil && i.placed() && i.Version >= v.App.LastConfigChangeAt {
			w.Placed = append(w.Placed, i.Agent)
		}
	}
	return w
}
