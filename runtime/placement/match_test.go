package placement_test

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pacer-run/pacer/runtime/placement"
	"github.com/pacer-run/pacer/runtime/spec"
	"github.com/pacer-run/pacer/sdk"
)

// change makes one thing of a request, its app or its offer different.
type change func(*placement.Request, *spec.App, *placement.Offer)

var reasonTests = map[string]struct {
	change change
	reason placement.Reason // Reasons: it fits
}{
	"fits": {func(*placement.Request, *spec.App, *placement.Offer) {}, placement.Reasons},
	"offered to another role": {func(_ *placement.Request, _ *spec.App, o *placement.Offer) {
		o.Role = "dev"
	}, placement.UnfulfilledRole},
	"nothing in the accepted roles": {func(_ *placement.Request, a *spec.App, o *placement.Offer) {
		o.Role, a.Role = "dev", "dev"
		a.AcceptedResourceRoles = []string{"dev"}
	}, placement.UnfulfilledRole},
	"reserved for another role": {func(_ *placement.Request, _ *spec.App, o *placement.Offer) {
		o.Shares[0].Reservation.Role = "dev"
	}, placement.UnfulfilledRole},
	"reserved for one instance": {func(_ *placement.Request, _ *spec.App, o *placement.Offer) {
		labels := []placement.Label{{Key: "marathon_task_id", Value: "x", HasValue: true}, {Key: "a"}}
		o.Shares[0].Reservation = placement.Reservation{
			Role: "*", Dynamic: true, Labels: placement.CanonicalLabels(labels),
		}
	}, placement.UnfulfilledRole},
	"labels of somebody's reservation": {func(_ *placement.Request, a *spec.App, o *placement.Offer) {
		o.Role, a.Role = "dev", "dev"
		o.Shares[0].Reservation = placement.Reservation{
			Role: "dev", Dynamic: true, Labels: placement.CanonicalLabels([]placement.Label{{Key: "team"}}),
		}
	}, placement.Reasons},
	"constraint": {func(_ *placement.Request, a *spec.App, _ *placement.Offer) {
		a.Constraints = []spec.Constraint{constraint("rack", "LIKE", "nowhere")}
	}, placement.UnfulfilledConstraint},
	"one of two constraints": {func(_ *placement.Request, a *spec.App, _ *placement.Offer) {
		a.Constraints = []spec.Constraint{constraint("rack", "LIKE", "r.*"), constraint("none", "LIKE", ".*")}
	}, placement.UnfulfilledConstraint},
	"another region": {func(r *placement.Request, _ *spec.App, o *placement.Offer) {
		r.HomeRegion, o.Agent.Region = "home", "away"
	}, placement.UnfulfilledConstraint},
	"the home region": {func(r *placement.Request, _ *spec.App, o *placement.Offer) {
		r.HomeRegion, o.Agent.Region = "home", "home"
	}, placement.Reasons},
	"no region": {func(r *placement.Request, _ *spec.App, _ *placement.Offer) {
		r.HomeRegion = "home"
	}, placement.Reasons},
	"another region, constraint on the zone": {func(r *placement.Request, a *spec.App, o *placement.Offer) {
		r.HomeRegion, o.Agent.Region = "home", "away"
		a.Constraints = []spec.Constraint{constraint("@zone", "LIKE", "z0")}
	}, placement.Reasons},
	"in maintenance": {func(_ *placement.Request, _ *spec.App, o *placement.Offer) {
		o.Unavailable = &placement.Window{Begin: 999, End: 1000}
	}, placement.AgentMaintenance},
	"in open maintenance": {func(_ *placement.Request, _ *spec.App, o *placement.Offer) {
		o.Unavailable = &placement.Window{Begin: 1}
	}, placement.AgentMaintenance},
	"before maintenance": {func(_ *placement.Request, _ *spec.App, o *placement.Offer) {
		o.Unavailable = &placement.Window{Begin: 1000, End: 2000}
	}, placement.Reasons},
	"after maintenance": {func(_ *placement.Request, _ *spec.App, o *placement.Offer) {
		o.Unavailable = &placement.Window{Begin: 1, End: 999}
	}, placement.Reasons},
	"cpus":          {func(_ *placement.Request, a *spec.App, _ *placement.Offer) { a.CPUs = 2.001 }, placement.InsufficientCpus},
	"mem":           {func(_ *placement.Request, a *spec.App, _ *placement.Offer) { a.Mem = 101 }, placement.InsufficientMemory},
	"disk":          {func(_ *placement.Request, a *spec.App, _ *placement.Offer) { a.Disk = 10001 }, placement.InsufficientDisk},
	"gpus":          {func(_ *placement.Request, a *spec.App, _ *placement.Offer) { a.GPUs = 1 }, placement.InsufficientGpus},
	"cpus and disk": {func(_ *placement.Request, a *spec.App, _ *placement.Offer) { a.CPUs, a.Disk = 3, 1e9 }, placement.InsufficientCpus},
	"too many ports": {func(_ *placement.Request, a *spec.App, _ *placement.Offer) {
		a.PortDefinitions = make([]spec.PortDefinition, 101)
	}, placement.InsufficientPorts},
	"a required port": {func(_ *placement.Request, a *spec.App, _ *placement.Offer) {
		a.RequirePorts, a.PortDefinitions = true, []spec.PortDefinition{{Port: 31100}}
	}, placement.InsufficientPorts},
	"a required port twice": {func(_ *placement.Request, a *spec.App, _ *placement.Offer) {
		a.RequirePorts, a.PortDefinitions = true, []spec.PortDefinition{{Port: 31000}, {Port: 31000}}
	}, placement.InsufficientPorts},
	"a port that cannot be": {func(_ *placement.Request, a *spec.App, _ *placement.Offer) {
		a.RequirePorts, a.PortDefinitions = true, []spec.PortDefinition{{Port: 31000 + 1<<16}}
	}, placement.InsufficientPorts},
	"scarce": {func(_ *placement.Request, _ *spec.App, o *placement.Offer) {
		o.Shares[0].Scalars[placement.GPUs] = 1000
	}, placement.DeclinedScarceResources},
	"scarce, but allowed": {func(_ *placement.Request, a *spec.App, o *placement.Offer) {
		o.Shares[0].Scalars[placement.GPUs] = 1000
		a.Labels = map[string]string{"GPU_SCHEDULING_BEHAVIOR": "unrestricted"}
	}, placement.Reasons},
	"gpus wanted": {func(_ *placement.Request, a *spec.App, o *placement.Offer) {
		o.Shares[0].Scalars[placement.GPUs] = 1000
		a.GPUs = 1
	}, placement.Reasons},
}

