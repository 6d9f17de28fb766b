package placement_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/pacer-run/pacer/runtime/placement"
	"github.com/pacer-run/pacer/runtime/spec"
)

// verdict is the one reason of the one offer, or Reasons when it takes the app. An
// explanation has to say the same.
func verdict(t *testing.T, terms placement.Terms, req placement.Request, a *spec.App) placement.Reason {
	t.Helper()
	req.Wanted = []placement.Wanted{{App: a, Count: 1}}
	m := placement.Matcher{Terms: terms}
	got := m.Match(context.Background(), req, rulesOf())
	e := placement.Explain(context.Background(), placement.Cluster{
		Now: req.Now, Offers: req.Offers, Agents: req.Agents, HomeRegion: req.HomeRegion, Terms: terms,
	}, req.Wanted[0], rulesOf()(a))
	for reason, n := range got.Refusals[0].Declined {
		if n == 0 {
			continue
		}
		for _, f := range e.Agents[0].Findings {
			if f.Verdict == placement.Refused {
				if f.Rule.Reason() != placement.Reason(reason) {
					t.Errorf("a match says %v, an explanation %v", placement.Reason(reason), f.Rule.Reason())
				}
				return placement.Reason(reason)
			}
		}
		t.Errorf("a match says %v, an explanation nothing", placement.Reason(reason))
		return placement.Reason(reason)
	}
	if len(got.Placements) != 1 || e.Tally[placement.Fits] != 1 {
		t.Errorf("%d placed, explained as %v", len(got.Placements), e.Tally)
	}
	return placement.Reasons
}

// TestAcceptedRoles goes through the roles that an app names, or the operator for
// it, and the resources that there are.
func TestAcceptedRoles(t *testing.T) {
	const any, unreserved, reserved = placement.AnyRole, placement.UnreservedOnly, placement.ReservedOnly
	static, starred := placement.Reservation{Role: "dev"}, placement.Reservation{Role: "*"}
	made := placement.Reservation{Role: "dev", Dynamic: true, Principal: "ops", Labels: `"team"="a"`}
	owned := placement.Reservation{Role: "dev", Dynamic: true, Labels: `"marathon_framework_id"="f","marathon_task_id"="t"`}
	foreign := placement.Reservation{Role: "prod"}
	for _, test := range []struct {
		role     string
		accepted []string
		roles    placement.DefaultRoles
		takes    []placement.Reservation // of all five
	}{
		{"dev", nil, any, []placement.Reservation{starred, static, made}},
		{"dev", nil, unreserved, []placement.Reservation{starred}},
		{"dev", nil, reserved, []placement.Reservation{static, made}},
		{"*", nil, any, []placement.Reservation{starred}},
		{"*", nil, unreserved, []placement.Reservation{starred}},
		{"*", nil, reserved, []placement.Reservation{starred}},
		{"dev", []string{"*"}, reserved, []placement.Reservation{starred}},
		{"dev", []string{"dev"}, unreserved, []placement.Reservation{static, made}},
		{"dev", []string{"dev", "*"}, reserved, []placement.Reservation{starred, static, made}},
		{"dev", []string{"prod"}, any, nil},
	} {
		t.Run(fmt.Sprint(test.role, test.accepted, test.roles), func(t *testing.T) {
			takes := map[placement.Reservation]bool{}
			for _, r := range test.takes {
				takes[r] = true
			}
			for _, r := range []placement.Reservation{starred, static, made, owned, foreign} {
				req, a := world(1, 1, 2, 100), app("/a")
				a.Role, a.AcceptedResourceRoles = test.role, test.accepted
				req.Offers[0].Role, req.Offers[0].Shares[0].Reservation = test.role, r
				want := placement.UnfulfilledRole
				if takes[r] {
					want = placement.Reasons
				}
				if got := verdict(t, placement.Terms{DefaultRoles: test.roles}, req, a); got != want {
					t.Errorf("resources of %+v: %v, want %v", r, got, want)
				}
			}
		})
	}
}

