package policy

import (
	"slices"
	"time"

	"github.com/pacer-run/pacer/runtime/policy/remote"
	"github.com/pacer-run/pacer/runtime/policy/wasm"
)

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
	ID         string // by which the API knows it
	Builtin    bool   // part of Pacer
	File       string // base name; "" for the built-in policies, and what is not of a directory
	Ref        string // where it comes from; "" for the built-in policies
	Name       string // what it calls itself; "" before it is loaded
	Version    string
	Digest     string   // sha256 of the file, in hexadecimal; "" for the built-in policies
	Signer     string   // who signed it; "" when nobody looked
	Backend    string   // BackendWASM or BackendProcess; "" for the built-in policies
	Kind       string   // the first one of Kinds; of a module that is not loaded: KindConstraint
	Kinds      []string // of which it offers something
	Operators  []string // of constraints
	Strategies []string // of upgrades
	Rules      []string // of health
	Fetchers   []string // fetch policies
	Admitters  []string // admission policies
	State      State
	Mode       Mode
	Of         string            // of a shadow: whose it is
	OnFailure  map[string]string // by kind
	// MaxStaleness is that of the configuration: 0 means the default.
	MaxStaleness time.Duration
	Optional     bool
	Env          []string // names of the variables that a process is given; their values may be secrets
	Removed      bool     // its file is gone; it stays in use until the process ends
	Error        string   // why it failed to load, or its last fault; "" when there is none
	Notice       string   // what was done about it last, such as a reload that failed; "" for nothing
	Calls        uint64   // to prepare, evaluate, step, judge, decide and review
	Faults       uint64   // of these
	Traps        uint64   // of the faults: its code came to no orderly end
	PassedOver   uint64   // changes that were let pass although it failed to review them
	Refused      uint64   // calls that were not made, because it is in quarantine
	Fuel         int64    // used in all, in units of about an instruction; 0 for the built-in policies
	Reloads      int      // that took place

	Last     *LastFault    // nil for none
	NextTry  time.Time     // of a module in quarantine; otherwise zero
	Rollback string        // digest of the version to go back to; "" for none
	Cost     Cost          // of the version there is now
	Compared *ShadowCounts // of a shadow; otherwise nil
	Differs  string        // how it is another one than that of the last leader; "" when it is not
	Choice   *Choice       // that holds beside the operator's list; nil for none
	Own      []wasm.Metric // that the module's manifest declares
}

// Cost is what a module's calls take.
type Cost struct {
	FuelP50, FuelP99 int64 // units
	TimeP50, TimeP99 time.Duration
}

// Modules lists the built-in policies of each kind, then the modules in their order, and
// those that are missing.
func (c *Catalog) Modules() []Module {
	c.mu.RLock()
	defer c.mu.RUnlock()
	modules := make([]Module, len(c.origins))
	for i, o := range c.origins {
		modules[i] = o.describe()
	}
	for _, m := range c.gone() {
		modules = append(modules, m.describe(c.last.Server))
	}
	return modules
}

// describe is for callers that hold the catalog's lock.
func (o *origin) describe() Module {
	m := Module{
		ID: o.id(), Builtin: o.builtin, File: o.file, Ref: o.config.Ref.Ref, State: o.state, Error: o.cause, Notice: o.notice, Digest: o.digest,
		Mode: o.config.Mode, Of: o.config.Of, Optional: o.config.Optional, MaxStaleness: o.config.MaxStaleness, Removed: o.removed, Reloads: o.reloads,
		Calls: o.calls.Load(), Faults: o.faults.Load(), Traps: o.traps.Load(), PassedOver: o.passedOver.Load(), Refused: o.refused.Load(), Kind: KindConstraint, Last: o.lastFault(),
	}
	for _, v := range o.config.Env {
		m.Env = append(m.Env, v.Name)
	}
	if m.Error == "" && m.Last != nil {
		m.Error = m.Last.Cause
	}
	var names [remote.Kinds][]string
	if o.builtin {
		m.Name, names[o.kind], m.Kinds = builtinName, o.names, []string{o.kind.String()}
	}
	if v := o.current; v != nil {
		names = v.names
		o.describeVersion(&m, v)
	}
	if len(m.Kinds) > 0 {
		m.Kind = m.Kinds[0]
	}
	m.Operators, m.Fetchers, m.Strategies = slices.Clone(names[remote.KindConstraint]), slices.Clone(names[remote.KindFetch]), slices.Clone(names[remote.KindUpgrade])
	m.Rules, m.Admitters = slices.Clone(names[remote.KindHealth]), slices.Clone(names[remote.KindAdmission])
	m.Rollback = o.config.Rollback.Digest
	if o.fallback != nil {
		m.Rollback = o.fallback.digest
	}
	m.Choice, m.Differs = o.choice, o.differs
	if o.shadow != nil {
		counts := o.shadow.counts()
		m.Compared = &counts
	}
	return m
}

// describeVersion adds what is known of a loaded version.
func (o *origin) describeVersion(m *Module, v *version) {
	m.Name, m.Version, m.Digest, m.Signer, m.Backend = v.name, v.number, v.digest, v.signer, v.backend
	m.OnFailure = map[string]string{}
	for _, kind := range v.kinds() {
		m.Kinds = append(m.Kinds, kind.String())
		m.OnFailure[kind.String()] = o.config.wayOf(kind).String()
	}
	if m.NextTry = v.breaker.nextTry(); !m.NextTry.IsZero() {
		m.State = Quarantined
	}
	m.Fuel = v.tap.FuelUsed()
	if own, ok := v.tap.Module.(interface{ Metrics() []wasm.Metric }); ok {
		m.Own = own.Metrics()
	}
	m.Cost = Cost{
		FuelP50: v.tap.fuel.quantile(0.5), FuelP99: v.tap.fuel.quantile(0.99),
		TimeP50: time.Duration(v.tap.nanos.quantile(0.5)), TimeP99: time.Duration(v.tap.nanos.quantile(0.99)),
	}
}
