package api

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/pacer-run/pacer/plugins/constraints"
	"github.com/pacer-run/pacer/plugins/health"
	"github.com/pacer-run/pacer/plugins/upgrades"
	"github.com/pacer-run/pacer/runtime/placement"
	"github.com/pacer-run/pacer/runtime/scheduler"
	"github.com/pacer-run/pacer/runtime/spec"
	"github.com/pacer-run/pacer/sdk"
)

// world is the API over the real core, stepped by hand: time stands still unless
// a test moves it, and matches are answered at once.
type world struct {
	mu       sync.Mutex
	now      time.Time
	core     *scheduler.Scheduler
	matcher  placement.Matcher
	snapshot *scheduler.Snapshot
	requests scheduler.RequestID
	offers   int
	fail     error    // of the next command
	ips      []string // of the containers of the next statuses
	check    *scheduler.CheckResult
	written  written

	leading bool
	leader  string
	config  Config
	handler http.Handler
	events  *Events
}

const address = "pacer1.example.com:8080"

// newWorld returns a world in which this node leads.
func newWorld(change func(*Config)) *world {
	return newWorldOf(scheduler.Config{Principal: "pacer"}, change)
}

// newWorldOf is newWorld with a core of its own kind.
func newWorldOf(core scheduler.Config, change func(*Config)) *world {
	w := &world{now: time.Date(2026, 1, 2, 3, 4, 5, 6e6, time.UTC), leading: true, leader: address}
	w.core = scheduler.New(core)
	w.snapshot = w.core.Snapshot()
	w.events = NewEvents(0, w.clock)
	cfg := Config{Node: w, Address: address, Events: w.events, Now: w.clock, Info: Info{Version: "1.11.0"}, LeaderWait: -1}
	if change != nil {
		change(&cfg)
	}
	w.config, w.handler = cfg, New(cfg)
	w.step(scheduler.Subscribed{FrameworkID: "framework-1", MasterID: "m1", MasterHost: "master", MasterURL: "http://master:5050"})
	return w
}

func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *world) advance(d time.Duration) {
	w.mu.Lock()
	w.now = w.now.Add(d)
	w.mu.Unlock()
	w.step(scheduler.Tick{})
}

// Core is the world itself while it leads.
func (w *world) Core() Core {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.leading {
		return nil
	}
	return w
}

// Abdicate hands the lead to nobody, at once.
func (w *world) Abdicate() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	led := w.leading
	w.leading, w.leader = false, ""
	return led
}

func (w *world) Leader() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.leader
}

func (w *world) setLeader(leading bool, leader string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.leading, w.leader = leading, leader
}

func (w *world) Snapshot() *scheduler.Snapshot {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.snapshot
}

// Do carries a command out before it returns, so that its events are published
// while the answer is still to be written.
func (w *world) Do(ctx context.Context, command func(scheduler.RequestID, string) scheduler.Event) (scheduler.Reply, error) {
	w.mu.Lock()
	w.requests++
	request, fail := w.requests, w.fail
	w.fail = nil
	w.mu.Unlock()
	event := command(request, fmt.Sprintf("deployment-%d", request))
	if fail != nil {
		return scheduler.Reply{}, fail
	}
	for _, reply := range w.step(event) {
		if reply.Request == request {
			return reply, nil
		}
	}
	return scheduler.Reply{}, errors.New("no reply")
}

// step feeds one event and answers all that the core asks because of it.
func (w *world) step(event scheduler.Event) []scheduler.Reply {
	w.mu.Lock()
	var replies []scheduler.Reply
	var notices []scheduler.Notice
	for events := []scheduler.Event{event}; len(events) > 0; events = events[1:] {
		now := spec.TimestampOf(w.now)
		w.core.Step(now, events[0])
		effects := w.core.Effects(now)
		w.snapshot = w.core.Snapshot()
		w.written.add(effects.Save)
		replies, notices = append(replies, effects.Replies...), append(notices, effects.Notices...)
		if effects.Match != nil {
			result := w.match(effects.Match)
			events = append(events, scheduler.Matched{Result: result, MatchedOffers: effects.Match.Offers})
		}
		for _, ask := range effects.Upgrades {
			events = append(events, stepped(ask))
		}
		for _, ask := range effects.Health {
			events = append(events, consecutive(ask))
		}
	}
	w.mu.Unlock()
	w.events.Publish(notices)
	return replies
}

// match is a match; a panic of a policy keeps all apps waiting.
func (w *world) match(r *placement.Request) (result placement.Result) {
	defer func() {
		if cause := recover(); cause != nil {
			result = placement.Result{}
			for _, wanted := range r.Wanted {
				result.Refusals = append(result.Refusals, placement.Refusals{App: wanted.App, Fault: fmt.Errorf("the match panicked: %v", cause)})
			}
		}
	}()
	return w.matcher.Match(context.Background(), *r, scriptRules)
}

// prepareUpgrade has the strategy take an upgrade that an app names, or the default one.
func prepareUpgrade(app *spec.App) (sdk.PreparedUpgrade, error) {
	for _, u := range upgrades.All() {
		if name := app.Labels[spec.StrategyLabel]; u.Strategies()[0] == cmp.Or(name, "rolling") {
			return u.Prepare(context.Background(), sdk.UpgradeSpec{
				Strategy: name, App: sdk.AppFacts{Labels: app.Labels}, MaximumOverCapacity: app.UpgradeStrategy.MaximumOverCapacity,
			})
		}
	}
	return nil, &sdk.Invalid{Message: "upgrade strategy must be one of the following batch or rolling"}
}

