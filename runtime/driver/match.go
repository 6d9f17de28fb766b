package driver

import (
	"context"
	"fmt"
	"time"

	"github.com/pacer-run/pacer/runtime/placement"
	"github.com/pacer-run/pacer/runtime/scheduler"
)

const (
	// placementsPerPiece is how many placements one event carries back: each is
	// a record of its batch.
	placementsPerPiece = 400
	// matchGrace is how long after its deadline a match may still answer by
	// itself. A policy is bounded by its fuel, so this is for those that are not.
	matchGrace = time.Second
)

// asker answers matches, one after the other.
type asker struct {
	matcher  Matcher
	policies Policies
	rules    *rules
	fetches  *fetches
	// idle holds a token while no match runs. Whoever has it owns the rest.
	idle chan struct{}
}

func (d *Driver) newAsker() *asker {
	a := &asker{
		matcher:  d.cfg.NewMatcher(),
		policies: d.cfg.Policies,
		rules:    newRules(d.cfg.Policies, d.cfg.Now),
		fetches:  newFetches(d.cfg.Policies, d.cfg.Now),
		idle:     make(chan struct{}, 1),
	}
	a.idle <- struct{}{}
	return a
}

// retire releases what the asker holds, as soon as no match uses it. It does
// not wait for a match that is stuck.
func (a *asker) retire() {
	go func() {
		<-a.idle
		a.rules.close()
	}()
}

// ask starts a match. Its answer comes through the inbox, whatever happens: the
// core asks for no other before it has it.
func (d *Driver) ask(ctx context.Context, r *placement.Request) {
	d.counts.matches.Add(1)
	a := d.asker
	select {
	case <-a.idle:
	default: // the last match is past its deadline and grace, and still not back
		a.retire()
		a = d.newAsker()
		d.asker = a
		<-a.idle
	}
	answer := make(chan placement.Result, 1)
	ctx, cancel := context.WithTimeout(ctx, d.cfg.MatchTimeout)
	go func() {
		result := a.match(ctx, r)
		a.rules.sweep(d.Snapshot())
		a.fetches.sweep(d.Snapshot())
		a.idle <- struct{}{} // before the answer: the next match may be asked at once
		answer <- result
	}()
	go func() {
		defer cancel()
		d.answer(r, d.await(ctx, r, answer))
	}()
}

// await returns the match's answer, or one without placements when it is late.
func (d *Driver) await(ctx context.Context, r *placement.Request, answer <-chan placement.Result) placement.Result {
	select {
	case result := <-answer:
		return result
	case <-ctx.Done():
	}
	grace := time.NewTimer(matchGrace)
	defer grace.Stop()
	select {
	case result := <-answer:
		return result
	case <-grace.C:
		d.counts.late.Add(1)
		d.cfg.Log.Error("match did not end in time", "timeout", d.cfg.MatchTimeout, "grace", matchGrace)
		return fault(r, fmt.Errorf("the match did not end within %v", d.cfg.MatchTimeout+matchGrace))
	}
}

// answer posts the result in pieces that each fit a transaction.
func (d *Driver) answer(r *placement.Request, result placement.Result) {
	whole := scheduler.Matched{Result: result, MatchedOffers: r.Offers}
	for _, piece := range whole.Split(placementsPerPiece) {
		d.Post(piece)
	}
}

// match runs one match. A panic of the matcher, or of a policy in it, is an
// answer like any other: no placements, and the cause.
func (a *asker) match(ctx context.Context, r *placement.Request) (result placement.Result) {
	defer func() {
		if cause := recover(); cause != nil {
			result = fault(r, fmt.Errorf("the match panicked: %v", cause))
		}
	}()
	policies, done := pin(a.policies)
	defer done()
	a.rules.policies, a.fetches.policies = policies, policies
	return a.fetches.around(ctx, r, func(r *placement.Request) placement.Result {
		return a.matcher.Match(ctx, *r, a.rules.of(ctx))
	})
}

// fault is an answer that places nothing, and says why of every app.
func fault(r *placement.Request, cause error) placement.Result {
	var result placement.Result
	for _, w := range r.Wanted {
		result.Refusals = append(result.Refusals, placement.Refusals{App: w.App, Fault: cause})
	}
	return result
}
