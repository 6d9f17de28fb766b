package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/pacer-run/pacer/runtime/policy/remote"
	"github.com/pacer-run/pacer/sdk"
)

// likeRacks is the expression of the targets, a full match.
const likeRacks = `rack-[0-2][0-9]-row[0-5]`

func likeSpec(operator string) sdk.ConstraintSpec {
	return sdk.ConstraintSpec{Field: "rack", Operator: operator, Value: likeRacks, HasValue: true}
}

// rackValues is a dictionary of so many racks, and the rack of each of 1,000 offers.
func rackValues(distinct int) (values, rows []string) {
	values = []string{""}
	for i := range distinct {
		values = append(values, fmt.Sprintf("rack-%02d-row%d", i/10, i%10))
	}
	for i := range 1000 {
		rows = append(rows, values[1+i%distinct])
	}
	return values, rows
}

// target is one figure beside what it should be.
type target struct {
	number, what, unit string
	goal, got, least   float64
	atLeast            bool // the goal is one to be reached, not to stay below
}

// noise is the part of its goal by which a ratio may be missed before the run fails: the
// same code differs by as much from run to run on a machine that others use.
const noise = 0.1

// within tells whether the better of the two figures is what it should be, or misses it
// by that part of it at most.
func (t target) within(part float64) bool {
	if t.atLeast {
		return max(t.got, t.least) >= t.goal*(1-part)
	}
	return min(t.got, t.least) <= t.goal*(1+part)
}

// fails tells whether the target is missed so that the run fails. Ratios and fuel can be;
// what a time is depends on the machine, and on who else uses it.
func (t target) fails() bool {
	switch t.unit {
	case "fuel":
		return !t.within(0)
	case "x":
		return !t.within(noise)
	}
	return false
}

func (t target) String() string {
	sign, word := "<=", "ok"
	if t.atLeast {
		sign = ">="
	}
	switch {
	case t.fails():
		word = "MISSED"
	case !t.within(0):
		word = "missed"
	}
	return fmt.Sprintf("%-3s %-62s %s %7.5g %-4s %10.4g %10.4g  %s", t.number, t.what, sign, t.goal, t.unit, t.got, t.least, word)
}

// took is the processor time of one of so many calls, of this goroutine alone: on a
// machine that others use too, the time that passed is mostly theirs.
func took(calls int, work func() error) (time.Duration, error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	begin := threadTime()
	for range calls {
		if err := work(); err != nil {
			return 0, err
		}
	}
	return (threadTime() - begin) / time.Duration(calls), nil
}

// threadTime is the processor time of the thread.
func threadTime() time.Duration {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &t); err != nil {
		panic(err) // the clock is always there
	}
	return time.Duration(t.Nano())
}

// passed is the time that passes in one of so many calls.
func passed(calls int, work func() error) (time.Duration, error) {
	begin := time.Now()
	for range calls {
		if err := work(); err != nil {
			return 0, err
		}
	}
	return time.Since(begin) / time.Duration(calls), nil
}

// inTurns measures both by turns: the median of the ratios a to b, and the ratio of the
// samples that were disturbed least.
func inTurns(rounds, calls int, took func(int, func() error) (time.Duration, error), a, b func() error) (median, least float64, err error) {
	var ratios, as, bs samples
	for range rounds {
		x, errA := took(calls, a)
		y, errB := took(calls, b)
		if err := errors.Join(errA, errB); err != nil {
			return 0, 0, err
		}
		ratios, as, bs = append(ratios, float64(x)/float64(y)), append(as, float64(x)), append(bs, float64(y))
	}
	return ratios.median(), slices.Min(as) / slices.Min(bs), nil
}

// perOffer runs the expression natively for each offer.
func perOffer(rows []string) func() error {
	re := regexp.MustCompile(`\A(?:` + likeRacks + `)\z`)
	return func() error {
		matched := 0
		for _, value := range rows {
			if re.MatchString(value) {
				matched++
			}
		}
		if matched == 0 {
			return errors.New("nothing matches")
		}
		return nil
	}
}

// asking is a question about the values.
func asking(ctx context.Context, p sdk.PreparedConstraint, values []string) func() error {
	in := sdk.ConstraintInput{Values: values, First: -1, Room: make([]uint32, len(values))} // as the matcher asks
	return func() error {
		answer, err := p.Evaluate(ctx, in)
		if err == nil && answer.Quota[1] != sdk.Unlimited {
			err = errors.New("the first rack is not taken")
		}
		return err
	}
}

// targets measures what policy modules are aimed at, and prints a line for each.
type targets struct {
	*modules
	w      io.Writer
	rounds int
	only   string  // the number of those to measure; "": all
	missed []error // by those that fail the run
}

// ratio measures and prints the ratio of a to b in processor time.
func (t *targets) ratio(number, what string, goal float64, atLeast bool, calls int, a, b func() error) error {
	median, least, err := inTurns(t.rounds, calls, took, a, b)
	return t.print(target{number, what, "x", goal, median, least, atLeast}, err)
}

