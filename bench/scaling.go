package main

import (
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/pacer-run/pacer/runtime/policy/metering"
)

// scaling compares two goroutines that have an instance each with one alone. Two
// processors are seldom twice one: they may share a core, or have others as guests. What
// they can do is seen from instances of the same code without the host, in the same turns.
func (t *targets) scaling(ctx context.Context) error {
	for _, g := range guests() {
		hosted, end, err := t.hostedTwins(ctx, g)
		if err != nil {
			return err
		}
		bare, endBare, err := t.bareTwins(ctx, g)
		if err != nil {
			return errors.Join(err, end())
		}
		var list, part, alone, together, bareAlone, bareTogether samples
		for range t.rounds {
			a, b, err := hosted.turn()
			bareA, bareB, errBare := bare.turn()
			if err := errors.Join(err, errBare); err != nil {
				return errors.Join(err, end(), endBare())
			}
			list, part = append(list, a/b), append(part, a/b/(bareA/bareB))
			alone, together = append(alone, a), append(together, b)
			bareAlone, bareTogether = append(bareAlone, bareA), append(bareTogether, bareB)
		}
		what := "one instance : two, of the guest in " + g.name
		least := slices.Min(alone) / slices.Min(together)
		t.note(target{"10", what + ", on two cores", "", 1.9, list.median(), least, true})
		without := slices.Min(bareAlone) / slices.Min(bareTogether)
		t.note(target{"10", "... : the same without the host", "x", 0.95, part.median(), least / without, true})
		if err := errors.Join(end(), endBare()); err != nil {
			return err
		}
	}
	return nil
}

// twins are two questions to instances of their own.
type twins [2]func() error

// turn is how long the first takes to be asked so many times, and how long both take to
// be asked half as often each, at the same time.
func (p twins) turn() (alone, together float64, err error) {
	const calls = 400 // so many that waking the second processor does not count
	a, err := passed(2*calls, p[0])
	b, errBoth := passed(1, func() error {
		var group sync.WaitGroup
		var errs [2]error
		for i, ask := range p {
			group.Go(func() { _, errs[i] = passed(calls, ask) })
		}
		group.Wait()
		return errors.Join(errs[:]...)
	})
	return float64(2 * calls * a), float64(b), errors.Join(err, errBoth)
}

// hostedTwins are two questions about a column of 256 racks, through the host.
func (t *targets) hostedTwins(ctx context.Context, g guest) (twins, func() error, error) {
	values, _ := rackValues(256)
	var p twins
	var ends []func()
	end := func() error {
		for _, f := range ends {
			f()
		}
		return nil
	}
	for i := range p {
		prepared, err := t.prepare(ctx, g.name)
		if err != nil {
			return p, nil, errors.Join(err, end())
		}
		ends = append(ends, prepared.Close)
		p[i] = asking(ctx, prepared, values)
	}
	return p, end, nil
}

// bareTwins are the same questions to instances without the host, metered as with it.
func (t *targets) bareTwins(ctx context.Context, g guest) (twins, func() error, error) {
	values, _ := rackValues(256)
	var p twins
	var ends []func() error
	end := func() error {
		var errs []error
		for _, f := range ends {
			errs = append(errs, f())
		}
		return errors.Join(errs...)
	}
	metered, err := metering.Rewrite(t.code[g.name])
	for i := 0; i < len(p) && err == nil; i++ {
		var b bare
		var stop func() error
		if b, stop, err = newBare(ctx, metered.Code); err == nil {
			ends = append(ends, stop)
			p[i], err = bareLike(ctx, b, operator(g.name), values)
		}
	}
	if err != nil {
		return p, nil, errors.Join(err, end())
	}
	return p, end, nil
}
