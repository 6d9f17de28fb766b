package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pacer-run/pacer/runtime/policy"
	"github.com/pacer-run/pacer/runtime/policy/metering"
	"github.com/pacer-run/pacer/runtime/policy/remote"
	"github.com/pacer-run/pacer/runtime/policy/wasm"
	"github.com/pacer-run/pacer/sdk"
	"github.com/pacer-run/pacer/sdk/wire"
)

func (t *targets) metering(ctx context.Context) error {
	values, _ := rackValues(256)
	for _, g := range guests() {
		metered, err := metering.Rewrite(t.code[g.name])
		if err != nil {
			return err
		}
		with, endWith, err := newBare(ctx, metered.Code)
		if err != nil {
			return err
		}
		without, endWithout, err := newBare(ctx, t.code[g.name])
		if err != nil {
			return errors.Join(err, endWith())
		}
		a, err := bareLike(ctx, with, operator(g.name), values)
		b, errB := bareLike(ctx, without, operator(g.name), values)
		if err = errors.Join(err, errB); err == nil {
			err = t.ratio("5", "guest in "+g.name+", metered : as it was built", 1.1, false, 10, a, b)
		}
		if err = errors.Join(err, endWith(), endWithout()); err != nil {
			return err
		}
	}
	return nil
}

// stopwatch is a module whose questions are timed.
type stopwatch struct {
	remote.Module
	took *[]time.Duration
}

type timed struct {
	remote.Prepared
	took *[]time.Duration
}

func (m stopwatch) Prepare(ctx context.Context, kind remote.Kind, spec []byte) (remote.Prepared, error) {
	p, err := m.Module.Prepare(ctx, kind, spec)
	if err != nil {
		return nil, err
	}
	return timed{p, m.took}, nil
}

func (p timed) LastFuel() int64 { return p.Prepared.(remote.Metered).LastFuel() }

func (p timed) Ask(ctx context.Context, input []byte, items int, take func([]byte) error) error {
	d, err := took(1, func() error { return p.Prepared.Ask(ctx, input, items, take) })
	*p.took = append(*p.took, d)
	return err
}

// timedLoader loads modules as the catalog does, with a stopwatch.
type timedLoader struct {
	policy.Loader
	took *[]time.Duration
}

func (l timedLoader) Load(ctx context.Context, m policy.ModuleConfig, ref policy.Ref) (policy.Loaded, error) {
	loaded, err := l.Loader.Load(ctx, m, ref)
	if loaded.Module != nil {
		loaded.Module = stopwatch{loaded.Module, l.took}
	}
	return loaded, err
}

