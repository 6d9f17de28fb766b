package main

import (
	"fmt"
	"math"
	"os"
	"runtime"
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

// leastSample is how much processor time a sample should take: much more than
// the clock's grain.
const leastSample = 25 * time.Millisecond

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

// repeats is how often something that takes so long is done in a sample of at
// least the given time.
func repeats(once, least time.Duration) int {
	return int(min(max(least/max(once, time.Microsecond), 1), 200))
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
