package wasm

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"testing"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"github.com/pacer-run/pacer/plugins/constraints"
	"github.com/pacer-run/pacer/runtime/policy/metering"
	"github.com/pacer-run/pacer/runtime/policy/remote"
	"github.com/pacer-run/pacer/sdk"
	"github.com/pacer-run/pacer/sdk/wire"
)

// The benchmarks compare two ways of one work in one process, in turns, and
// report the median of the ratios: times differ between machines and minutes,
// ratios hardly do.

const likeRacks = `rack-[0-2][0-9]-row[0-5]`

// racks is a dictionary of that many values and the row of each of 1,000 agents.
func racks(distinct int) (values []string, rows []string) {
	values = []string{""}
	for i := range distinct {
		values = append(values, fmt.Sprintf("rack-%02d-row%d", i/10, i%10))
	}
	for i := range 1000 {
		rows = append(rows, values[1+i%distinct])
	}
	return values, rows
}

// ratio runs both in turns and returns the median of time(a) / time(b).
func ratio(b *testing.B, rounds, calls int, first, second func()) float64 {
	var ratios []float64
	took := func(work func()) time.Duration {
		start := time.Now()
		for range calls {
			work()
		}
		return time.Since(start)
	}
	for range rounds {
		ratios = append(ratios, float64(took(first))/float64(took(second)))
	}
	slices.Sort(ratios)
	b.ReportMetric(0, "ns/op")
	return ratios[len(ratios)/2]
}

// BenchmarkLike compares LIKE in a guest, metered, encoding and validation included
// and nothing remembered, with the same expression run natively for each of 1,000
// offers, and for each distinct value.
func BenchmarkLike(b *testing.B) {
	for _, g := range benchGuests(b) {
		b.Run("guest="+g.name, func(b *testing.B) {
			m := g.load(b, Options{})
			for _, distinct := range []int{1, 10, 40, 500, 1000} {
				b.Run(fmt.Sprintf("distinct=%d", distinct), func(b *testing.B) { like(b, g, m, distinct) })
			}
		})
	}
}

func like(b *testing.B, g benchGuest, m *Module, distinct int) {
	spec := sdk.ConstraintSpec{Field: "rack", Operator: "LIKE", Value: likeRacks, HasValue: true}
	native, err := constraints.Like{}.Prepare(b.Context(), spec)
	if err != nil {
		b.Fatal(err)
	}
	re := regexp.MustCompile(`\A(?:` + likeRacks + `)\z`)
	values, rows := racks(distinct)
	in := sdk.ConstraintInput{Values: values, First: -1}
	perValue := func() {
		if answer, err := native.Evaluate(b.Context(), in); err != nil || answer.Quota[1] != sdk.Unlimited {
			b.Fatal(answer, err)
		}
	}
	matched := 0
	perOffer := func() {
		for _, value := range rows {
			if re.MatchString(value) {
				matched++
			}
		}
	}
	ask := g.likeRack(b, m, distinct)
	rounds, calls := 30*max(1, min(b.N, 2)), 10
	b.ReportMetric(ratio(b, rounds, calls, ask, perOffer), "wasm/native-per-offer")
	b.ReportMetric(ratio(b, rounds, calls, ask, perValue), "wasm/native-columns")
	before := m.FuelUsed()
	ask()
	b.ReportMetric(float64(m.FuelUsed()-before)/float64(distinct), "fuel/value")
}

// bare is a guest without a Module around it, metered or not.
type bare struct {
	guest api.Module
	ctx   context.Context
}

func newBare(b *testing.B, code []byte, imports []metering.Import) *bare {
	runtime := wazero.NewRuntimeWithConfig(b.Context(), wazero.NewRuntimeConfig().WithCoreFeatures(api.CoreFeaturesV2))
	b.Cleanup(func() { _ = runtime.Close(context.Background()) })
	m := newModule(&plan{limits: DefaultLimits()}, runtime, quiet())
	if err := m.link(b.Context(), imports); err != nil {
		b.Fatal(err)
	}
	guest, err := runtime.InstantiateWithConfig(b.Context(), code, wazero.NewModuleConfig().WithStartFunctions())
	if err != nil {
		b.Fatal(err)
	}
	m.instances.Store(guest, &instance{module: m, journal: m.journal})
	g := &bare{guest: guest, ctx: b.Context()}
	g.refuel()
	if f := guest.ExportedFunction(exportInitialize); f != nil {
		g.call(b, exportInitialize)
	}
	return g
}

func (g *bare) refuel() {
	if fuel, ok := g.guest.ExportedGlobal(metering.FuelGlobal).(api.MutableGlobal); ok {
		fuel.Set(1 << 50)
	}
}

func (g *bare) call(b *testing.B, name string, args ...uint64) uint64 {
	results, err := g.guest.ExportedFunction(name).Call(g.ctx, args...)
	if err != nil {
		b.Fatal(name, err)
	}
	if len(results) == 0 {
		return 0
	}
	return results[0]
}

func (g *bare) send(b *testing.B, message []byte) uint64 {
	at := g.call(b, exportBuffer, uint64(len(message)))
	g.guest.Memory().Write(uint32(at), message)
	return uint64(len(message))
}

// BenchmarkMetering compares a metered module with the same module as it was.
func BenchmarkMetering(b *testing.B) {
	for _, g := range benchGuests(b) {
		b.Run("guest="+g.name, func(b *testing.B) {
			metered, err := metering.Rewrite(g.code)
			if err != nil {
				b.Fatal(err)
			}
			with, without := g.bareLike(b, metered.Code, metered.Imports), g.bareLike(b, g.code, metered.Imports)
			b.ReportMetric(ratio(b, 60, 10, with, without), "metered/plain")
			b.ReportMetric(float64(len(metered.Code))/float64(len(g.code)), "bytes-metered/plain")
		})
	}
}

// bareLike is a question about 256 racks, asked without a Module.
func (g benchGuest) bareLike(b *testing.B, code []byte, imports []metering.Import) func() {
	spec := wire.AppendSpec(nil, sdk.ConstraintSpec{Field: "rack", Operator: g.like, Value: likeRacks + ".*", HasValue: true})
	values, _ := racks(256)
	input := wire.AppendInput(nil, sdk.ConstraintInput{Values: values, First: -1})
	names := exportsOf(remote.KindConstraint)
	guest := newBare(b, code, imports)
	answer := guest.call(b, names.prepare, guest.send(b, spec))
	message, _ := guest.guest.Memory().Read(uint32(answer>>32), uint32(answer))
	prepared, err := wire.DecodePrepared(message)
	if err != nil {
		b.Fatal(err)
	}
	return func() {
		guest.refuel()
		guest.call(b, names.ask, uint64(prepared.Handle), guest.send(b, input))
	}
}
