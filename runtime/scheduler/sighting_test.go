package scheduler

import (
	"fmt"
	"slices"
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

	if all := first.Sightings.ByAgent(); all["a"].Offer.ID != "1" || all["a"].At != 2000 || len(all) != 2 {
		t.Errorf("the first snapshot shows %+v, want offer 1 of 2 agents", all)
	}
	if seen := last.Sightings.ByAgent()["a"]; seen.Offer.ID != "3" || seen.At >= last.VoidSince {
		t.Errorf("the last snapshot shows %+v, want offer 3, void since %v", seen, last.VoidSince)
	}
	if c := last.Cluster(5000); len(c.Agents) != 1 || len(c.Offers) != 1 || c.Now != 5000 {
		t.Errorf("cluster %+v, want one agent with an offer", c)
	}
}

// TestSightingsStaySmall sees many offers of few agents: snapshots keep what they
// showed, and the notes do not grow with the offers.
func TestSightingsStaySmall(t *testing.T) {
	var v Sightings
	var early Sightings
	agents := []*placement.Agent{{ID: "a"}, {ID: "b"}, {ID: "c"}}
	for i := range 5000 {
		v.see([]*placement.Offer{{ID: fmt.Sprint(i), Agent: agents[i%3]}}, 1)
		if i == 999 {
			early = v
		}
	}
	v.forget("c")
	if all := v.ByAgent(); len(all) != 2 || all["a"].Offer.ID != "4998" || all["b"].Offer.ID != "4999" {
		t.Errorf("the last offers are %+v", all)
	}
	if all := early.ByAgent(); len(all) != 3 || all["a"].Offer.ID != "999" {
		t.Errorf("an early view shows %+v, want what it showed then", all)
	}
	if len(v.log) > 1024 {
		t.Errorf("%d notes are kept of 3 agents", len(v.log))
	}
}

// TestSightingsOfPools: what came to what is in hand is seen with it. An id that is
// held already is not taken again, from whichever agent it comes.
func TestSightingsOfPools(t *testing.T) {
	s := New(Config{})
	a, b, c := &placement.Agent{ID: "a"}, &placement.Agent{ID: "b"}, &placement.Agent{ID: "c"}
	s.Step(1000, Subscribed{FrameworkID: "f"})
	s.Step(2000, Offers{Offers: []*placement.Offer{{ID: "1", Agent: a}, {ID: "2", Agent: b}}})
	s.Step(3000, Offers{Offers: []*placement.Offer{{ID: "3", Agent: a}, {ID: "2", Agent: c}}})
	all := s.Snapshot().Sightings.ByAgent()
	if got := all["a"]; !slices.Equal(got.Offer.IDs(), []string{"1", "3"}) || got.At != 3000 {
		t.Errorf("offers %v at %v, want 1 and 3 at 3 s", got.Offer.IDs(), got.At)
	}
	if got := all["b"]; !slices.Equal(got.Offer.IDs(), []string{"2"}) || got.At != 2000 {
		t.Errorf("offers %v at %v, want 2 at 2 s", got.Offer.IDs(), got.At)
	}
	s.Step(4000, Rescinded{OfferID: "1"})
	s.Step(5000, Offers{Offers: []*placement.Offer{{ID: "4", Agent: a}}})
	if got := s.Snapshot().Sightings.ByAgent()["a"]; !slices.Equal(got.Offer.IDs(), []string{"3", "4"}) {
		t.Errorf("offers %v, want 3 and 4", got.Offer.IDs())
	}
}
