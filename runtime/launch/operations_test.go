package launch_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	mesos "github.com/mesos/mesos-go/api/v1/lib"
	"github.com/mesos/mesos-go/api/v1/lib/scheduler"

	"github.com/pacer-run/pacer/runtime/launch"
	"github.com/pacer-run/pacer/runtime/placement"
)

// holding is what an instance has on an agent: cpus, disk and a port, a volume on
// the root disk and one on a file system of its own.
func holding() launch.Holding {
	r := placement.Reservation{
		Role: "dev", Dynamic: true, Principal: "pacer",
		Labels: placement.Owner{Framework: "f1", Instance: "db.instance-1"}.Labels(),
	}
	return launch.Holding{
		Instance: "db.instance-1",
		Shares:   []placement.Share{share(r, 0.5, 0, 128, span(31005, 31005))},
		Disks: []placement.DiskPart{
			{Reservation: r, Size: 64_000, Volume: placement.Persistence{ID: "db#data#1", Principal: "pacer", ContainerPath: "data"}},
			{
				Reservation: r, Size: 900_000,
				Source: placement.DiskSource{Kind: placement.MountDisk, Root: "/mnt/a", ID: "i", Profile: "fast"},
				Volume: placement.Persistence{ID: "db#log#2", Principal: "pacer", ContainerPath: "log", ReadOnly: true},
			},
		},
	}
}

// heldResource is a resource of the holding in mesos-go's words.
func heldResource(name string, v float64, d *mesos.Resource_DiskInfo) mesos.Resource {
	scalar, role := mesos.SCALAR, "dev"
	framework, instance := "f1", "db.instance-1"
	return mesos.Resource{
		Name: name, Type: &scalar, Scalar: &mesos.Value_Scalar{Value: v}, Role: &role, Disk: d,
		Reservation: &mesos.Resource_ReservationInfo{Principal: new("pacer"), Labels: &mesos.Labels{Labels: []mesos.Label{
			{Key: "marathon_framework_id", Value: &framework}, {Key: "marathon_task_id", Value: &instance},
		}}},
	}
}

// heldResources are those of the holding: all without volumes, and the volumes.
func heldResources() (bare, volumes []mesos.Resource) {
	mount := func() *mesos.Resource_DiskInfo_Source {
		return &mesos.Resource_DiskInfo_Source{
			Type:  mesos.Resource_DiskInfo_Source_MOUNT,
			Mount: &mesos.Resource_DiskInfo_Source_Mount{Root: new("/mnt/a")}, ID: new("i"), Profile: new("fast"),
		}
	}
	volume := func(id, path string, mode mesos.Volume_Mode, s *mesos.Resource_DiskInfo_Source) *mesos.Resource_DiskInfo {
		return &mesos.Resource_DiskInfo{
			Persistence: &mesos.Resource_DiskInfo_Persistence{ID: id, Principal: new("pacer")},
			Volume:      &mesos.Volume{ContainerPath: path, Mode: &mode}, Source: s,
		}
	}
	ranges := mesos.RANGES
	port := heldResource("ports", 0, nil)
	port.Type, port.Scalar = &ranges, nil
	port.Ranges = &mesos.Value_Ranges{Range: []mesos.Value_Range{{Begin: 31005, End: 31005}}}
	bare = []mesos.Resource{
		heldResource("cpus", 0.5, nil), heldResource("disk", 128, nil), port,
		heldResource("disk", 64, nil), heldResource("disk", 900, &mesos.Resource_DiskInfo{Source: mount()}),
	}
	return bare, []mesos.Resource{
		heldResource("disk", 64, volume("db#data#1", "data", mesos.RW, nil)),
		heldResource("disk", 900, volume("db#log#2", "log", mesos.RO, mount())),
	}
}

// TestAppendOperations wants the order that Mesos needs: a volume is destroyed
// before its disk is given back, and made after that was reserved.
func TestAppendOperations(t *testing.T) {
	bare, volumes := heldResources()
	task := shapes["command"]()
	task.Place.Take, task.Place.Disks = holding().Shares, holding().Disks
	info := launch.TaskInfo(task)
	if diff := cmp.Diff(append(bare[:3:3], volumes...), info.Resources); diff != "" {
		t.Error("resources of the task:", diff)
	}
	want := []mesos.Offer_Operation{
		{Type: mesos.Offer_Operation_DESTROY, Destroy: &mesos.Offer_Operation_Destroy{Volumes: volumes}},
		{Type: mesos.Offer_Operation_UNRESERVE, Unreserve: &mesos.Offer_Operation_Unreserve{Resources: bare}},
		{Type: mesos.Offer_Operation_RESERVE, Reserve: &mesos.Offer_Operation_Reserve{Resources: bare}},
		{Type: mesos.Offer_Operation_CREATE, Create: &mesos.Offer_Operation_Create{Volumes: volumes}},
		{Type: mesos.Offer_Operation_LAUNCH, Launch: &mesos.Offer_Operation_Launch{TaskInfos: []mesos.TaskInfo{info}}},
	}
	var e launch.Encoder
	o := launch.Operations{Free: []launch.Holding{holding()}, Reserve: []launch.Holding{holding()}, Tasks: []launch.Task{task}}
	got := decode(t, e.AppendOperations(nil, "f1", []string{"O1"}, &o, 0))
	if got.Type != scheduler.Call_ACCEPT || got.GetFrameworkID().GetValue() != "f1" {
		t.Errorf("call %v", got.Type)
	}
	if diff := cmp.Diff(want, got.Accept.Operations); diff != "" {
		t.Error(diff)
	}
}

// TestOperationsOfPart: what a holding has none of makes no operation.
func TestOperationsOfPart(t *testing.T) {
	h := holding()
	h.Disks = nil
	var e launch.Encoder
	got := decode(t, e.AppendOperations(nil, "f1", []string{"O1"}, &launch.Operations{Free: []launch.Holding{h}}, 0))
	if len(got.Accept.Operations) != 1 || got.Accept.Operations[0].Type != mesos.Offer_Operation_UNRESERVE {
		t.Errorf("operations %v", got.Accept.Operations)
	}
}
