// Package driver runs the core for one term of leadership: it owns the
// scheduler.Scheduler, feeds it what happened and carries out what it asks for.
//
//	inbox ─► batch ─► Step, Step, … ─► Effects ─► save ─► calls ─► match ─► snapshot ─► replies ─► notices ─► timer
//
// Everything that waits in the inbox is one batch and one transaction: group
// commit. Nothing of a batch leaves before it is saved, and a save that fails
// ends the term, since what the store then holds is not known: whoever leads
// next reads it again. A core that panics ends the term too.
//
// Policies are asked in a goroutine of their own, under one deadline per match;
// their answer comes back through the inbox like any other event.
package driver

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/pacer-run/pacer/runtime/placement"
	"github.com/pacer-run/pacer/runtime/scheduler"
	"github.com/pacer-run/pacer/runtime/spec"
	"github.com/pacer-run/pacer/sdk"
)

// Term is the store as one leader sees it. It is used by one goroutine.
type Term interface {
	// Load calls yield for every record, in any order. An error of yield ends it.
	Load(ctx context.Context, yield func(scheduler.Record) error) error
	// Commit makes all records durable or none. It fails when another leader has
	// begun a term. After an error nobody knows whether they were saved.
	Commit(ctx context.Context, records []scheduler.Record) error
	// MaxCommitBytes is the size, keys and values together, up to which a commit
	// is cheap; batches are cut below it. 0 means that there is no limit.
	MaxCommitBytes() int
}

// Master takes calls. Send returns soon: what the master says to them, or that
// nobody knows, comes as a scheduler.CallFailed.
type Master interface {
	Send(ctx context.Context, calls []scheduler.Call)
}

// Matcher answers matches. It is used by one goroutine at a time.
type Matcher interface {
	Match(ctx context.Context, r placement.Request, rules func(*spec.App) []placement.Rule) placement.Result
}

// Policies prepares what policies are asked. It is used by several goroutines.
type Policies interface {
	// DecideFetch answers one decision for each URI of an app version.
	DecideFetch(ctx context.Context, app sdk.AppFacts, uris []sdk.FetchURI) ([]sdk.FetchDecision, error)
	Prepare(ctx context.Context, c sdk.ConstraintSpec) (sdk.PreparedConstraint, error)
	PrepareUpgrade(ctx context.Context, u sdk.UpgradeSpec) (sdk.PreparedUpgrade, error)
	PrepareHealth(ctx context.Context, h sdk.HealthSpec) (sdk.PreparedHealth, error)
}

// Prober makes the checks that are the leader's. Change must not block; what is found
// comes as a scheduler.HealthObserved or a scheduler.ReadinessObserved.
type Prober interface {
	Change(probes []scheduler.Probing)
}

// Bus takes what happened, in order, after the snapshot that shows it was
// published. Publish must not block.
type Bus interface {
	Publish(notices []scheduler.Notice)
}

// Core is the scheduler: *scheduler.Scheduler, but for tests of this package.
type Core interface {
	Step(now spec.Timestamp, ev scheduler.Event)
	Effects(now spec.Timestamp) scheduler.Effects
	Snapshot() *scheduler.Snapshot
	FrameworkID() string
	SuppressedRoles() []string
	// Text is the state for people; it is asked for only after a panic.
	Text(scheduler.Names) string
}

// Config is what a Driver works with. Term, Restore, NewMatcher, Policies and
// Bus are required.
type Config struct {
	Term Term
	// Restore makes the core from what Term.Load gave.
	Restore func(now spec.Timestamp, records []scheduler.Record) (Core, error)
	// NewMatcher makes a matcher. It is called again when one was given up
	// because a policy held it past its deadline.
	NewMatcher func() Matcher
	Policies   Policies
	Bus        Bus
	Prober     Prober // nil: nothing is checked
	// MaxRecordBytes is what the store takes as one record; a command that needs a
	// larger one is refused. 0 means that there is no limit.
	MaxRecordBytes int
	// MatchTimeout bounds one match with all the policies it asks, and one question
	// to an upgrade strategy or a health rule; 0 means 3 s.
	MatchTimeout time.Duration
	Now          func() time.Time // nil means time.Now
	Log          *slog.Logger     // nil means no log
}

var (
	// ErrOver says that the term ended before a command was answered. Whether the
	// command was carried out is not known.
	ErrOver = errors.New("driver: the term of leadership is over")
	// ErrBroken says that the core found its own state broken.
	ErrBroken = errors.New("the core panicked")
)

// Driver is one term. Its methods but Run may be called by any goroutine.
type Driver struct {
	cfg   Config
	inbox *inbox
	core  Core // owned by Run

	snapshot   atomic.Pointer[scheduler.Snapshot]
	suppressed atomic.Pointer[[]string]
	requests   atomic.Uint64
	counts     counters

	// Owned by Run.
	waiting    map[scheduler.RequestID]chan<- scheduler.Reply
	asker      *asker
	steppers   map[appVersion]*stepper
	judges     map[appVersion]*judge
	liveJudges int // left by the last sweep
	perRecord  int // bytes, a moving average over the commits
	wake       spec.Timestamp
}

// Open loads the state of the term and returns a driver whose snapshot can be
// read at once. Nothing moves before Run.
func Open(ctx context.Context, cfg Config) (*Driver, error) {
	if cfg.MatchTimeout == 0 {
		cfg.MatchTimeout = 3 * time.Second
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	var records []scheduler.Record
	err := cfg.Term.Load(ctx, func(r scheduler.Record) error {
		records = append(records, r)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("driver: loading the state: %w", err)
	}
	core, err := cfg.Restore(spec.TimestampOf(cfg.Now()), records)
	if err != nil {
		return nil, fmt.Errorf("driver: restoring the state: %w", err)
	}
	d := &Driver{
		cfg:       cfg,
		inbox:     newInbox(inboxRoom),
		core:      core,
		waiting:   map[scheduler.RequestID]chan<- scheduler.Reply{},
		perRecord: firstRecordBytes,
		steppers:  map[appVersion]*stepper{},
		judges:    map[appVersion]*judge{},
	}
	d.asker = d.newAsker()
	d.publish()
	cfg.Log.Info("state loaded", "records", len(records), "apps", d.Snapshot().Apps.Len())
	return d, nil
}

// Snapshot returns the state after the last batch. It is immutable.
func (d *Driver) Snapshot() *scheduler.Snapshot { return d.snapshot.Load() }

// FrameworkID returns the id that the next subscription must use; "" for none.
func (d *Driver) FrameworkID() string { return d.Snapshot().FrameworkID }

// SuppressedRoles returns the roles that a subscription made now should begin
// without offers for.
func (d *Driver) SuppressedRoles() []string { return *d.suppressed.Load() }

// Post hands an event to the loop. It waits while the inbox is full, but never
// for an event that answers the loop itself, and drops the event when the term
// is over.
func (d *Driver) Post(ev scheduler.Event) {
	d.inbox.put(context.Background(), item{event: ev}) //nolint:errcheck // nobody is left to tell
}

// publish makes the core's state visible.
func (d *Driver) publish() {
	d.snapshot.Store(d.core.Snapshot())
	roles := d.core.SuppressedRoles()
	d.suppressed.Store(&roles)
}
