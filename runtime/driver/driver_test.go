package driver_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	iradix "github.com/hashicorp/go-immutable-radix/v2"

	"github.com/pacer-run/pacer/runtime/driver"
	"github.com/pacer-run/pacer/runtime/placement"
	"github.com/pacer-run/pacer/runtime/scheduler"
	"github.com/pacer-run/pacer/runtime/spec"
	"github.com/pacer-run/pacer/sdk"
)

// diary is what the fakes of a test did, in order.
type diary struct {
	mu    sync.Mutex
	lines []string
}

func (d *diary) add(format string, args ...any) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.lines = append(d.lines, fmt.Sprintf(format, args...))
}

func (d *diary) all() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.lines)
}

// core is a scheduler whose effects a test chooses by event.
type core struct {
	*diary
	on      func(c *core, ev scheduler.Event)
	effects scheduler.Effects
	seen    []scheduler.Event
	drains  int
	batch   int
}

func (c *core) Step(_ spec.Timestamp, ev scheduler.Event) {
	c.batch++
	c.seen = append(c.seen, ev)
	if c.on != nil {
		c.on(c, ev)
	}
}

func (c *core) Effects(spec.Timestamp) scheduler.Effects {
	e := c.effects
	c.effects = scheduler.Effects{}
	c.drains++
	if c.batch > 0 {
		c.add("batch of %d", c.batch)
	}
	c.batch = 0
	return e
}

func (c *core) Snapshot() *scheduler.Snapshot {
	return &scheduler.Snapshot{Apps: iradix.New[*scheduler.AppView](), Counts: scheduler.Counts{Apps: c.drains}}
}
func (c *core) FrameworkID() string         { return "" }
func (c *core) Roles() []string             { return nil }
func (c *core) SuppressedRoles() []string   { return nil }
func (c *core) Text(scheduler.Names) string { return "all apps" }

// term is a store that keeps nothing.
type term struct {
	*diary
	fail  error
	limit int
	gate  chan struct{} // a commit takes one; nil: they pass
}

func (t *term) Load(context.Context, func(scheduler.Record) error) error { return nil }
func (t *term) MaxCommitBytes() int                                      { return t.limit }
func (t *term) Commit(_ context.Context, records []scheduler.Record) error {
	if t.gate != nil {
		<-t.gate
	}
	if t.fail != nil {
		return t.fail
	}
	t.add("save %d", len(records))
	return nil
}

type master struct{ *diary }

func (m master) Send(_ context.Context, calls []scheduler.Call) {
	for _, c := range calls {
		m.add("call %T", c)
	}
}

type bus struct{ *diary }

func (b bus) Publish(notices []scheduler.Notice) { b.add("notices %d", len(notices)) }

// matcher answers with a function of the test.
type matcher func(ctx context.Context, r placement.Request, rules func(*spec.App) []placement.Rule) placement.Result

func (m matcher) Match(ctx context.Context, r placement.Request, rules func(*spec.App) []placement.Rule) placement.Result {
	return m(ctx, r, rules)
}

// policies prepare constraints that know whether they were closed.
type policies struct {
	*diary
	fetch   func(sdk.FetchURI) (sdk.FetchDecision, error)
	err     error
	upgrade sdk.PreparedUpgrade // nil: there is no strategy
	rule    sdk.PreparedHealth  // nil: there is no health rule
}

type constraint struct {
	*diary
	name string
}

func (p policies) PrepareUpgrade(context.Context, sdk.UpgradeSpec) (sdk.PreparedUpgrade, error) {
	if p.upgrade != nil {
		return p.upgrade, nil
	}
	return nil, errors.New("no upgrade strategies here")
}

func (p policies) PrepareHealth(_ context.Context, h sdk.HealthSpec) (sdk.PreparedHealth, error) {
	p.add("prepare %s of %s", h.Rule, h.App.ID)
	if p.rule != nil {
		return p.rule, nil
	}
	return nil, errors.New("no health rules here")
}

func (p policies) Prepare(_ context.Context, c sdk.ConstraintSpec) (sdk.PreparedConstraint, error) {
	p.add("prepare %s %s", c.App.ID, c.Operator)
	return constraint{p.diary, c.App.ID}, p.err
}
func (c constraint) Traits() sdk.Traits { return 0 }
func (c constraint) Evaluate(context.Context, sdk.ConstraintInput) (sdk.ConstraintAnswer, error) {
	return sdk.ConstraintAnswer{}, nil
}
func (c constraint) Close() { c.add("close %s", c.name) }

