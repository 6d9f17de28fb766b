// Package policy is the host of policy modules. A Catalog holds the policies of
// every origin: those built in, and the WASM modules of a directory. A caller
// names an operator and gets a constraint; where it comes from shows in nothing
// but the list of modules.
//
// Each kind of policy is one Go interface in package sdk, each origin a way of
// getting values of it (package wasm is one). What is common to all origins is
// here: who offers which operator, counting calls and faults, and remembering the
// verdicts of constraints that are pure per value.
package policy

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/pacer-run/pacer/runtime/policy/wasm"
	"github.com/pacer-run/pacer/sdk"
)

// Config is what a Catalog is made of.
type Config struct {
	Builtins []sdk.Constraint // their operators cannot be taken by modules
	Upgrades []sdk.Upgrade    // built in, as the Builtins are
	Health   []sdk.Health     // built in too
	Fetch    []sdk.Fetch      // and these
	// Fetching are the fetch policies that decide, in their order; see DecideFetch.
	Fetching  []FetchStep
	Admission []sdk.Admission // built in, as all of these
	// Admitting are the admission policies that decide, in their order; see Admit.
	Admitting     []AdmissionStep
	AdmissionTime time.Duration // that one review may take; 0 means 5 s
	Dir           string        // every *.wasm in it is loaded; "" means no modules
	CacheDir      string        // keeps compiled modules between runs; "" keeps none
	Limits        wasm.Limits   // of each module; the zero value means the default ones
	Remember      int           // verdicts per constraint; 0 means 65,536, below 0 none
	Log           *slog.Logger  // nil: nothing is logged
}

// Catalog is every policy there is. Its methods may be called by many goroutines.
type Catalog struct {
	config Config
	loader *wasm.Loader
	stop   context.CancelFunc
	loaded chan struct{}

	mu          sync.RWMutex
	origins     []*origin // the built-in ones first, then by file name
	constraints offers[sdk.Constraint]
	upgrades    offers[sdk.Upgrade]
	health      offers[sdk.Health]
	fetch       offers[sdk.Fetch]
	admission   offers[sdk.Admission]
}

// Open returns a catalog with the built-in policies and starts to load the
// modules, which can take seconds: see Loaded. A module that cannot be loaded is
// no error here but listed with its cause. ctx bounds the loading, not the
// catalog.
func Open(ctx context.Context, config Config) (*Catalog, error) {
	if config.Log == nil {
		config.Log = slog.New(slog.DiscardHandler)
	}
	if config.Remember == 0 {
		config.Remember = 1 << 16
	}
	if config.Limits == (wasm.Limits{}) {
		config.Limits = wasm.DefaultLimits()
	}
	c := &Catalog{config: config, loaded: make(chan struct{})}
	c.constraints.noun, c.upgrades.noun, c.health.noun, c.fetch.noun = "operator", "upgrade strategy", "health rule", "fetch policy"
	c.admission.noun = "admission policy"
	if err := c.addBuiltins(); err != nil {
		return nil, err
	}
	if err := c.tryFetching(ctx); err != nil {
		return nil, err
	}
	files, err := moduleFiles(config.Dir)
	if err != nil {
		return nil, err
	}
	if c.loader, err = wasm.NewLoader(config.Limits, config.CacheDir, config.Log); err != nil {
		return nil, err
	}
	builtins := len(c.origins)
	for _, file := range files {
		c.origins = append(c.origins, &origin{file: file, kind: KindConstraint, state: Loading, log: c.config.Log})
	}
	ctx, c.stop = context.WithCancel(ctx)
	go c.load(ctx, c.origins[builtins:])
	return c, nil
}

// addBuiltins makes the built-in policies of each kind one origin.
func (c *Catalog) addBuiltins() error {
	// Constraints are listed although there may be none.
	err := addAll(&c.constraints, c.config.Builtins, sdk.Constraint.Operators, c.builtinsOf(KindConstraint))
	if err != nil {
		return err
	}
	if len(c.config.Upgrades) > 0 {
		if err := addAll(&c.upgrades, c.config.Upgrades, sdk.Upgrade.Strategies, c.builtinsOf(KindUpgrade)); err != nil {
			return err
		}
	}
	if len(c.config.Health) > 0 {
		if err := addAll(&c.health, c.config.Health, sdk.Health.Rules, c.builtinsOf(KindHealth)); err != nil {
			return err
		}
	}
	if len(c.config.Fetch) > 0 {
		if err := addAll(&c.fetch, c.config.Fetch, sdk.Fetch.Policies, c.builtinsOf(KindFetch)); err != nil {
			return err
		}
	}
	if len(c.config.Admission) == 0 {
		return nil
	}
	return addAll(&c.admission, c.config.Admission, sdk.Admission.Policies, c.builtinsOf(KindAdmission))
}

// builtinsOf adds the origin of one kind of built-in policies.
func (c *Catalog) builtinsOf(kind string) *origin {
	o := &origin{name: builtinName, kind: kind, state: Active, log: c.config.Log}
	c.origins = append(c.origins, o)
	return o
}

// addAll makes built-in policies those of their names.
func addAll[P any](to *offers[P], policies []P, names func(P) []string, from *origin) error {
	for _, policy := range policies {
		for _, name := range names(policy) {
			if err := to.addBuiltin(name, policy, from); err != nil {
				return err
			}
		}
	}
	return nil
}

// Loaded is closed when every module is loaded or has failed.
func (c *Catalog) Loaded() <-chan struct{} { return c.loaded }

// Operators lists the operators there are now, the built-in ones first.
func (c *Catalog) Operators() []string {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return slices.Clone(c.constraints.names)
}

// Prepare finds who offers the operator and has it take the constraint. Field and
// operator may be in any spelling. An operator that is not known yet may come
// with a module that is still loading: ctx says how long to wait for it. The
// error is an *sdk.Invalid for what the user has to change, an *sdk.Fault for a
// module that failed, and otherwise ctx's.
func (c *Catalog) Prepare(ctx context.Context, spec sdk.ConstraintSpec) (sdk.PreparedConstraint, error) {
	spec.Field = sdk.CanonicalField(spec.Field)
	spec.Operator = sdk.CanonicalOperator(spec.Operator)
	found, err := lookup(ctx, c, &c.constraints, spec.Operator)
	if err != nil {
		return nil, err
	}
	prepared, err := found.origin.prepare(ctx, found.policy, spec)
	if err != nil || prepared.Traits()&sdk.PurePerValue == 0 {
		return prepared, err
	}
	return newMemory(prepared, c.config.Remember), nil
}

// Close ends the loading and closes the modules, after the calls under way. What
// they prepared answers with faults from then on. A further Close does nothing.
func (c *Catalog) Close(ctx context.Context) error {
	c.stop()
	<-c.loaded
	return c.closeModules(ctx)
}