// TestMaintenanceWindows: the time is 10 s.
func TestMaintenanceWindows(t *testing.T) {
	at := func(s float64) int64 { return int64(s * 1000) }
	for name, test := range map[string]struct {
		begin, end float64
		draining   time.Duration
		off        bool
		closed     bool
	}{
		"begins now":                {begin: 10, end: 20},
		"has just begun":            {begin: 9.999, end: 20, closed: true},
		"ends now":                  {begin: 5, end: 10, closed: true},
		"is just over":              {begin: 5, end: 9.999},
		"never ends":                {begin: 5, closed: true},
		"switched off":              {begin: 5, end: 20, off: true},
		"draining":                  {begin: 12, end: 20, draining: 3 * time.Second, closed: true},
		"draining begins now":       {begin: 13, end: 20, draining: 3 * time.Second},
		"draining has just begun":   {begin: 12.999, end: 20, draining: 3 * time.Second, closed: true},
		"draining, without an end":  {begin: 12, draining: 3 * time.Second, closed: true},
		"draining, but over":        {begin: 5, end: 9, draining: 3 * time.Second},
		"draining, switched off":    {begin: 12, end: 20, draining: 3 * time.Second, off: true},
		"draining longer than time": {begin: 12, end: 20, draining: time.Hour, closed: true},
	} {
		t.Run(name, func(t *testing.T) {
			req, want := world(1, 1, 2, 100), placement.Reasons
			req.Now, req.Offers[0].Unavailable = 10_000, &placement.Window{Begin: at(test.begin), End: at(test.end)}
			if test.closed {
				want = placement.AgentMaintenance
			}
			terms := placement.Terms{Draining: test.draining, NoMaintenance: test.off}
			if got := verdict(t, terms, req, app("/a")); got != want {
				t.Errorf("%v, want %v", got, want)
			}
		})
	}
}

// TestScarceGPUs: the app's label goes before the operator's setting.
func TestScarceGPUs(t *testing.T) {
	for _, test := range []struct {
		label        string
		unrestricted bool
		wanted       int
		offered      placement.Milli
		want         placement.Reason
	}{
		{"", false, 0, 1000, placement.DeclinedScarceResources},
		{"", true, 0, 1000, placement.Reasons},
		{"restricted", false, 0, 1000, placement.DeclinedScarceResources},
		{"restricted", true, 0, 1000, placement.DeclinedScarceResources},
		{"unrestricted", false, 0, 1000, placement.Reasons},
		{"unrestricted", true, 0, 1000, placement.Reasons},
		{"else", false, 0, 1000, placement.DeclinedScarceResources},
		{"else", true, 0, 1000, placement.Reasons},
		{"restricted", false, 1, 1000, placement.Reasons},
		{"restricted", false, 2, 1000, placement.InsufficientGpus},
		{"", false, 1, 0, placement.InsufficientGpus},
		{"", false, 0, 0, placement.Reasons},
	} {
		req, a := world(1, 1, 2, 100), app("/a")
		req.Offers[0].Shares[0].Scalars[placement.GPUs] = test.offered
		a.GPUs = test.wanted
		if test.label != "" {
			a.Labels = map[string]string{"GPU_SCHEDULING_BEHAVIOR": test.label}
		}
		if got := verdict(t, placement.Terms{UnrestrictedGPUs: test.unrestricted}, req, a); got != test.want {
			t.Errorf("%+v: %v", test, got)
		}
	}
	// GPUs that the app may not take are scarce all the same.
	req := world(1, 1, 2, 100)
	foreign := share("prod", 0, 0)
	foreign.Scalars[placement.GPUs] = 1000
	req.Offers[0].Shares = append(req.Offers[0].Shares, foreign)
	if got := verdict(t, placement.Terms{}, req, app("/a")); got != placement.DeclinedScarceResources {
		t.Errorf("GPUs of another role: %v", got)
	}
}

