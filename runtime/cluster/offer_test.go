package cluster_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/mesos/mesos-go/api/v1/lib"
	"github.com/mesos/mesos-go/api/v1/lib/scheduler"

	"github.com/pacer-run/pacer/runtime/cluster"
)

func agents(list ...cluster.AgentConfig) func(*cluster.Config) {
	return func(c *cluster.Config) { c.Agents = list }
}

func roles(names ...string) func(*mesos.FrameworkInfo) {
	return func(i *mesos.FrameworkInfo) { i.Roles = names }
}

// plain takes the capabilities away.
func plain(i *mesos.FrameworkInfo) { i.Capabilities, i.Roles = nil, nil }

func TestOfferShape(t *testing.T) {
	cfg := agentConfig(1)
	cfg.Resources, cfg.Attributes = "ports:[31000-31001,31005-31009];cpus:2;cpus(web):1;mem:64", "rack_id:rack-1;n:7;r:[1-3];rack_id:b"
	cfg.Region, cfg.Zone = "here", "a"
	c := start(t, fast(agents(cfg), func(c *cluster.Config) { c.Region, c.Zone = "here", "m" }))
	o := subscribe(t, c.Addr(), framework(roles("web/front"))).offer()
	role := &mesos.Resource_AllocationInfo{Role: new("web/front")}
	ports := &mesos.Value_Ranges{Range: []mesos.Value_Range{{Begin: 31000, End: 31001}, {Begin: 31005, End: 31009}}}
	want := []mesos.Resource{
		{Name: "ports", Type: mesos.RANGES.Enum(), Ranges: ports, AllocationInfo: role},
		{Name: "cpus", Type: mesos.SCALAR.Enum(), Scalar: &mesos.Value_Scalar{Value: 2}, AllocationInfo: role},
		{
			Name: "cpus", Type: mesos.SCALAR.Enum(), Scalar: &mesos.Value_Scalar{Value: 1}, AllocationInfo: role,
			Reservations: []mesos.Resource_ReservationInfo{{Type: mesos.Resource_ReservationInfo_STATIC.Enum(), Role: new("web")}},
		},
		{Name: "mem", Type: mesos.SCALAR.Enum(), Scalar: &mesos.Value_Scalar{Value: 64}, AllocationInfo: role},
	}
	if diff := cmp.Diff(want, o.Resources); diff != "" {
		t.Error(diff)
	}
	if o.AllocationInfo.GetRole() != "web/front" || o.Hostname != "agent-1" || o.URL.GetPath() != "/slave(1)" ||
		o.Domain.FaultDomain.Zone.Name != "a" || len(o.Attributes) != 4 || o.Attributes[1].GetScalar().GetValue() != 7 {
		t.Errorf("offer %v", o)
	}

	c = start(t, fast(agents(cfg)))
	if f := subscribe(t, c.Addr(), framework(plain, func(i *mesos.FrameworkInfo) { i.Role = new("web") })); f.id != "" {
		// Without REGION_AWARE an agent of another region is never offered.
		f.reconcile()
		f.kill("x")
		f.status("x")
		if len(f.events) > 3 {
			t.Errorf("events %v", f.events)
		}
	}
}

func TestOldShape(t *testing.T) {
	cfg := agentConfig(1)
	cfg.Resources = "cpus:2;cpus(web):1;mem:64"
	c := start(t, fast(agents(cfg)))
	o := subscribe(t, c.Addr(), framework(plain, func(i *mesos.FrameworkInfo) { i.Role = new("web") })).offer()
	if o.AllocationInfo != nil {
		t.Error("allocation_info without MULTI_ROLE")
	}
	var got []string
	for _, r := range o.Resources {
		got = append(got, r.Name+"/"+r.GetRole())
		if r.AllocationInfo != nil || r.Reservations != nil {
			t.Errorf("new form: %v", r)
		}
	}
	if diff := cmp.Diff([]string{"cpus/*", "cpus/web", "mem/*"}, got); diff != "" {
		t.Error(diff)
	}
}

// An agent with GPUs is hidden from frameworks that do not know them, its cpus as well.
func TestGPUs(t *testing.T) {
	gpu := agentConfig(1)
	gpu.Resources = "cpus:2;mem:64;gpus:1"
	c := start(t, fast(agents(gpu, agentConfig(2))))
	if list := subscribe(t, c.Addr(), framework()).offers(); len(list) != 1 || list[0].Hostname != "agent-2" {
		t.Errorf("offers %v", list)
	}
	able := framework(func(i *mesos.FrameworkInfo) {
		i.Capabilities = append(i.Capabilities, mesos.FrameworkInfo_Capability{Type: mesos.FrameworkInfo_Capability_GPU_RESOURCES})
	})
	if list := subscribe(t, c.Addr(), able).offers(); len(list) != 1 || list[0].Hostname != "agent-1" {
		t.Errorf("offers %v", list)
	}
}

