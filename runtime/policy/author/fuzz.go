package author

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pacer-run/pacer/runtime/policy/remote"
	"github.com/pacer-run/pacer/sdk"
)

// FuzzOptions say how long and from where inputs are made.
type FuzzOptions struct {
	Time   time.Duration
	Rounds int    // the end after so many, if above 0
	Seed   uint64 // the same one gives the same inputs
	Dir    string // where crashers are written as vectors; "" for nowhere
}

// FuzzReport is the outcome of fuzzing.
type FuzzReport struct {
	Module   string    `json:"module"`
	Rounds   int       `json:"rounds"`
	Accepted int       `json:"accepted"` // specs that were taken
	Refused  int       `json:"refused"`
	MaxFuel  int64     `json:"maxFuel"` // of one question
	Crashers []Crasher `json:"crashers"`
}

// maxCrashers ends the fuzzing of a module that fails all the time.
const maxCrashers = 20

// outlier is how many times the usual fuel for its size a question may take.
const outlier = 100

// Fuzz asks two instances of a module the same random questions. Both have to answer
// alike, in form, and without a trap. When only the vectors could not be written, the
// report is there beside the error.
func Fuzz(ctx context.Context, a, b remote.Module, cases []Case, o FuzzOptions) (*FuzzReport, error) {
	f := &fuzzer{
		rand: rand.New(rand.NewPCG(o.Seed, 1)), a: a, b: b, usual: map[string][]int64{},
		report: &FuzzReport{Module: label(a), Crashers: []Crasher{}},
	}
	for kind := range remote.Kinds {
		for _, name := range remote.Names(a, kind) {
			f.targets = append(f.targets, target{kind, name, seeds(cases, kind, name), samples(cases, kind, name)})
		}
	}
	if len(f.targets) == 0 {
		return nil, errors.New("the module offers nothing")
	}
	for begun := time.Now(); ctx.Err() == nil && len(f.report.Crashers) < maxCrashers; f.report.Rounds++ {
		if o.Rounds > 0 && f.report.Rounds >= o.Rounds || o.Rounds <= 0 && time.Since(begun) >= o.Time {
			break
		}
		f.round(ctx, f.targets[f.rand.IntN(len(f.targets))])
	}
	return f.report, f.write(o.Dir)
}

// target is one policy with values that vectors are known to have.
type target struct {
	kind     remote.Kind
	name     string
	seeds    []string
	accepted []*sample
}

// samples are those of the vectors about a policy that it takes.
func samples(cases []Case, kind remote.Kind, name string) []*sample {
	var list []*sample
	for _, c := range cases {
		if c.Kind == kind && c.Name == name && c.sample != nil {
			list = append(list, c.sample)
		}
	}
	return list
}

// seeds are the words of the vectors about a policy: random texts alone would hardly
// ever be accepted.
func seeds(cases []Case, kind remote.Kind, name string) []string {
	var words []string
	for _, c := range cases {
		if c.Kind != kind || c.Name != name {
			continue
		}
		for _, word := range strings.Fields(c.Text)[1:] {
			if text, err := strconv.Unquote(word); err == nil {
				word = text
			}
			words = append(words, word)
		}
	}
	slices.Sort(words)
	return slices.Compact(words)
}

type fuzzer struct {
	rand    *rand.Rand
	a, b    remote.Module
	targets []target
	usual   map[string][]int64 // fuel for each item, by policy
	report  *FuzzReport
	found   []found
}

// found is a failure of a policy that is known.
type found struct {
	failure
	kind remote.Kind
	name string
}

// round asks one random question.
func (f *fuzzer) round(ctx context.Context, t target) {
	q := toolsOf(t.kind).random(f, t)
	wrong, fuel, taken := f.ask(ctx, t, q)
	if taken {
		f.report.Accepted++
	} else {
		f.report.Refused++
	}
	f.report.MaxFuel = max(f.report.MaxFuel, fuel)
	if wrong.what == "" || ctx.Err() != nil {
		return
	}
	c := Crasher{Kind: t.kind.String(), Policy: t.name, What: wrong.what, Cause: wrong.cause, Rounds: f.report.Rounds + 1}
	for _, k := range f.found {
		if k.kind == t.kind && k.name == t.name && k.alike(wrong) {
			return
		}
	}
	f.found = append(f.found, found{wrong, t.kind, t.name})
	small := f.shrink(ctx, t, q, wrong)
	if now, _, _ := f.ask(ctx, t, small); now.alike(wrong) {
		c.Cause = now.cause // with the numbers of the smaller one
	}
	c.Vector = f.vector(ctx, t, small, wrong)
	f.report.Crashers = append(f.report.Crashers, c)
}

// ask puts a question to both instances.
func (f *fuzzer) ask(ctx context.Context, t target, q question) (wrong failure, fuel int64, taken bool) {
	before := f.a.FuelUsed()
	one, taken := put(ctx, f.a, t.kind, q)
	fuel = f.a.FuelUsed() - before
	other, _ := put(ctx, f.b, t.kind, q)
	switch {
	case one.err != nil && strings.Contains(one.err.Error(), "malformed"):
		wrong = failed(Malformed, one.err.Error(), q)
	case one.err != nil:
		wrong = failed(Trap, one.err.Error(), q)
	case other.err != nil:
		wrong = failed(Nondeterministic, "a second instance fails: "+other.err.Error(), q)
	case one.invalid != other.invalid:
		wrong = failed(Nondeterministic, fmt.Sprintf("one instance refuses with %q, another with %q", one.invalid, other.invalid), q)
	case !bytes.Equal(one.answer, other.answer):
		wrong = failed(Nondeterministic, "two instances answer the same question differently", q)
	case f.unusual(t, q, fuel):
		wrong = failed(Outlier, fmt.Sprintf("%d units of fuel for %d items, more than %d times the usual", fuel, q.items(), outlier), q)
	}
	return wrong, fuel, taken
}

// unusual tells a question that took far more fuel for its size than others.
func (f *fuzzer) unusual(t target, q question, fuel int64) bool {
	const learn = 64
	id := t.kind.String() + " " + t.name
	each := fuel / int64(q.items()+8)
	known := f.usual[id]
	if len(known) < learn {
		f.usual[id] = append(known, each)
		return false
	}
	if len(known) == learn {
		slices.Sort(known)
		f.usual[id] = append(known, 0) // it is sorted now
	}
	const noise = 1_000_000 // a collection of the guest's garbage may fall into any call
	return each > outlier*(known[learn/2]+1) && fuel > 50*noise
}

// result is how a module took a question.
type result struct {
	answer  []byte
	invalid string // what was refused, in the module's words
	err     error  // a fault
}

// put asks a module. taken is whether it accepted the spec.
func put(ctx context.Context, m remote.Module, kind remote.Kind, q question) (r result, taken bool) {
	take := func(answer []byte) error {
		r.answer = slices.Clone(answer)
		return toolsOf(kind).sound(answer, q.items())
	}
	spec, input := q.messages()
	var err error
	if spec == nil {
		err = m.Review(ctx, input, take)
	} else {
		var p remote.Prepared
		if p, err = m.Prepare(ctx, kind, spec); err == nil {
			taken = true
			err = p.Ask(ctx, input, q.items(), take)
			p.Close()
		}
	}
	if invalid, ok := errors.AsType[*sdk.Invalid](err); ok {
		r.invalid = strings.Join(strings.Fields(invalid.Message), " ") // as hosts show it
	} else if r.err = err; err == nil {
		taken = true
	}
	return r, taken
}