// TestFaultDomain wants apps at home unless a constraint says where.
func TestFaultDomain(t *testing.T) {
	for _, test := range []struct {
		home, region string
		constraints  []spec.Constraint
		want         placement.Reason
	}{
		{"home", "home", nil, placement.Reasons},
		{"home", "", nil, placement.Reasons},
		{"", "", nil, placement.Reasons},
		{"home", "away", nil, placement.UnfulfilledConstraint},
		{"", "away", nil, placement.UnfulfilledConstraint},
		{"home", "away", []spec.Constraint{constraint("rack", "IS", "r0")}, placement.UnfulfilledConstraint},
		{"home", "away", []spec.Constraint{constraint("@region", "IS", "away")}, placement.Reasons},
		{"home", "away", []spec.Constraint{constraint("@zone", "IS", "z0")}, placement.Reasons},
		{"home", "away", []spec.Constraint{constraint("@region", "IS", "home")}, placement.UnfulfilledConstraint},
		{"home", "home", []spec.Constraint{constraint("@region", "IS", "away")}, placement.UnfulfilledConstraint},
	} {
		req := world(1, 1, 2, 100)
		req.HomeRegion, req.Agents[0].Region = test.home, test.region
		if got := verdict(t, placement.Terms{}, req, app("/a", test.constraints...)); got != test.want {
			t.Errorf("%+v: %v", test, got)
		}
	}
}

// TestReasonOrder takes the reasons off one by one: an offer counts under its first.
func TestReasonOrder(t *testing.T) {
	req, a := world(1, 1, 1, 100), app("/a", constraint("rack", "IS", "r9"))
	o := req.Offers[0]
	req.Now, o.Unavailable, o.Role = 1000, &placement.Window{Begin: 1}, "dev"
	a.CPUs, a.Mem, a.Disk, a.GPUs, a.PortDefinitions = 2, 200, 20000, 2, make([]spec.PortDefinition, 101)
	o.Shares[0].Scalars[placement.GPUs] = 1000
	for _, step := range []struct {
		want placement.Reason
		mend func()
	}{
		{placement.UnfulfilledRole, func() { o.Role = "*" }},
		{placement.UnfulfilledConstraint, func() { a.Constraints = nil }},
		{placement.AgentMaintenance, func() { o.Unavailable = nil }},
		{placement.InsufficientCpus, func() { a.CPUs = 1 }},
		{placement.InsufficientMemory, func() { a.Mem = 100 }},
		{placement.InsufficientDisk, func() { a.Disk = 0 }},
		{placement.InsufficientGpus, func() { a.GPUs = 0 }},
		// Ports are only looked at when all else fits, so this comes before them.
		{placement.DeclinedScarceResources, func() { a.Labels = map[string]string{"GPU_SCHEDULING_BEHAVIOR": "unrestricted"} }},
		{placement.InsufficientPorts, func() { a.PortDefinitions = nil }},
		{placement.Reasons, func() {}},
	} {
		b := *a // another version: what is known of one is kept
		if got := verdict(t, placement.Terms{}, req, &b); got != step.want {
			t.Errorf("%v, want %v", got, step.want)
		}
		step.mend()
	}
}

// TestDrainingIsExplained wants the words to say that it has not begun.
func TestDrainingIsExplained(t *testing.T) {
	req := world(1, 1, 2, 100)
	req.Now, req.Offers[0].Unavailable = 1000, &placement.Window{Begin: 2000}
	for draining, want := range map[time.Duration]string{
		0:           "none now: ",
		time.Minute: "none now, nor within 1m0s: the agent's maintenance begins within 1m0s",
	} {
		e := placement.Explain(context.Background(), placement.Cluster{
			Now: 1000, Offers: req.Offers, Agents: req.Agents, Terms: placement.Terms{Draining: draining},
		}, placement.Wanted{App: app("/a"), Count: 1}, nil)
		for _, f := range e.Agents[0].Findings {
			if got := f.Asked + ": " + f.Reason; f.Rule == placement.RuleMaintenance && got != want {
				t.Errorf("%q, want %q", got, want)
			}
		}
	}
	e := placement.Explain(context.Background(), placement.Cluster{
		Now: 3000, Offers: req.Offers, Agents: req.Agents, Terms: placement.Terms{NoMaintenance: true},
	}, placement.Wanted{App: app("/a"), Count: 1}, nil)
	for _, f := range e.Agents[0].Findings {
		if f.Rule == placement.RuleMaintenance {
			t.Errorf("maintenance does not matter, but is explained: %+v", f)
		}
	}
}
