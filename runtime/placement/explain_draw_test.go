package placement_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/pacer-run/pacer/runtime/placement"
	"github.com/pacer-run/pacer/runtime/spec"
	"github.com/pacer-run/pacer/sdk"
)

// chance is true once in n times.
func chance(t *rapid.T, n int, what string) bool { return rapid.IntRange(1, n).Draw(t, what) == n }

// questions checks many random ones, the same in every run.
func questions(t *testing.T, check func(*rapid.T, question)) {
	t.Helper()
	fixSeed(t)
	rapid.Check(t, func(t *rapid.T) {
		for range 20 {
			check(t, drawQuestion(t))
		}
	})
}

// drawQuestion makes a world in which most of what is asked can be had, and each
// kind of rule refuses now and then.
func drawQuestion(t *rapid.T) question {
	a := drawAsking(t)
	q := question{wanted: placement.Wanted{App: a, Count: rapid.IntRange(1, 3).Draw(t, "count")}}
	q.cluster = placement.Cluster{Now: 1000, HomeRegion: "home", Terms: drawTerms(t)}
	for i := range rapid.IntRange(0, 14).Draw(t, "agents") {
		host := agent(i, rapid.IntRange(1, 4).Draw(t, "racks"))
		host.Region = rapid.SampledFrom([]string{"home", "home", "", "home", "away"}).Draw(t, "region")
		if chance(t, 8, "no rack") {
			host.Attributes = nil
		}
		q.cluster.Agents = append(q.cluster.Agents, host)
		for n := range rapid.SampledFrom([]int{1, 1, 2, 0}).Draw(t, "offers") {
			q.cluster.Offers = append(q.cluster.Offers, drawOffered(t, host, n, a.Role))
		}
		if rapid.Bool().Draw(t, "hosts one") {
			q.wanted.Placed = append(q.wanted.Placed, host)
		}
	}
	q.rules = rulesOf()(a)
	if chance(t, 12, "broken policy") {
		c := constraint("rack", "ODD")
		a.Constraints, q.rules = append(a.Constraints, c), append(q.rules, placement.Rule{Constraint: c, Prepared: broken()})
	}
	return q
}

func drawAsking(t *rapid.T) *spec.App {
	a := app("/a")
	a.Role = rapid.SampledFrom([]string{"*", "dev"}).Draw(t, "role")
	a.CPUs = float64(rapid.SampledFrom([]int{1, 1, 5}).Draw(t, "cpus"))
	a.Mem = float64(rapid.SampledFrom([]int{10, 10, 70}).Draw(t, "mem"))
	a.Disk = float64(rapid.SampledFrom([]int{0, 0, 15}).Draw(t, "disk"))
	a.GPUs = rapid.SampledFrom([]int{0, 0, 0, 1, 2}).Draw(t, "gpus")
	if chance(t, 2, "accepts some only") {
		a.AcceptedResourceRoles = rapid.SampledFrom([][]string{{"*"}, {a.Role}, {"*", a.Role}}).Draw(t, "accepted")
	}
	if rapid.Bool().Draw(t, "has ports") {
		a.RequirePorts = rapid.Bool().Draw(t, "require ports")
		a.PortDefinitions = make([]spec.PortDefinition, rapid.IntRange(1, 4).Draw(t, "ports"))
		for i := range a.PortDefinitions {
			a.PortDefinitions[i].Port = rapid.SampledFrom([]int{0, 10 + i, 10 + i, 10 + 4*i, 11}).Draw(t, "port")
		}
	}
	for range rapid.SampledFrom([]int{0, 1, 0, 2, 3}).Draw(t, "constraints") {
		a.Constraints = append(a.Constraints, rapid.SampledFrom(drawnConstraints()).Draw(t, "constraint"))
	}
	if chance(t, 4, "anywhere") {
		a.Constraints = append(a.Constraints, constraint("@zone", "UNLIKE", "z1"))
	}
	return a
}

func drawOffered(t *rapid.T, host *placement.Agent, n int, role string) *placement.Offer {
	o := &placement.Offer{ID: fmt.Sprint(host.ID, "-", n), Agent: host, Role: role}
	if chance(t, 6, "another role") {
		o.Role = rapid.SampledFrom([]string{"*", "dev", "prod"}).Draw(t, "offered to")
	}
	if chance(t, 8, "maintenance") {
		o.Unavailable = &placement.Window{Begin: rapid.SampledFrom([]int64{1, 1500}).Draw(t, "from"), End: 2000}
	}
	for i := range rapid.SampledFrom([]int{1, 1, 2, 2, 0}).Draw(t, "shares") {
		s := share(rapid.SampledFrom([]string{"", role, "*", o.Role, "prod"}).Draw(t, "reserved for"), 0, 0)
		s.Scalars[placement.CPUs] = placement.Milli(rapid.IntRange(0, 6).Draw(t, "offered cpus") * 1000)
		s.Scalars[placement.Mem] = placement.Milli(rapid.IntRange(0, 8).Draw(t, "offered mem") * 10500)
		s.Scalars[placement.Disk] = placement.Milli(rapid.IntRange(0, 2).Draw(t, "offered disk") * 10000)
		if chance(t, 5, "has gpus") {
			s.Scalars[placement.GPUs] = placement.Milli(rapid.IntRange(1, 5).Draw(t, "offered gpus") * 500)
		}
		if i == 0 {
			begin := uint16(rapid.IntRange(8, 12).Draw(t, "begin"))
			s.Ports = []placement.Range{{Begin: begin, End: begin + uint16(rapid.IntRange(0, 2).Draw(t, "span"))}, {Begin: begin + 10, End: begin + 11}}
		}
		if chance(t, 15, "of one instance") {
			s.Reservation.Dynamic, s.Reservation.Labels = true, `"marathon_task_id"="x"`
		}
		o.Shares = append(o.Shares, s)
	}
	return o
}

// broken is a policy that fails.
func broken() *answerer {
	return &answerer{answer: func(sdk.ConstraintInput) (sdk.ConstraintAnswer, error) {
		return sdk.ConstraintAnswer{}, errors.New("out of fuel")
	}}
}

// drawTerms draws an operator's settings, mostly those of nobody.
func drawTerms(t *rapid.T) placement.Terms {
	return placement.Terms{
		UnrestrictedGPUs: chance(t, 10, "gpus for all"),
		DefaultRoles:     placement.DefaultRoles(rapid.IntRange(0, 8).Draw(t, "default roles") % 7 % 3),
		Draining:         time.Duration(rapid.IntRange(0, 3).Draw(t, "draining")) * time.Second,
		NoMaintenance:    chance(t, 10, "no maintenance"),
	}
}
