package main

import (
	"context"
	"fmt"
	"strconv"
	"time"

	mesos "github.com/mesos/mesos-go/api/v1/lib"
	"github.com/mesos/mesos-go/api/v1/lib/scheduler"

	"github.com/pacer-run/pacer/plugins/constraints"
	"github.com/pacer-run/pacer/runtime/placement"
	"github.com/pacer-run/pacer/runtime/spec"
	"github.com/pacer-run/pacer/sdk"
)

// racks is how many values the agents' attribute "rack" has.
const racks = 40

// frameworkID is as long as real ones.
const frameworkID = "10e4ed4d-7949-43c1-bcda-7d1ddba5b723-0000"

// world is a cluster of agents and the event that offers all of them.
type world struct {
	agents int
	event  []byte // a scheduler.Event as protobuf
}

// newWorld makes agents with 4 resources, 3 ranges of ports, 3 attributes, a URL
// and a domain each.
func newWorld(agents int) world {
	offers := make([]mesos.Offer, agents)
	for i := range offers {
		offers[i] = newOffer(i)
	}
	event := scheduler.Event{Type: scheduler.Event_OFFERS, Offers: &scheduler.Event_Offers{Offers: offers}}
	wire, err := event.Marshal()
	if err != nil {
		panic(err)
	}
	return world{agents, wire}
}

// newOffer is the offer of the i-th agent, all of it unreserved.
func newOffer(i int) mesos.Offer {
	host := fmt.Sprintf("agent-%05d.cluster.example.com", i)
	ip := fmt.Sprintf("10.%d.%d.%d", i>>16, i>>8&255, i&255)
	path := "/slave(1)"
	return mesos.Offer{
		ID:          mesos.OfferID{Value: fmt.Sprint("10e4ed4d-7949-43c1-bcda-7d1ddba5b723-O", i)},
		FrameworkID: mesos.FrameworkID{Value: frameworkID},
		AgentID:     mesos.AgentID{Value: fmt.Sprint("10e4ed4d-7949-43c1-bcda-7d1ddba5b723-S", i)},
		Hostname:    host,
		URL: &mesos.URL{
			Scheme:  "http",
			Address: mesos.Address{Hostname: &host, IP: &ip, Port: 5051},
			Path:    &path,
		},
		Domain: &mesos.DomainInfo{FaultDomain: &mesos.DomainInfo_FaultDomain{
			Region: mesos.DomainInfo_FaultDomain_RegionInfo{Name: "region-a"},
			Zone:   mesos.DomainInfo_FaultDomain_ZoneInfo{Name: fmt.Sprint("zone-", i%3)},
		}},
		Resources: []mesos.Resource{
			newScalar("cpus", 32), newScalar("mem", 65536), newScalar("disk", 500000),
			newPorts(31000, 31499, 31600, 31799, 31900, 32000),
		},
		Attributes: []mesos.Attribute{
			newText("rack", fmt.Sprintf("rack-%02d", i%racks)),
			newText("os", "debian-12"),
			newText("class", fmt.Sprint("c", i%7)),
		},
		AllocationInfo: allocation(),
	}
}

func allocation() *mesos.Resource_AllocationInfo {
	role := "*"
	return &mesos.Resource_AllocationInfo{Role: &role}
}

func newScalar(name string, v float64) mesos.Resource {
	kind := mesos.SCALAR
	return mesos.Resource{
		Name: name, Type: &kind, Scalar: &mesos.Value_Scalar{Value: v}, AllocationInfo: allocation(),
	}
}

func newPorts(bounds ...uint64) mesos.Resource {
	kind, ranges := mesos.RANGES, &mesos.Value_Ranges{}
	for i := 0; i < len(bounds); i += 2 {
		ranges.Range = append(ranges.Range, mesos.Value_Range{Begin: bounds[i], End: bounds[i+1]})
	}
	return mesos.Resource{Name: "ports", Type: &kind, Ranges: ranges, AllocationInfo: allocation()}
}

func newText(name, value string) mesos.Attribute {
	return mesos.Attribute{Name: name, Type: mesos.TEXT, Text: &mesos.Value_Text{Value: value}}
}

// shape is a kind of app to place.
type shape struct {
	name        string
	constraints []spec.Constraint
	perAgent    bool // at most one instance on an agent
}

// shapes are the kinds of app that are measured. Each can be placed in full, so
// that the cost is that of placing and not of failing to.
func shapes(agents, instances int) []shape {
	// As many on a host as are needed to place all.
	most := strconv.Itoa((instances + agents - 1) / agents)
	return []shape{
		{name: "plain"},
		{name: "LIKE", constraints: []spec.Constraint{constraint("rack", "LIKE", "rack-[0-2][0-9]")}},
		{name: "UNIQUE", constraints: []spec.Constraint{constraint("hostname", "UNIQUE", "")}, perAgent: true},
		{name: "MAX_PER", constraints: []spec.Constraint{constraint("hostname", "MAX_PER", most)}},
		{name: "GROUP_BY", constraints: []spec.Constraint{constraint("rack", "GROUP_BY", "")}},
		{name: "GROUP_BY host", constraints: []spec.Constraint{constraint("hostname", "GROUP_BY", "")}},
	}
}

func constraint(field, operator, value string) spec.Constraint {
	return spec.Constraint{
		Field: sdk.CanonicalField(field), Operator: operator, Value: value, HasValue: value != "",
	}
}

// newApp is one version of a small app; each has an id of its own.
func newApp(number, instances int, list []spec.Constraint) *spec.App {
	return &spec.App{
		ID: spec.PathID(fmt.Sprint("/bench/app-", number)), Cmd: "sleep 1000", Role: "*",
		CPUs: 0.1, Mem: 32, Instances: instances, Constraints: list,
		PortDefinitions: []spec.PortDefinition{{Port: 10000, Name: "http", Protocol: "tcp"}},
		Labels:          map[string]string{"owner": "bench"},
		Env:             map[string]string{"MODE": "bench"},
		Version:         spec.TimestampOf(time.UnixMilli(1767225600000)),
	}
}

// prepare makes the rules of an app with the operators that Pacer ships.
func prepare(app *spec.App) ([]placement.Rule, error) {
	var rules []placement.Rule
	for _, c := range app.Constraints {
		for _, builtin := range constraints.All() {
			if builtin.Operators()[0] != c.Operator {
				continue
			}
			prepared, err := builtin.Prepare(context.Background(), sdk.ConstraintSpec{
				Field: c.Field, Operator: c.Operator, Value: c.Value, HasValue: c.HasValue,
			})
			if err != nil {
				return nil, err
			}
			rules = append(rules, placement.Rule{Constraint: c, Prepared: prepared})
		}
	}
	return rules, nil
}
