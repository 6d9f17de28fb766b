package author

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
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

// Crasher is an input that a module failed on.
type Crasher struct {
	Kind   string `json:"kind"`
	Policy string `json:"policy"`
	What   string `json:"what"` // trap, malformed, nondeterministic, outlier
	Cause  string `json:"cause"`
	Vector string `json:"vector"` // that asks the same; "" where there is no such form
	File   string `json:"file,omitempty"`
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
// alike, in form, and without a trap.
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
}

// round asks one random question.
func (f *fuzzer) round(ctx context.Context, t target) {
	q := f.question(t)
	one, fuel, taken := f.put(ctx, f.a, q)
	other, _, _ := f.put(ctx, f.b, q)
	if taken {
		f.report.Accepted++
	} else {
		f.report.Refused++
	}
	f.report.MaxFuel = max(f.report.MaxFuel, fuel)
	what, cause := "", ""
	switch {
	case one.err != nil && strings.Contains(one.err.Error(), "malformed"):
		what, cause = "malformed", one.err.Error()
	case one.err != nil:
		what, cause = "trap", one.err.Error()
	case other.err != nil:
		what, cause = "nondeterministic", "a second instance fails: "+other.err.Error()
	case one.invalid != other.invalid || !bytes.Equal(one.answer, other.answer):
		what, cause = "nondeterministic", "two instances answer the same question differently"
	case f.unusual(q, fuel):
		what, cause = "outlier", fmt.Sprintf("%d units of fuel for %d items, more than %d times the usual", fuel, q.items, outlier)
	default:
		return
	}
	f.note(Crasher{Kind: t.kind.String(), Policy: t.name, What: what, Cause: cause, Vector: q.vector})
}

// note keeps a crasher, unless one of that sort is known.
func (f *fuzzer) note(c Crasher) {
	known := slices.ContainsFunc(f.report.Crashers, func(k Crasher) bool {
		return k.Kind == c.Kind && k.Policy == c.Policy && k.What == c.What && (k.Cause == c.Cause || c.What == "outlier")
	})
	if !known {
		f.report.Crashers = append(f.report.Crashers, c)
	}
}

// unusual tells a question that took far more fuel for its size than others.
func (f *fuzzer) unusual(q *question, fuel int64) bool {
	const learn = 64
	id := q.kind.String() + " " + q.name
	each := fuel / int64(q.items+8)
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
	invalid bool
	err     error // a fault
}

func (f *fuzzer) put(ctx context.Context, m remote.Module, q *question) (r result, fuel int64, taken bool) {
	before := m.FuelUsed()
	r, taken = q.put(ctx, m)
	return r, m.FuelUsed() - before, taken
}

func (q *question) put(ctx context.Context, m remote.Module) (r result, taken bool) {
	take := func(answer []byte) error {
		r.answer = slices.Clone(answer)
		return sound(q.kind, answer, q.items)
	}
	var err error
	if q.spec == nil {
		err = m.Review(ctx, q.input, take)
	} else {
		var p remote.Prepared
		if p, err = m.Prepare(ctx, q.kind, q.spec); err == nil {
			taken = true
			err = p.Ask(ctx, q.input, q.items, take)
			p.Close()
		}
	}
	if _, ok := errors.AsType[*sdk.Invalid](err); ok {
		r.invalid = true
	} else if err != nil {
		r.err = err
	} else {
		taken = true
	}
	return r, taken
}

// write appends the crashers to files of vectors, one for each kind.
func (f *fuzzer) write(dir string) error {
	if dir == "" {
		return nil
	}
	for i := range f.report.Crashers {
		c := &f.report.Crashers[i]
		if c.Vector == "" {
			continue
		}
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
		c.File = filepath.Join(dir, "fuzz-"+c.Kind+".txt")
		if err := appendLine(c.File, "# "+c.What+": "+strings.Join(strings.Fields(c.Cause), " ")+"\n"+c.Vector+"\n"); err != nil {
			return err
		}
	}
	return nil
}

// appendLine adds text to a file, unless it is there.
func appendLine(path, text string) error {
	old, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if bytes.Contains(old, []byte(text)) {
		return nil
	}
	return os.WriteFile(path, append(old, text...), 0o644)
}
