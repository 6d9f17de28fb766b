package author

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/pacer-run/pacer/runtime/policy/remote"
)

// Measure is what asking about a batch of one size costs.
type Measure struct {
	Kind        string  `json:"kind"`
	Policy      string  `json:"policy"`
	Items       int     `json:"items"` // values, URIs, histories of one call
	Fuel        int64   `json:"fuel"`  // of one call
	Nanos       int64   `json:"nanos"` // of one call: the least of all rounds
	Median      int64   `json:"median"`
	NativeNanos int64   `json:"nativeNanos,omitempty"` // the same of the policy compared with
	Ratio       float64 `json:"ratio,omitempty"`       // Nanos to NativeNanos
}

// BenchOptions say what is measured.
type BenchOptions struct {
	Sizes  []int         // of batches
	Time   time.Duration // for each size
	Native *Against      // what it is compared with; nil for nothing
}

// Bench measures each policy of the module that an accepted vector is about. The two
// that are compared are asked in turn, so that what else runs here disturbs both.
func Bench(ctx context.Context, m remote.Module, cases []Case, o BenchOptions) ([]Measure, error) {
	measures := []Measure{}
	var seen []string
	for _, c := range cases {
		id := c.Kind.String() + " " + c.Name
		if c.sample == nil || !offers(m, c.Kind, c.Name) || slices.Contains(seen, id) {
			continue
		}
		seen = append(seen, id)
		sizes := o.Sizes
		if c.Kind == remote.KindUpgrade || c.Kind == remote.KindAdmission {
			sizes = []int{1}
		}
		for _, n := range sizes {
			measure, err := bench(ctx, m, c.sample, n, o)
			if err != nil {
				return measures, fmt.Errorf("%s, %d items: %w", id, n, err)
			}
			measures = append(measures, measure)
		}
	}
	return measures, nil
}

// runner measures one policy.
type runner struct {
	asker
	taken []int64 // nanoseconds of a call, by round
	calls int     // in a round
}

func newRunner(ctx context.Context, m remote.Module, s *sample, name string, n int) (*runner, error) {
	a, err := s.asker(ctx, policiesOf(m), name, n)
	if err != nil {
		return nil, err
	}
	r := &runner{asker: a}
	if err := r.ask(); err != nil { // caches are filled
		r.end()
		return nil, err
	}
	begun := time.Now()
	err = r.ask()
	r.calls = int(max(1, time.Millisecond/max(1, time.Since(begun)))) // a round is a millisecond
	return r, err
}

func (r *runner) round() error {
	begun := time.Now()
	for range r.calls {
		if err := r.ask(); err != nil {
			return err
		}
	}
	r.taken = append(r.taken, time.Since(begun).Nanoseconds()/int64(r.calls))
	return nil
}

func (r *runner) least() int64 { return slices.Min(r.taken) }

func (r *runner) median() int64 {
	sorted := slices.Sorted(slices.Values(r.taken))
	return sorted[len(sorted)/2]
}

func bench(ctx context.Context, m remote.Module, s *sample, n int, o BenchOptions) (Measure, error) {
	measure := Measure{Kind: s.kind.String(), Policy: s.name, Items: n}
	ours, err := newRunner(ctx, m, s, s.name, n)
	if err != nil {
		return measure, err
	}
	defer ours.end()
	fuel := m.FuelUsed()
	if err := ours.ask(); err != nil {
		return measure, err
	}
	measure.Fuel = m.FuelUsed() - fuel
	rounds := []*runner{ours}
	if name, ok := o.Native.nameFor(s); ok {
		theirs, err := newRunner(ctx, o.Native.Module, s, name, n)
		if err != nil {
			return measure, fmt.Errorf("%s: %w", o.Native.Label, err)
		}
		defer theirs.end()
		rounds = append(rounds, theirs)
	}
	for begun := time.Now(); len(ours.taken) < 3 || time.Since(begun) < o.Time; {
		for _, r := range rounds {
			if err := r.round(); err != nil {
				return measure, err
			}
		}
		if ctx.Err() != nil {
			return measure, context.Cause(ctx)
		}
	}
	measure.Nanos, measure.Median = ours.least(), ours.median()
	if len(rounds) > 1 {
		measure.NativeNanos = rounds[1].least()
		measure.Ratio = float64(measure.Nanos) / float64(max(1, measure.NativeNanos))
	}
	return measure, nil
}

// nameFor is the name of the policy that a sample is compared with; ok is false when
// there is none of its kind.
func (a *Against) nameFor(s *sample) (name string, ok bool) {
	if a == nil {
		return "", false
	}
	if name = a.Name; name == "" {
		name = s.name
	}
	return name, offers(a.Module, s.kind, name)
}
