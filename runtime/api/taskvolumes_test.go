package api

import (
	"encoding/json"
	"testing"

	"github.com/pacer-run/pacer/runtime/placement"
	"github.com/pacer-run/pacer/runtime/scheduler"
)

// TestLocalVolumes: a task is shown with the volumes of its instance.
func TestLocalVolumes(t *testing.T) {
	got, err := json.Marshal(taskOf(&scheduler.Instance{
		App: "/prod/db", Condition: scheduler.Running, Agent: &placement.Agent{},
		Reservation: &scheduler.Reservation{Volumes: []scheduler.LocalVolume{{ContainerPath: "data", UUID: scheduler.UUID{15: 1}}}},
	}).LocalVolumes)
	want := `[{"runSpecId":"/prod/db","containerPath":"data","uuid":"00000000-0000-0000-0000-000000000001",` +
		`"persistenceId":"prod_db#data#00000000-0000-0000-0000-000000000001"}]`
	if err != nil || string(got) != want {
		t.Errorf("%s, error %v, want %s", got, err, want)
	}
}
