package master_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/mesos/mesos-go/api/v1/lib"
	sched "github.com/mesos/mesos-go/api/v1/lib/scheduler"
	"pgregory.net/rapid"

	"github.com/pacer-run/pacer/runtime/master"
	"github.com/pacer-run/pacer/runtime/placement"
)

// offersEvent encodes offers as a master does.
func offersEvent(t interface{ Fatal(...any) }, offers ...mesos.Offer) []byte {
	e := sched.Event{Type: sched.Event_OFFERS, Offers: &sched.Event_Offers{Offers: offers}}
	record, err := e.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return record
}

// TestOffersLikeMesosGo compares the decoder with a conversion that goes through
// mesos-go's types, on offers of all shapes, while it remembers agents and names
// of earlier ones.
func TestOffersLikeMesosGo(t *testing.T) {
	d := master.NewDecoder()
	rapid.Check(t, func(t *rapid.T) {
		offers := rapid.SliceOfN(rapid.Custom(anyOffer), 0, 4).Draw(t, "offers")
		want := make([]*placement.Offer, len(offers))
		for i := range offers {
			want[i] = slowOffer(&offers[i])
		}
		got, err := d.Offers(offersEvent(t, offers...))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
			t.Fatal(diff)
		}
	})
}

// reservedOffer is an offer of plain resources, of some under a dynamic
// reservation in two parts, and of ports under a static one.
func reservedOffer() mesos.Offer {
	scalar, ranges := mesos.SCALAR, mesos.RANGES
	web, principal, version := "web", "pacer", "3"
	labels := &mesos.Labels{Labels: []mesos.Label{{Key: "b"}, {Key: "a", Value: &version}}}
	reserved := func(name string, v float64) mesos.Resource {
		return mesos.Resource{
			Name: name, Type: &scalar, Role: &web, Scalar: &mesos.Value_Scalar{Value: v},
			Reservation: &mesos.Resource_ReservationInfo{Principal: &principal, Labels: labels},
		}
	}
	volume := reserved("disk", 100)
	mode := mesos.RW
	volume.Disk = &mesos.Resource_DiskInfo{
		Persistence: &mesos.Resource_DiskInfo_Persistence{ID: "v-1", Principal: &principal},
		Volume:      &mesos.Volume{ContainerPath: "data", Mode: &mode},
	}
	ports := mesos.Resource{Name: "ports", Type: &ranges, Role: &web, Ranges: &mesos.Value_Ranges{
		Range: []mesos.Value_Range{{Begin: 443, End: 500}, {Begin: 80, End: 80}, {Begin: 81, End: 90}},
	}}
	o := benchOffer(7)
	o.Resources = append(o.Resources, reserved("cpus", 0.1), reserved("cpus", 0.2), volume, ports)
	o.Unavailability = &mesos.Unavailability{
		Start:    mesos.TimeInfo{Nanoseconds: 5_000_000},
		Duration: &mesos.DurationInfo{Nanoseconds: 2_999_999},
	}
	return o
}

func TestOffer(t *testing.T) {
	plain, dynamic := placement.Share{}, placement.Share{}
	plain.Scalars[placement.CPUs], plain.Scalars[placement.Mem], plain.Scalars[placement.Disk] = 15_500, 62_000_000, 900_000_000
	plain.Ports = []placement.Range{{Begin: 31000, End: 31500}, {Begin: 31600, End: 31999}, {Begin: 32001, End: 32767}}
	dynamic.Reservation = placement.Reservation{Role: "web", Dynamic: true, Principal: "pacer", Labels: `"a"="3","b"`}
	dynamic.Scalars[placement.CPUs] = 300
	static := placement.Share{
		Reservation: placement.Reservation{Role: "web"},
		Ports:       []placement.Range{{Begin: 80, End: 90}, {Begin: 443, End: 500}},
	}
	want := []*placement.Offer{{
		ID: "10e4ed4d-7949-43c1-bcda-7d1ddba5b723-O7", Role: "*",
		Agent: &placement.Agent{
			ID: "10e4ed4d-7949-43c1-bcda-7d1ddba5b723-S7", Hostname: "agent-00007", IP: "10.0.0.7", Port: 5051,
			Region: "region-a", Zone: "zone-1",
			Attributes: []placement.Attribute{{Name: "rack", Value: "rack-7"}, {Name: "generation", Value: "3"}, {Name: "os", Value: "linux"}},
		},
		Shares: []placement.Share{plain, dynamic, static},
		Disks: []placement.DiskPart{{
			Reservation: dynamic.Reservation, Size: 100_000,
			Volume: placement.Persistence{ID: "v-1", Principal: "pacer", ContainerPath: "data"},
		}},
		Unavailable: &placement.Window{Begin: 5, End: 7},
	}}
	got, err := master.NewDecoder().Offers(offersEvent(t, reservedOffer()))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestAgentsAreShared: one value for an agent for as long as its facts stay.
func TestAgentsAreShared(t *testing.T) {
	d := master.NewDecoder()
	decode := func(o mesos.Offer) *placement.Agent {
		t.Helper()
		got, err := d.Offers(offersEvent(t, o))
		if err != nil {
			t.Fatal(err)
		}
		return got[0].Agent
	}
	changed := benchOffer(1)
	changed.Attributes[0].Text.Value = "moved"
	first, again, moved, other := decode(benchOffer(1)), decode(benchOffer(1)), decode(changed), decode(benchOffer(2))
	if first != again {
		t.Error("the same facts made two agents")
	}
	if moved == first || moved.Attributes[0].Value != "moved" || first.Attributes[0].Value != "rack-1" {
		t.Errorf("changed facts made %+v of %+v", moved, first)
	}
	if other == first || other.ID == first.ID {
		t.Error("two agents are one")
	}
}

// TestBadOffers wants errors of what is no offer.
func TestBadOffers(t *testing.T) {
	whole := benchEvent(1)
	lacking := func(edit func(*mesos.Offer)) []byte {
		o := benchOffer(1)
		edit(&o)
		return offersEvent(t, o)
	}
	cases := map[string][]byte{
		"cut":      whole[:len(whole)-1],
		"no id":    lacking(func(o *mesos.Offer) { o.ID.Value = "" }),
		"no agent": lacking(func(o *mesos.Offer) { o.AgentID.Value = "" }),
		"group":    {8, 2, 26, 3, 10, 1, 0x0b},
		"no type":  {8, 2, 26, 2, 10, 0},
	}
	for name, record := range cases {
		if got, err := master.NewDecoder().Offers(record); err == nil {
			t.Errorf("%s: decoded as %+v", name, got)
		}
	}
}

// TestAllocations holds the decoder to what it is there for.
func TestAllocations(t *testing.T) {
	const offers, most = 100, 5
	record, d := benchEvent(offers), master.NewDecoder()
	per := testing.AllocsPerRun(10, func() {
		if _, err := d.Offers(record); err != nil {
			t.Fatal(err)
		}
	}) / offers
	if per > most {
		t.Errorf("%.2f allocations per offer of a known agent, want at most %d", per, most)
	}
}

func FuzzRecord(f *testing.F) {
	f.Add(benchEvent(2))
	f.Add([]byte{8, 8})
	f.Add([]byte{8, 7, 66, 3, 10, 1, 'x'})
	f.Add([]byte{8, 4, 42, 8, 10, 6, 10, 2, 10, 0, 16, 1})
	d := master.NewDecoder()
	f.Fuzz(func(t *testing.T, record []byte) {
		d.Record(record) // only that it returns
	})
}
