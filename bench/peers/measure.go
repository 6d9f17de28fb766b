package main

import (
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

// The measure is that of the command bench, of whose package this one can import nothing.

// work is what is measured, and how often it is done for a sample.
type work struct {
	calls int
	do    func() error
}

// took is the processor time of one call, of this thread alone: on a machine that others
// use too, the time that passed is mostly theirs.
func (w work) took() (time.Duration, error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	begin := threadTime()
	for range w.calls {
		if err := w.do(); err != nil {
			return 0, err
		}
	}
	return (threadTime() - begin) / time.Duration(w.calls), nil
}

// threadTime is the processor time of the thread.
func threadTime() time.Duration {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &t); err != nil {
		panic(err) // the clock is always there
	}
	return time.Duration(t.Nano())
}

// goal is what a ratio should be: at least, or at most, so much.
type goal struct {
	what    string
	ratio   float64
	atLeast bool
}

// noise is the part of its goal by which a ratio may be missed before the run fails, as
// in the command bench.
const noise = 0.1

// report is where figures go.
type report struct {
	w      io.Writer
	rounds int     // samples of each figure
	missed []error // by those that fail the run
}

// measure takes samples of both by turns and prints the median of their ratios, that of
// the samples that were disturbed least, and what both took.
func (g goal) measure(r *report, a, b work) error {
	var ratios []float64
	var as, bs []time.Duration
	for range r.rounds {
		x, errA := a.took()
		y, errB := b.took()
		if err := errors.Join(errA, errB); err != nil {
			return fmt.Errorf("%s: %w", g.what, err)
		}
		ratios, as, bs = append(ratios, float64(x)/float64(y)), append(as, x), append(bs, y)
	}
	slices.Sort(ratios)
	median, least := ratios[len(ratios)/2], float64(slices.Min(as))/float64(slices.Min(bs))
	sign, over := "<=", min(median, least)/g.ratio
	if g.atLeast {
		sign, over = ">=", g.ratio/max(median, least)
	}
	word := "ok"
	switch {
	case over > 1+noise:
		word = "MISSED"
	case over > 1:
		word = "missed"
	}
	_, err := fmt.Fprintf(r.w, "%-70s %s %8.5g x %10.4g %10.4g  %s (%v : %v)\n",
		g.what, sign, g.ratio, median, least, word, slices.Min(as), slices.Min(bs))
	if over > 1+noise {
		r.missed = append(r.missed, fmt.Errorf("%s: %.4g, the goal is %.4g", g.what, median, g.ratio))
	}
	return err
}
