package placement

import (
	"cmp"
	"context"

	"github.com/pacer-run/pacer/runtime/spec"
	"github.com/pacer-run/pacer/sdk"
)

// Explain says of every agent, and of every rule, whether it lets one more
// instance of the wanted app go there, and by which single change of a rule more
// agents would fit. It asks each policy once, with the matcher's own code, and
// its work grows with the number of offers and agents.
//
// rules are the constraints of the app; nobody else may use them meanwhile. An
// offer that has taken as many instances as a match may put there fits the next
// match all the same.
func Explain(ctx context.Context, c Cluster, w Wanted, rules []Rule) Explanation {
	return ExplainSome(ctx, c, w, rules, func(*Agent) bool { return true })
}

// ExplainSome is Explain with the words of the rules on those agents alone that are
// asked for: of ten thousand nobody reads all. All agents count for everything else.
func ExplainSome(ctx context.Context, c Cluster, w Wanted, rules []Rule, asked func(*Agent) bool) Explanation {
	e := newExplainer(&c, &w, rules)
	e.ask(ctx)
	e.imagine()
	out := Explanation{App: w.App, Waiting: max(0, w.Count), Fault: e.fault()}
	var looks []look
	for _, candidate := range e.candidates() {
		var best int
		looks, best = e.looks(looks[:0], &candidate)
		verdict := e.verdict(&candidate, looks, best)
		out.Tally[verdict]++
		if len(looks) > 0 && e.deny(looks[best].number) {
			out.DeniedAgents++
		}
		if asked(candidate.agent) {
			out.Agents = append(out.Agents, e.explain(&candidate, looks, best, verdict))
		}
	}
	for i, n := range e.denied {
		if n > 0 {
			out.Denied = append(out.Denied, Denial{Constraint: i, Name: constraintText(rules[i].Constraint), Agents: n})
		}
	}
	out.NearMisses = e.nearest()
	return out
}

// explainer is one explanation in the making. It looks at the offers through the
// table, and asks the policies through the rulings, of a matcher of its own.
type explainer struct {
	cluster *Cluster
	wanted  *Wanted
	m       Matcher
	seeker  seeker
	heard   []*listener // by rule; nil where there is no policy
	faults  []error     // by rule; nil for none
	denied  []int       // by rule: agents that it refuses
	outline []Finding   // what is asked of an offer, without the answers
	changes changes
	gains   map[Relaxation]*gain
	amounts map[Milli]string // texts: many agents have the same
}

// listener passes a policy's answers on and remembers the reason it gave.
type listener struct {
	sdk.PreparedConstraint
	reason string
}

// Evaluate asks the policy.
func (l *listener) Evaluate(ctx context.Context, in sdk.ConstraintInput) (sdk.ConstraintAnswer, error) {
	answer, err := l.PreparedConstraint.Evaluate(ctx, in)
	l.reason = answer.Reason
	return answer, err
}

func newExplainer(c *Cluster, w *Wanted, rules []Rule) *explainer {
	e := &explainer{
		cluster: c,
		wanted:  w,
		m:       Matcher{Terms: c.Terms},
		heard:   make([]*listener, len(rules)),
		faults:  make([]error, len(rules)),
		denied:  make([]int, len(rules)),
		gains:   map[Relaxation]*gain{},
		amounts: map[Milli]string{},
	}
	heard := make([]Rule, len(rules))
	for i, r := range rules {
		if r.Prepared != nil {
			e.heard[i] = &listener{PreparedConstraint: r.Prepared}
			r.Prepared = e.heard[i]
		}
		heard[i] = r
	}
	e.m.begin(&Request{Now: c.Now, Offers: c.Offers, Agents: c.Agents, HomeRegion: c.HomeRegion})
	e.m.table.start = 0 // rows are the offers in their own order
	e.m.table.extend(len(c.Offers) - 1)
	e.m.enlist(&e.seeker, w, func(*spec.App) []Rule { return heard })
	e.outline = e.outlined(rules)
	return e
}

// ask asks all rules. One that cannot be asked does not keep the others from it.
func (e *explainer) ask(ctx context.Context) {
	for i := range e.seeker.rulings {
		r := &e.seeker.rulings[i]
		if e.faults[i] = e.seeker.start(r, i, &e.m); e.faults[i] == nil {
			e.faults[i] = cmp.Or(r.ask(ctx, &e.seeker, &e.m), r.lapse)
		}
	}
}

// fault is the first fault of a rule, or nil.
func (e *explainer) fault() error {
	for _, err := range e.faults {
		if err != nil {
			return err
		}
	}
	return nil
}

// candidate is an agent and the rows of its offers.
type candidate struct {
	agent *Agent
	rows  []int
}

// candidates are the known agents, each once. Agents are told apart by their
// ids: an offer may be older than what is known of its agent.
func (e *explainer) candidates() []candidate {
	all := make([]candidate, 0, len(e.cluster.Agents))
	index := make(map[string]int, len(e.cluster.Agents))
	find := func(a *Agent) int {
		i, ok := index[a.ID]
		if !ok {
			i = len(all)
			index[a.ID], all = i, append(all, candidate{agent: a})
		}
		return i
	}
	for _, a := range e.cluster.Agents {
		find(a)
	}
	for row, o := range e.cluster.Offers {
		i := find(o.Agent)
		all[i].rows = append(all[i].rows, row)
	}
	return all
}

// looks looks at the agent's offers, and tells which of them is closest to fitting.
func (e *explainer) looks(into []look, c *candidate) (looks []look, best int) {
	for i, row := range c.rows {
		into = append(into, e.look(row))
		if into[i].against() < into[best].against() {
			best = i
		}
	}
	return into, best
}

// verdict is how an agent comes out. What would make one fit that does not is noted.
func (e *explainer) verdict(c *candidate, looks []look, best int) Verdict {
	if len(looks) == 0 {
		return NoOffer
	}
	verdict := looks[best].verdict(e)
	for i := range looks {
		if verdict != Fits {
			e.relax(c.agent, &looks[i])
		}
	}
	return verdict
}

// deny counts the agent with the number for the constraints that refuse it, and
// tells whether any does.
func (e *explainer) deny(number int32) (denied bool) {
	for i := range e.denied {
		if e.constraint(i, number) == Refused {
			e.denied[i]++
			denied = true
		}
	}
	return denied
}

// explain puts together what the rules say about an agent's offers.
func (e *explainer) explain(c *candidate, looks []look, best int, verdict Verdict) AgentExplanation {
	out := AgentExplanation{Agent: c.agent, Verdict: verdict}
	if len(looks) == 0 {
		out.Findings = e.findings(e.lookAt(c.agent))
		return out
	}
	for i := range looks {
		o := OfferExplanation{Offer: looks[i].offer, Findings: e.findings(&looks[i])}
		if i == best {
			out.OfferExplanation = o
		} else {
			out.Others = append(out.Others, o)
		}
	}
	return out
}
