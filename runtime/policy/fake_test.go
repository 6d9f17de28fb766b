package policy_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pacer-run/pacer/runtime/policy"
	"github.com/pacer-run/pacer/runtime/policy/remote"
	"github.com/pacer-run/pacer/sdk"
	"github.com/pacer-run/pacer/sdk/wire"
)

// fakeModule answers every constraint with one quota for all values, upgrades with
// one start, and healthy.
type fakeModule struct {
	description wire.Description
	quota       uint32
	traits      sdk.Traits
	ask         func(remote.Kind) error // nil: it works
	fuel        atomic.Int64
	closed      atomic.Bool
	prepared    atomic.Int64 // those that are not closed
}

func (m *fakeModule) Description() wire.Description { return m.description }
func (m *fakeModule) FuelUsed() int64               { return m.fuel.Load() }

func (m *fakeModule) Close(context.Context) error {
	m.closed.Store(true)
	return nil
}

func (m *fakeModule) label() string { return m.description.Name + "@" + m.description.Version }

func (m *fakeModule) fail(kind remote.Kind) error {
	m.fuel.Add(1000)
	if m.closed.Load() {
		return &sdk.Fault{Module: m.label(), Cause: "the module is closed"}
	}
	if m.ask == nil {
		return nil
	}
	return m.ask(kind)
}

func (m *fakeModule) Prepare(_ context.Context, kind remote.Kind, _ []byte) (remote.Prepared, error) {
	if m.closed.Load() {
		return nil, &sdk.Fault{Module: m.label(), Cause: "the module is closed"}
	}
	m.prepared.Add(1)
	return &fakePrepared{m, kind}, nil
}

func (m *fakeModule) Review(_ context.Context, _ []byte, take func([]byte) error) error {
	if err := m.fail(remote.KindAdmission); err != nil {
		return err
	}
	return take(nil)
}

type fakePrepared struct {
	module *fakeModule
	kind   remote.Kind
}

func (p *fakePrepared) Traits() sdk.Traits { return p.module.traits }
func (p *fakePrepared) Close()             { p.module.prepared.Add(-1) }

func (p *fakePrepared) Ask(_ context.Context, _ []byte, items int, take func([]byte) error) error {
	if err := p.module.fail(p.kind); err != nil {
		return err
	}
	switch p.kind {
	case remote.KindUpgrade:
		return take(wire.AppendUpgradeStep(nil, sdk.UpgradeStep{Start: p.module.quota}))
	case remote.KindHealth:
		verdicts := make([]sdk.HealthVerdict, items)
		for i := range verdicts {
			verdicts[i].State = sdk.Healthy
		}
		return take(wire.AppendHealthAnswer(nil, verdicts))
	default:
		quota := make([]uint32, items)
		for i := range quota {
			quota[i] = p.module.quota
		}
		return take(wire.AppendAnswer(nil, sdk.ConstraintAnswer{Quota: quota}))
	}
}

// fakeLoader has modules under refs, each made anew when it is loaded.
type fakeLoader struct {
	mu     sync.Mutex
	at     map[string]func() (*fakeModule, error)
	loads  int
	digest map[string]string
	marks  map[string]string
	made   []*fakeModule
}

func newFakeLoader() *fakeLoader {
	return &fakeLoader{at: map[string]func() (*fakeModule, error){}, digest: map[string]string{}, marks: map[string]string{}}
}

// put has the ref give that version from now on.
func (l *fakeLoader) put(ref, digest string, make func() (*fakeModule, error)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.at[ref], l.digest[ref] = make, digest
}

func (l *fakeLoader) Load(_ context.Context, _ policy.ModuleConfig, ref policy.Ref) (policy.Loaded, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.loads++
	at := l.at[ref.Ref]
	if at == nil {
		return policy.Loaded{}, errors.New("there is nothing at " + ref.Ref)
	}
	m, err := at()
	if err != nil {
		return policy.Loaded{Digest: l.digest[ref.Ref]}, err
	}
	l.made = append(l.made, m)
	return policy.Loaded{Module: m, Digest: l.digest[ref.Ref], Signer: "team", Backend: policy.BackendWASM}, nil
}

