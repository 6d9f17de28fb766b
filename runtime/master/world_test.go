package master_test

import (
	"fmt"

	"github.com/mesos/mesos-go/api/v1/lib"
	sched "github.com/mesos/mesos-go/api/v1/lib/scheduler"
)

// benchOffer is an offer as large clusters send it: 4 resources, 3 port ranges, 3
// attributes, URL and domain, about half a kilobyte.
func benchOffer(n int) mesos.Offer {
	host, ip, path := fmt.Sprintf("agent-%05d", n), fmt.Sprintf("10.0.%d.%d", n/250, n%250), "/slave(1)"
	star := "*"
	resource := func(name string, kind mesos.Value_Type) mesos.Resource {
		return mesos.Resource{
			Name: name, Type: &kind, Role: &star,
			AllocationInfo: &mesos.Resource_AllocationInfo{Role: &star},
		}
	}
	amount := func(name string, v float64) mesos.Resource {
		r := resource(name, mesos.SCALAR)
		r.Scalar = &mesos.Value_Scalar{Value: v}
		return r
	}
	ports := resource("ports", mesos.RANGES)
	ports.Ranges = &mesos.Value_Ranges{Range: []mesos.Value_Range{
		{Begin: 31000, End: 31500}, {Begin: 31600, End: 31999}, {Begin: 32001, End: 32767},
	}}
	return mesos.Offer{
		ID:          mesos.OfferID{Value: fmt.Sprintf("10e4ed4d-7949-43c1-bcda-7d1ddba5b723-O%d", n)},
		FrameworkID: mesos.FrameworkID{Value: "10e4ed4d-7949-43c1-bcda-7d1ddba5b723-0000"},
		AgentID:     mesos.AgentID{Value: fmt.Sprintf("10e4ed4d-7949-43c1-bcda-7d1ddba5b723-S%d", n)},
		Hostname:    host,
		URL: &mesos.URL{
			Scheme: "http", Path: &path,
			Address: mesos.Address{Hostname: &host, IP: &ip, Port: 5051},
		},
		Domain:    domainOf("region-a", fmt.Sprintf("zone-%d", n%3)),
		Resources: []mesos.Resource{amount("cpus", 15.5), amount("mem", 62000), amount("disk", 900000), ports},
		Attributes: []mesos.Attribute{
			{Name: "rack", Type: mesos.TEXT, Text: &mesos.Value_Text{Value: fmt.Sprintf("rack-%d", n%40)}},
			{Name: "generation", Type: mesos.SCALAR, Scalar: &mesos.Value_Scalar{Value: float64(n % 4)}},
			{Name: "os", Type: mesos.TEXT, Text: &mesos.Value_Text{Value: "linux"}},
		},
		AllocationInfo: &mesos.Resource_AllocationInfo{Role: &star},
	}
}

// benchEvent is an OFFERS event of n such offers, encoded.
func benchEvent(n int) []byte {
	offers := make([]mesos.Offer, n)
	for i := range offers {
		offers[i] = benchOffer(i)
	}
	e := sched.Event{Type: sched.Event_OFFERS, Offers: &sched.Event_Offers{Offers: offers}}
	record, err := e.Marshal()
	if err != nil {
		panic(err)
	}
	return record
}
