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

// BenchmarkLike compares LIKE in a Go guest, metered, encoding and validation
// included and nothing remembered, with the same expression run natively for
// each of 1,000 offers.
func BenchmarkLike(b *testing.B) {
	m, err := load(b, buildGuest(b, guestBuiltin), DefaultLimits())
	if err != nil {
		b.Fatal(err)
	}
	spec := sdk.ConstraintSpec{Field: "rack", Operator: "W_LIKE", Value: likeRacks, HasValue: true}
	guest, err := remote.Constraint(m).Prepare(b.Context(), spec)
	if err != nil {
		b.Fatal(err)
	}
	spec.Operator = "LIKE"
	native, err := constraints.Like{}.Prepare(b.Context(), spec)
	if err != nil {
		b.Fatal(err)
	}
	re := regexp.MustCompile(`\A(?:` + likeRacks + `)\z`)
	for _, distinct := range []int{10, 40, 500, 1000} {
		b.Run(fmt.Sprintf("distinct=%d", distinct), func(b *testing.B) {
			values, rows := racks(distinct)
			in := sdk.ConstraintInput{Values: values, First: -1}
			evaluate := func(p sdk.PreparedConstraint) func() {
				return func() {
					if answer, err := p.Evaluate(b.Context(), in); err != nil || answer.Quota[1] != sdk.Unlimited {
						b.Fatal(answer, err)
					}
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
			rounds, calls := 30*max(1, min(b.N, 2)), 10
			b.ReportMetric(ratio(b, rounds, calls, evaluate(guest), perOffer), "wasm/native-per-offer")
			b.ReportMetric(ratio(b, rounds, calls, evaluate(guest), evaluate(native)), "wasm/native-columns")
		})
	}
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
	ctx := context.WithValue(b.Context(), instanceKey{}, &instance{module: m, journal: m.journal})
	guest, err := runtime.InstantiateWithConfig(ctx, code, wazero.NewModuleConfig().WithStartFunctions())
	if err != nil {
		b.Fatal(err)
	}
	g := &bare{guest: guest, ctx: ctx}
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
	code := buildGuest(b, guestBuiltin)
	metered, err := metering.Rewrite(code)
	if err != nil {
		b.Fatal(err)
	}
	spec := wire.AppendSpec(nil, sdk.ConstraintSpec{Operator: "W_LIKE", Value: likeRacks + ".*", HasValue: true})
	values, _ := racks(256)
	input := wire.AppendInput(nil, sdk.ConstraintInput{Values: values, First: -1})
	work := func(code []byte) func() {
		g := newBare(b, code, metered.Imports)
		answer := g.call(b, exportsOf(remote.KindConstraint).prepare, g.send(b, spec))
		message, _ := g.guest.Memory().Read(uint32(answer>>32), uint32(answer))
		prepared, err := wire.DecodePrepared(message)
		if err != nil {
			b.Fatal(err)
		}
		return func() {
			g.refuel()
			g.call(b, exportsOf(remote.KindConstraint).ask, uint64(prepared.Handle), g.send(b, input))
		}
	}
	with, without := work(metered.Code), work(code)
	b.Run("go-regexp", func(b *testing.B) {
		b.ReportMetric(ratio(b, 60, 10, with, without), "metered/plain")
	})
}
