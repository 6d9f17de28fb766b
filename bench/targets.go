package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"runtime"
	"slices"
	"time"

	"golang.org/x/sys/unix"

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

func (t target) String() string {
	sign, ok := "<=", min(t.got, t.least) <= t.goal
	if t.atLeast {
		sign, ok = ">=", max(t.got, t.least) >= t.goal
	}
	word := "ok"
	if !ok {
		word = "MISSED"
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
	in := sdk.ConstraintInput{Values: values, First: -1}
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
}

// ratio measures and prints the ratio of a to b in processor time.
func (t *targets) ratio(number, what string, goal float64, atLeast bool, calls int, a, b func() error) error {
	median, least, err := inTurns(t.rounds, calls, took, a, b)
	return t.print(target{number, what, "x", goal, median, least, atLeast}, err)
}

// print writes a line, unless there is an error.
func (t *targets) print(line target, err error) error {
	if err != nil {
		return fmt.Errorf("%s %s: %w", line.number, line.what, err)
	}
	_, err = fmt.Fprintln(t.w, line)
	return err
}

// run measures all of them. Those that other parts measure are named at the end.
func (t *targets) run(ctx context.Context) error {
	fmt.Fprintf(t.w, "%-3s %-62s    %12s %10s %10s\n", "", "target", "goal", "median", "least")
	for _, part := range []func(context.Context) error{
		t.columns, t.memo, t.process, t.json, t.metering, t.calls, t.starts, t.memory, t.scaling,
	} {
		if err := part(ctx); err != nil {
			return err
		}
	}
	fmt.Fprintln(t.w, "hostile modules end within their budget: go test ./runtime/policy/wasm -run Zoo; 10,000 reloads leave nothing: -run Reloads; "+
		"the throughput of the scheduler: -wasm; modules by OPA, and CEL: make bench-peers")
	return nil
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
	var fixed samples
	for range t.rounds {
		d, err := passed(20, asking(ctx, p, values[:2]))
		if err != nil {
			return err
		}
		fixed = append(fixed, float64(d)/1000)
	}
	fmt.Fprintln(t.w, target{"3", "a question to a process about one value", "us", 100, fixed.median(), slices.Min(fixed), false})
	return nil
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
