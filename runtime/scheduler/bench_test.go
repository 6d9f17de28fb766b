package scheduler

import (
	"fmt"
	"runtime"
	"testing"

	"github.com/pacer-run/pacer/runtime/placement"
)

// load runs apps of many instances to Running without a matcher: each batch of
// offers is answered with one instance on each. It returns the core and the
// records as a store would hold them.
func load(tb testing.TB, apps, instances, agents int) (*Scheduler, map[string][]byte) {
	s := New(Config{MaxDeployments: apps + 1})
	records := map[string][]byte{}
	drain := func() Effects {
		e := s.Effects(1000)
		for _, r := range e.Save {
			if r.Value == nil {
				delete(records, r.Key)
			} else {
				records[r.Key] = r.Value
			}
		}
		s.Snapshot()
		return e
	}
	s.Step(1000, Subscribed{FrameworkID: "f"})
	for i := range apps {
		app := newApp(fmt.Sprintf("/group-%d/app-%d", i%100, i), map[string]string{"instances": fmt.Sprint(instances), "ports": "0"})
		s.Step(1000, ChangeTree{Request: RequestID(i), DeploymentID: fmt.Sprint(i), Put: []PutApp{{App: app}}})
	}
	drain()
	known := make([]*placement.Agent, agents)
	for i := range known {
		known[i] = &placement.Agent{
			ID: fmt.Sprintf("c7c311a4-b669-11e6-a48f-0ea4f4b1778c-S%d", i), Hostname: fmt.Sprintf("agent-%d.example.com", i),
			Attributes: []placement.Attribute{{Name: "rack_id", Value: fmt.Sprintf("rack-%d", i%40)}},
		}
	}
	for round := 0; s.counts.Running < apps*instances; round++ {
		var offers Offers
		for i, a := range known {
			offers.Offers = append(offers.Offers, &placement.Offer{ID: fmt.Sprintf("o%d-%d", round, i), Agent: a})
		}
		s.Step(1000, offers)
		match := drain().Match
		m := Matched{MatchedOffers: match.Offers}
		next := 0
		for _, w := range match.Wanted {
			for range w.Count {
				if next == len(match.Offers) {
					break
				}
				m.Result.Placements = append(m.Result.Placements, placement.Placement{
					App: w.App, Offer: match.Offers[next], Ports: []uint16{uint16(31000 + next%1000)},
				})
				next++
			}
		}
		s.Step(1000, m)
		for _, c := range drain().Calls {
			if a, ok := c.(Accept); ok {
				for _, task := range a.Tasks {
					s.Step(1000, StatusUpdate{Status: Status{TaskID: task.ID, AgentID: a.Offer.Agent.ID, State: TaskRunning, UUID: [16]byte{1}}})
				}
			}
		}
		drain()
	}
	if s.counts.Running != apps*instances {
		tb.Fatalf("%d instances run", s.counts.Running)
	}
	s.alarms = alarms{} // launches are confirmed; their alarms would ring in five minutes
	return s, records
}

func heapInUse() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// BenchmarkMemory prints the heap per steady instance and per app, as difference
// quotients of two sizes (goal G9: at most 600 B and 8 KB).
func BenchmarkMemory(b *testing.B) {
	for b.Loop() {
		grow := func(apps, instances int) float64 {
			before := heapInUse()
			s, _ := load(b, apps, instances, 1000)
			after := heapInUse()
			runtime.KeepAlive(s)
			return float64(after) - float64(before)
		}
		perInstance := (grow(100, 500) - grow(100, 100)) / (100 * 400)
		perApp := (grow(4000, 1) - grow(1000, 1)) / 3000
		b.ReportMetric(perInstance, "B/instance")
		b.ReportMetric(perApp-perInstance, "B/app")
	}
}

// BenchmarkWave prints the core's own cost of a launch: place, save, run.
func BenchmarkWave(b *testing.B) {
	for _, n := range []int{1000, 10_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for b.Loop() {
				load(b, 1, n, 1000)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/launch")
		})
	}
}

// BenchmarkStatus prints what one status costs with few and with many apps: it
// must not depend on their number.
func BenchmarkStatus(b *testing.B) {
	for _, apps := range []int{100, 10_000} {
		b.Run(fmt.Sprint(apps), func(b *testing.B) {
			s, _ := load(b, apps, 1, 1000)
			var m *member
			for _, x := range s.members {
				m = x
				break
			}
			healthy := false
			st := Status{TaskID: m.inst.TaskID(), State: TaskRunning, UUID: [16]byte{1}, Healthy: &healthy}
			for b.Loop() {
				flip := !*st.Healthy
				st.Healthy = &flip
				s.Step(1000, StatusUpdate{Status: st})
				s.Effects(1000)
				s.Snapshot()
			}
		})
	}
}

// BenchmarkRestore prints how long a new leader needs to rebuild the state.
func BenchmarkRestore(b *testing.B) {
	_, saved := load(b, 100, 100, 1000)
	var records []Record
	for k, v := range saved {
		records = append(records, Record{Key: k, Value: v})
	}
	b.ResetTimer()
	for b.Loop() {
		if _, err := Restore(Config{}, 2000, records); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/10_000, "ns/instance")
}
