package main

import (
	"fmt"
	"math"
	"os"
	"runtime"
	"runtime/metrics"
	"slices"
	"strings"
	"syscall"
	"time"
)

// cpu is the processor time that this process has used, user and system.
func cpu() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err) // RUSAGE_SELF cannot fail
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// sampling says how long a sample goes on: until it has taken so much processor
// time, and until the garbage collector has run so often. Without the latter a
// sample on a large heap, where collections are rare, would have one or none of
// them by chance.
type sampling struct {
	least       time.Duration
	collections uint64
}

// sustained is for samples that have the collector's work in, and that take much
// longer than the clock's grain.
func sustained() sampling { return sampling{least: 25 * time.Millisecond, collections: 3} }

// perUnit is the processor time, in microseconds, of each of the units that the
// calls of do come to. ready prepares so many calls, which is not measured. What
// others left to collect is collected before: it is not part of the sample.
func (s sampling) perUnit(ready func(calls int) error, do func(call int) (units int, err error)) (float64, error) {
	runtime.GC()
	until := collections() + s.collections
	used, units := time.Duration(0), 0
	for n := 1; used < s.least || collections() < until; {
		if err := ready(n); err != nil {
			return 0, err
		}
		start := cpu()
		for i := range n {
			some, err := do(i)
			if err != nil {
				return 0, err
			}
			units += some
		}
		took := cpu() - start
		if used += took; took < s.least/20 {
			n *= 2
		}
	}
	return float64(used.Nanoseconds()) / 1000 / float64(units), nil
}

// collections is how often the garbage collector has run to its end.
func collections() uint64 {
	cycles := []metrics.Sample{{Name: "/gc/cycles/total:gc-cycles"}}
	metrics.Read(cycles)
	return cycles[0].Value.Uint64()
}

// samples are several measurements of one thing, in microseconds.
type samples []float64

// median is NaN for no samples.
func (s samples) median() float64 {
	sorted := slices.Sorted(slices.Values(s))
	n := len(sorted)
	if n == 0 {
		return math.NaN()
	}
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

// String gives the median and, since noise is large, the least and the largest.
func (s samples) String() string {
	return fmt.Sprintf("%8.2f [%.2f-%.2f]", s.median(), slices.Min(s), slices.Max(s))
}

// load is the load average of the last minute, or "?".
func load() string {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "?"
	}
	first, _, _ := strings.Cut(string(text), " ")
	return first
}

// fit is a power law through points: y = c * x^exponent. residual is the standard
// deviation of the points from it, as a factor less 1.
func fit(x, y []float64) (exponent, residual float64) {
	n := float64(len(x))
	var sx, sy, sxx, sxy float64
	for i := range x {
		lx, ly := math.Log(x[i]), math.Log(y[i])
		sx, sy, sxx, sxy = sx+lx, sy+ly, sxx+lx*lx, sxy+lx*ly
	}
	exponent = (n*sxy - sx*sy) / (n*sxx - sx*sx)
	start := (sy - exponent*sx) / n
	for i := range x {
		d := math.Log(y[i]) - start - exponent*math.Log(x[i])
		residual += d * d
	}
	return exponent, math.Exp(math.Sqrt(residual/n)) - 1
}

// mallocs is how many objects this process has allocated.
func mallocs() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.Mallocs
}
