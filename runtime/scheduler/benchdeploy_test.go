package scheduler

import (
	"fmt"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/pacer-run/pacer/runtime/spec"
)

// yardInstances is how many instances each deployment of goal G4 has.
const yardInstances = 500

// put defines an app, as a deployment of its own.
func (y *yard) put(after time.Duration, n int, cmd string, base spec.Timestamp) spec.PathID {
	app := newApp(fmt.Sprintf("/app-%d", n), map[string]string{"instances": fmt.Sprint(yardInstances), "cmd": cmd})
	y.seq++
	y.post(after, ChangeTree{Request: RequestID(y.seq), DeploymentID: fmt.Sprintf("%s-%d", cmd, n), Put: []PutApp{{App: app, Base: base}}})
	return app.ID
}

// deploy starts apps and upgrades them after that, as many at once as is said. It
// returns for each of both the processor time and how long the slowest took.
func deploy(tb testing.TB, apps, atOnce int) (used, slowest [2]time.Duration) {
	y := newYard(tb)
	bases := make([]spec.Timestamp, apps)
	runtime.GC()
	for round, cmd := range []string{"first", "second"} {
		before := y.used
		for first := 0; first < apps; first += atOnce {
			clear(y.ended)
			began := y.now
			for i := range atOnce {
				y.put(0, first+i, cmd, bases[first+i])
			}
			y.run(func() bool { return len(y.ended) == atOnce })
			for _, at := range y.ended {
				slowest[round] = max(slowest[round], at-began)
			}
		}
		used[round] = y.used - before
		for i := range apps {
			bases[i] = y.check(i, cmd)
		}
	}
	return used, slowest
}

// check returns the version of an app of which all instances have to run.
func (y *yard) check(n int, cmd string) spec.Timestamp {
	v, _ := y.s.Snapshot().Apps.Get(fmt.Appendf(nil, "/app-%d", n))
	running := 0
	for _, i := range v.Instances {
		if i.Condition == Running && i.Version == v.App.Version {
			running++
		}
	}
	if running != yardInstances || v.App.Cmd != cmd {
		y.tb.Fatalf("%d instances of %s run, want %d of version %s", running, v.App.ID, yardInstances, cmd)
	}
	return v.App.Version
}

// BenchmarkDeployments is goal G4: what k deployments of 500 instances cost at once,
// as a multiple of the same deployments one after the other; and how much longer the
// slowest takes then. Both end in the same state, so that only their being at once
// makes a difference.
func BenchmarkDeployments(b *testing.B) {
	for _, k := range []int{4, 16} {
		b.Run(fmt.Sprint(k), func(b *testing.B) {
			var costs, waits [2][]float64
			n := 0
			for b.Loop() {
				var used, slowest [2][2]time.Duration // by whether at once
				for turn := range 2 {                 // neither is always the first
					at := (n + turn) % 2
					for range 3 { // a start is short
						u, late := deploy(b, k, []int{1, k}[at])
						used[at][0], used[at][1], slowest[at] = used[at][0]+u[0], used[at][1]+u[1], late
					}
				}
				n++
				for i := range costs {
					costs[i] = append(costs[i], float64(used[1][i])/float64(used[0][i]))
					waits[i] = append(waits[i], float64(slowest[1][i])/float64(slowest[0][i]))
				}
			}
			for i, kind := range []string{"start", "upgrade"} {
				b.ReportMetric(middle(costs[i]), kind+"-cost/k-times-one(goal<=1.1)")
				b.ReportMetric(middle(waits[i]), kind+"-slowest/one")
			}
		})
	}
}

func middle(of []float64) float64 { return slices.Sorted(slices.Values(of))[len(of)/2] }

// BenchmarkOverload is goal G4: instances that come to run per second when twice as
// much is asked for as the core can do, as a share of the most that it does. Apps
// arrive at fixed times, whatever became of those before.
func BenchmarkOverload(b *testing.B) {
	var shares []float64
	for b.Loop() {
		_, used := goodput(b, 1e9)
		capacity, peak := overloadApps*yardInstances/used.Seconds(), 0.0
		for _, load := range []float64{0.7, 1, 1.4} {
			rate, _ := goodput(b, capacity*load)
			peak = max(peak, rate)
		}
		over, _ := goodput(b, capacity*2)
		shares = append(shares, over/max(peak, over))
	}
	b.ReportMetric(middle(shares), "goodput/peak(goal>=0.9)")
}

// overloadApps have to be so many that all arrive in much more time than a launch takes.
const overloadApps = 120

// goodput has apps arrive at a rate of instances per second, and returns that at
// which they come to run, in the time in which the second and third quarters do, and
// the processor time of all.
func goodput(b *testing.B, rate float64) (reached float64, used time.Duration) {
	const apps = overloadApps
	y := newYard(b)
	y.latency = 20 * time.Millisecond
	runtime.GC()
	gap := time.Duration(float64(time.Second) * yardInstances / rate)
	for i := range apps {
		y.put(time.Duration(i)*gap, i, "x", 0)
	}
	until := func(share int) (int, float64) {
		y.run(func() bool { return y.s.Snapshot().Counts.Running >= share*apps*yardInstances/4 })
		return y.s.Snapshot().Counts.Running, y.now.Seconds()
	}
	before, from := until(1)
	after, to := until(3)
	y.run(func() bool { return len(y.ended) == apps })
	if n := y.s.Snapshot().Counts.Running; n != apps*yardInstances {
		b.Fatalf("%d instances run in the end", n)
	}
	return float64(after-before) / (to - from), y.used
}