// TestReasons changes one thing of an offer that fits and wants the one reason.
func TestReasons(t *testing.T) {
	for name, test := range reasonTests {
		t.Run(name, func(t *testing.T) {
			req, a := world(1, 1, 2, 100), app("/a")
			req.Now = 1000
			test.change(&req, a, req.Offers[0])
			req.Wanted = []placement.Wanted{{App: a, Count: 1}}
			var m placement.Matcher
			got := m.Match(context.Background(), req, rulesOf())
			want := placement.Refusals{App: a, Processed: 1}
			if test.reason != placement.Reasons {
				want.Declined[test.reason] = 1
			}
			if diff := cmp.Diff([]placement.Refusals{want}, got.Refusals); diff != "" {
				t.Error(diff)
			}
			if placed := len(got.Placements) == 1; placed != (test.reason == placement.Reasons) {
				t.Errorf("placed = %v", placed)
			}
		})
	}
}

func TestRoundRobin(t *testing.T) {
	req := world(1, 1, 5, 1000)
	a, b, none := app("/a"), app("/b"), app("/none")
	req.Wanted = []placement.Wanted{{App: a, Count: 9}, {App: none}, {App: b, Count: 2}}
	var m placement.Matcher
	got := m.Match(context.Background(), req, nil)
	var order []string
	for _, p := range got.Placements {
		order = append(order, string(p.App.ID))
	}
	if diff := cmp.Diff([]string{"/a", "/b", "/a", "/b", "/a"}, order); diff != "" {
		t.Error(diff)
	}
	want := []placement.Refusals{{App: a, Processed: 1}, {App: none}, {App: b, Processed: 1}}
	if diff := cmp.Diff(want, got.Refusals); diff != "" {
		t.Error(diff)
	}
}

