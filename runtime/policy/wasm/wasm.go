// Package wasm runs policy modules that are WASM. It is the only package that
// knows the engine.
//
// A module cannot harm its host. It reaches nothing but its own memory and the
// functions of link.go; it is metered (package metering), so that a call ends
// when its fuel is used up, whatever the module does; its memory, tables, stack,
// answers and logs are bounded; and an instance that failed once is closed and
// never called again, since the engine lets a trapped guest be called and it
// would answer from a state that nobody knows.
//
// What a call costs in time: a call does no more than its budget, and little beyond
// (see package metering). A unit is an instruction or less. It takes 0.1 to 0.3 ns in
// a normal guest, of any language, and in an empty loop, 0.05 to 0.4 ns where memory
// grows or is filled or copied, 3 ns in a deep recursion and, at worst, some 10 ns
// where every read misses the caches: fuel bounds time only with that factor, which no
// cheap counter can tell apart.
package wasm

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"

	"github.com/pacer-run/pacer/runtime/policy/metering"
)

// Limits bound what one module may use. Fuel is in units of about an instruction.
type Limits struct {
	StartFuel   int64  // until an instance is ready: its initialisation, describe, configure
	PrepareFuel int64  // to take a spec
	BaseFuel    int64  // of a question
	ItemFuel    int64  // of a question, for each value, URI or history it is about
	CallFuel    int64  // of a question at most, however many items
	MemoryPages uint32 // of an instance, 64 KiB each
	ReplyBytes  int    // of an answer, besides 256 for each item and as many as it was asked with
	Instances   int    // that work at the same time
	// Calls is how many calls an instance lives for, before a new one takes its place;
	// 0 is any number.
	Calls int
	// HighWater is the memory, in pages, beyond which an instance is replaced, since
	// memory never shrinks; 0 is three quarters of MemoryPages. One that has not
	// doubled its memory since it started is left alone.
	HighWater uint32
	// Wait is how long a call waits for an instance that is free, unless its context
	// ends earlier; 0 is as long as that.
	Wait time.Duration
}

// DefaultLimits are about five times what modules built by Go need, which need most.
// There, a regular expression on a value is 8,000 to 65,000 units; a collection of the
// guest's garbage, which may fall into any call, 2 million and, with 10,000 values at
// hand, 14 million; reading an app of 64 KiB and its predecessor with encoding/json, 56
// million; a start 5 million.
func DefaultLimits() Limits {
	return Limits{
		StartFuel:   100_000_000,
		PrepareFuel: 50_000_000,
		BaseFuel:    50_000_000,
		ItemFuel:    100_000,
		CallFuel:    300_000_000,
		MemoryPages: 1024,
		ReplyBytes:  64 << 10,
		Instances:   min(runtime.GOMAXPROCS(0), 4),
		Calls:       1_000_000,
		Wait:        10 * time.Second,
	}
}

// Loader turns files into modules. It is used by one goroutine at a time; the
// modules are not bound to that.
type Loader struct {
	limits    Limits
	log       *slog.Logger
	cache     wazero.CompilationCache // nil: none
	metered   *metering.Cache         // nil: none
	abandoned sync.WaitGroup          // loads that nobody waits for any more
}

// NewLoader returns a loader. cacheDir keeps compiled modules from one run to
// the next; "" keeps none. What is in that directory is executed as it is: it is
// created for this user alone. log may not be nil.
func NewLoader(limits Limits, cacheDir string, log *slog.Logger) (*Loader, error) {
	l := &Loader{limits: limits, log: log}
	if cacheDir == "" {
		return l, nil
	}
	dir := filepath.Join(cacheDir, "meter-"+metering.Version)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("policy cache: %w", err)
	}
	cache, err := wazero.NewCompilationCacheWithDir(dir)
	if err != nil {
		return nil, fmt.Errorf("policy cache: %w", err)
	}
	l.cache = cache
	if l.metered, err = metering.NewCache(filepath.Join(dir, "code")); err != nil {
		return nil, errors.Join(fmt.Errorf("policy cache: %w", err), cache.Close(context.Background()))
	}
	return l, nil
}

// Close waits for what is still compiling, as long as ctx lets it, and frees what
// the loader holds. The modules have to be closed before.
func (l *Loader) Close(ctx context.Context) error {
	idle := make(chan struct{})
	go func() {
		l.abandoned.Wait()
		close(idle)
	}()
	select {
	case <-idle:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	if l.cache == nil {
		return nil
	}
	return l.cache.Close(ctx)
}

// Load checks, meters, compiles and starts a module. The error says what is
// wrong with it, or with the settings. Compiling takes up to seconds and cannot be interrupted: when
// ctx ends, Load returns and what was begun is thrown away once it is done.
func (l *Loader) Load(ctx context.Context, code []byte, options Options) (*Module, error) {
	type result struct {
		module *Module
		err    error
	}
	done := make(chan result, 1)
	go func() {
		m, err := l.load(ctx, code, options)
		done <- result{m, err}
	}()
	select {
	case r := <-done:
		return r.module, r.err
	case <-ctx.Done():
	}
	l.abandoned.Go(func() {
		if r := <-done; r.module != nil {
			_ = r.module.Close(context.WithoutCancel(ctx)) // nobody is left to tell
		}
	})
	return nil, fmt.Errorf("loading: %w", context.Cause(ctx))
}

// load never panics: the engine's compiler is large, and a module that makes it
// fail must not take the scheduler with it.
func (l *Loader) load(ctx context.Context, code []byte, options Options) (m *Module, err error) {
	defer func() {
		if r := recover(); r != nil {
			m, err = nil, fmt.Errorf("the engine failed on it: %v", r)
		}
	}()
	metered, err := l.metered.Rewrite(code)
	if err != nil {
		return nil, err
	}
	p, err := l.plan(code, metered, options)
	if err != nil {
		return nil, err
	}
	m = newModule(p, wazero.NewRuntimeWithConfig(ctx, l.engine(p)), l.log)
	if err := m.open(ctx, metered); err != nil {
		return nil, errors.Join(err, m.Close(context.WithoutCancel(ctx)))
	}
	return m, nil
}

func (l *Loader) engine(p *plan) wazero.RuntimeConfig {
	config := wazero.NewRuntimeConfig()
	if p.options.Interpreted {
		config = wazero.NewRuntimeConfigInterpreter()
	}
	config = config.
		WithCoreFeatures(api.CoreFeaturesV2).
		WithMemoryLimitPages(p.limits.MemoryPages).
		WithCloseOnContextDone(false) // costs several times the guest's work; fuel stops it instead
	if l.cache != nil && !p.options.Interpreted {
		config = config.WithCompilationCache(l.cache)
	}
	return config
}

// open compiles the module and proves that an instance of it starts.
func (m *Module) open(ctx context.Context, metered *metering.Module) error {
	// With more than one worker the engine would compile in goroutines of its own,
	// where a panic cannot be caught.
	compiled, err := m.runtime.CompileModule(experimental.WithCompilationWorkers(ctx, 1), metered.Code)
	if err != nil {
		return fmt.Errorf("not a valid module: %w", err)
	}
	m.compiled = compiled
	if err := m.link(ctx, metered.Imports); err != nil {
		return err
	}
	return m.pool.with(ctx, func(in *instance) error {
		m.description = in.description
		m.journal.log = m.journal.log.With("module", m.label())
		return nil
	})
}
