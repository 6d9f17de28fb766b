// Package health makes the checks that are Pacer's to make: health checks of HTTP,
// HTTPS and TCP, and readiness checks. It is told which targets there are and tells
// what each probe found. What that means is decided elsewhere.
//
// Probes are spread evenly over time by the ids of their instances, so that ten
// thousand of them start one by one and not in waves. A target has a place in time
// that survives its settings, and a change of leader. There is no goroutine for a
// target: one loop knows which is due next, and a bounded number of workers makes
// the probes.
package health

import (
	"cmp"
	"context"
	"net"
	"sync"
	"time"
)

// Config is what a Prober works with. Sink is required.
type Config struct {
	// Sink takes what each probe found, of targets that are still wanted; a target
	// may go away while Sink is being called. It is called by several goroutines, and
	// while it blocks there is one probe less at a time. It has to return when the
	// context of Run is done.
	Sink func(Result)
	// Concurrency is how many probes may be under way; 0 means 256, less 1. Targets whose
	// last probe had no answer in time may take half of it: those that answer are
	// not to wait for those that hang.
	Concurrency int
	// Connections is how many connections may be kept between probes; 0 means 4,096,
	// below 0 none. See client.go for which are.
	Connections int
	UserAgent   string // "" means "Pacer"
	// Dial opens a connection. The address has an IP address or a name as its host.
	// nil means one that looks a name up twice a minute, and not for each probe.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

const defaultConcurrency = 256

// Prober makes checks. Its methods may be called by many goroutines.
type Prober struct {
	sink   func(Result)
	client *client
	ask    func(ctx context.Context, p *probe, reuse bool) outcome // client.ask, but for tests
	jobs   chan func()                                             // has room for as many as may be under way
	wake   chan struct{}                                           // has a token when the loop has to look again

	mu       sync.Mutex
	schedule schedule
	counts   counts
}

// counts is what Stats adds up.
type counts struct{ probes, bad, dropped uint64 }

// Stats is what a Prober has done and has to do.
type Stats struct {
	Targets  int
	UnderWay int // probes now
	Waiting  int // due, and waiting for their turn
	Kept     int // targets whose connection may be kept
	Probes   uint64
	Bad      uint64 // of Probes: found the instance not alive or not ready
	Dropped  uint64 // of Probes: their target went away or changed meanwhile, or they found nothing
}

// New returns a prober without targets. Nothing is probed before Run.
func New(c Config) *Prober {
	limit := max(1, cmp.Or(c.Concurrency, defaultConcurrency))
	p := &Prober{
		sink:   c.Sink,
		client: newClient(&c, limit),
		jobs:   make(chan func(), limit),
		wake:   make(chan struct{}, 1),
	}
	p.ask = p.client.ask
	p.schedule = schedule{
		limit: limit, slowLimit: max(1, limit/2),
		keep:    max(0, cmp.Or(c.Connections, defaultConnections)),
		targets: map[Key]*target{},
	}
	return p
}

// Update makes these the targets there are. Those that were targets before keep
// their place in time; probes under way of those that are not any more, or have
// changed, are given up, and their results dropped. The keys have to differ.
func (p *Prober) Update(targets []Target) {
	p.mu.Lock()
	defer p.mu.Unlock()
	s, now := &p.schedule, time.Now()
	s.round++
	for i := range targets {
		s.put(&targets[i], now)
	}
	for _, t := range s.targets {
		if t.round != s.round {
			s.remove(t)
		}
	}
	p.look()
}

// Change adds the first targets, or replaces those of the same keys, and ends
// those with the second ones' keys. It costs nothing for the rest.
func (p *Prober) Change(put []Target, remove []Key) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	for i := range put {
		p.schedule.put(&put[i], now)
	}
	for _, key := range remove {
		if t := p.schedule.targets[key]; t != nil {
			p.schedule.remove(t)
		}
	}
	p.look()
}

// Stats counts.
func (p *Prober) Stats() Stats {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := &p.schedule
	return Stats{
		Targets: len(s.targets), UnderWay: s.underWay, Waiting: len(s.ready) + len(s.slow), Kept: s.kept,
		Probes: p.counts.probes, Bad: p.counts.bad, Dropped: p.counts.dropped,
	}
}

// look has the loop see what is due.
func (p *Prober) look() {
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// Run probes until ctx is done. Then it gives up what is under way, and returns
// when Sink is not being called any more. It may be called once.
func (p *Prober) Run(ctx context.Context) {
	defer p.client.close()
	var workers sync.WaitGroup
	defer workers.Wait()
	defer close(p.jobs)
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	started := 0
	for {
		wait, most := p.start(ctx)
		for ; started < most; started++ {
			workers.Go(func() { p.work() })
		}
		timer.Reset(wait)
		select {
		case <-ctx.Done():
			return
		case <-p.wake:
		case <-timer.C:
		}
	}
}

// start hands what is due to the workers. It answers how long nothing more will
// be due, and how many workers are needed at least.
func (p *Prober) start(ctx context.Context) (wait time.Duration, workers int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := &p.schedule
	for {
		now := time.Now()
		s.collect(now)
		t := s.next()
		if t == nil {
			return s.wait(now), s.underWay
		}
		ctx, cancel := context.WithCancel(ctx)
		t.cancel = cancel
		asked, due, reuse := t.probe, t.due, t.keeps && !t.probe.renews(t.asks)
		// There is room: no more are under way than the channel holds.
		p.jobs <- func() {
			defer cancel()
			p.make(ctx, t, asked, due, reuse)
		}
	}
}

// work makes probes until there are no more.
func (p *Prober) work() {
	for job := range p.jobs {
		job()
	}
}

// make makes one probe of a target, which may have changed or gone when it ends.
func (p *Prober) make(ctx context.Context, t *target, asked *probe, due time.Time, reuse bool) {
	began := time.Now()
	found := p.ask(ctx, asked, reuse)
	if p.counted(ctx, &found) {
		p.sink(Result{
			Key: asked.Key, App: asked.App, Version: asked.Version, Began: began, Ended: time.Now(), Late: max(0, began.Sub(due)),
			Good: found.good, Cause: cut(found.cause, MaxCause), Status: found.status, Response: found.response,
		})
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.schedule.finish(t, asked, &found, time.Now())
	p.look()
}

// counted counts a probe that ended and tells whether anybody wants to know what
// it found. The context of one whose target went away or changed is done.
func (p *Prober) counted(ctx context.Context, found *outcome) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.counts.probes++
	switch {
	case ctx.Err() != nil || found.nothing:
		p.counts.dropped++
		return false
	case !found.good:
		p.counts.bad++
	}
	return true
}
