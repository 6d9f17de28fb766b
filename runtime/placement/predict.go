package placement

import (
	"context"

	"github.com/pacer-run/pacer/runtime/spec"
)

// Prediction is how many of an app's wanted instances would find a place.
type Prediction struct {
	App    *spec.App
	Wanted int
	Placed int
	On     []AgentCount // where, in the order in which agents were first chosen
	// Refusals say why the rest would not, if there is one.
	Refusals Refusals
}

// AgentCount is a number of instances on one agent.
type AgentCount struct {
	Agent *Agent
	Count int
}

// Predict tells what would become of the wanted apps, served together and in
// their order, if the offers were matched with them now: by the real matcher, as
// often as it takes to reach its limit of instances per offer. The offers stay as
// they are and nothing is reserved, so it promises nothing. rules returns the
// constraints of an app, as for Matcher.Match; nobody else may use them
// meanwhile. An app is wanted once at the most; there is one prediction per
// Wanted, in its order.
func Predict(ctx context.Context, c Cluster, wanted []Wanted, rules func(*spec.App) []Rule) []Prediction {
	m := Matcher{Spread: true, Terms: c.Terms}
	result := m.Match(ctx, Request{
		Now: c.Now, Wanted: wanted, Offers: c.Offers, Agents: c.Agents, HomeRegion: c.HomeRegion,
	}, rules)
	out := make([]Prediction, len(wanted))
	index := make(map[*spec.App]int, len(wanted))
	for i, w := range wanted {
		out[i] = Prediction{App: w.App, Wanted: max(0, w.Count), Refusals: result.Refusals[i]}
		index[w.App] = i
	}
	type place struct {
		app   int
		agent string
	}
	places := map[place]int{}
	for _, p := range result.Placements {
		i := index[p.App]
		at, ok := places[place{i, p.Offer.Agent.ID}]
		if !ok {
			at = len(out[i].On)
			places[place{i, p.Offer.Agent.ID}] = at
			out[i].On = append(out[i].On, AgentCount{Agent: p.Offer.Agent})
		}
		out[i].On[at].Count++
		out[i].Placed++
	}
	return out
}
