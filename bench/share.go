package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/pacer-run/pacer/plugins/constraints"
	"github.com/pacer-run/pacer/runtime/driver"
	"github.com/pacer-run/pacer/runtime/placement"
	"github.com/pacer-run/pacer/runtime/policy"
	"github.com/pacer-run/pacer/runtime/spec"
)

// What of its throughput the scheduler keeps when constraints are WASM: what is
// aimed at, and what makes the run fail.
const (
	shareGoal  = 0.9
	shareFloor = 0.8
)

// suite is a set of apps that one guest judges, beside the same natively.
type suite struct {
	name  string
	guest string
	// apps are the constraints of each app, under the native names.
	apps   [][]spec.Constraint
	prefix string // of the guest's names
}

// suites are single constraints in each language, and all that are built in.
func suites(agents, instances int) []suite {
	most := fmt.Sprint((instances + agents - 1) / agents)
	one := [][2]any{
		{"LIKE rack", constraint("rack", "LIKE", "rack-[0-2][0-9]")},
		{"LIKE host", constraint("hostname", "LIKE", `agent-[0-9]+\.cluster\..*`)},
		{"MAX_PER host", constraint("hostname", "MAX_PER", most)},
	}
	var list []suite
	for _, g := range guests() {
		for _, o := range one {
			list = append(list, suite{o[0].(string), g.name, [][]spec.Constraint{{o[1].(spec.Constraint)}}, g.prefix})
		}
	}
	return append(list, suite{"all builtins", "go", everyOperator(), "W_"})
}

// everyOperator is a set of apps that uses each operator that is built in.
func everyOperator() [][]spec.Constraint {
	return [][]spec.Constraint{
		{constraint("hostname", "UNIQUE", "")},
		{constraint("@zone", "CLUSTER", "")},
		{constraint("rack", "CLUSTER", "rack-07")},
		{constraint("rack", "GROUP_BY", "")},
		{constraint("hostname", "GROUP_BY", "")},
		{constraint("rack", "LIKE", "rack-[0-2][0-9]")},
		{constraint("class", "UNLIKE", "c[12]")},
		{constraint("hostname", "MAX_PER", "2")},
		{constraint("os", "IS", "debian-12")},
		{constraint("rack", "UNLIKE", "rack-3."), constraint("hostname", "UNIQUE", "")},
	}
}

// besideRounds is how many samples there are, at most, of the figures beside the share.
const besideRounds = 5

// shareCell is one suite on one cluster.
type shareCell struct {
	suite
	agents int
	// CPU µs per placement: natively, and with the guest.
	known, decoded, cold pair
}

// pair has the samples of both sides, taken in turns.
type pair struct{ native, guest samples }

// ratios are those of throughput, of each turn.
func (p pair) ratios() (list samples) {
	for i := range p.native {
		list = append(list, p.native[i]/p.guest[i])
	}
	return list
}

// least is the ratio of the samples that were disturbed least.
func (p pair) least() float64 { return slices.Min(p.native) / slices.Min(p.guest) }

// best is what is held against the goal: noise makes a ratio smaller as well as
// larger, and the two ways to keep it out seldom fail together.
func (p pair) best() float64 { return max(p.ratios().median(), p.least()) }

// share measures G5: the throughput of the whole scheduler with constraints in WASM
// against the same ones natively. Both sides use the catalog that Pacer uses, with
// fuel.
type share struct {
	instances, rounds int
	sampling          sampling
	worlds            map[int]world
	cells             []*shareCell
	catalog           *policy.Catalog
	decode            func() decoder
}

func newShare(agents []int, instances, rounds int, length sampling, decode func() decoder) *share {
	s := &share{instances: instances, rounds: rounds, sampling: length, worlds: map[int]world{}, decode: decode}
	for _, a := range agents {
		s.worlds[a] = newWorld(a)
		for _, one := range suites(a, instances) {
			s.cells = append(s.cells, &shareCell{suite: one, agents: a})
		}
	}
	return s
}

