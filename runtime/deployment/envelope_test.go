package deployment

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pacer-run/pacer/runtime/spec"
	"github.com/pacer-run/pacer/sdk"
)

func TestEnvelopeOf(t *testing.T) {
	for _, c := range []struct {
		n         int
		min, over float64
		resident  bool
		want      Envelope
	}{
		{4, 1, 1, false, Envelope{4, 8}},
		// The products are those of doubles.
		{100, 0.07, 0, false, Envelope{8, 100}},
		{100, 0.55, 0.15, false, Envelope{56, 114}},
		{25, 1, 0.16, false, Envelope{25, 28}},
		{100, 1, 0.07, false, Envelope{100, 107}},
		{7, 0.4, 0, false, Envelope{3, 7}},
		{3, 1, 0.7, false, Envelope{3, 5}},
		{5, 1, 0.2, false, Envelope{5, 6}},
		// Where the bounds are one number, it is made two.
		{3, 1, 0, false, Envelope{3, 4}},
		{3, 1, 0, true, Envelope{2, 3}},
		{1, 0.5, 0, false, Envelope{1, 2}},
		{1, 0.5, 0, true, Envelope{0, 1}},
		{0, 1, 1, false, Envelope{0, 1}},
		{0, 1, 0, true, Envelope{0, 0}},
	} {
		app := &spec.App{Instances: c.n, UpgradeStrategy: spec.UpgradeStrategy{MinimumHealthCapacity: c.min, MaximumOverCapacity: c.over}}
		if c.resident {
			app.Container = &spec.Container{Volumes: []spec.Volume{{Persistent: &spec.PersistentVolume{}}}}
		}
		if got := EnvelopeOf(app); got != c.want {
			t.Errorf("%d at %v and %v, resident %v: %+v, want %+v", c.n, c.min, c.over, c.resident, got, c.want)
		}
		if c.resident { // a volume outside Mesos binds as much as one on an agent
			app.Container.Volumes[0] = spec.Volume{External: &spec.ExternalVolume{Name: "data"}}
			if got := EnvelopeOf(app); got != c.want {
				t.Errorf("%d at %v and %v with an external volume: %+v, want %+v", c.n, c.min, c.over, got, c.want)
			}
		}
	}
}

func TestCut(t *testing.T) {
	const all = ^uint32(0)
	for _, c := range []struct {
		name  string
		state sdk.UpgradeState
		step  sdk.UpgradeStep
		want  Allowed

		excess string
	}{
		{
			"what is asked for, when there is room and health",
			sdk.UpgradeState{Instances: 4, MinHealthy: 2, MaxTotal: 8, Old: 4, OldHealthy: 4},
			sdk.UpgradeStep{Start: 3, Kill: 1},
			Allowed{Start: 3, KillHealthy: 1},
			"",
		},
		{
			"no more than are wanted, and no more health than there is",
			sdk.UpgradeState{Instances: 4, MinHealthy: 3, MaxTotal: 8, Old: 4, OldHealthy: 3, New: 1, NewHealthy: 1},
			sdk.UpgradeStep{Start: all, Kill: all},
			Allowed{Start: 3, KillUnhealthy: 1, KillHealthy: 1},
			"it asked to start 4294967295 instances where the envelope allows 3 and to kill 4294967295 instances where the envelope allows 2",
		},
		{
			"those being killed take room",
			sdk.UpgradeState{Instances: 4, MinHealthy: 0, MaxTotal: 5, Old: 3, OldDying: 3, New: 1},
			sdk.UpgradeStep{Start: 4, Kill: 3},
			Allowed{Start: 1},
			"it asked to start 4 instances where the envelope allows 1 and to kill 3 instances where the envelope allows 0",
		},
		{
			"more than the bound, and too few healthy: only unhealthy ones go",
			sdk.UpgradeState{Instances: 4, MinHealthy: 4, MaxTotal: 5, Old: 6, OldHealthy: 3},
			sdk.UpgradeStep{Start: 1, Kill: 6},
			Allowed{KillUnhealthy: 3},
			"it asked to start 1 instances where the envelope allows 0 and to kill 6 instances where the envelope allows 3",
		},
		{
			"more new ones than are wanted",
			sdk.UpgradeState{Instances: 1, MinHealthy: 0, MaxTotal: 9, New: 2},
			sdk.UpgradeStep{Start: 1},
			Allowed{},
			"it asked to start 1 instances where the envelope allows 0",
		},
		{
			"nothing while it does not proceed",
			sdk.UpgradeState{Instances: 4, MinHealthy: 0, MaxTotal: 8, Old: 4, OldHealthy: 4},
			sdk.UpgradeStep{Start: 1, Kill: 1, Outcome: sdk.Pause},
			Allowed{},
			"",
		},
	} {
		if diff := cmp.Diff(c.want, Cut(&c.state, &c.step)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
		if got := Excess(&c.state, &c.step); got != c.excess {
			t.Errorf("%s: excess %q, want %q", c.name, got, c.excess)
		}
	}
}
