package placement_test

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/pacer-run/pacer/plugins/constraints"
	"github.com/pacer-run/pacer/runtime/placement"
	"github.com/pacer-run/pacer/runtime/spec"
	"github.com/pacer-run/pacer/sdk"
)

// answerer is a prepared constraint made of a function.
type answerer struct {
	traits sdk.Traits
	answer func(in sdk.ConstraintInput) (sdk.ConstraintAnswer, error)
	asked  int // how many times
	values int // about how many values in all
}

func (a *answerer) Traits() sdk.Traits { return a.traits }
func (a *answerer) Close()             {}

func (a *answerer) Evaluate(_ context.Context, in sdk.ConstraintInput) (sdk.ConstraintAnswer, error) {
	a.asked++
	a.values += len(in.Values)
	return a.answer(in)
}

// prepare asks the built-in operator. GROUP_BY_VOLATILE is GROUP_BY as a module
// would answer that knows no better than to be asked after each placement.
func prepare(c spec.Constraint) sdk.PreparedConstraint {
	operator := strings.TrimSuffix(c.Operator, "_VOLATILE")
	for _, builtin := range constraints.All() {
		if !slices.Contains(builtin.Operators(), operator) {
			continue
		}
		prepared, err := builtin.Prepare(context.Background(), sdk.ConstraintSpec{
			Field: sdk.CanonicalField(c.Field), Operator: operator, Value: c.Value, HasValue: c.HasValue,
		})
		if err != nil {
			panic(err)
		}
		if operator == c.Operator {
			return prepared
		}
		return &answerer{traits: sdk.Stateful, answer: func(in sdk.ConstraintInput) (sdk.ConstraintAnswer, error) {
			answer, err := prepared.Evaluate(context.Background(), in)
			answer.Flags = sdk.Volatile
			return answer, err
		}}
	}
	panic("unknown operator " + c.Operator)
}

// rulesOf prepares the constraints of apps once per app, as the host does.
func rulesOf() func(*spec.App) []placement.Rule {
	prepared := map[*spec.App][]placement.Rule{}
	return func(app *spec.App) []placement.Rule {
		rules, ok := prepared[app]
		if !ok {
			for _, c := range app.Constraints {
				rules = append(rules, placement.Rule{Constraint: c, Prepared: prepare(c)})
			}
			prepared[app] = rules
		}
		return rules
	}
}

// constraint makes one from its parts.
func constraint(field, operator string, value ...string) spec.Constraint {
	c := spec.Constraint{Field: field, Operator: operator}
	if len(value) > 0 {
		c.Value, c.HasValue = value[0], true
	}
	return c
}

// agent makes the n-th agent: rack r<n mod racks>, zone z<n mod 3>.
func agent(n, racks int) *placement.Agent {
	return &placement.Agent{
		ID:       fmt.Sprintf("S%d", n),
		Hostname: fmt.Sprintf("host-%d", n),
		Zone:     fmt.Sprintf("z%d", n%3),
		Attributes: []placement.Attribute{
			{Name: "rack", Value: fmt.Sprintf("r%d", n%racks)},
		},
	}
}

// offer makes an offer of unreserved resources; ports are [31000-31099].
func offer(a *placement.Agent, cpus, mem float64) *placement.Offer {
	share := placement.Share{Ports: []placement.Range{{Begin: 31000, End: 31099}}}
	share.Scalars[placement.CPUs] = placement.MilliOf(cpus)
	share.Scalars[placement.Mem] = placement.MilliOf(mem)
	share.Scalars[placement.Disk] = placement.MilliOf(10000)
	return &placement.Offer{ID: "O-" + a.ID, Agent: a, Role: "*", Shares: []placement.Share{share}}
}

// world makes n agents with one offer each.
func world(n, racks int, cpus, mem float64) placement.Request {
	req := placement.Request{Seed: uint64(n)}
	for i := range n {
		a := agent(i, racks)
		req.Agents = append(req.Agents, a)
		req.Offers = append(req.Offers, offer(a, cpus, mem))
	}
	return req
}

// app makes a small app.
func app(id string, constraints ...spec.Constraint) *spec.App {
	return &spec.App{ID: spec.PathID(id), Role: "*", CPUs: 1, Mem: 10, Instances: 10, Constraints: constraints}
}