func (l *fakeLoader) Mark(_ context.Context, m policy.ModuleConfig) (string, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.digest[m.Ref.Ref] + l.marks[m.Ref.Ref], nil
}

// touched changes the mark and nothing else.
func (l *fakeLoader) touched(ref string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.marks[ref] += "."
}

func (l *fakeLoader) Close(context.Context) error { return nil }

// open are the modules that are not closed.
func (l *fakeLoader) open() (open []*fakeModule) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, m := range l.made {
		if !m.closed.Load() {
			open = append(open, m)
		}
	}
	return open
}

// offering makes a version of a module that offers the operators.
func offering(version string, quota uint32, operators ...string) func() (*fakeModule, error) {
	return func() (*fakeModule, error) {
		return &fakeModule{quota: quota, description: wire.Description{Name: "fake", Version: version, Operators: operators}}, nil
	}
}

// failing makes one whose answers are faults.
func failing(version string, operators ...string) func() (*fakeModule, error) {
	return func() (*fakeModule, error) {
		m := &fakeModule{description: wire.Description{Name: "fake", Version: version, Operators: operators}}
		m.ask = func(remote.Kind) error { return &sdk.Fault{Module: m.label(), Cause: "out of order"} }
		return m, nil
	}
}

// clock is one that stands still unless it is moved.
type clock struct{ nanos atomic.Int64 }

func newClock() *clock {
	c := &clock{}
	c.nanos.Store(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).UnixNano())
	return c
}

func (c *clock) now() time.Time       { return time.Unix(0, c.nanos.Load()) }
func (c *clock) pass(d time.Duration) { c.nanos.Add(int64(d)) }

// events collects what a catalog tells.
type events struct {
	mu   sync.Mutex
	list []policy.Event
}

func (e *events) notify(event policy.Event) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.list = append(e.list, event)
}

// states are the changes so far, as text.
func (e *events) states() (states []string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, x := range e.list {
		if x.Name == policy.EventState {
			states = append(states, fmt.Sprintf("%s %s %s", x.Module, x.Version, x.State))
		}
	}
	return states
}

// world is a catalog of one module, "m" at ref "a", that offers the operator NEAR.
type world struct {
	*policy.Catalog
	loader *fakeLoader
	clock  *clock
	events *events
}

func newWorld(t *testing.T, first func() (*fakeModule, error), configure ...func(*policy.Config)) *world {
	t.Helper()
	w := &world{loader: newFakeLoader(), clock: newClock(), events: &events{}}
	w.loader.put("a", "digest-a", first)
	config := policy.Config{
		Modules: []policy.ModuleConfig{{Name: "m", Ref: policy.Ref{Ref: "a"}}},
		Loader:  w.loader, Now: w.clock.now, Notify: w.events.notify,
	}
	for _, f := range configure {
		f(&config)
	}
	w.Catalog = openWith(t, config)
	<-w.Loaded()
	return w
}

// near prepares the constraint of the module.
func (w *world) near(t *testing.T) sdk.PreparedConstraint {
	t.Helper()
	p, err := w.Prepare(t.Context(), sdk.ConstraintSpec{Field: "f", Operator: "NEAR", App: sdk.AppFacts{ID: "/web"}})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// quota asks what was prepared.
func quota(t *testing.T, p sdk.PreparedConstraint) uint32 {
	t.Helper()
	answer, err := p.Evaluate(t.Context(), placed())
	if err != nil {
		t.Fatal(err)
	}
	return answer.Quota[1]
}

func stale(p any) bool { return p.(interface{ Stale() bool }).Stale() }

func (w *world) module(t *testing.T) policy.Module {
	t.Helper()
	m, err := w.Module("m")
	if err != nil {
		t.Fatal(err)
	}
	return m
}
