package wasm

import (
	"context"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/pacer-run/pacer/runtime/policy/remote"
	"github.com/pacer-run/pacer/sdk"
)

// benchGuest is a guest that the benchmarks compare.
type benchGuest struct {
	name string
	code []byte
	like string // its operator LIKE
}

// benchGuests are one with a runtime and a garbage collector, and one without.
func benchGuests(b *testing.B) []benchGuest {
	b.Helper()
	return []benchGuest{{"go", buildGuest(b, guestBuiltin), "W_LIKE"}, {"c", buildClang(b, exampleC), "C_LIKE"}}
}

// load is for b alone: the benchmarks of one guest must not share a module.
func (g benchGuest) load(b *testing.B, options Options) *Module {
	b.Helper()
	m, err := loadWith(b, g.code, DefaultLimits(), options)
	if err != nil {
		b.Fatal(err)
	}
	return m
}

// likeRack is a question about a column of so many racks, which any goroutine but one
// at a time may ask again and again.
func (g benchGuest) likeRack(b *testing.B, m *Module, distinct int) func() {
	b.Helper()
	spec := sdk.ConstraintSpec{Field: "rack", Operator: g.like, Value: likeRacks, HasValue: true}
	p, err := remote.Constraint(m).Prepare(b.Context(), spec)
	if err != nil {
		b.Fatal(err)
	}
	values, _ := racks(distinct)
	in := sdk.ConstraintInput{Values: values, First: -1}
	return func() {
		if answer, err := p.Evaluate(b.Context(), in); err != nil || answer.Quota[1] != sdk.Unlimited {
			b.Error(answer, err)
		}
	}
}

// BenchmarkCall shows how long the longest calls are that the host makes, 128 values
// that are all new: those of one in a thousand against the median, and what a call
// under way does to a collection of garbage in the host.
func BenchmarkCall(b *testing.B) {
	for _, g := range benchGuests(b) {
		b.Run("guest="+g.name, func(b *testing.B) {
			ask := g.likeRack(b, g.load(b, Options{}), 128)
			took := make([]time.Duration, 0, 4000)
			for range cap(took) {
				start := time.Now()
				ask()
				took = append(took, time.Since(start))
			}
			slices.Sort(took)
			late := took[len(took)*999/1000]
			b.ReportMetric(float64(late)/float64(took[len(took)/2]), "p99.9/median")
			b.ReportMetric(late.Seconds()*1000, "ms-p99.9")
			stop, stopped := make(chan struct{}), make(chan struct{})
			busy := func(work func()) {
				defer close(stopped)
				for {
					select {
					case <-stop:
						return
					default:
						work()
					}
				}
			}
			sum := 0
			native := func() {
				for i := range 100_000 {
					sum += i
				}
			}
			collections := func(work func()) float64 {
				stop, stopped = make(chan struct{}), make(chan struct{})
				go busy(work)
				defer func() { close(stop); <-stopped }()
				start := time.Now()
				for range 20 {
					runtime.GC()
				}
				return float64(time.Since(start))
			}
			var ratios []float64
			for range 5 {
				ratios = append(ratios, collections(ask)/collections(native))
			}
			slices.Sort(ratios)
			b.ReportMetric(ratios[len(ratios)/2], "gc-beside-guest/beside-native")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// BenchmarkStart compares a load from the cache of compiled code with one that
// compiles, and a call on a fresh instance with one on an old one. Memory is that of
// an instance.
func BenchmarkStart(b *testing.B) {
	for _, g := range benchGuests(b) {
		b.Run("guest="+g.name, func(b *testing.B) {
			var cold, warm []time.Duration
			for range 3 {
				dir := filepath.Join(b.TempDir(), "cache")
				cold, warm = append(cold, g.starts(b, dir)), append(warm, g.starts(b, dir), g.starts(b, dir))
			}
			b.ReportMetric(float64(slices.Min(cold))/float64(slices.Min(warm)), "cold/warm")
			b.ReportMetric(slices.Min(warm).Seconds()*1000, "ms-warm")
			old, fresh := g.load(b, Options{}), g.load(b, Options{Fresh: true})
			b.ReportMetric(ratio(b, 10, 5, g.likeRack(b, fresh, 10), g.likeRack(b, old, 10)), "fresh/old")
			err := old.pool.with(b.Context(), func(in *instance) error {
				b.ReportMetric(float64(in.memory.Size())/(1<<20), "MiB/instance")
				return nil
			})
			if err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(0, "ns/op")
		})
	}
}

// starts loads the guest with a loader of its own.
func (g benchGuest) starts(b *testing.B, cache string) time.Duration {
	b.Helper()
	start := time.Now()
	loader, err := NewLoader(DefaultLimits(), cache, quiet())
	if err != nil {
		b.Fatal(err)
	}
	m, err := loader.Load(b.Context(), g.code, Options{})
	if err != nil {
		b.Fatal(err)
	}
	took := time.Since(start)
	closeModule(b, m)
	if err := loader.Close(context.Background()); err != nil {
		b.Fatal(err)
	}
	return took
}

// BenchmarkPool compares two goroutines that each have an instance with one alone.
func BenchmarkPool(b *testing.B) {
	for _, g := range benchGuests(b) {
		b.Run("guest="+g.name, func(b *testing.B) {
			m := g.load(b, Options{Limits: Limits{Instances: 2}})
			one, other := g.likeRack(b, m, 256), g.likeRack(b, m, 256)
			const calls = 10
			alone := func() {
				for range 2 * calls {
					one()
				}
			}
			together := func() {
				var group sync.WaitGroup
				for _, ask := range []func(){one, other} {
					group.Go(func() {
						for range calls {
							ask()
						}
					})
				}
				group.Wait()
			}
			b.ReportMetric(ratio(b, 30, 1, alone, together), "one/two-instances")
		})
	}
}
