package placement_test

import (
	"context"
	"fmt"
	"math"
	"regexp"
	"strconv"

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

// quotas makes an answer from a quota per slot.
func quotas(in sdk.ConstraintInput, flags sdk.AnswerFlags, quota func(slot int) uint32) (sdk.ConstraintAnswer, error) {
	answer := sdk.ConstraintAnswer{Quota: make([]uint32, len(in.Values)), Flags: flags}
	for slot := range in.Values {
		answer.Quota[slot] = quota(slot)
	}
	return answer, nil
}

// yes turns a truth into a quota.
func yes(ok bool) uint32 {
	if ok {
		return sdk.Unlimited
	}
	return 0
}

// prepare makes a stand-in for a built-in operator.
func prepare(c spec.Constraint) sdk.PreparedConstraint {
	present := func(slot int) bool { return slot != sdk.AbsentSlot }
	perValue := func(ok func(value string, slot int) bool) sdk.PreparedConstraint {
		return &answerer{traits: sdk.PurePerValue, answer: func(in sdk.ConstraintInput) (sdk.ConstraintAnswer, error) {
			return quotas(in, 0, func(slot int) uint32 { return yes(ok(in.Values[slot], slot)) })
		}}
	}
	stateful := func(answer func(in sdk.ConstraintInput) (sdk.ConstraintAnswer, error)) sdk.PreparedConstraint {
		return &answerer{traits: sdk.Stateful, answer: answer}
	}
	upTo := func(limit uint32) sdk.PreparedConstraint {
		return stateful(func(in sdk.ConstraintInput) (sdk.ConstraintAnswer, error) {
			return quotas(in, 0, func(slot int) uint32 {
				if !present(slot) || in.Placed[slot] >= limit {
					return 0
				}
				return limit - in.Placed[slot]
			})
		})
	}
	number, _ := strconv.Atoi(c.Value)
	switch c.Operator {
	case "LIKE", "UNLIKE":
		re := regexp.MustCompile(`\A(?:` + c.Value + `)\z`)
		like := c.Operator == "LIKE"
		return perValue(func(v string, slot int) bool {
			return present(slot) && re.MatchString(v) == like || !present(slot) && !like
		})
	case "IS":
		return perValue(func(v string, slot int) bool { return present(slot) && v == c.Value })
	case "UNIQUE":
		return upTo(1)
	case "MAX_PER":
		return upTo(uint32(max(1, number)))
	case "CLUSTER":
		return stateful(cluster)
	case "GROUP_BY":
		return stateful(groupBy(number, sdk.Refill))
	case "GROUP_BY_VOLATILE": // the same rule as a module that knows no better would answer it
		return stateful(groupBy(number, sdk.Volatile))
	}
	panic("unknown operator " + c.Operator)
}

func cluster(in sdk.ConstraintInput) (sdk.ConstraintAnswer, error) {
	flags := sdk.AnswerFlags(0)
	if in.First < 0 {
		flags = sdk.Exclusive
	}
	return quotas(in, flags, func(slot int) uint32 {
		return yes(slot != sdk.AbsentSlot && (in.First < 0 || in.First == slot))
	})
}

// groupBy answers one for each of the least filled groups; while fewer than
// minimum are known the missing ones count as empty.
func groupBy(minimum int, flags sdk.AnswerFlags) func(sdk.ConstraintInput) (sdk.ConstraintAnswer, error) {
	return func(in sdk.ConstraintInput) (sdk.ConstraintAnswer, error) {
		least, groups := uint32(math.MaxUint32), 0
		for slot, n := range in.Placed {
			if slot == sdk.AbsentSlot && n == 0 {
				continue
			}
			groups++
			least = min(least, n)
		}
		if groups < minimum {
			least = 0
		}
		return quotas(in, flags, func(slot int) uint32 {
			if slot != sdk.AbsentSlot && in.Placed[slot] == least {
				return 1
			}
			return 0
		})
	}
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

// cluster of n agents with one offer each.
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