func TestMaxPerOffer(t *testing.T) {
	req := world(3, 1, 100, 1000)
	a := app("/a")
	req.Wanted = []placement.Wanted{{App: a, Count: 20}}
	m := placement.Matcher{MaxPerOffer: 5}
	got := m.Match(context.Background(), req, nil)
	per := map[string]int{}
	for _, p := range got.Placements {
		per[p.Offer.ID]++
	}
	if diff := cmp.Diff(map[string]int{"O-S0": 5, "O-S1": 5, "O-S2": 5}, per); diff != "" {
		t.Error(diff)
	}
}

// TestEqualShares wants equal shares while there is room for them, and what is left
// over on the offers that have more.
func TestEqualShares(t *testing.T) {
	for _, c := range []struct {
		count, limit int
		small        bool // the first offer has room for nothing
		want         map[string]int
	}{
		{count: 1, want: map[string]int{"one": 1}},
		{count: 3, limit: 5, want: map[string]int{"O-S0": 1, "O-S1": 1, "O-S2": 1}},
		{count: 6, want: map[string]int{"O-S0": 2, "O-S1": 2, "O-S2": 2}},
		{count: 6, small: true, want: map[string]int{"O-S1": 3, "O-S2": 3}},
		{count: 6, limit: 2, small: true, want: map[string]int{"O-S1": 2, "O-S2": 2}},
	} {
		req := world(3, 1, 100, 1000)
		if c.small {
			req.Offers[0].Shares = req.Offers[0].Shares[:0]
		}
		req.Wanted = []placement.Wanted{{App: app("/a"), Count: c.count}}
		m := placement.Matcher{MaxPerOffer: c.limit, Spread: true}
		per := map[string]int{}
		for _, p := range m.Match(context.Background(), req, nil).Placements {
			per[p.Offer.ID]++
		}
		if c.count == 1 && len(per) == 1 {
			continue // whichever the seed chose
		}
		if diff := cmp.Diff(c.want, per); diff != "" {
			t.Errorf("%+v: %s", c, diff)
		}
	}
}

// TestFaults wants a broken policy to stop its own app and no other.
func TestFaults(t *testing.T) {
	trouble := errors.New("out of fuel")
	answer := func(quota []uint32, flags sdk.AnswerFlags, err error) *answerer {
		return &answerer{traits: sdk.Stateful, answer: func(sdk.ConstraintInput) (sdk.ConstraintAnswer, error) {
			return sdk.ConstraintAnswer{Quota: quota, Flags: flags}, err
		}}
	}
	pure := func(a *answerer) *answerer { a.traits = sdk.PurePerValue; return a }
	var fault *sdk.Fault
	tests := map[string]struct {
		rule placement.Rule
		as   func(error) bool
	}{
		"not prepared":    {placement.Rule{Err: trouble}, func(err error) bool { return errors.Is(err, trouble) }},
		"no value at all": {placement.Rule{}, nil},
		"error":           {placement.Rule{Prepared: answer(nil, 0, trouble)}, func(err error) bool { return errors.Is(err, trouble) }},
		"no quotas":       {placement.Rule{Prepared: answer(nil, 0, nil)}, nil},
		"too many quotas": {placement.Rule{Prepared: answer(make([]uint32, 99), 0, nil)}, nil},
		"unknown flags":   {placement.Rule{Prepared: answer(make([]uint32, 2), 1<<20, nil)}, nil},
		"pure with flags": {placement.Rule{Prepared: pure(answer(make([]uint32, 2), sdk.Volatile, nil))}, nil},
		"pure with count": {placement.Rule{Prepared: pure(answer([]uint32{0, 3}, 0, nil))}, nil},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if test.as == nil {
				test.as = func(err error) bool { return errors.As(err, &fault) }
			}
			req := world(2, 1, 5, 1000)
			broken, whole := app("/broken"), app("/whole")
			req.Wanted = []placement.Wanted{{App: broken, Count: 1}, {App: whole, Count: 2}}
			test.rule.Constraint = constraint("rack", "ODD")
			var m placement.Matcher
			got := m.Match(context.Background(), req, func(a *spec.App) []placement.Rule {
				if a == broken {
					return []placement.Rule{test.rule}
				}
				return nil
			})
			if !test.as(got.Refusals[0].Fault) {
				t.Errorf("fault = %v", got.Refusals[0].Fault)
			}
			if len(got.Placements) != 2 || got.Placements[0].App != whole || got.Refusals[1].Fault != nil {
				t.Errorf("the other app: %d placements, fault %v", len(got.Placements), got.Refusals[1].Fault)
			}
		})
	}
}