// stepped answers for a strategy.
func stepped(ask scheduler.UpgradeAsk) scheduler.UpgradeStepped {
	prepared, err := prepareUpgrade(ask.App)
	answer := scheduler.UpgradeStepped{Number: ask.Number, App: ask.App.ID}
	if err == nil {
		answer.Step, err = prepared.Next(context.Background(), ask.State)
	}
	if err != nil {
		answer.Fault = err.Error()
	}
	return answer
}

// brokenRule is a health rule that fails.
const brokenRule = "broken"

// consecutive answers for the default health rule.
func consecutive(ask scheduler.HealthAsk) scheduler.HealthJudged {
	answer := scheduler.HealthJudged{Number: ask.Number, App: ask.App.ID}
	if ask.App.Labels[spec.HealthRuleLabel] == brokenRule {
		answer.Fault = (&sdk.Fault{Module: "zoo@1.0.0", Cause: "health_judge: fuel exhausted"}).Error()
		return answer
	}
	prepared, err := health.Consecutive{}.Prepare(context.Background(), sdk.HealthSpec{Checks: scheduler.HealthChecksOf(ask.App)})
	if err == nil {
		answer.Verdicts, err = prepared.Judge(context.Background(), ask.Histories)
	}
	if err != nil {
		answer.Fault = err.Error()
	}
	return answer
}

// scriptRules are those of the constraints of an app: UNIQUE, but on the field
// "broken", whose module fails, and on "panic", whose policy panics.
func scriptRules(app *spec.App) (rules []placement.Rule) {
	for _, c := range app.Constraints {
		rule := placement.Rule{Constraint: c}
		switch c.Field {
		case "broken":
			rule.Err = &sdk.Fault{Module: "zoo@1.0.0", Cause: "constraint_prepare: fuel exhausted"}
		case "panic":
			rule.Prepared = panicking{}
		default:
			spec := sdk.ConstraintSpec{Field: sdk.CanonicalField(c.Field), Operator: c.Operator, Value: c.Value, HasValue: c.HasValue}
			rule.Prepared, rule.Err = constraints.Unique{}.Prepare(context.Background(), spec)
		}
		rules = append(rules, rule)
	}
	return rules
}

// panicking is a policy that panics when it is asked.
type panicking struct{}

func (panicking) Traits() sdk.Traits { return 0 }
func (panicking) Close()             {}
func (panicking) Evaluate(context.Context, sdk.ConstraintInput) (sdk.ConstraintAnswer, error) {
	panic("out of order")
}

// offer is offersOf for one.
func (w *world) offer(host string) { w.offersOf(host, 1) }

// offersOf brings offers of one agent, each of 4 cores, 4 GiB and a hundred ports.
func (w *world) offersOf(host string, count int) {
	agent := &placement.Agent{ID: "agent-" + host, Hostname: host, IP: "10.0.0.1", Port: 5051, Zone: "z1"}
	var e scheduler.Offers
	w.mu.Lock()
	for i := range count {
		w.offers++
		begin := uint16(31000 + 100*i)
		share := placement.Share{Ports: []placement.Range{{Begin: begin, End: begin + 99}}}
		share.Scalars[placement.CPUs], share.Scalars[placement.Mem] = placement.MilliOf(4), placement.MilliOf(4096)
		e.Offers = append(e.Offers, &placement.Offer{
			ID: fmt.Sprintf("offer-%d", w.offers), Role: "*", Shares: []placement.Share{share}, Agent: agent,
		})
	}
	w.mu.Unlock()
	w.step(e)
}

// status brings a status of the n-th instance of an app, and perhaps what its
// health check says.
func (w *world) status(app spec.PathID, n int, state scheduler.TaskState, message string, healthy ...bool) error {
	v, ok := w.Snapshot().Apps.Get([]byte(app))
	if !ok || n >= len(v.Instances) {
		return fmt.Errorf("app %s has no instance %d", app, n)
	}
	i := v.Instances[n]
	if i.Agent == nil {
		return fmt.Errorf("instance %d of %s has no place", n, app)
	}
	var flag *bool
	if len(healthy) > 0 {
		flag = &healthy[0]
		defer w.probed(i, healthy[0])
	}
	w.step(scheduler.StatusUpdate{Status: scheduler.Status{
		Healthy: flag,
		TaskID:  i.TaskID(), AgentID: i.Agent.ID, State: state, Message: message, UUID: [16]byte{1},
		Timestamp: w.clock().UnixMilli(), IPs: w.ips, Check: w.check,
	}})
	return nil
}

// probed brings a result of each of an instance's health checks that are the
// leader's.
func (w *world) probed(i *scheduler.Instance, alive bool) {
	v, _ := w.Snapshot().Apps.Get([]byte(i.App))
	version := versionOf(v, i.Version)
	if version == nil {
		return
	}
	var e scheduler.HealthObserved
	for n := range version.HealthChecks {
		o := scheduler.HealthObservation{TaskID: i.TaskID(), Check: n}
		if o.AtMillis, o.Alive = w.clock().UnixMilli(), alive; !alive {
			o.Cause = "HTTP status 500"
		}
		e.Results = append(e.Results, o)
	}
	w.step(e)
}

// state finds a task state by Mesos' name.
func state(name string) scheduler.TaskState {
	for s := scheduler.TaskStaging; s <= scheduler.TaskUnknown; s++ {
		if s.String() == name {
			return s
		}
	}
	panic("no task state " + name)
}
