package scheduler

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pacer-run/pacer/runtime/placement"
	"github.com/pacer-run/pacer/sdk"
)

// instances are a few in all shapes.
func instances() []*Instance {
	healthy, sick := true, false
	agent := &placement.Agent{ID: "a-S1", Hostname: "h", Attributes: []placement.Attribute{{Name: "x{", Value: `y"}\`}}}
	return []*Instance{
		{App: "/web"},
		{App: "/a/b", Version: 1, Incarnation: 1<<32 - 1, Condition: Unknown, Goal: GoalDecommissioned, Role: "*"},
		{
			App: "/web", Agent: agent, Ports: []uint16{31000, 65535}, Role: "röle\n", IPs: []string{"10.0.0.1", "::1"},
			Healthy: &healthy, StagedAt: 1, StartedAt: 2, Since: 3, UnreachableSince: 4,
		},
		{App: "/web", Agent: agent, Ports: []uint16{0}, Healthy: &sick},
		{App: "/db", Goal: GoalStopped, Agent: agent, Reservation: &Reservation{
			Volumes: []LocalVolume{{ContainerPath: `da"t{a`, UUID: UUID{1}}, {ContainerPath: "log", UUID: UUID{2}}}, Deadline: 5,
		}},
		{App: "/web", Agent: agent, UnreachableSince: 4, Found: &Findings{Health: []CheckHealth{
			{State: sdk.Unhealthy, Reason: `no "{`, HealthRecord: sdk.HealthRecord{}.Add(sdk.HealthResult{AtMillis: 7, Cause: `"}\`})},
			{},
			{State: sdk.Healthy, HealthRecord: sdk.HealthRecord{}.Add(sdk.HealthResult{AtMillis: 7, Alive: true})},
		}}},
	}
}

// TestInstanceRecordIsJSON: what is written by hand is what encoding/json reads,
// and both readers agree.
func TestInstanceRecordIsJSON(t *testing.T) {
	for n, i := range instances() {
		var agent []byte
		if i.Agent != nil {
			agent = encodeAgent(i.Agent)
		}
		b := appendInstance(nil, i, agent)
		var slow instanceRecord
		if err := json.Unmarshal(b, &slow); err != nil {
			t.Fatalf("%d: %v in %s", n, err, b)
		}
		fast, err := decodeInstance(b)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(slow, fast); diff != "" {
			t.Errorf("%d: %s (-json +ours):\n%s", n, b, diff)
		}
		found, err := decodeFindings(fast.Found)
		if diff := cmp.Diff(i.Found, found); diff != "" || err != nil {
			t.Errorf("%d: findings %v (-written +read):\n%s", n, err, diff)
		}
		if fast.App != i.App || !cmp.Equal(fast.Ports, i.Ports) || fast.Unreachable != i.UnreachableSince {
			t.Errorf("%d: read back as %+v", n, fast)
		}
		held, err := decodeReservation(fast.Reservation)
		if err != nil || !cmp.Equal(held, i.Reservation) {
			t.Errorf("%d: reservation read back as %+v, error %v", n, held, err)
		}
	}
}

// FuzzDecodeInstance: the quick reader never takes what encoding/json reads
// differently.
func FuzzDecodeInstance(f *testing.F) {
	for _, i := range instances() {
		agent := []byte(`{"id":"a"}`)
		f.Add(appendInstance(nil, i, agent))
	}
	f.Add([]byte(`{"app":"/a","v":00,"n":1,"c":1,"r":"*"}`))
	f.Add([]byte(`{"app":"/a","v":1,"n":1,"c":1,"a":{"id":"\"}"},"p":[],"r":"*"}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		c := cursor{b: b}
		fast := c.instance()
		if c.bad || c.i != len(b) {
			return
		}
		var slow instanceRecord
		if err := json.Unmarshal(b, &slow); err != nil {
			if fast.Agent != nil && !json.Valid(*fast.Agent) || fast.Found != nil && !json.Valid(*fast.Found) {
				return // these parts are read, and refused, later
			}
			t.Fatalf("%q was taken, but: %v", b, err)
		}
		if diff := cmp.Diff(slow, fast); diff != "" {
			t.Fatalf("%q (-json +ours):\n%s", b, diff)
		}
	})
}
