package api

import (
	"testing"

	iradix "github.com/hashicorp/go-immutable-radix/v2"

	"github.com/pacer-run/pacer/runtime/placement"
	"github.com/pacer-run/pacer/runtime/scheduler"
)

// TestLocalVolumes: a task is shown with the volumes of its instance.
func TestLocalVolumes(t *testing.T) {
	got := appendVolumes(nil, &scheduler.Instance{
		App: "/prod/db", Condition: scheduler.Running, Agent: &placement.Agent{},
		Reservation: &scheduler.Reservation{Volumes: []scheduler.LocalVolume{{ContainerPath: "data", UUID: scheduler.UUID{15: 1}}}},
	})
	want := `{"runSpecId":"/prod/db","containerPath":"data","uuid":"00000000-0000-0000-0000-000000000001",` +
		`"persistenceId":"prod_db#data#00000000-0000-0000-0000-000000000001"}`
	if string(got) != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// TestInstanceOfWithoutTask: what an instance has reserved can be wiped by the id
// of its last task, although there is no task.
func TestInstanceOfWithoutTask(t *testing.T) {
	waiting := &scheduler.Instance{
		ID: scheduler.UUID{1}, App: "/db", Incarnation: 1, Condition: scheduler.Failed, Agent: &placement.Agent{},
	}
	held := *waiting
	held.Reservation = &scheduler.Reservation{}
	for i, want := range map[*scheduler.Instance]*scheduler.Instance{waiting: nil, &held: &held} {
		apps, _, _ := iradix.New[*scheduler.AppView]().Insert([]byte("/db"), &scheduler.AppView{Instances: []*scheduler.Instance{i}})
		if got := instanceOf(&scheduler.Snapshot{Apps: apps}, i.TaskID()); got != want {
			t.Errorf("reserved %v: found %v", i.Reservation, got)
		}
	}
}
