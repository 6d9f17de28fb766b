package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/go-chi/chi/v5"

	"github.com/pacer-run/pacer/runtime/placement"
	"github.com/pacer-run/pacer/runtime/scheduler"
	"github.com/pacer-run/pacer/runtime/spec"
	"github.com/pacer-run/pacer/sdk"
)

// whyBody says why an app is where it is, and how each agent fares for it.
type whyBody struct {
	App         spec.PathID      `json:"app"`
	State       string           `json:"state"`
	Text        string           `json:"text"` // one sentence
	Instances   int              `json:"instances"`
	Running     int              `json:"running"`
	Waiting     int              `json:"waiting"` // instances without a place
	Deployments []deploymentID   `json:"deployments"`
	Uncovered   []string         `json:"uncovered,omitempty"` // fields that keep it from being launched
	HeldUntil   string           `json:"heldUntil,omitempty"` // by the back-off
	RetryAt     string           `json:"retryAt,omitempty"`   // when a policy that failed is asked again
	LastFailure string           `json:"lastFailure,omitempty"`
	Fault       *policyFault     `json:"fault,omitempty"`
	Denied      string           `json:"denied,omitempty"`    // a policy's word against the app itself
	VoidSince   string           `json:"voidSince,omitempty"` // some offers, seen before, are void
	Verdicts    map[string]int   `json:"verdicts"`            // all agents by verdict
	Total       int              `json:"total"`               // agents that the query lets through, on whichever page
	Agents      []whyAgent       `json:"agents"`              // of this page, by id
	Next        string           `json:"next,omitempty"`      // to ask on after; "" on the last page
	NearMisses  []nearMissAnswer `json:"nearMisses"`
}

// policyFault is why a policy could not be asked.
type policyFault struct {
	Module string `json:"module,omitempty"` // name@version; "" when none is known
	Kind   string `json:"kind,omitempty"`   // of the policy
	Cause  string `json:"cause"`
	absent bool   // the module is known, and there is nothing of it to be asked
}

type whyAgent struct {
	ID       string    `json:"id"`
	Hostname string    `json:"hostname"`
	Verdict  string    `json:"verdict"`
	Offer    string    `json:"offer,omitempty"`  // "" when none was seen
	Offers   []string  `json:"offers,omitempty"` // all that are taken together, if there are several
	Seen     string    `json:"seen,omitempty"`   // when the offer came
	Void     bool      `json:"void,omitempty"`   // it is of an earlier subscription
	Rules    []whyRule `json:"rules"`
}

type whyRule struct {
	Rule    string `json:"rule"`
	Module  string `json:"module,omitempty"` // that answers the constraint
	Asked   string `json:"asked"`
	Had     string `json:"had,omitempty"`
	Verdict string `json:"verdict"`
	Reason  string `json:"reason,omitempty"`
}

type nearMissAnswer struct {
	Text   string   `json:"text"`
	Count  int      `json:"count"`  // of agents
	Agents []string `json:"agents"` // the host names of the first of them
}

// unknownRules has no answer of any constraint.
func unknownRules(_ context.Context, app *spec.App) ([]placement.Rule, func()) {
	rules := make([]placement.Rule, len(app.Constraints))
	for i, c := range app.Constraints {
		rules[i] = placement.Rule{Constraint: c, Err: errors.New("no policy answers constraints")}
	}
	return rules, func() {}
}

// why answers GET /pacer/v1/apps/{id}/why.
func (s *server) why(core Core, w http.ResponseWriter, r *http.Request) error {
	text, ok := strings.CutSuffix(strings.TrimRight(chi.URLParam(r, "*"), "/"), "/why")
	if !ok {
		return errUnknownURI
	}
	id, err := spec.ParseAppID(text, spec.Root)
	if err != nil {
		return err
	}
	limit, err := pageLimit(r)
	if err != nil {
		return err
	}
	snapshot := core.Snapshot()
	v := viewOf(snapshot, id)
	if v == nil {
		return &scheduler.NotFound{App: id}
	}
	ctx, cancel := context.WithTimeout(r.Context(), s.CommandTimeout)
	defer cancel()
	now := spec.TimestampOf(s.Now())
	cluster := snapshot.Cluster(now)
	page := pageOf(cluster.Agents, limit, r.URL.Query().Get("agent"), r.URL.Query().Get("after"))
	e := s.explain(ctx, cluster, v.Wanted(), page.has)
	body := whyBody{App: id, Verdicts: map[string]int{}, Total: page.total, Next: page.next, NearMisses: []nearMissAnswer{}}
	body.describe(snapshot, v, now, &e)
	body.agents(snapshot, &e, s.operators())
	body.nearMisses(&e, limit)
	writeJSON(w, http.StatusOK, body)
	return nil
}

