package main

import (
	"context"
	"fmt"

	mesos "github.com/mesos/mesos-go/api/v1/lib"
	"github.com/mesos/mesos-go/api/v1/lib/scheduler"

	"github.com/pacer-run/pacer/runtime/launch"
	"github.com/pacer-run/pacer/runtime/master"
	"github.com/pacer-run/pacer/runtime/placement"
	"github.com/pacer-run/pacer/runtime/spec"
)

// decoder turns the bytes of an OFFERS event into offers. It remembers agents, so
// that an agent is one value from event to event.
type decoder func(event []byte) ([]*placement.Offer, error)

// fastDecoder decodes as the client of the Mesos master does.
func fastDecoder() decoder {
	d := master.NewOfferDecoder()
	return d.Offers
}

// plainDecoder decodes with mesos-go's types and converts.
func plainDecoder() decoder {
	agents := map[string]*placement.Agent{}
	return func(wire []byte) ([]*placement.Offer, error) {
		var event scheduler.Event
		if err := event.Unmarshal(wire); err != nil {
			return nil, err
		}
		offers := make([]*placement.Offer, len(event.Offers.Offers))
		for i := range event.Offers.Offers {
			offers[i] = convert(&event.Offers.Offers[i], agents)
		}
		return offers, nil
	}
}

// convert makes an offer of Mesos' one. Agents are looked up by their ids: the
// facts of those here never change.
func convert(o *mesos.Offer, agents map[string]*placement.Agent) *placement.Offer {
	agent, ok := agents[o.AgentID.Value]
	if !ok {
		agent = &placement.Agent{
			ID: o.AgentID.Value, Hostname: o.Hostname,
			Region: o.Domain.FaultDomain.Region.Name, Zone: o.Domain.FaultDomain.Zone.Name,
		}
		for _, a := range o.Attributes {
			agent.Attributes = append(agent.Attributes, placement.Attribute{Name: a.Name, Value: a.Text.GetValue()})
		}
		agents[agent.ID] = agent
	}
	var share placement.Share
	for i := range o.Resources {
		r := &o.Resources[i]
		if r.Scalar != nil {
			share.Scalars[kindOf(r.Name)] += placement.MilliOf(r.Scalar.Value)
		}
		for _, span := range r.GetRanges().GetRange() {
			share.Ports = append(share.Ports, placement.Range{Begin: uint16(span.Begin), End: uint16(span.End)})
		}
	}
	return &placement.Offer{
		ID: o.ID.Value, Agent: agent, Role: o.AllocationInfo.GetRole(), Shares: []placement.Share{share},
	}
}

func kindOf(name string) placement.Kind {
	switch name {
	case "cpus":
		return placement.CPUs
	case "mem":
		return placement.Mem
	case "disk":
		return placement.Disk
	}
	return placement.GPUs
}

// side is Pacer's way from offers to calls, as long as a scheduler lives: it
// keeps its matcher and its templates.
type side struct {
	decode  decoder
	matcher placement.Matcher
	encoder launch.Encoder
	agents  []*placement.Agent
	seed    uint64
	buffer  []byte
	ids     []string // of tasks: they are the core's to make
}

// mostTasks is how many tasks one round can have.
const mostTasks = 1000

// newSide makes one that decodes so.
func newSide(decode decoder) *side {
	s := &side{decode: decode, matcher: placement.Matcher{Spread: true}, ids: make([]string, mostTasks)}
	for i := range s.ids {
		s.ids[i] = fmt.Sprintf("bench_app.instance-5c2f8d4e-9a11-11f0-8de9-%012d._app.1", i)
	}
	return s
}

// work is what one round is asked to place.
type work struct {
	wanted []placement.Wanted
	rules  map[*spec.App][]placement.Rule
}

// newWork makes apps that were never seen before.
func newWork(first, apps, instances int, list []spec.Constraint) (work, error) {
	w := work{rules: map[*spec.App][]placement.Rule{}}
	for i := range apps {
		app := newApp(first+i, instances, list)
		rules, err := prepare(app)
		if err != nil {
			return w, err
		}
		w.wanted, w.rules[app] = append(w.wanted, placement.Wanted{App: app, Count: instances}), rules
	}
	return w, nil
}

// place matches the work with the offers and encodes a call for each offer that
// is used. It returns how many instances were placed.
func (s *side) place(offers []*placement.Offer, w work) int {
	result := s.match(offers, w)
	s.encode(result.Placements)
	return len(result.Placements)
}

// match runs one match; a seed of its own each, as the scheduler gives it.
func (s *side) match(offers []*placement.Offer, w work) placement.Result {
	s.seed++
	return s.matcher.Match(context.Background(), placement.Request{
		Wanted: w.wanted, Offers: offers, Agents: s.agents, HomeRegion: "region-a", Seed: s.seed,
	}, func(app *spec.App) []placement.Rule { return w.rules[app] })
}

// encode makes one ACCEPT for each offer. It returns the offers that were used.
func (s *side) encode(placements []placement.Placement) map[*placement.Offer]bool {
	byOffer := map[*placement.Offer][]launch.Task{}
	var order []*placement.Offer
	for i, p := range placements {
		if byOffer[p.Offer] == nil {
			order = append(order, p.Offer)
		}
		byOffer[p.Offer] = append(byOffer[p.Offer], launch.Task{ID: s.ids[i], App: p.App, Place: p})
	}
	used := make(map[*placement.Offer]bool, len(order))
	for _, o := range order {
		s.buffer = s.encoder.AppendAccept(s.buffer[:0], frameworkID, []string{o.ID}, byOffer[o], 0)
		used[o] = true
	}
	return used
}

// know makes the agents of the offers the known ones.
func (s *side) know(offers []*placement.Offer) {
	s.agents = nil
	for _, o := range offers {
		s.agents = append(s.agents, o.Agent)
	}
}
