package sdk_test

import (
	"math"
	"testing"

	"github.com/pacer-run/pacer/sdk"
)

func TestOverallHealth(t *testing.T) {
	const u, g, b = sdk.HealthUnknown, sdk.Healthy, sdk.Unhealthy
	for _, tt := range []struct {
		name   string
		checks []sdk.HealthState
		want   sdk.HealthState
	}{
		{"no checks: unknown", nil, u},
		{"one healthy check", []sdk.HealthState{g}, g},
		{"one unhealthy check", []sdk.HealthState{b}, b},
		{"all alive: healthy", []sdk.HealthState{g, g, g}, g},
		{"any result not alive: unhealthy", []sdk.HealthState{g, b, g}, b},
		{"not alive wins over no result", []sdk.HealthState{u, b}, b},
		{"any without a result: unknown", []sdk.HealthState{g, u}, u},
		{"whichever it is", []sdk.HealthState{u, g}, u},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := sdk.OverallHealth(tt.checks...); got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

func TestHealthRecord(t *testing.T) {
	var r sdk.HealthRecord
	if r.Alive() || r.Failures(3) != 0 {
		t.Errorf("nothing found, but %+v", r)
	}
	r = r.Add(sdk.HealthResult{AtMillis: 10, Cause: "a"}).Add(sdk.HealthResult{AtMillis: 20, Cause: "b"})
	if want := (sdk.HealthRecord{LastFailure: 20, LastFailureCause: "b", ConsecutiveFailures: 2, Results: 2}); r != want {
		t.Errorf("after two failures %+v", r)
	}
	// Times may be equal: the order of the results decides.
	r = r.Add(sdk.HealthResult{AtMillis: 20, Alive: true}).Add(sdk.HealthResult{AtMillis: 40, Alive: true})
	want := sdk.HealthRecord{
		FirstSuccess: 20, LastSuccess: 40, LastFailure: 20, LastFailureCause: "b", Recent: 0b11, Results: 4,
	}
	if r != want || !r.Alive() {
		t.Errorf("after two successes %+v", r)
	}
	for n, failures := range []uint32{0, 0, 0, 1, 2, 2} {
		if got := r.Failures(uint32(n)); got != failures {
			t.Errorf("%d failures of the last %d, want %d", got, n, failures)
		}
	}
	r.ConsecutiveFailures = math.MaxUint32
	for range 70 {
		r = r.Add(sdk.HealthResult{AtMillis: 50})
	}
	if r.Results != sdk.MaxRecentResults || r.Failures(100) != sdk.MaxRecentResults || r.ConsecutiveFailures != math.MaxUint32 {
		t.Errorf("after many failures %+v", r)
	}
}
