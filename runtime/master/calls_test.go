package master_test

import (
	"reflect"
	"testing"
	"time"

	"github.com/mesos/mesos-go/api/v1/lib"
	sched "github.com/mesos/mesos-go/api/v1/lib/scheduler"

	"github.com/pacer-run/pacer/runtime/launch"
	"github.com/pacer-run/pacer/runtime/master"
	"github.com/pacer-run/pacer/runtime/placement"
	"github.com/pacer-run/pacer/runtime/scheduler"
	"github.com/pacer-run/pacer/runtime/spec"
)

// accept is an ACCEPT of one task.
func accept() scheduler.Accept {
	app := &spec.App{ID: "/web", Cmd: "sleep 1", Instances: 1, CPUs: 0.5, Mem: 32}
	offer := &placement.Offer{ID: "o-1", Role: "*", Agent: &placement.Agent{ID: "a-1", Hostname: "h"}}
	take := placement.Share{}
	take.Scalars[placement.CPUs] = 500
	return scheduler.Accept{Offer: offer, Refuse: 2 * time.Second, Tasks: []launch.Task{
		{ID: "t-1", App: app, Place: placement.Placement{App: app, Offer: offer, Take: []placement.Share{take}}},
	}}
}

var uuid = [16]byte{0: 1, 6: 0x40, 8: 0x80, 15: 9}

// everyCall has a call of each kind.
func everyCall() []scheduler.Call {
	return []scheduler.Call{
		accept(),
		scheduler.Accept{Offer: &placement.Offer{ID: "o-2"}},
		scheduler.Accept{Offer: &placement.Offer{ID: "o-5"}, Free: []launch.Holding{volume()}},
		scheduler.Accept{Offer: &placement.Offer{ID: "o-6"}, Reserve: []launch.Holding{volume()}},
		scheduler.Decline{OfferIDs: []string{"o-3", "o-4"}, Refuse: 1500 * time.Millisecond},
		scheduler.Revive{Roles: []string{"*"}},
		scheduler.Suppress{Roles: []string{"*", "web"}},
		scheduler.Kill{TaskID: "t-1", AgentID: "a-1"},
		scheduler.Kill{TaskID: "t-2"},
		scheduler.Acknowledge{TaskID: "t-1", AgentID: "a-1", UUID: uuid},
		scheduler.Reconcile{Tasks: []scheduler.TaskRef{{TaskID: "t-1", AgentID: "a-1"}, {TaskID: "t-2"}}},
		scheduler.Reconcile{},
	}
}

// TestAcceptOfPool wants all offers of a pool named, also when nothing is taken.
func TestAcceptOfPool(t *testing.T) {
	call := accept()
	second := *call.Offer
	second.ID = "o-2"
	call.Offer = placement.Pool([]*placement.Offer{call.Offer, &second})[0]
	if got := decodeCall(t, call).Accept; len(got.Operations) != 1 || !reflect.DeepEqual(got.OfferIDs, ids("o-1", "o-2")) {
		t.Errorf("accept %v", got)
	}
	call.Tasks = nil
	if got := decodeCall(t, call).Decline; !reflect.DeepEqual(got.GetOfferIDs(), ids("o-1", "o-2")) {
		t.Errorf("decline %v", got)
	}
}

// TestUpdateRoles wants the framework told of as a whole, for UPDATE_FRAMEWORK
// replaces all of it.
func TestUpdateRoles(t *testing.T) {
	got := decodeCall(t, scheduler.UpdateRoles{Roles: []string{"*", "dev"}, Suppressed: []string{"*", "gone"}})
	update := got.GetUpdateFramework()
	info := update.GetFrameworkInfo()
	if got.Type != sched.Call_UPDATE_FRAMEWORK || info.GetID().GetValue() != "f-1" || info.User != "u" || info.Name != "n" ||
		info.GetFailoverTimeout() != 60 || len(info.Capabilities) != 3 || info.Role != nil {
		t.Errorf("call %v", got)
	}
	if !reflect.DeepEqual(info.Roles, []string{"*", "dev"}) || !reflect.DeepEqual(update.SuppressedRoles, []string{"*"}) {
		t.Errorf("roles %v, suppressed %v", info.Roles, update.SuppressedRoles)
	}
}

