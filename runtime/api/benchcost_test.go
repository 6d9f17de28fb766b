package api

import (
	"math"
	"runtime"
	"runtime/metrics"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/pacer-run/pacer/runtime/scheduler"
)

// cpu is the processor time that this process has used, user and system.
func cpu() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err) // RUSAGE_SELF cannot fail
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// cost is the processor time of one call. It goes on for two collections of the
// garbage, so that what is large pays for its own, but not for more than 100 ms: what
// is small would not fill the heap of many apps, and has no collection in. ready, which
// may be nil, goes before each call and is not counted.
func cost(ready, do func()) float64 {
	runtime.GC()
	until := collections() + 2
	used, calls := time.Duration(0), 0
	for n := 1; used < 20*time.Millisecond || used < 100*time.Millisecond && collections() < until; {
		began := cpu()
		for range n {
			if ready != nil {
				ready()
				began = cpu()
			}
			do()
		}
		took := cpu() - began
		used, calls = used+took, calls+n
		if ready == nil && took < time.Millisecond {
			n *= 2
		}
	}
	return float64(used) / float64(calls)
}

// collections is how often the garbage collector has run to its end.
func collections() uint64 {
	cycles := []metrics.Sample{{Name: "/gc/cycles/total:gc-cycles"}}
	metrics.Read(cycles)
	return cycles[0].Value.Uint64()
}

// median is that of ratios of pairs, or of figures of one kind.
func median(of []float64) float64 {
	sorted := slices.Sorted(slices.Values(of))
	return sorted[len(sorted)/2]
}

// ratioOf measures two things in turn, and returns the median of the ratios of their
// costs. Neither is always the first.
func ratioOf(b *testing.B, over, under func() float64) float64 {
	b.Helper()
	var ratios []float64
	for b.Loop() {
		if len(ratios)%2 == 0 {
			x := over()
			ratios = append(ratios, x/under())
		} else {
			y := under()
			ratios = append(ratios, over()/y)
		}
	}
	return median(ratios)
}

// exponent is that of the power law through points.
func exponent(x, y []float64) float64 {
	var sx, sy, sxx, sxy float64
	for i := range x {
		lx, ly := math.Log(x[i]), math.Log(y[i])
		sx, sy, sxx, sxy = sx+lx, sy+ly, sxx+lx*lx, sxy+lx*ly
	}
	n := float64(len(x))
	return (n*sxy - sx*sy) / (n*sxx - sx*sx)
}

// written counts what a store would have been told to write.
type written struct{ records, bytes int }

func (w *written) add(records []scheduler.Record) {
	for _, r := range records {
		w.records, w.bytes = w.records+1, w.bytes+len(r.Key)+len(r.Value)
	}
}
