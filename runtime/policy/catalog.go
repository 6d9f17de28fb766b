// Package policy is the host of policy modules. A Catalog holds the policies of
// every origin: those built in, and modules of WASM or that are processes. A caller
// names an operator and gets a constraint; where it comes from shows in nothing
// but the list of modules.
//
// Each kind of policy is one Go interface in package sdk, each origin a way of
// getting values of it (packages wasm and process are two). What is common to all
// origins is here: who offers which name, versions that take each other's place
// while they are in use, counting calls and faults, keeping calls away from what
// fails, comparing a candidate with what it is to replace, and remembering the
// verdicts of constraints that are pure per value.
package policy

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
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
	Fetching []FetchStep
	// Enforced: agents check the digests and limits of fetch policies.
	Enforced  bool
	Admission []sdk.Admission // built in, as all of these
	// Admitting are the admission policies that decide, in their order; see Admit.
	Admitting     []AdmissionStep
	AdmissionTime time.Duration // that one review may take; 0 means 5 s

	Dir     string         // every *.wasm in it is loaded; "" means no such modules
	Modules []ModuleConfig // besides those of Dir
	// Reread reads Modules anew when they are looked at again; changed is false when
	// they are what they were. nil: they stay.
	Reread   func() (modules []ModuleConfig, changed bool, err error)
	Loader   Loader        // nil: one for WASM in files
	Poll     time.Duration // how often files are looked at; 0: never, see Look
	CacheDir string        // keeps compiled modules between runs; "" keeps none
	Limits   wasm.Limits   // of each module; the zero value means the default ones
	Remember int           // verdicts per constraint; 0 means 65,536, below 0 none
	// Keep keeps the choices that there are now in place of those before, so that they are
	// there for Resume; nil: they end with the process.
	Keep func(ctx context.Context, choices []Choice) error
	// Notify is told what happens to modules. It is called by those who ask policies,
	// so it must not wait; nil: nobody is told.
	Notify func(Event)
	Now    func() time.Time // nil: time.Now
	Log    *slog.Logger     // nil: nothing is logged
}

// withDefaults fills in what is left out.
func (c Config) withDefaults() Config {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Remember == 0 {
		c.Remember = 1 << 16
	}
	if c.Limits == (wasm.Limits{}) {
		c.Limits = wasm.DefaultLimits()
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return c
}

// Catalog is every policy there is. Its methods may be called by many goroutines.
type Catalog struct {
	config     Config
	loader     Loader
	ctx        context.Context //nolint:containedctx // the life of the catalog, until Close
	stop       context.CancelFunc
	loaded     chan struct{}
	table      atomic.Pointer[table]
	generation atomic.Uint64
	prepared   atomic.Uint64 // how many were, by modules
	background sync.WaitGroup
	workers    sync.WaitGroup // of shadows
	verdicts   verdictStore
	ended      sync.Once

	// loads is held while modules are loaded or change places: one at a time, since
	// compiling one keeps a processor busy that the scheduler may want.
	loads chan struct{}
	// wrongList is why the operator's list was not taken over last; loads guards it.
	wrongList string

	mu       sync.RWMutex
	giveWay  func()            // has the Look that is under way end early; nil for none
	origins  []*origin         // the built-in ones first, then in their order
	versions map[*version]bool // those that are not closed
	closing  sync.WaitGroup
	// strangers are choices that were kept for modules which are not here.
	strangers []Choice
	// last is what the last leader asked, missing what of that is not here.
	last    Lineup
	missing []InUse
}

// Open returns a catalog with the built-in policies and starts to load the
// modules, which can take seconds: see Loaded. A module that cannot be loaded is
// no error here but listed with its cause; see Required. ctx bounds the loading, not
// the catalog.
func Open(ctx context.Context, config Config) (*Catalog, error) {
	c := &Catalog{config: config.withDefaults(), loaded: make(chan struct{}), loads: make(chan struct{}, 1), versions: map[*version]bool{}}
	c.listBuiltins()
	if err := c.publish(); err != nil {
		return nil, err
	}
	if err := c.tryFetching(ctx, len(c.config.Modules) > 0 || c.config.Dir != ""); err != nil {
		return nil, err
	}
	files, err := moduleFiles(c.config.Dir)
	if err != nil {
		return nil, err
	}
	if c.loader = c.config.Loader; c.loader == nil {
		if c.loader, err = NewBackends(c.config.Limits, c.config.CacheDir, c.config.Log); err != nil {
			return nil, err
		}
	}
	modules := make([]*origin, 0, len(files)+len(c.config.Modules))
	for _, m := range c.config.Modules {
		modules = append(modules, c.newOrigin(m))
	}
	for _, file := range files {
		modules = append(modules, c.newOrigin(c.fileConfig(file)))
	}
	c.origins = append(c.origins, modules...)
	c.ctx, c.stop = context.WithCancel(context.WithoutCancel(ctx))
	c.background.Go(func() {
		c.loadAll(ctx, modules)
		c.watch()
	})
	return c, nil
}

// Loaded is closed when every module is loaded or has failed.
func (c *Catalog) Loaded() <-chan struct{} { return c.loaded }

// Generation is another number after every change of what policies there are. What
// was prepared before may be Stale then.
func (c *Catalog) Generation() uint64 { return c.generation.Load() }

// Operators lists the operators there are now, the built-in ones first.
func (c *Catalog) Operators() []string { return slices.Clone(c.table.Load().constraints.names) }

// Prepare finds who offers the operator and has it take the constraint. Field and
// operator may be in any spelling. An operator that is not known yet may come
// with a module that is still loading: ctx says how long to wait for it. The
// error is an *sdk.Invalid for what the user has to change, an *sdk.Fault for a
// module that failed, and otherwise ctx's.
//
// What was prepared has a method Stale() bool: when it answers true, another version
// of the module has taken its place, or is asked by somebody else too, and the
// constraint should be closed and prepared anew. It answers as before until then.
// The same holds of PrepareUpgrade and PrepareHealth.
func (c *Catalog) Prepare(ctx context.Context, spec sdk.ConstraintSpec) (sdk.PreparedConstraint, error) {
	return view{catalog: c}.prepare(ctx, spec)
}

func (v view) prepare(ctx context.Context, spec sdk.ConstraintSpec) (sdk.PreparedConstraint, error) {
	spec.Field = sdk.CanonicalField(spec.Field)
	spec.Operator = sdk.CanonicalOperator(spec.Operator)
	found, err := lookup(ctx, v, constraintsOf, spec.Operator)
	if err != nil {
		return nil, err
	}
	prepared, err := prepareConstraint(ctx, found, spec)
	if err != nil || prepared.Traits()&sdk.PurePerValue == 0 {
		return prepared, err
	}
	m := newMemory(prepared, v.catalog.config.Remember)
	if found.version != nil {
		key, store := verdictKey(found.version, spec), &v.catalog.verdicts
		m.begin(store.get(key))
		m.leave = func(known verdicts) { store.put(key, known) }
	}
	return m, nil
}

// Close ends the loading and closes the modules, after the calls under way. What
// they prepared answers with faults from then on. A further Close does nothing.
func (c *Catalog) Close(ctx context.Context) error {
	var err error
	c.ended.Do(func() {
		c.stop()
		c.background.Wait()
		err = c.closeModules(ctx)
	})
	return err
}