// print writes a line, unless there is an error.
func (t *targets) print(line target, err error) error {
	if err != nil {
		return fmt.Errorf("E%s %s: %w", line.number, line.what, err)
	}
	t.note(line)
	return nil
}

// note writes a line and remembers what is missed.
func (t *targets) note(line target) {
	if line.fails() {
		t.missed = append(t.missed, fmt.Errorf("E%s %s: %.4g, the goal is %.4g", line.number, line.what, line.got, line.goal))
	}
	fmt.Fprintln(t.w, line)
}

// run measures all of them. Those that other parts measure are named at the end. The
// error has those that fail the run.
func (t *targets) run(ctx context.Context) error {
	fmt.Fprintf(t.w, "%-3s %-62s    %12s %10s %10s\n", "", "target", "goal", "median", "least")
	for _, part := range []struct {
		numbers string
		measure func(context.Context) error
	}{
		{"1,2", t.columns},
		{"2", t.fuel},
		{"2", t.memo},
		{"3", t.process},
		{"4", t.json},
		{"5", t.metering},
		{"6", t.calls},
		{"7", t.starts},
		{"8", t.memory},
		{"10", t.scaling},
	} {
		if t.only != "" && !slices.Contains(strings.Split(part.numbers, ","), t.only) {
			continue
		}
		if err := part.measure(ctx); err != nil {
			return err
		}
	}
	fmt.Fprintln(t.w, "hostile modules end within their budget: go test ./runtime/policy/wasm -run Zoo; 10,000 reloads leave nothing: -run Reloads; "+
		"the throughput of the scheduler: -wasm; modules by OPA, and CEL: make bench-peers")
	return errors.Join(t.missed...)
}

func (t *targets) columns(ctx context.Context) error {
	for _, c := range []struct {
		number, guest string
		distinct      int
		goal          float64
	}{{"1", "go", 40, 1.2}, {"2", "rust", 1000, 2.5}, {"2", "c", 1000, 2.5}, {"2", "go", 1000, 15}} {
		values, rows := rackValues(c.distinct)
		p, err := t.prepare(ctx, c.guest)
		if err != nil {
			return err
		}
		what := fmt.Sprintf("LIKE, 1,000 offers, %d values, guest in %s : native loop", c.distinct, c.guest)
		if err := t.ratio(c.number, what, c.goal, false, 5, asking(ctx, p, values), perOffer(rows)); err != nil {
			return err
		}
		p.Close()
	}
	return nil
}

// fuel is what a value costs a guest, which is the same on every machine: the difference
// between two questions, so that what a question costs besides is left out.
func (t *targets) fuel(ctx context.Context) error {
	goals := map[string]float64{"rust": 1400, "c": 2000, "go": 1900}
	for _, g := range guests() {
		var used [2]float64
		for i, distinct := range []int{100, 200} {
			p, err := t.prepare(ctx, g.name)
			if err != nil {
				return err
			}
			values, _ := rackValues(distinct)
			ask := asking(ctx, p, values)
			if err := errors.Join(ask(), ask(), ask(), ask()); err != nil { // every instance fills its tables first
				return err
			}
			used[i] = float64(p.(remote.Metered).LastFuel())
			p.Close()
		}
		each := (used[1] - used[0]) / 100
		t.note(target{"2", "a value, guest in " + g.name, "fuel", goals[g.name], each, each, false})
	}
	return nil
}

func (t *targets) memo(ctx context.Context) error {
	values, rows := rackValues(1000)
	p, err := t.catalog.Prepare(ctx, likeSpec("W_LIKE"))
	if err != nil {
		return err
	}
	defer p.Close()
	again := asking(ctx, p, values)
	if err := again(); err != nil {
		return err
	}
	return t.ratio("2", "... asked again, remembered : native loop", 0.5, false, 5, again, perOffer(rows))
}

func (t *targets) process(ctx context.Context) error {
	values, rows := rackValues(40)
	p, err := t.prepare(ctx, processGuest)
	if err != nil {
		return err
	}
	defer p.Close()
	median, least, err := inTurns(t.rounds, 20, passed, asking(ctx, p, values), perOffer(rows)) // it waits for the other process
	err = t.print(target{"3", "LIKE, 1,000 offers, 40 values, process : native loop", "x", 3, median, least, false}, err)
	if err != nil {
		return err
	}
	return t.fixed(ctx, asking(ctx, p, values[:2]))
}

func (t *targets) json(ctx context.Context) error {
	values, rows := rackValues(40)
	p, err := t.prepare(ctx, "go")
	if err != nil {
		return err
	}
	defer p.Close()
	b, end, err := newBare(ctx, t.code["json"])
	if err != nil {
		return err
	}
	ask := jsonLike(ctx, b, jsonOffers(rows))
	err = t.ratio("4", "offers as JSON to a Go guest, unmetered : columns, 40 values", 1000, true, 1, ask, asking(ctx, p, values))
	return errors.Join(err, end())
}