// world is a driver with fakes around it.
type world struct {
	*diary
	core     *core
	term     *term
	matcher  matcher
	policies policies
	asked    driver.Policies // nil: the policies
	driver   *driver.Driver
	ended    chan error
	stop     context.CancelFunc
}

// start runs a driver inside a bubble; it ends with the test.
func start(t *testing.T, change func(*world)) *world {
	t.Helper()
	d := &diary{}
	w := &world{diary: d, core: &core{diary: d}, term: &term{diary: d}, policies: policies{diary: d}, ended: make(chan error, 1)}
	change(w)
	if w.asked == nil {
		w.asked = w.policies
	}
	var err error
	w.driver, err = driver.Open(t.Context(), driver.Config{
		Term:       w.term,
		Restore:    func(spec.Timestamp, []scheduler.Record) (driver.Core, error) { return w.core, nil },
		NewMatcher: func() driver.Matcher { return w.matcher },
		Policies:   w.asked,
		Bus:        bus{d},
		Prober:     probes{d},

		MaxRecordBytes: 10000,
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	w.stop = cancel
	go func() { w.ended <- w.driver.Run(ctx, master{d}) }()
	t.Cleanup(cancel)
	synctest.Wait()
	return w
}

// change is a command of a test.
func change(request scheduler.RequestID, id string) scheduler.Event {
	return scheduler.ChangeTree{Request: request, DeploymentID: id}
}

// everything is what the core of the tests wants after any event but a Tick.
func everything(c *core, ev scheduler.Event) {
	switch e := ev.(type) {
	case scheduler.ChangeTree:
		c.effects.Replies = append(c.effects.Replies, scheduler.Reply{Request: e.Request, DeploymentID: e.DeploymentID})
	case scheduler.Tick:
		return
	}
	c.effects.Save = append(c.effects.Save, scheduler.Record{Key: "k", Value: []byte("v")})
	c.effects.Calls = append(c.effects.Calls, scheduler.Revive{})
	c.effects.Notices = append(c.effects.Notices, scheduler.MasterLost{})
}

func TestEffectsLeaveInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := start(t, func(w *world) { w.core.on = everything })
		reply, err := w.driver.Do(t.Context(), change)
		if err != nil || reply.DeploymentID == "" {
			t.Fatalf("Do = %+v, %v", reply, err)
		}
		if w.driver.Snapshot().Counts.Apps != w.core.drains {
			t.Error("the snapshot is older than the reply")
		}
		synctest.Wait()
		want := []string{"batch of 1", "batch of 1", "save 1", "call scheduler.Revive", "notices 1"}
		if diff := cmp.Diff(want, w.all()); diff != "" {
			t.Error(diff)
		}
	})
}

func TestFailedSaveEndsTheTermAndNothingLeaves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cause := errors.New("deposed")
		w := start(t, func(w *world) { w.core.on = everything; w.term.fail = cause })
		if _, err := w.driver.Do(t.Context(), change); !errors.Is(err, driver.ErrOver) {
			t.Errorf("Do: %v, want ErrOver", err)
		}
		if err := <-w.ended; !errors.Is(err, cause) {
			t.Errorf("Run: %v, want %v", err, cause)
		}
		if diff := cmp.Diff([]string{"batch of 1", "batch of 1"}, w.all()); diff != "" {
			t.Error(diff)
		}
		if _, err := w.driver.Do(t.Context(), change); !errors.Is(err, driver.ErrOver) {
			t.Errorf("Do after the end: %v, want ErrOver", err)
		}
		w.driver.Post(scheduler.Offers{}) // must not block
	})
}

func TestAppThatTheStoreHasNoRoomForIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := start(t, func(w *world) { w.core.on = everything })
		reply, err := w.driver.Do(t.Context(), func(request scheduler.RequestID, _ string) scheduler.Event {
			app := &spec.App{ID: "/big", Cmd: strings.Repeat("<", 5000)} // six bytes each in JSON
			return scheduler.ChangeTree{Request: request, Put: []scheduler.PutApp{{App: app}}}
		})
		var refusal *scheduler.TooLarge
		if err != nil || !errors.As(reply.Err, &refusal) || refusal.App != "/big" {
			t.Errorf("Do = %+v, %v, want a refusal of /big", reply, err)
		}
		if lines := w.all(); len(lines) != 1 {
			t.Errorf("the core was told: %q", lines)
		}
	})
}