// decodeCall encodes the call and reads it as mesos-go does.
func decodeCall(t *testing.T, call scheduler.Call) (out sched.Call) {
	t.Helper()
	wire, err := master.Encode("f-1", call)
	if err != nil {
		t.Fatal(err)
	}
	if err := out.Unmarshal(wire); err != nil {
		t.Fatal(err)
	}
	return out
}

// volume is a volume that an instance holds.
func volume() launch.Holding {
	held := placement.Reservation{Role: "dev", Dynamic: true, Principal: "p"}
	return launch.Holding{Instance: "i", Disks: []placement.DiskPart{
		{Reservation: held, Size: 5000, Volume: placement.Persistence{ID: "v", Principal: "p", ContainerPath: "data"}},
	}}
}

// volumes is the volume in mesos-go's words, or the disk without it.
func volumes(with bool) []mesos.Resource {
	scalar, mode := mesos.SCALAR, mesos.RW
	r := mesos.Resource{
		Name: "disk", Type: &scalar, Scalar: &mesos.Value_Scalar{Value: 5}, Role: new("dev"),
		Reservation: &mesos.Resource_ReservationInfo{Principal: new("p")},
	}
	if with {
		r.Disk = &mesos.Resource_DiskInfo{
			Persistence: &mesos.Resource_DiskInfo_Persistence{ID: "v", Principal: new("p")},
			Volume:      &mesos.Volume{ContainerPath: "data", Mode: &mode},
		}
	}
	return []mesos.Resource{r}
}

func operations(offer string, all ...mesos.Offer_Operation) sched.Call {
	return sched.Call{Type: sched.Call_ACCEPT, Accept: &sched.Call_Accept{OfferIDs: ids(offer), Operations: all, Filters: seconds(0)}}
}

func seconds(s float64) *mesos.Filters { return &mesos.Filters{RefuseSeconds: &s} }

func ids(ids ...string) []mesos.OfferID {
	all := make([]mesos.OfferID, len(ids))
	for i, id := range ids {
		all[i].Value = id
	}
	return all
}

// wantCalls are the messages of everyCall but for the first.
func wantCalls() []sched.Call {
	t1, t2, a1 := mesos.TaskID{Value: "t-1"}, mesos.TaskID{Value: "t-2"}, &mesos.AgentID{Value: "a-1"}
	calls := []sched.Call{
		{Type: sched.Call_DECLINE, Decline: &sched.Call_Decline{OfferIDs: ids("o-2"), Filters: seconds(0)}},
		operations("o-5",
			mesos.Offer_Operation{Type: mesos.Offer_Operation_DESTROY, Destroy: &mesos.Offer_Operation_Destroy{Volumes: volumes(true)}},
			mesos.Offer_Operation{Type: mesos.Offer_Operation_UNRESERVE, Unreserve: &mesos.Offer_Operation_Unreserve{Resources: volumes(false)}}),
		operations("o-6",
			mesos.Offer_Operation{Type: mesos.Offer_Operation_RESERVE, Reserve: &mesos.Offer_Operation_Reserve{Resources: volumes(false)}},
			mesos.Offer_Operation{Type: mesos.Offer_Operation_CREATE, Create: &mesos.Offer_Operation_Create{Volumes: volumes(true)}}),
		{Type: sched.Call_DECLINE, Decline: &sched.Call_Decline{OfferIDs: ids("o-3", "o-4"), Filters: seconds(1.5)}},
		{Type: sched.Call_REVIVE, Revive: &sched.Call_Revive{Roles: []string{"*"}}},
		{Type: sched.Call_SUPPRESS, Suppress: &sched.Call_Suppress{Roles: []string{"*", "web"}}},
		{Type: sched.Call_KILL, Kill: &sched.Call_Kill{TaskID: t1, AgentID: a1}},
		{Type: sched.Call_KILL, Kill: &sched.Call_Kill{TaskID: t2}},
		{Type: sched.Call_ACKNOWLEDGE, Acknowledge: &sched.Call_Acknowledge{TaskID: t1, AgentID: *a1, UUID: uuid[:]}},
		{Type: sched.Call_RECONCILE, Reconcile: &sched.Call_Reconcile{
			Tasks: []sched.Call_Reconcile_Task{{TaskID: t1, AgentID: a1}, {TaskID: t2}},
		}},
		{Type: sched.Call_RECONCILE, Reconcile: &sched.Call_Reconcile{}},
	}
	for i := range calls {
		calls[i].FrameworkID = &mesos.FrameworkID{Value: "f-1"}
	}
	return calls
}
