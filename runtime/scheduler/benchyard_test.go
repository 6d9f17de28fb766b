package scheduler

import (
	"container/heap"
	"context"
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/pacer-run/pacer/plugins/upgrades"
	"github.com/pacer-run/pacer/runtime/placement"
	"github.com/pacer-run/pacer/runtime/spec"
	"github.com/pacer-run/pacer/sdk"
)

const (
	yardLatency = time.Second           // from a launch to its task running, from a kill to its end
	yardOffers  = 10 * time.Millisecond // how often the master makes offers
	yardAgents  = 200
	yardBatch   = 1000 // events that are taken at once
)

// yard is a core with a master and agents that have room for everything, on a clock
// of its own: the core's work takes the processor time that it took, everything else
// a fixed latency. What else the machine does is not on it.
type yard struct {
	tb      testing.TB
	s       *Scheduler
	matcher placement.Matcher
	now     time.Duration // since 1,000 s after the epoch
	latency time.Duration // from a launch to its task running, from a kill to its end
	used    time.Duration // processor time of the core and the matches
	wake    spec.Timestamp
	queue   parcels
	seq     int
	agents  []*yardAgent
	offers  int
	silent  bool                          // offers are suppressed
	ended   map[spec.PathID]time.Duration // when the last deployment of each app did
}

type yardAgent struct {
	facts   *placement.Agent
	offered bool
	refused time.Duration // no offer before
}

// parcel is an event on its way to the core; nil is a round of offers.
type parcel struct {
	at  time.Duration
	seq int
	ev  Event
}

func newYard(tb testing.TB) *yard {
	y := &yard{tb: tb, latency: time.Second, ended: map[spec.PathID]time.Duration{}}
	y.s = New(Config{MaxDeployments: 10_000, ReviveInterval: yardOffers})
	for i := range yardAgents {
		y.agents = append(y.agents, &yardAgent{facts: &placement.Agent{ID: fmt.Sprintf("agent-%d", i), Hostname: fmt.Sprintf("host-%d", i)}})
	}
	y.post(0, Subscribed{FrameworkID: "f"})
	y.post(0, nil)
	return y
}

func (y *yard) post(after time.Duration, ev Event) {
	y.seq++
	heap.Push(&y.queue, parcel{y.now + after, y.seq, ev})
}

// run goes on until done, which is asked after each batch.
func (y *yard) run(done func() bool) {
	for !done() {
		if next := y.next(); next > y.now {
			y.now = next
		}
		var batch []Event
		for len(y.queue) > 0 && y.queue[0].at <= y.now && len(batch) < yardBatch {
			if p := heap.Pop(&y.queue).(parcel); p.ev != nil {
				batch = append(batch, p.ev)
			} else {
				y.offer()
			}
		}
		if y.wake != 0 && y.wake <= y.time() {
			batch = append(batch, Tick{})
		}
		if len(batch) > 0 {
			y.step(batch)
		}
	}
}

// next is when something happens.
func (y *yard) next() time.Duration {
	next := y.queue[0].at // the next round of offers is always in it
	if y.wake != 0 {
		next = min(next, time.Duration(y.wake-1_000_000)*time.Millisecond)
	}
	return next
}

func (y *yard) time() spec.Timestamp { return 1_000_000 + spec.Timestamp(y.now/time.Millisecond) }

// step has the core and the policies do their work, and measures it.
func (y *yard) step(batch []Event) {
	began, now := processorTime(y.tb), y.time()
	for _, ev := range batch {
		y.s.Step(now, ev)
	}
	e := y.s.Effects(now)
	y.s.Snapshot()
	answers := make([]Event, 0, len(e.Upgrades)+1)
	if e.Match != nil {
		result := y.matcher.Match(context.Background(), *e.Match, nil)
		answers = append(answers, Matched{Result: result, MatchedOffers: e.Match.Offers})
	}
	for _, ask := range e.Upgrades {
		answers = append(answers, y.rolling(ask))
	}
	took := processorTime(y.tb) - began
	y.now, y.used, y.wake = y.now+took, y.used+took, e.Wake
	for _, answer := range answers {
		y.post(0, answer)
	}
	for _, c := range e.Calls {
		y.receive(c)
	}
	for _, n := range e.Notices {
		if end, ok := n.(DeploymentEnded); ok {
			if end.Failed {
				y.tb.Fatalf("a deployment failed: %s", end.Reason)
			}
			for _, id := range end.Plan.Apps() {
				y.ended[id] = y.now
			}
		}
	}
}

