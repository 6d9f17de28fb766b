package scheduler

import (
	"testing"

	"github.com/pacer-run/pacer/runtime/placement"
)

func TestSightings(t *testing.T) {
	s := New(Config{})
	a, b := &placement.Agent{ID: "a"}, &placement.Agent{ID: "b"}
	s.Step(1000, Subscribed{FrameworkID: "f"})
	s.Step(2000, Offers{Offers: []*placement.Offer{{ID: "1", Agent: a}, {ID: "2", Agent: b}}})
	first := s.Snapshot()
	s.Step(3000, Offers{Offers: []*placement.Offer{{ID: "3", Agent: a}}})
	s.Step(3000, AgentLost{AgentID: "b"})
	s.Step(4000, Subscribed{FrameworkID: "f"})
	last := s.Snapshot()

	if seen, _ := first.Sightings.Get([]byte("a")); seen.Offer.ID != "1" || seen.At != 2000 || first.Sightings.Len() != 2 {
		t.Errorf("the first snapshot shows %+v of %d agents, want offer 1 of 2 agents", seen, first.Sightings.Len())
	}
	if seen, _ := last.Sightings.Get([]byte("a")); seen.Offer.ID != "3" || seen.At >= last.VoidSince {
		t.Errorf("the last snapshot shows %+v, want offer 3, void since %v", seen, last.VoidSince)
	}
	if c := last.Cluster(5000); len(c.Agents) != 1 || len(c.Offers) != 1 || c.Now != 5000 {
		t.Errorf("cluster %+v, want one agent with an offer", c)
	}
}
