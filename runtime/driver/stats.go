package driver

import (
	"fmt"
	"sync/atomic"

	"github.com/pacer-run/pacer/runtime/scheduler"
)

// Stats are totals of a term, for metrics.
type Stats struct {
	Batches, Events         uint64
	Commits, Records, Bytes uint64 // of saves that succeeded
	Calls                   uint64
	Matches, MatchesLate    uint64 // late: past their deadline, answered without the matcher
}

type counters struct {
	batches, events, commits, records, bytes, calls, matches, late atomic.Uint64
}

// Stats returns the totals so far.
func (d *Driver) Stats() Stats {
	c := &d.counts
	return Stats{
		Batches: c.batches.Load(), Events: c.events.Load(), Commits: c.commits.Load(), Records: c.records.Load(),
		Bytes: c.bytes.Load(), Calls: c.calls.Load(), Matches: c.matches.Load(), MatchesLate: c.late.Load(),
	}
}

// maxText bounds the text of an event or a state in an error.
const maxText = 4 << 10

// describe is the text of an event for a report of a fault.
func describe(ev scheduler.Event) string {
	return cut(fmt.Sprintf("%T %+v", ev, ev))
}

// describeState is the text of the state, as far as it can still be told.
func (d *Driver) describeState() (text string) {
	defer func() {
		if cause := recover(); cause != nil {
			text = fmt.Sprintf("not to be told: %v", cause)
		}
	}()
	return cut(d.core.Text(scheduler.Names{}))
}

func cut(text string) string {
	if len(text) > maxText {
		return text[:maxText] + "…"
	}
	return text
}