// calls asks through a catalog about the names of 10,000 hosts, again and again, and
// looks at the calls into the guest that come of it.
func (t *targets) calls(ctx context.Context) error {
	var list []time.Duration
	backends, err := policy.NewBackends(wasm.DefaultLimits(), t.cache(), slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	catalog, err := policy.Open(ctx, policy.Config{Dir: t.dir, Loader: timedLoader{backends, &list}})
	if err != nil {
		return err
	}
	<-catalog.Loaded()
	in := sdk.ConstraintInput{Values: []string{""}, First: -1}
	for i := range 10_000 {
		in.Values = append(in.Values, fmt.Sprintf("agent-%05d.cluster.example.com", i))
	}
	for _, g := range guests() {
		spec := sdk.ConstraintSpec{Field: "@hostname", Operator: g.prefix + "LIKE", Value: `agent-[0-9]+\.cluster\..*`, HasValue: true}
		version := 0
		ask := func() error {
			version++ // of which no verdicts are known
			spec.App.Version = strconv.Itoa(version)
			return askOnce(ctx, catalog, spec, in)
		}
		list = list[:0]
		for len(list) < 1000 {
			if err := ask(); err != nil {
				return err
			}
		}
		slices.Sort(list)
		t.note(target{
			"6", "a call into the guest in " + g.name + ", p99.9 (least: p99) of " + strconv.Itoa(len(list)), "ms", 2, milliseconds(list[len(list)*999/1000]), milliseconds(list[len(list)*99/100]), false,
		})
		if err := t.pauses(ctx, g, ask); err != nil {
			return err
		}
	}
	return catalog.Close(ctx)
}

func askOnce(ctx context.Context, catalog *policy.Catalog, spec sdk.ConstraintSpec, in sdk.ConstraintInput) error {
	p, err := catalog.Prepare(ctx, spec)
	if err != nil {
		return err
	}
	defer p.Close()
	_, err = p.Evaluate(ctx, in)
	return err
}

func milliseconds(d time.Duration) float64 { return d.Seconds() * 1000 }

// pauses is how much longer a collection of garbage takes while the guest is asked than
// while the same is computed natively.
func (t *targets) pauses(ctx context.Context, g guest, ask func() error) error {
	_, rows := rackValues(1000)
	native := perOffer(rows)
	var longer samples
	for range t.rounds {
		beside, err := collecting(ctx, ask)
		without, errNative := collecting(ctx, native)
		if err := errors.Join(err, errNative); err != nil {
			return err
		}
		longer = append(longer, milliseconds(beside-without))
	}
	t.note(target{"6", "a collection of garbage takes longer beside the guest in " + g.name, "ms", 2, longer.median(), slices.Min(longer), false})
	return nil
}

// collecting is how long a collection takes, the median of some, beside the work.
func collecting(ctx context.Context, work func() error) (time.Duration, error) {
	ctx, stop := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() {
		var err error
		for err == nil && ctx.Err() == nil {
			err = work()
		}
		done <- err
	}()
	var list []time.Duration
	for range 21 {
		d, _ := passed(1, func() error { runtime.GC(); return nil })
		list = append(list, d)
	}
	stop()
	slices.Sort(list)
	return list[len(list)/2], <-done
}

// starts loads each guest without and with what the engine compiled of it before.
func (t *targets) starts(ctx context.Context) error {
	for _, g := range []struct {
		name       string
		warm, cold float64 // goals, ms; 0: none
	}{{"rust", 10, 0}, {"c", 1, 0}, {oneKind, 60, 1500}, {"go", 60, 1500}} {
		var cold, warm samples
		for i := range 3 {
			dir := filepath.Join(t.dir, fmt.Sprint("cache-", g.name, i))
			for n := range 4 {
				d, err := t.start(ctx, g.name, dir)
				if err != nil {
					return err
				}
				if n == 0 {
					cold = append(cold, milliseconds(d))
				} else {
					warm = append(warm, milliseconds(d))
				}
			}
		}
		t.note(target{"7", "warm start of the guest in " + g.name, "ms", g.warm, warm.median(), slices.Min(warm), false})
		if g.cold > 0 {
			t.note(target{"7", "cold start of the guest in " + g.name, "ms", g.cold, cold.median(), slices.Min(cold), false})
		}
	}
	return nil
}

// start is what loading a module takes where another one is loaded: the engine itself is
// started once for all of them.
func (t *targets) start(ctx context.Context, name, cache string) (time.Duration, error) {
	loader, err := wasm.NewLoader(wasm.DefaultLimits(), cache, slog.New(slog.DiscardHandler))
	if err != nil {
		return 0, err
	}
	other := "c"
	if name == other {
		other = "rust"
	}
	before, err := loader.Load(ctx, t.code[other], wasm.Options{})
	if err != nil {
		return 0, errors.Join(err, loader.Close(ctx))
	}
	begin := cpu() // all of it: loading is done by a goroutine of its own
	m, err := loader.Load(ctx, t.code[name], wasm.Options{})
	d := cpu() - begin
	if err == nil {
		err = m.Close(ctx)
	}
	return d, errors.Join(err, before.Close(ctx), loader.Close(ctx))
}

// memory is what more instances of a module add to what the process holds.
func (t *targets) memory(ctx context.Context) error {
	const instances = 16
	goals := map[string]float64{"go": 5, "rust": 0.5, "c": 0.5}
	for _, g := range guests() {
		limits := wasm.DefaultLimits()
		limits.Instances = instances
		loader, err := wasm.NewLoader(limits, t.cache(), slog.New(slog.DiscardHandler))
		if err != nil {
			return err
		}
		m, err := loader.Load(ctx, t.code[g.name], wasm.Options{})
		if err != nil {
			return err
		}
		if err := working(ctx, m, operator(g.name), 1); err != nil {
			return err
		}
		before := resident()
		if err := working(ctx, m, operator(g.name), instances); err != nil {
			return err
		}
		each := (resident() - before) / (instances - 1) / (1 << 20)
		t.note(target{"8", "memory of an instance of the guest in " + g.name, "MiB", goals[g.name], each, each, false})
		if err := errors.Join(m.Close(ctx), loader.Close(ctx)); err != nil {
			return err
		}
	}
	return nil
}

// working asks so many instances of a module, all at the same time: each one is asked
// while the answer of the one before is looked at.
func working(ctx context.Context, m remote.Module, operator string, instances int) error {
	if instances == 0 {
		return nil
	}
	p, err := m.Prepare(ctx, remote.KindConstraint, wire.AppendSpec(nil, likeSpec(operator)))
	if err != nil {
		return err
	}
	defer p.Close()
	values, _ := rackValues(100)
	input := wire.AppendInput(nil, sdk.ConstraintInput{Values: values, First: -1})
	return p.Ask(ctx, input, len(values), func([]byte) error { return working(ctx, m, operator, instances-1) })
}

// resident is how many bytes the process holds, without garbage.
func resident() float64 {
	runtime.GC()
	debug.FreeOSMemory()
	text, err := os.ReadFile("/proc/self/statm")
	fields := strings.Fields(string(text))
	if err != nil || len(fields) < 2 {
		return 0
	}
	pages, _ := strconv.Atoi(fields[1])
	return float64(pages * os.Getpagesize())
}