func (y *yard) rolling(ask UpgradeAsk) Event {
	prepared, err := upgrades.Rolling{}.Prepare(context.Background(), sdk.UpgradeSpec{Strategy: "rolling"})
	if err != nil {
		y.tb.Fatal(err)
	}
	step, err := prepared.Next(context.Background(), ask.State)
	if err != nil {
		y.tb.Fatal(err)
	}
	return UpgradeStepped{Number: ask.Number, App: ask.App.ID, Step: step}
}

// receive is the master and the agents.
func (y *yard) receive(c Call) {
	switch c := c.(type) {
	case Accept:
		y.release(c.Offer.Agent, c.Refuse)
		for _, task := range c.Tasks {
			y.status(task.ID, c.Offer.Agent.ID, TaskRunning)
		}
	case Decline:
		for _, id := range c.OfferIDs {
			var n, agent int
			if _, err := fmt.Sscanf(id, "o%d-%d", &n, &agent); err != nil {
				y.tb.Fatal(err)
			}
			y.release(y.agents[agent].facts, c.Refuse)
		}
	case Revive:
		y.silent = false
		for _, a := range y.agents {
			a.refused = 0
		}
	case Suppress:
		y.silent = true
	case Kill:
		y.status(c.TaskID, c.AgentID, TaskKilled)
	case Acknowledge, Reconcile: // nothing is sent twice, and nothing is lost
	}
}

func (y *yard) release(facts *placement.Agent, refuse time.Duration) {
	var i int
	if _, err := fmt.Sscanf(facts.ID, "agent-%d", &i); err != nil {
		y.tb.Fatal(err)
	}
	y.agents[i].offered, y.agents[i].refused = false, y.now+refuse
}

func (y *yard) status(task, agent string, state TaskState) {
	y.seq++ // tells the updates apart
	uuid := [16]byte{1, byte(y.seq >> 24), byte(y.seq >> 16), byte(y.seq >> 8), byte(y.seq)}
	y.post(y.latency, StatusUpdate{Status: Status{TaskID: task, AgentID: agent, State: state, UUID: uuid}})
}

// offer is a round of offers.
func (y *yard) offer() {
	y.post(yardOffers, nil)
	var offers Offers
	for i, a := range y.agents {
		if y.silent || a.offered || a.refused > y.now {
			continue
		}
		a.offered = true
		y.offers++
		share := placement.Share{}
		share.Scalars[placement.CPUs], share.Scalars[placement.Mem] = placement.MilliOf(1e6), placement.MilliOf(1e9)
		offers.Offers = append(offers.Offers, &placement.Offer{
			ID: fmt.Sprintf("o%d-%d", y.offers, i), Role: "*", Agent: a.facts, Shares: []placement.Share{share},
		})
	}
	if len(offers.Offers) > 0 {
		y.post(0, offers)
	}
}

// processorTime is what this process has used, user and system.
func processorTime(tb testing.TB) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		tb.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// parcels is a heap, earliest first.
type parcels []parcel

func (p parcels) Len() int      { return len(p) }
func (p parcels) Swap(i, j int) { p[i], p[j] = p[j], p[i] }
func (p parcels) Less(i, j int) bool {
	return p[i].at < p[j].at || p[i].at == p[j].at && p[i].seq < p[j].seq
}
func (p *parcels) Push(x any) { *p = append(*p, x.(parcel)) }
func (p *parcels) Pop() any {
	old := *p
	x := old[len(old)-1]
	*p = old[:len(old)-1]
	return x
}
