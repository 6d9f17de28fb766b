package policy

import (
	"context"
	"errors"
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

// Module is what is known of one module, at one moment.
type Module struct {
	File      string // base name; "" for the built-in policies
	Name      string // what it calls itself; "" before it is loaded
	Version   string
	Digest    string // sha256 of the file, in hexadecimal; "" for the built-in policies
	Kind      string // "constraint"
	Operators []string
	State     State
	Error     string // why it failed to load, or its last fault; "" when there is none
	Calls     uint64 // to prepare and evaluate
	Faults    uint64 // of these
	Fuel      int64  // used in all, in units of about an instruction; 0 for the built-in policies
}

// Modules lists the built-in policies, then the modules by file name.
func (c *Catalog) Modules() []Module {
	c.mu.RLock()
	defer c.mu.RUnlock()
	modules := make([]Module, len(c.origins))
	for i, o := range c.origins {
		modules[i] = o.describe()
	}
	return modules
}

// origin is one source of policies: a module, or all that is built in. The
// catalog's lock guards the fields up to constraints.
type origin struct {
	file, name, version, digest string

	state       State
	cause       string
	module      *wasm.Module // nil: built in, or not loaded
	operators   []string
	constraints map[string]sdk.Constraint // by operator; not changed once it is in the catalog

	log           *slog.Logger
	calls, faults atomic.Uint64
	mu            sync.Mutex
	lastFault     string
	loggedAt      time.Time // when a fault was logged last
}

// logEvery keeps a module that fails again and again from filling the log.
const logEvery = 10 * time.Second

func (o *origin) add(operator string, c sdk.Constraint) {
	if o.constraints == nil {
		o.constraints = map[string]sdk.Constraint{}
	}
	o.constraints[operator] = c
	o.operators = append(o.operators, operator)
}

func (o *origin) describe() Module {
	m := Module{
		File: o.file, Name: o.name, Version: o.version, Digest: o.digest, Kind: "constraint",
		Operators: slices.Clone(o.operators), State: o.state, Error: o.cause,
		Calls: o.calls.Load(), Faults: o.faults.Load(),
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

func (o *origin) prepare(ctx context.Context, spec sdk.ConstraintSpec) (sdk.PreparedConstraint, error) {
	prepared, err := o.constraints[spec.Operator].Prepare(ctx, spec)
	if err = o.count(ctx, spec.App.ID, err); err != nil {
		return nil, err
	}
	return &counted{PreparedConstraint: prepared, origin: o, app: spec.App.ID}, nil
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
		fault = &sdk.Fault{Module: o.label(), Cause: err.Error()}
	}
	faults := o.faults.Add(1)
	o.mu.Lock()
	defer o.mu.Unlock()
	o.lastFault = fault.Cause
	if now := time.Now(); now.Sub(o.loggedAt) >= logEvery {
		o.loggedAt = now
		o.log.Warn("policy module failed", "module", fault.Module, "app", app, "cause", fault.Cause, "faults", faults)
	}
	return fault
}

// counted is a constraint whose calls are counted.
type counted struct {
	sdk.PreparedConstraint
	origin *origin
	app    string // its id
}

func (c *counted) Evaluate(ctx context.Context, in sdk.ConstraintInput) (sdk.ConstraintAnswer, error) {
	answer, err := c.PreparedConstraint.Evaluate(ctx, in)
	return answer, c.origin.count(ctx, c.app, err)
}