// open builds the guests of these names and loads them. What it returns ends them.
func (s *share) open(ctx context.Context, names ...string) (end func() error, err error) {
	dir, err := os.MkdirTemp("", "bench-")
	if err != nil {
		return nil, err
	}
	remove := func() error { return os.RemoveAll(dir) }
	if err := buildGuests(ctx, dir, names); err != nil {
		return nil, errors.Join(err, remove())
	}
	s.catalog, err = policy.Open(ctx, policy.Config{
		Builtins: constraints.All(), Dir: dir, CacheDir: filepath.Join(dir, "cache"), Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return nil, errors.Join(err, remove())
	}
	<-s.catalog.Loaded()
	return func() error { return errors.Join(s.catalog.Close(ctx), remove()) }, nil
}

// run compares the verdicts of each cell, measures it and writes its line. The error
// names those below the floor.
func (s *share) run(ctx context.Context, w io.Writer) error {
	fmt.Fprintf(w, "%-13s %-5s %7s  %-24s %-24s %-24s %-6s %-24s %-24s\n", "constraint", "guest", "agents", "native us/placement", "WASM us/placement",
		"share", "least", "decode left out", "cold: new apps")
	var below []error
	for _, c := range s.cells {
		if err := s.compare(ctx, c); err != nil {
			return fmt.Errorf("%s of %s on %d agents: %w", c.name, c.guest, c.agents, err)
		}
		if err := s.measure(ctx, c); err != nil {
			return fmt.Errorf("%s of %s on %d agents: %w", c.name, c.guest, c.agents, err)
		}
		below = append(below, c.print(w))
	}
	return errors.Join(below...)
}

// newWork makes versions of apps that were never seen, with constraints whose names
// have the prefix, prepared by the catalog.
func (s *share) newWork(ctx context.Context, c *shareCell, prefix string) (work, error) {
	w := work{rules: map[*spec.App][]placement.Rule{}}
	for i, list := range c.suite.apps {
		app := newApp(i, s.instances/len(c.suite.apps), nil)
		for _, one := range list {
			one.Operator = prefix + one.Operator
			app.Constraints = append(app.Constraints, one)
			prepared, err := s.catalog.Prepare(ctx, driver.ConstraintSpec(app, one))
			if err != nil {
				w.close()
				return w, err
			}
			w.rules[app] = append(w.rules[app], placement.Rule{Constraint: one, Prepared: prepared})
		}
		w.wanted = append(w.wanted, placement.Wanted{App: app, Count: app.Instances})
	}
	return w, nil
}

// close releases the constraints.
func (w work) close() {
	for _, rules := range w.rules {
		for _, r := range rules {
			r.Prepared.Close()
		}
	}
}

// shareSide is a scheduler, native or with the guest, that knows the agents.
type shareSide struct {
	*side
	offers []*placement.Offer
	event  []byte
	prefix string
	known  work
}

func (s *share) newSide(ctx context.Context, c *shareCell, prefix string) (*shareSide, error) {
	d := &shareSide{side: newSide(s.decode()), event: s.worlds[c.agents].event, prefix: prefix}
	// Room for all even on one rack.
	d.matcher.MaxPerOffer = max(50, 2*s.instances/c.agents)
	var err error
	if d.offers, err = d.decode(d.event); err != nil {
		return nil, err
	}
	d.know(d.offers)
	d.known, err = s.newWork(ctx, c, prefix)
	return d, err
}

// bothSides are the native one and that of the guest.
func (s *share) bothSides(ctx context.Context, c *shareCell) (native, other *shareSide, err error) {
	if native, err = s.newSide(ctx, c, ""); err != nil {
		return nil, nil, err
	}
	if other, err = s.newSide(ctx, c, c.prefix); err != nil {
		native.known.close()
		return nil, nil, err
	}
	return native, other, nil
}

// compare fails unless both sides place the same instances on the same offers: as
// many as are asked for, and, in a cluster that has no room for all, as many as that
// takes.
func (s *share) compare(ctx context.Context, c *shareCell) error {
	native, other, err := s.bothSides(ctx, c)
	if err != nil {
		return err
	}
	defer native.known.close()
	defer other.known.close()
	for range 3 { // new apps, and apps that are known
		a, b := native.match(native.offers, native.known), other.match(other.offers, other.known)
		if err := s.alike(a.Placements, b.Placements); err != nil {
			return err
		}
	}
	few := len(native.offers) / 50
	a, b := native.match(native.offers[:few], native.known), other.match(other.offers[:few], other.known)
	if len(a.Placements) != len(b.Placements) || len(a.Refusals) != len(b.Refusals) {
		return fmt.Errorf("on %d offers natively %d placements and %d refused apps, %d and %d with the guest",
			few, len(a.Placements), len(a.Refusals), len(b.Placements), len(b.Refusals))
	}
	return nil
}

func (s *share) alike(native, other []placement.Placement) error {
	if len(native) != len(other) {
		return fmt.Errorf("%d placements natively, %d with the guest", len(native), len(other))
	}
	for i := range native {
		if a, b := native[i], other[i]; a.App.ID != b.App.ID || a.Offer.ID != b.Offer.ID {
			return fmt.Errorf("placement %d: natively %s on %s, with the guest %s on %s", i, a.App.ID, a.Offer.ID, b.App.ID, b.Offer.ID)
		}
	}
	return nil
}

// measure samples the figures of a cell.
func (s *share) measure(ctx context.Context, c *shareCell) error {
	native, other, err := s.bothSides(ctx, c)
	if err != nil {
		return err
	}
	defer native.known.close()
	defer other.known.close()
	for round := range s.rounds {
		if err := s.sample(ctx, c, native, other, round); err != nil {
			return err
		}
	}
	return nil
}

// sample takes one sample of each figure, of both sides in turns.
func (s *share) sample(ctx context.Context, c *shareCell, native, other *shareSide, round int) (err error) {
	for _, figure := range []struct {
		to       *pair
		cold     bool
		decoding bool
	}{{&c.known, false, true}, {&c.decoded, false, false}, {&c.cold, true, true}} {
		if round >= besideRounds && figure.to != &c.known {
			break
		}
		sides := []*shareSide{native, other}
		took := map[*shareSide]float64{}
		if round%2 == 1 {
			slices.Reverse(sides)
		}
		for _, d := range sides {
			if took[d], err = s.time(ctx, c, d, figure.cold, figure.decoding); err != nil {
				return err
			}
		}
		figure.to.native, figure.to.guest = append(figure.to.native, took[native]), append(figure.to.guest, took[other])
	}
	return nil
}

// shareSampling is for short samples, many of them: what else the machine does then
// meets both sides of a pair alike.
func shareSampling() sampling { return sampling{least: 10 * time.Millisecond, collections: 2} }

// time is the CPU µs per placement. cold is with apps that are new in each match:
// then their preparation, their questions and their release are part of it.
func (s *share) time(ctx context.Context, c *shareCell, d *shareSide, cold, decoding bool) (float64, error) {
	d.place(d.offers, d.known) // what is known is known before
	return s.sampling.perUnit(func(int) error { return nil }, func(int) (placed int, err error) {
		offers, job := d.offers, d.known
		if decoding {
			if offers, err = d.decode(d.event); err != nil {
				return 0, err
			}
		}
		if cold {
			if job, err = s.newWork(ctx, c, d.prefix); err != nil {
				return 0, err
			}
			defer job.close()
		}
		if placed = d.place(offers, job); placed != s.instances {
			return 0, fmt.Errorf("placed %d of %d", placed, s.instances)
		}
		return placed, nil
	})
}

// print writes the cell's line. The error is for a share below the floor.
func (c *shareCell) print(w io.Writer) (err error) {
	word, best := "ok", c.known.best()
	switch {
	case best < shareFloor || math.IsNaN(best):
		word = "BELOW THE FLOOR"
		err = fmt.Errorf("%s of %s on %d agents keeps %.2f of the throughput, the floor is %.2f", c.name, c.guest, c.agents, best, shareFloor)
	case best < shareGoal:
		word = "missed"
	}
	fmt.Fprintf(w, "%-13s %-5s %7d  %-24v %-24v %-24v %-6.2f %-24v %-24v %s\n", c.name, c.guest, c.agents, c.known.native, c.known.guest,
		c.known.ratios(), c.known.least(), c.decoded.ratios(), c.cold.ratios(), word)
	return err
}