func TestWhatWaitsIsOneCommit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := start(t, func(w *world) { w.core.on = everything; w.term.gate = make(chan struct{}) })
		w.driver.Post(scheduler.StatusUpdate{})
		synctest.Wait() // its commit hangs at the gate
		for range 999 {
			w.driver.Post(scheduler.StatusUpdate{})
		}
		close(w.term.gate)
		synctest.Wait()
		if s := w.driver.Stats(); s.Commits != 2 || s.Records != 1000 {
			t.Errorf("%d commits of %d records, want 2 of 1000", s.Commits, s.Records)
		}
	})
}

func TestBatchesAreCutBelowTheStoresLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const limit = 16 << 10
		w := start(t, func(w *world) {
			w.term.limit, w.term.gate = limit, make(chan struct{}, 1)
			w.core.on = func(c *core, ev scheduler.Event) {
				if _, ok := ev.(scheduler.StatusUpdate); ok {
					c.effects.Save = append(c.effects.Save, scheduler.Record{Key: "k", Value: make([]byte, 1000)})
				}
			}
		})
		w.driver.Post(scheduler.StatusUpdate{})
		synctest.Wait()
		for range 99 {
			w.driver.Post(scheduler.StatusUpdate{})
		}
		close(w.term.gate)
		synctest.Wait()
		total := 0
		for _, line := range w.all() {
			var n int
			if _, err := fmt.Sscanf(line, "save %d", &n); err == nil {
				if total += n; n*1001 > limit {
					t.Errorf("a commit has %d records of 1,001 bytes, the limit is %d bytes", n, limit)
				}
			}
		}
		if total != 100 {
			t.Errorf("%d records saved, want 100", total)
		}
	})
}

func TestPanicOfTheCoreEndsTheTerm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := start(t, func(w *world) {
			w.core.on = func(_ *core, ev scheduler.Event) {
				if e, ok := ev.(scheduler.Rescinded); ok {
					panic("no such offer " + e.OfferID)
				}
			}
		})
		w.driver.Post(scheduler.Rescinded{OfferID: "o7"})
		err := <-w.ended
		if !errors.Is(err, driver.ErrBroken) || !strings.Contains(err.Error(), "no such offer o7") ||
			!strings.Contains(err.Error(), "event: scheduler.Rescinded {OfferID:o7}") || !strings.Contains(err.Error(), "state: all apps") {
			t.Errorf("Run: %v, want cause, event and state", err)
		}
	})
}

func TestWakeUpIsATick(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		var woken time.Duration
		w := start(t, func(w *world) {
			w.core.on = func(c *core, ev scheduler.Event) {
				switch ev.(type) {
				case scheduler.Rescinded:
					c.effects.Wake = spec.TimestampOf(time.Now().Add(time.Minute))
				case scheduler.Tick:
					woken = time.Since(begin)
				}
			}
		})
		w.driver.Post(scheduler.Rescinded{})
		<-time.After(2 * time.Minute) // of the bubble
		synctest.Wait()
		if woken != time.Minute {
			t.Errorf("woken after %v, want 1m", woken)
		}
	})
}

func TestEndOfContextIsNoError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := start(t, func(*world) {})
		w.stop()
		if err := <-w.ended; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
}

func TestOutsidersWaitWhileTheInboxIsFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := start(t, func(w *world) { w.core.on = everything; w.term.gate = make(chan struct{}) })
		var posted atomic.Int32
		go func() {
			for range 20000 {
				w.driver.Post(scheduler.StatusUpdate{})
				posted.Add(1)
			}
		}()
		synctest.Wait()
		if posted.Load() == 20000 {
			t.Error("the inbox has no bound")
		}
		w.driver.Post(scheduler.CallFailed{}) // the loop's own answers find room
		close(w.term.gate)
		synctest.Wait()
		if s := w.driver.Stats(); s.Records != 20001 {
			t.Errorf("%d events arrived, want 20001", s.Records)
		}
	})
}
