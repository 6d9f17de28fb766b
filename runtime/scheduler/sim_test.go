package scheduler

import (
	"container/heap"
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/pacer-run/pacer/plugins/constraints"
	"github.com/pacer-run/pacer/plugins/upgrades"
	"github.com/pacer-run/pacer/runtime/placement"
	"github.com/pacer-run/pacer/runtime/spec"
	"github.com/pacer-run/pacer/sdk"
)

var (
	simSeeds = flag.Int("seeds", 200, "seeds of TestSimulation")
	simFirst = flag.Uint64("seed", 1, "first seed of TestSimulation")
)

// TestSimulation runs the core against a model of Mesos with faults, a seed at a
// time, and checks the invariants after every step. When the faults stop all
// must come to rest as its users want it. A failure prints its seed and a script
// in the language of testdata.
func TestSimulation(t *testing.T) {
	pools, promoted := 0, 0
	for seed := *simFirst; seed < *simFirst+uint64(*simSeeds); seed++ {
		sim, err := simulate(seed)
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		pools += sim.mesos.pools
		promoted += sim.promoted
	}
	if promoted < *simSeeds/4 {
		t.Errorf("only %d pauses were ended by users", promoted)
	}
	if pools < *simSeeds {
		t.Errorf("only %d launches took several offers of an agent", pools)
	}
}

// simulate returns what went wrong under one seed.
func simulate(seed uint64) (sim *sim, err error) {
	sim = newSim(seed)
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%v\n\nscript:\n%s", p, sim.trace.String())
		}
	}()
	sim.run()
	return sim, nil
}

// sim is one goroutine, one seed and a heap of what is to happen.
type sim struct {
	*world
	rand   *rand.Rand
	queue  happenings
	seq    int
	mesos  *mesos
	faults bool
	trace  strings.Builder
	traced spec.Timestamp // the time that the trace has reached

	matcher *placement.Matcher
	rules   map[*spec.App][]placement.Rule
	term    int  // calls and answers of an earlier term reach nobody
	down    bool // no leader at the moment
	matchID int
	wanted  map[spec.PathID]int // what users were promised
	health  simHealth

	promoted int // pauses that users wanted to end
}

// happening is something that will happen, unless its term is over by then.
type happening struct {
	at   spec.Timestamp
	seq  int
	term int // 0: in any term
	do   func()
}

func newSim(seed uint64) *sim {
	s := &sim{
		world: newWorld(), rand: rand.New(rand.NewPCG(seed, 1)), faults: true, term: 1,
		matcher: &placement.Matcher{}, rules: map[*spec.App][]placement.Rule{}, wanted: map[spec.PathID]int{},
		health: newSimHealth(),
	}
	s.rule = nil
	s.cfg.ReconcileEvery = 60 * time.Second
	s.cfg.Seed = [16]byte{1, 0, byte(seed), byte(seed >> 8)}
	s.s = New(s.cfg)
	s.mesos = newMesos(s)
	return s
}

// run lets users and faults loose for five minutes, then waits for rest.
func (s *sim) run() {
	s.after(0, 0, s.subscribe)
	for range 12 + s.rand.IntN(12) {
		s.after(time.Duration(s.rand.IntN(300_000))*time.Millisecond, 0, s.userActs)
	}
	for range 4 + s.rand.IntN(8) {
		s.after(time.Duration(s.rand.IntN(300_000))*time.Millisecond, 0, s.groupActs)
	}
	for range 10 + s.rand.IntN(30) {
		s.after(time.Duration(s.rand.IntN(300_000))*time.Millisecond, 0, s.faultStrikes)
	}
	s.runUntil(s.start.Add(300 * time.Second))
	s.faults = false
	s.mesos.healAll()
	// Rest comes within the longest of the core's pauses, several times over:
	// overdue launches (300 s), reconciliation, back-off, kill retries.
	s.runUntil(s.start.Add(2400 * time.Second))
	s.checkRest()
	s.checkHealthRest()
}

func (s *sim) after(d time.Duration, term int, do func()) {
	s.seq++
	heap.Push(&s.queue, happening{at: s.now.Add(d), seq: s.seq, term: term, do: do})
}

// soon is a delay of the network, in order of magnitude.
func (s *sim) soon() time.Duration { return time.Duration(1+s.rand.IntN(400)) * time.Millisecond }

// latest is longer than the longest of these delays.
const latest = 401 * time.Millisecond

// chance tells whether a fault of the probability strikes.
func (s *sim) chance(p float64) bool { return s.faults && s.rand.Float64() < p }

