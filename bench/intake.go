package main

import (
	"fmt"
	"io"
	"time"

	"github.com/mesos/mesos-go/api/v1/lib/scheduler"

	"github.com/pacer-run/pacer/runtime/placement"
	"github.com/pacer-run/pacer/runtime/spec"
)

// intake measures G11: the bytes of an event with many offers until each offer is
// accepted or declined, against the bare decode of the same bytes by mesos-go.
type intake struct {
	world  world
	rounds int
	decode func() decoder
	cases  []*intakeCase
}

// intakeCase is one kind of pending work.
type intakeCase struct {
	name   string
	apps   int
	change func(i int, app *spec.App) // of the i-th pending app
	list   []spec.Constraint
	placed int // how many instances must find a place
	goal   float64

	ratio  samples // to the bare decode just before
	us     samples // CPU µs per offer
	allocs float64 // per offer
}

// newIntake lays out the cases with so many pending specs, at most mostTasks.
func newIntake(agents, pending, rounds int, decode func() decoder) *intake {
	none := func(int, *spec.App) {}
	grown := func(size float64) func(int, *spec.App) {
		return func(i int, app *spec.App) { app.CPUs = size + float64(i)/1000 }
	}
	return &intake{world: newWorld(agents), rounds: rounds, decode: decode, cases: []*intakeCase{
		{name: "nothing pending", goal: 2},
		{name: "specs of one kind, all fit", apps: pending, change: none, placed: pending, goal: 4},
		{name: "specs that all differ, all fit", apps: pending, change: grown(1), placed: pending, goal: 4},
		{name: "specs of one kind, none fits", apps: pending, change: func(_ int, a *spec.App) { a.CPUs = 40 }, goal: 4},
		{name: "specs that all differ, none fits", apps: pending, change: grown(40), goal: 4},
		{
			name: "specs with LIKE, all fit", apps: pending, change: none, placed: pending, goal: 4,
			list: []spec.Constraint{constraint("rack", "LIKE", "rack-[0-2][0-9]")},
		},
		{
			name: "specs with LIKE, none fits", apps: pending, change: none, goal: 4,
			list: []spec.Constraint{constraint("rack", "LIKE", "rack-9.*")},
		},
		{
			name: "specs with one host each, all fit", apps: pending, placed: pending, goal: 4,
			change: func(i int, a *spec.App) {
				a.Constraints = []spec.Constraint{
					constraint("hostname", "CLUSTER", fmt.Sprintf("agent-%05d.cluster.example.com", 7*i%agents)),
				}
			},
		},
	}}
}

// run samples the cases in turn, so that each meets the same noise.
func (k *intake) run() error {
	for range k.rounds {
		for _, c := range k.cases {
			if err := k.sample(c); err != nil {
				return fmt.Errorf("%s: %w", c.name, err)
			}
		}
	}
	return nil
}

// sample alternates the bare decode with the whole way.
func (k *intake) sample(c *intakeCase) error {
	s := newSide(k.decode())
	s.matcher.MaxPerOffer = 5
	offers, err := s.decode(k.world.event)
	if err != nil {
		return err
	}
	s.know(offers)
	job, err := k.work(c)
	if err != nil {
		return err
	}
	if _, err = k.whole(s, job, c); err != nil { // rules are asked for the first time
		return err
	}
	const pairs = 3
	var bare, whole time.Duration
	objects := uint64(0)
	for range pairs {
		start := cpu()
		var event scheduler.Event
		if err := event.Unmarshal(k.world.event); err != nil {
			return err
		}
		bare += cpu() - start
		before := mallocs()
		took, err := k.whole(s, job, c)
		if err != nil {
			return err
		}
		whole += took
		objects += mallocs() - before
	}
	n := float64(pairs * k.world.agents)
	c.ratio = append(c.ratio, float64(whole)/float64(bare))
	c.us = append(c.us, float64(whole.Nanoseconds())/1000/n)
	c.allocs = float64(objects) / n
	return nil
}

// work makes the pending apps of a case, each wanting one instance.
func (k *intake) work(c *intakeCase) (work, error) {
	job := work{rules: map[*spec.App][]placement.Rule{}}
	for i := range c.apps {
		app := newApp(i, 1, c.list)
		c.change(i, app)
		rules, err := prepare(app)
		if err != nil {
			return job, err
		}
		job.wanted, job.rules[app] = append(job.wanted, placement.Wanted{App: app, Count: 1}), rules
	}
	return job, nil
}

// whole takes the event all the way and returns the CPU time of it. It fails
// unless every offer was accepted or declined, and as much placed as can be.
func (k *intake) whole(s *side, job work, c *intakeCase) (time.Duration, error) {
	start := cpu()
	offers, err := s.decode(k.world.event)
	if err != nil {
		return 0, err
	}
	result := s.match(offers, job)
	used := s.encode(result.Placements)
	var rest []string
	for _, o := range offers {
		if !used[o] {
			rest = append(rest, o.ID)
		}
	}
	s.buffer = s.encoder.AppendDecline(s.buffer[:0], frameworkID, rest, 2*time.Minute)
	took := cpu() - start
	if len(result.Placements) != c.placed || len(used)+len(rest) != len(offers) {
		return 0, fmt.Errorf("placed %d of %d, %d offers used, %d declined of %d",
			len(result.Placements), c.placed, len(used), len(rest), len(offers))
	}
	return took, nil
}

// print writes a line per case.
func (k *intake) print(w io.Writer) {
	fmt.Fprintf(w, "%-40s %-26s %-22s %s\n", "pending", "x bare decode (goal)", "CPU us/offer", "allocs/offer (goal 70)")
	for _, c := range k.cases {
		name := c.name
		if c.apps > 0 {
			name = fmt.Sprint(c.apps, " ", name)
		}
		fmt.Fprintf(w, "%-40s %-20v (%g)   %-22v %.1f\n", name, c.ratio, c.goal, c.us, c.allocs)
	}
}
