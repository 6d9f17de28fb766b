package health

import (
	"sync"
	"time"
)

// Gather collects results and hands them on together, so that a thousand of them
// a second are not a thousand events. Add is a Sink. The zero value is of no use.
type Gather struct {
	sink func([]Result)
	wait time.Duration
	most int

	handing sync.Mutex // held while sink is being called: results keep their order
	mu      sync.Mutex
	waiting []Result
}

// NewGather returns a Gather that hands results on when the first of them has
// waited for that long, or there are so many. The slice is sink's to keep; sink is
// called by one goroutine at a time.
func NewGather(wait time.Duration, most int, sink func([]Result)) *Gather {
	return &Gather{sink: sink, wait: wait, most: max(1, most)}
}

// Add takes a result. It blocks only while there are too many, and sink does.
func (g *Gather) Add(r Result) {
	g.mu.Lock()
	g.waiting = append(g.waiting, r)
	n := len(g.waiting)
	g.mu.Unlock()
	switch {
	case n >= g.most:
		g.Flush()
	case n == 1:
		time.AfterFunc(g.wait, g.Flush)
	}
}

// Flush hands on what has been added, if anything. It is for the end, after
// Prober.Run has returned.
func (g *Gather) Flush() {
	g.handing.Lock()
	defer g.handing.Unlock()
	g.mu.Lock()
	results := g.waiting
	g.waiting = nil
	g.mu.Unlock()
	if len(results) > 0 {
		g.sink(results)
	}
}