func (s *sim) runUntil(end spec.Timestamp) {
	for {
		wake := spec.Timestamp(0)
		if !s.down {
			wake = s.s.alarms.next()
		}
		switch {
		case wake != 0 && wake <= end && (len(s.queue) == 0 || wake <= s.queue[0].at):
			s.now = max(s.now, wake)
			s.step(Tick{})
		case len(s.queue) > 0 && s.queue[0].at <= end:
			h := heap.Pop(&s.queue).(happening)
			s.now = max(s.now, h.at)
			if h.term == 0 || h.term == s.term {
				h.do()
			}
		default:
			s.now = max(s.now, end)
			return
		}
	}
}

// logf writes one command of the script, and the time before it when it moved.
func (s *sim) logf(format string, args ...any) {
	if s.traced != s.now {
		s.traced = s.now
		fmt.Fprintf(&s.trace, "at +%gs\n----\n\n", float64(s.now-s.start)/1000)
	}
	fmt.Fprintf(&s.trace, format+"\n----\n\n", args...)
}

// step gives one event to the core and carries out what it asks for, as the
// driver does.
func (s *sim) step(ev Event) {
	if s.down {
		return
	}
	before := s.healthyNow()
	s.s.Step(s.now, ev)
	s.nameAll()
	e := s.s.Effects(s.now)
	s.s.Snapshot()
	s.checkUpgrades(before)
	if len(e.Save) > 0 && s.chance(0.01) {
		s.logf("# the save failed: the term is over")
		s.leaderDies()
		return
	}
	for _, r := range e.Save {
		if r.Value == nil {
			delete(s.records, r.Key)
		} else {
			s.records[r.Key] = r.Value
		}
	}
	s.promise(&e)
	s.checkStep(&e)
	s.checkHealthKills(&e)
	s.checkLayers(e.Notices)
	s.noteHoldings(e.Calls)
	for _, c := range e.Calls {
		s.mesos.send(c)
	}
	if e.Match != nil {
		s.startMatch(e.Match)
	}
	for _, ask := range e.Upgrades {
		s.answerUpgrade(ask)
	}
	for _, n := range e.Notices {
		if paused, ok := n.(UpgradePaused); ok {
			s.promoteSoon(paused.App)
		}
	}
	for _, ask := range e.Health {
		s.answerHealth(ask)
	}
	s.takeProbes(e.Probes)
	if s.chance(0.005) {
		s.leaderDies()
	}
}

// promise notes what users were promised: what is defined once it is saved.
func (s *sim) promise(e *Effects) {
	for _, n := range e.Notices {
		if _, changed := n.(GroupChanged); changed {
			clear(s.wanted)
			for a := range s.s.tree.Apps(spec.Root) {
				s.wanted[a.ID] = a.Instances
			}
			return
		}
	}
}

// answerUpgrade has a strategy answer, late; it may fail, or say anything.
func (s *sim) answerUpgrade(ask UpgradeAsk) {
	s.after(s.soon(), s.term, func() {
		e := UpgradeStepped{Number: ask.Number, App: ask.App.ID}
		strategy, prepared := s.anyStrategy(ask.App)
		e.Step, _ = prepared.Next(context.Background(), ask.State)
		text := simStepText(&e.Step)
		if excess := ask.Excess(&e.Step); excess != "" {
			panic(fmt.Sprintf("the strategy %s, of %+v: %s", strategy, ask.State, excess))
		}
		switch {
		case s.chance(0.05):
			e.Step, e.Fault, text = sdk.UpgradeStep{}, "out of fuel", "fault=out-of-fuel"
			s.after(s.soon(), s.term, func() { // somebody sees it, and brings a better version
				s.logf("policies-changed")
				s.step(PoliciesChanged{})
			})
		case s.chance(0.05):
			e.Step = sdk.UpgradeStep{Start: s.rand.Uint32(), Kill: s.rand.Uint32(), AskAfterMillis: 1000}
			text = fmt.Sprintf("start=%d kill=%d after=1s", e.Step.Start, e.Step.Kill)
		case s.chance(0.01):
			e.Step, text = sdk.UpgradeStep{Outcome: sdk.RollBack}, "rollback"
		case s.chance(0.02):
			e.Step = sdk.UpgradeStep{Outcome: sdk.Pause, AskAfterMillis: uint64(s.rand.IntN(2)) * 5000}
			text = simStepText(&e.Step)
		}
		s.logf("stepped %s %s", ask.App.ID, text)
		s.step(e)
	})
}

// anyStrategy is one of those that Pacer ships, whatever answered before.
func (s *sim) anyStrategy(app *spec.App) (string, sdk.PreparedUpgrade) {
	all := upgrades.All()
	strategy := all[s.rand.IntN(len(all))]
	prepared, err := strategy.Prepare(context.Background(), sdk.UpgradeSpec{
		App: sdk.AppFacts{Labels: app.Labels}, MaximumOverCapacity: app.UpgradeStrategy.MaximumOverCapacity,
	})
	if err != nil { // blue-green, which needs room
		strategy = all[0]
		prepared, _ = strategy.Prepare(context.Background(), sdk.UpgradeSpec{})
	}
	return strategy.Strategies()[0], prepared
}