// Parts of an agent are offered apart while others are outstanding, and can be accepted together.
func TestRemainders(t *testing.T) {
	c := start(t, fast())
	f := subscribe(t, c.Addr(), framework())
	whole := f.offer()
	f.launch(whole, shell("a", "", labelled("fake.run", "20ms")))
	rest := f.offer()
	if got := amount(rest, "cpus"); got != 1.9 {
		t.Errorf("rest has %v cpus", got)
	}
	f.states("a", mesos.TASK_FINISHED)
	freed := f.offer()
	if got := amount(freed, "cpus"); got != 0.1 || len(freed.Resources) != 2 {
		t.Errorf("freed %v", freed.Resources)
	}
	big := shell("b", "")
	big.Resources = []mesos.Resource{scalar("cpus", 2), scalar("mem", 2048)}
	big.AgentID = rest.AgentID
	f.call(&scheduler.Call{Type: scheduler.Call_ACCEPT, Accept: &scheduler.Call_Accept{
		OfferIDs: []mesos.OfferID{rest.ID, freed.ID},
		Operations: []mesos.Offer_Operation{{
			Type:   mesos.Offer_Operation_LAUNCH,
			Launch: &mesos.Offer_Operation_Launch{TaskInfos: []mesos.TaskInfo{big}},
		}},
	}})
	f.states("b", mesos.TASK_RUNNING)
	// Ports and disk alone are not worth an offer: none came before the next update.
	f.kill("nobody")
	f.status("nobody")
	for _, e := range f.events {
		if !f.taken[e] && e.Offers != nil {
			t.Errorf("offered %v", e.Offers.Offers)
		}
	}
}

func TestFilters(t *testing.T) {
	c := start(t, fast(agents(agentConfig(1), agentConfig(2))))
	f := subscribe(t, c.Addr(), framework())
	first := f.offers()
	if len(first) != 2 {
		t.Fatalf("%d offers", len(first))
	}
	f.decline(new(3600.0), first[0])
	f.decline(new(0.0), first[1])
	next := f.offers()
	if len(next) != 1 || next[0].AgentID != first[1].AgentID {
		t.Fatalf("offers after the decline: %v", next)
	}
	// REVIVE clears the filter but does not repeat what is outstanding.
	f.call(&scheduler.Call{Type: scheduler.Call_REVIVE})
	revived := f.offers()
	if len(revived) != 1 || revived[0].AgentID != first[0].AgentID {
		t.Fatalf("offers after REVIVE: %v", revived)
	}
	// A refusal of the rest stops mattering when more is free.
	f.decline(new(3600.0), next[0])
	refuse := 3600.0
	task := shell("t", "", labelled("fake.run", "20ms"))
	task.AgentID = revived[0].AgentID
	f.call(&scheduler.Call{Type: scheduler.Call_ACCEPT, Accept: &scheduler.Call_Accept{
		OfferIDs: []mesos.OfferID{revived[0].ID}, Filters: &mesos.Filters{RefuseSeconds: &refuse},
		Operations: []mesos.Offer_Operation{{
			Type:   mesos.Offer_Operation_LAUNCH,
			Launch: &mesos.Offer_Operation_Launch{TaskInfos: []mesos.TaskInfo{task}},
		}},
	}})
	f.states("t", mesos.TASK_FINISHED)
	if more := f.offer(); more.AgentID != revived[0].AgentID || amount(more, "cpus") != 2 {
		t.Errorf("offer %v", more)
	}
	// SUPPRESS stops offers; filters and time do not matter then.
	f.call(&scheduler.Call{Type: scheduler.Call_SUPPRESS})
	f.call(&scheduler.Call{Type: scheduler.Call_REVIVE, Revive: &scheduler.Call_Revive{Roles: []string{"not mine"}}})
	f.kill("nobody")
	f.status("nobody")
	for _, e := range f.events {
		if !f.taken[e] && e.Offers != nil {
			t.Errorf("offered %v", e.Offers.Offers)
		}
	}
}

// An agent goes to one role at a time; refused in one, it is offered in the other.
func TestRoles(t *testing.T) {
	c := start(t, fast())
	f := subscribe(t, c.Addr(), framework(roles("a", "b")))
	first := f.offers()
	if len(first) != 1 {
		t.Fatalf("%d offers", len(first))
	}
	f.decline(new(86400.0), first[0])
	second := f.offer()
	if second.AllocationInfo.GetRole() == first[0].AllocationInfo.GetRole() {
		t.Error("the same role again")
	}
}

func TestOfferTimeout(t *testing.T) {
	c := start(t, fast(func(c *cluster.Config) { c.OfferTimeout = 30 * time.Millisecond }))
	f := subscribe(t, c.Addr(), framework())
	o := f.offer()
	if got := f.await("RESCIND", isType(scheduler.Event_RESCIND)).Rescind.OfferID; got != o.ID {
		t.Errorf("rescinded %v", got)
	}
	f.launch(o, shell("late", ""))
	s := f.status("late")
	if s.GetState() != mesos.TASK_DROPPED || s.GetReason() != mesos.REASON_INVALID_OFFERS {
		t.Errorf("got %v", s)
	}
	f.offer()
}
