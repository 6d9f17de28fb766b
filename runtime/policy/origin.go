package policy

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pacer-run/pacer/runtime/policy/wasm"
	"github.com/pacer-run/pacer/sdk"
)

// builtinName is the name of the policies that are part of Pacer.
const builtinName = "builtin"

// State is how far a module has come.
type State uint8

// The states of a module.
const (
	Loading State = iota
	Active
	Failed // it is not used; Module.Error says why
)

// String returns the state in lower case.
func (s State) String() string { return [...]string{"loading", "active", "failed"}[s] }

// The kinds of policy.
const (
	KindConstraint = "constraint"
	KindUpgrade    = "upgrade"
	KindHealth     = "health"
	KindFetch      = "fetch"
	KindAdmission  = "admission"
)

// Module is what is known of one module, at one moment.
type Module struct {
	File       string // base name; "" for the built-in policies
	Name       string // what it calls itself; "" before it is loaded
	Version    string
	Digest     string   // sha256 of the file, in hexadecimal; "" for the built-in policies
	Kind       string   // KindConstraint, KindUpgrade, KindHealth, KindFetch or KindAdmission
	Operators  []string // of a module with constraints
	Strategies []string // of a module with upgrades
	Rules      []string // of a module with health
	Fetchers   []string // of a module with fetch policies
	Admitters  []string // of a module with admission policies
	State      State
	Error      string // why it failed to load, or its last fault; "" when there is none
	Calls      uint64 // to prepare, evaluate, step, judge, decide and review
	Faults     uint64 // of these
	Fuel       int64  // used in all, in units of about an instruction; 0 for the built-in policies
}

// Modules lists the built-in policies of each kind, then the modules by file name.
func (c *Catalog) Modules() []Module {
	c.mu.RLock()
	defer c.mu.RUnlock()
	modules := make([]Module, len(c.origins))
	for i, o := range c.origins {
		modules[i] = o.describe()
	}
	return modules
}

// origin is one source of policies of one kind: a module, or all that is built
// in. The catalog's lock guards the fields up to names.
type origin struct {
	file, name, version, digest, kind string

	state  State
	cause  string
	module *wasm.Module // nil: built in, or not loaded
	names  []string     // that it offers

	log           *slog.Logger
	calls, faults atomic.Uint64
	mu            sync.Mutex
	lastFault     string
	loggedAt      time.Time // when a fault was logged last
}

// logEvery keeps a module that fails again and again from filling the log.
const logEvery = 10 * time.Second

func (o *origin) describe() Module {
	m := Module{
		File: o.file, Name: o.name, Version: o.version, Digest: o.digest, Kind: o.kind,
		State: o.state, Error: o.cause, Calls: o.calls.Load(), Faults: o.faults.Load(),
	}
	switch names := slices.Clone(o.names); o.kind {
	case KindConstraint:
		m.Operators = names
	case KindUpgrade:
		m.Strategies = names
	case KindHealth:
		m.Rules = names
	case KindFetch:
		m.Fetchers = names
	case KindAdmission:
		m.Admitters = names
	}
	if o.module != nil {
		m.Fuel = o.module.FuelUsed()
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if m.Error == "" {
		m.Error = o.lastFault
	}
	return m
}

// label is how faults name the origin.
func (o *origin) label() string {
	if o.version == "" {
		return o.name
	}
	return o.name + "@" + o.version
}

// call makes one call into a policy, for an app, and counts it and its end.
func (o *origin) call(ctx context.Context, app string, f func() error) error {
	return o.count(ctx, app, o.guard(f))
}

// guard makes a panic of a policy that is built in a fault like those of others.
func (o *origin) guard(f func() error) (err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = o.fault(fmt.Sprintf("it panicked: %v", cause))
		}
	}()
	return f()
}

func (o *origin) fault(cause string) *sdk.Fault {
	return &sdk.Fault{Module: o.label(), Cause: cause}
}

// count notes a call for an app and its end. Errors that are neither the user's
// nor the caller's doing become faults.
func (o *origin) count(ctx context.Context, app string, err error) error {
	o.calls.Add(1)
	invalid, fault := (*sdk.Invalid)(nil), (*sdk.Fault)(nil)
	if err == nil || errors.As(err, &invalid) || ctx.Err() != nil && !errors.As(err, &fault) {
		return err
	}
	if !errors.As(err, &fault) {
		fault = o.fault(err.Error())
	}
	o.note(app, fault)
	return fault
}

func (o *origin) note(app string, fault *sdk.Fault) {
	faults := o.faults.Add(1)
	o.mu.Lock()
	defer o.mu.Unlock()
	o.lastFault = fault.Cause
	if now := time.Now(); now.Sub(o.loggedAt) >= logEvery {
		o.loggedAt = now
		o.log.Warn("policy module failed", "module", fault.Module, "app", app, "cause", fault.Cause, "faults", faults)
	}
}