// agentPage is a part of the agents, which are in the order of their ids.
type agentPage struct {
	shown map[string]bool // by id
	total int
	next  string
}

func (p *agentPage) has(a *placement.Agent) bool { return p.shown[a.ID] }

// pageOf chooses the agents behind the id after. only, an id or a host name, leaves
// the others out.
func pageOf(agents []*placement.Agent, limit int, only, after string) *agentPage {
	p := &agentPage{shown: map[string]bool{}}
	last := ""
	for _, a := range agents {
		if only != "" && only != a.ID && only != a.Hostname {
			continue
		}
		p.total++
		switch {
		case a.ID <= after:
		case len(p.shown) < limit:
			p.shown[a.ID], last = true, a.ID
		default:
			p.next = last
		}
	}
	return p
}

// explain asks the placement, with the words of the rules on those agents that are
// asked for. A panic of a policy is a fault like any other.
func (s *server) explain(ctx context.Context, cluster placement.Cluster, w placement.Wanted, asked func(*placement.Agent) bool) (e placement.Explanation) {
	defer func() {
		if cause := recover(); cause != nil {
			e = placement.Explanation{App: w.App, Waiting: w.Count, Fault: fmt.Errorf("a policy panicked: %v", cause)}
		}
	}()
	rules, done := s.Rules(ctx, w.App)
	defer done()
	cluster.Terms = s.Terms
	return placement.ExplainSome(ctx, cluster, w, rules, asked)
}

// operators maps the constraints' operators to the modules that answer them.
func (s *server) operators() map[string]string {
	out := map[string]string{}
	for _, m := range s.Modules() {
		if !m.Loaded {
			continue
		}
		name := m.Name
		if m.Version != "" { // what is built in has none of its own
			name += "@" + m.Version
		}
		for _, operator := range m.Operators {
			out[operator] = name
		}
	}
	return out
}

// agents fills in how each agent fares.
func (b *whyBody) agents(snapshot *scheduler.Snapshot, e *placement.Explanation, operators map[string]string) {
	b.Agents = []whyAgent{}
	sightings := snapshot.Sightings.ByAgent()
	for _, seen := range sightings {
		if seen.Offer != nil && seen.At < snapshot.VoidSince {
			b.VoidSince = snapshot.VoidSince.String()
			break
		}
	}
	for verdict, n := range e.Tally {
		if n > 0 {
			b.Verdicts[placement.Verdict(verdict).String()] = n
		}
	}
	for i := range e.Agents {
		a := &e.Agents[i]
		out := whyAgent{ID: a.Agent.ID, Hostname: a.Agent.Hostname, Verdict: a.Verdict.String(), Rules: make([]whyRule, len(a.Findings))}
		if seen := sightings[a.Agent.ID]; a.Offer != nil {
			out.Offer, out.Seen, out.Void = a.Offer.ID, seen.At.String(), seen.At < snapshot.VoidSince
			if a.Offer.Parts != nil {
				out.Offers = a.Offer.IDs()
			}
		}
		for j, f := range a.Findings {
			out.Rules[j] = whyRule{Rule: f.Name, Asked: f.Asked, Had: f.Had, Verdict: f.Verdict.String(), Reason: f.Reason}
			if f.Rule == placement.RuleConstraint {
				out.Rules[j].Module = operators[sdk.CanonicalOperator(e.App.Constraints[f.Constraint].Operator)]
			}
		}
		b.Agents = append(b.Agents, out)
	}
}

// nearMisses tells of the first agents alone by name.
func (b *whyBody) nearMisses(e *placement.Explanation, limit int) {
	for _, miss := range e.NearMisses {
		out := nearMissAnswer{Text: miss.Text, Count: len(miss.Agents)}
		for _, a := range miss.Agents[:min(limit, len(miss.Agents))] {
			out.Agents = append(out.Agents, a.Hostname)
		}
		b.NearMisses = append(b.NearMisses, out)
	}
}
