package main

import (
	"fmt"
	"io"
	"math/rand/v2"
	"slices"

	"github.com/pacer-run/pacer/runtime/placement"
)

// cell is one point of the growth laws: what it costs to place that many
// instances of one app of the shape on that many agents.
type cell struct {
	agents, instances int
	shape             shape
	all, decoded      samples // CPU µs per placement; decoded: with the decode left out
}

// growth measures G1 and G2.
type growth struct {
	rounds   int
	sampling sampling
	worlds   map[int]world
	cells    []*cell
	decode   func() decoder
	apps     int // made so far
}

// newGrowth lays out the cells. A shape that takes one instance per agent is
// left out where there are more instances than agents.
func newGrowth(agents, instances []int, rounds int, length sampling, decode func() decoder) *growth {
	g := &growth{rounds: rounds, sampling: length, worlds: map[int]world{}, decode: decode}
	for _, a := range agents {
		g.worlds[a] = newWorld(a)
		for _, n := range instances {
			for _, s := range shapes(a, n) {
				if !s.perAgent || n <= a {
					g.cells = append(g.cells, &cell{agents: a, instances: n, shape: s})
				}
			}
		}
	}
	return g
}

// run measures every cell once per round, in another order each time.
func (g *growth) run() error {
	for round := range g.rounds {
		for _, c := range g.order(uint64(round)) {
			if err := g.sample(c); err != nil {
				return err
			}
		}
	}
	return nil
}

// order shuffles the cells, but leaves those of one shape together: laws are
// fitted to them, and in another minute the machine has other work.
func (g *growth) order(round uint64) []*cell {
	order := slices.Clone(g.cells)
	rand.New(rand.NewPCG(1, round)).Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
	turn := map[string]int{}
	for _, c := range order {
		if _, ok := turn[c.shape.name]; !ok {
			turn[c.shape.name] = len(turn)
		}
	}
	slices.SortStableFunc(order, func(a, b *cell) int { return turn[a.shape.name] - turn[b.shape.name] })
	return order
}

// sample takes one sample with the decode and one without, on a side that has
// seen the agents before, as a scheduler in service has.
func (g *growth) sample(c *cell) error {
	s := newSide(g.decode())
	// Room for all even on the smallest rack.
	s.matcher.MaxPerOffer = max(5, 2*c.instances/c.agents)
	event := g.worlds[c.agents].event
	offers, err := s.decode(event)
	if err != nil {
		return err
	}
	s.know(offers)
	all, err := g.time(s, c, func() ([]*placement.Offer, error) { return s.decode(event) })
	if err != nil {
		return err
	}
	decoded, err := g.time(s, c, func() ([]*placement.Offer, error) { return offers, nil })
	c.all, c.decoded = append(c.all, all), append(c.decoded, decoded)
	return err
}

// time places new apps and returns the CPU µs per placement. It fails unless all
// that was asked for was placed.
func (g *growth) time(s *side, c *cell, offers func() ([]*placement.Offer, error)) (float64, error) {
	var jobs []work
	ready := func(n int) error {
		jobs = jobs[:0]
		for range n {
			job, err := newWork(g.apps, 1, c.instances, c.shape.constraints)
			if err != nil {
				return err
			}
			jobs = append(jobs, job)
			g.apps++
		}
		return nil
	}
	return g.sampling.perUnit(ready, func(i int) (int, error) {
		from, err := offers()
		if err != nil {
			return 0, err
		}
		placed := s.place(from, jobs[i])
		if placed != c.instances {
			return 0, fmt.Errorf("%s on %d agents: placed %d of %d", c.shape.name, c.agents, placed, c.instances)
		}
		return placed, nil
	})
}

// print writes a line per cell and the laws fitted to them.
func (g *growth) print(w io.Writer) {
	fmt.Fprintf(w, "%-14s %9s %7s   %-26s %-26s %s\n", "constraint", "instances", "agents",
		"CPU us/placement", "decode left out", "x plain (decode left out)")
	for _, c := range g.cells {
		plain := g.find("plain", c.agents, c.instances)
		fmt.Fprintf(w, "%-14s %9d %7d   %-26v %-26v %.2f\n", c.shape.name, c.instances, c.agents,
			c.all, c.decoded, c.decoded.median()/plain.decoded.median())
	}
	fmt.Fprintf(w, "\nlaws, decode left out, median [min to max] of %d rounds (goal: exponent <= 0.10)\n", g.rounds)
	for _, s := range shapes(1, 1) {
		for _, instances := range g.distinct(func(c *cell) int { return c.instances }) {
			g.law(w, fmt.Sprintf("%s, %d instances, in agents", s.name, instances), func(c *cell) (int, bool) {
				return c.agents, c.shape.name == s.name && c.instances == instances
			})
		}
		for _, agents := range g.distinct(func(c *cell) int { return c.agents }) {
			g.law(w, fmt.Sprintf("%s, %d agents, in instances", s.name, agents), func(c *cell) (int, bool) {
				return c.instances, c.shape.name == s.name && c.agents == agents
			})
		}
	}
}

// law fits one line over the cells that pick takes, for each round by itself.
func (g *growth) law(w io.Writer, title string, pick func(*cell) (x int, ok bool)) {
	var xs []float64
	var cells []*cell
	for _, c := range g.cells {
		if x, ok := pick(c); ok {
			xs, cells = append(xs, float64(x)), append(cells, c)
		}
	}
	if len(xs) < 2 {
		return
	}
	var exponents, residuals samples
	for round := range g.rounds {
		var ys []float64
		for _, c := range cells {
			ys = append(ys, c.decoded[round])
		}
		exponent, residual := fit(xs, ys)
		exponents, residuals = append(exponents, exponent), append(residuals, 100*residual)
	}
	fmt.Fprintf(w, "%-41s exponent %6.3f [%.3f to %.3f]  residual %4.1f%%  over %d sizes\n", title, exponents.median(),
		slices.Min(exponents), slices.Max(exponents), residuals.median(), len(xs))
}

// distinct lists the values that cells have, in the order of the cells.
func (g *growth) distinct(of func(*cell) int) (values []int) {
	for _, c := range g.cells {
		if v := of(c); !slices.Contains(values, v) {
			values = append(values, v)
		}
	}
	return values
}

// find returns the cell of a shape; nil when it was left out.
func (g *growth) find(name string, agents, instances int) *cell {
	for _, c := range g.cells {
		if c.shape.name == name && c.agents == agents && c.instances == instances {
			return c
		}
	}
	return nil
}