// simStepText is an answer as a script has it, but for the reason.
func simStepText(step *sdk.UpgradeStep) string {
	text := fmt.Sprintf("start=%d kill=%d", step.Start, step.Kill)
	switch step.Outcome {
	case sdk.Pause:
		text = "pause"
	case sdk.RollBack:
		text = "rollback"
	case sdk.Proceed:
	}
	if step.AskAfterMillis > 0 {
		text += fmt.Sprintf(" after=%dms", step.AskAfterMillis)
	}
	if len(step.Memory) > 0 {
		text += " memory=" + string(step.Memory)
	}
	return text
}

// promoteSoon has a user let a paused upgrade go on, and look again whether it did.
func (s *sim) promoteSoon(id spec.PathID) {
	s.after(time.Duration(s.rand.IntN(40_000))*time.Millisecond, 0, func() {
		if s.down {
			s.promoteSoon(id)
			return
		}
		a := s.s.apps[id]
		if a == nil || a.upgrade == nil || a.upgrade.paused == "" {
			return
		}
		s.promoted++
		if s.rand.IntN(2) == 0 {
			s.act("promote deployment=" + a.lock.plan.ID)
		} else {
			s.act("promote app=" + string(id))
		}
		s.promoteSoon(id)
	})
}

// startMatch answers a match with the real matcher, sometimes late or not at all.
func (s *sim) startMatch(req *placement.Request) {
	s.world.match = req
	s.matchID++
	s.after(s.soon(), s.term, func() {
		e := Matched{MatchedOffers: req.Offers}
		var text strings.Builder
		if s.chance(0.05) { // a match that failed, or one policy
			for i := range req.Wanted[:1+s.rand.IntN(len(req.Wanted))] {
				id := string(req.Wanted[i].App.ID)
				fmt.Fprintf(&text, " fault=%s", id)
				s.refuse(&e, []string{id}, errors.New("a policy failed"))
			}
		} else {
			s.matcher.MaxPerOffer = 1 + s.rand.IntN(5)
			e.Result = s.matcher.Match(context.Background(), *req, s.rulesOf)
		}
		for _, p := range e.Result.Placements {
			fmt.Fprintf(&text, " %s@%s", p.App.ID, p.Offer.ID)
		}
		s.logf("matched%s", text.String())
		s.step(e)
	})
}

// rulesOf prepares an app's constraints with the operators that Pacer ships.
func (s *sim) rulesOf(app *spec.App) []placement.Rule {
	if rules, ok := s.rules[app]; ok {
		return rules
	}
	var rules []placement.Rule
	for _, c := range app.Constraints {
		r := placement.Rule{Constraint: c, Err: fmt.Errorf("no operator %s", c.Operator)}
		for _, k := range constraints.All() {
			if k.Operators()[0] == c.Operator {
				r.Prepared, r.Err = k.Prepare(context.Background(), sdk.ConstraintSpec{
					Field: sdk.CanonicalField(c.Field), Operator: c.Operator, Value: c.Value, HasValue: c.HasValue,
				})
			}
		}
		rules = append(rules, r)
	}
	s.rules[app] = rules
	return rules
}

// leaderDies drops the memory; another leader comes a little later.
func (s *sim) leaderDies() {
	s.term++
	s.down = true
	s.mesos.disconnect()
	s.after(s.soon()*5, 0, func() {
		if !s.down {
			return
		}
		s.down = false
		s.logf("restart")
		if _, err := s.world.restart(); err != nil {
			panic(err)
		}
		s.promise(&Effects{Notices: s.notices}) // a deadline may have passed meanwhile, and be rolled back
		for _, ask := range s.asks {            // what the new leader asked at once
			s.answerUpgrade(ask)
		}
		for _, ask := range s.healthAsks {
			s.answerHealth(ask)
		}
		s.leaderHealth()
		s.step(Tick{})
		s.after(s.soon(), s.term, s.subscribe)
	})
}

func (s *sim) subscribe() {
	if s.down || s.s.master.subscribed {
		return
	}
	id := s.s.FrameworkID()
	if id == "" {
		id = "f1"
	}
	s.mesos.subscribe()
	s.logf("subscribed framework=%s", id)
	s.step(Subscribed{FrameworkID: id, MasterHost: "master"})
}

// happenings is a heap, earliest first.
type happenings []happening

func (h happenings) Len() int      { return len(h) }
func (h happenings) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h happenings) Less(i, j int) bool {
	return h[i].at < h[j].at || h[i].at == h[j].at && h[i].seq < h[j].seq
}
func (h *happenings) Push(x any) { *h = append(*h, x.(happening)) }
func (h *happenings) Pop() any {
	old := *h
	x := old[len(old)-1]
	*h = old[:len(old)-1]
	return x
}
