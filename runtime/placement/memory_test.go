package placement

import (
	"context"
	"fmt"
	"testing"

	"github.com/pacer-run/pacer/runtime/spec"
	"github.com/pacer-run/pacer/sdk"
)

// counting accepts every value and counts what it is asked about.
type counting struct{ calls, values int }

func (c *counting) Traits() sdk.Traits { return sdk.PurePerValue }
func (c *counting) Close()             {}

func (c *counting) Evaluate(_ context.Context, in sdk.ConstraintInput) (sdk.ConstraintAnswer, error) {
	c.calls++
	c.values += len(in.Values) - 1
	quota := make([]uint32, len(in.Values))
	for i := range quota {
		quota[i] = sdk.Unlimited
	}
	return sdk.ConstraintAnswer{Quota: quota}, nil
}

// hosts makes agents from one number up to another.
func hosts(from, to int) (agents []*Agent) {
	for i := from; i < to; i++ {
		agents = append(agents, &Agent{ID: fmt.Sprint(i), Hostname: fmt.Sprint("host-", i)})
	}
	return agents
}

func match(m *Matcher, app *spec.App, c sdk.PreparedConstraint, agents []*Agent) {
	matchOn(m, app, "hostname", c, agents)
}

func matchOn(m *Matcher, app *spec.App, field string, c sdk.PreparedConstraint, agents []*Agent) {
	req := Request{Agents: agents, Wanted: []Wanted{{App: app, Count: 1}}}
	for _, a := range agents {
		req.Offers = append(req.Offers, &Offer{Agent: a, Role: "*", Shares: []Share{{}}})
	}
	rule := Rule{Constraint: spec.Constraint{Field: field}, Prepared: c}
	m.Match(context.Background(), req, func(*spec.App) []Rule { return []Rule{rule} })
}

// TestPureVerdictsAreRemembered wants each value to be asked about once, also
// while agents come and go.
func TestPureVerdictsAreRemembered(t *testing.T) {
	var m Matcher
	app, c := &spec.App{ID: "/a", Role: "*"}, &counting{}
	all := hosts(0, 20)
	for _, now := range [][]*Agent{all[:10], all[:10], all[:12], all[3:12], append(all[3:6:6], all[8:12]...)} {
		match(&m, app, c, now)
	}
	if c.values != 12 || c.calls != 2 {
		t.Errorf("asked %d times about %d values, want twice about 12", c.calls, c.values)
	}
	match(&m, app, &counting{}, all[:1])
	match(&m, app, c, all[:1])
	if c.calls != 3 {
		t.Errorf("asked %d times: another policy's verdicts were taken for its own", c.calls)
	}
}

// TestMemoryIsBounded runs many versions of apps and generations of agents
// through one matcher.
func TestMemoryIsBounded(t *testing.T) {
	var m Matcher
	for i := range 3000 {
		app := &spec.App{ID: spec.PathID(fmt.Sprint("/", i)), Role: "*", CPUs: float64(i)}
		matchOn(&m, app, fmt.Sprint("field-", i), &counting{}, hosts(i, i+3))
		match(&m, app, &counting{}, hosts(i, i+3))
	}
	if n := len(m.roster.columns); n > 3*forgetAfter {
		t.Errorf("%d fields are remembered", n)
	}
	if n := len(m.memory.apps); n > 2*leastSweep {
		t.Errorf("%d apps are remembered", n)
	}
	if n := len(m.memory.requirements); n > 2*leastSweep {
		t.Errorf("%d requirements are remembered", n)
	}
	c := m.roster.columns[sdk.FieldHostname]
	if len(c.values) != 4 || len(c.slots) != 3 || len(m.roster.agents) > 6 {
		t.Errorf("%d values, %d slots, %d agents are remembered", len(c.values), len(c.slots), len(m.roster.agents))
	}
}

// TestColumnFollowsAgents drops and adds agents and compares the dictionary with
// the agents themselves.
func TestColumnFollowsAgents(t *testing.T) {
	r := newRoster()
	c := r.column(sdk.FieldHostname, 1)
	all := hosts(0, 40)
	random := random(7)
	for round := range 200 {
		var now []*Agent
		for _, a := range all {
			if random.below(3) > 0 {
				now = append(now, a)
			}
		}
		r.sync(now)
		if len(c.values) != len(now)+1 {
			t.Fatalf("round %d: %d values for %d agents", round, len(c.values), len(now))
		}
		for _, a := range now {
			slot := c.of[r.numbers[a]]
			if c.values[slot] != a.Hostname || c.slots[a.Hostname] != slot || c.refs[slot] != 1 {
				t.Fatalf("round %d: %s has slot %d of %s", round, a.Hostname, slot, c.values[slot])
			}
		}
	}
}
