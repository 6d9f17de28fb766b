package wasm

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/pacer-run/pacer/runtime/policy/remote"
	"github.com/pacer-run/pacer/sdk"
)

// Many goroutines prepare and evaluate on few instances; each gets its answers.
func TestConcurrentUse(t *testing.T) {
	limits := DefaultLimits()
	limits.Instances = 2
	m, err := load(t, fixture(t, "zoo"), limits)
	if err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() {
			for range 50 {
				p, err := remote.Constraint(m).Prepare(t.Context(), sdk.ConstraintSpec{Field: "f", Operator: "ZOO", Value: "z"})
				if err != nil {
					t.Error(err)
					return
				}
				if _, err := p.Evaluate(t.Context(), two()); err != nil {
					t.Error(err)
				}
				p.Close()
			}
			if i == 0 { // one of them fails now and then
				bad := prepare(t, m, "ZOO", "u")
				if _, err := bad.Evaluate(t.Context(), two()); err == nil {
					t.Error("no fault")
				}
			}
		})
	}
	group.Wait()
}

// Waiting for an instance ends with the caller's context.
func TestWaitIsBounded(t *testing.T) {
	m, err := load(t, fixture(t, "zoo"), tight())
	if err != nil {
		t.Fatal(err)
	}
	p := prepare(t, m, "ZOO", "z")
	ctx, cancel := context.WithCancelCause(t.Context())
	err = m.pool.with(t.Context(), func(*instance) error { // holds the only instance
		cancel(errors.New("too late"))
		_, err := p.Evaluate(ctx, two())
		if err == nil || err.Error() != "too late" {
			t.Errorf("error %v", err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	wantCalls(t, p, 1)
}

func TestClosedModuleFaults(t *testing.T) {
	loader, err := NewLoader(tight(), "", quiet())
	if err != nil {
		t.Fatal(err)
	}
	m, err := loader.Load(t.Context(), fixture(t, "zoo"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	p := prepare(t, m, "ZOO", "z")
	closeModule(t, m)
	if _, err := p.Evaluate(t.Context(), two()); !errors.Is(err, errClosed) {
		t.Errorf("error %v, want %v", err, errClosed)
	}
	p.Close()
}

// A load whose context has ended returns, and what it began is cleaned up.
func TestLoadCanBeCancelled(t *testing.T) {
	loader, err := NewLoader(DefaultLimits(), t.TempDir(), quiet())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("stop"))
	code := fixture(t, "zoo")
	if m, err := loader.Load(ctx, code, Options{}); err == nil {
		closeModule(t, m) // it was faster than the context
	} else if !errors.Is(err, context.Cause(ctx)) {
		t.Errorf("error %v", err)
	}
	if err := loader.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

// The cache keeps what was compiled, and what was metered before, in a directory of its own for each version
// of the metering, that others cannot write to.
func TestCompilationCache(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "cache")
	for range 2 {
		loader, err := NewLoader(tight(), dir, quiet())
		if err != nil {
			t.Fatal(err)
		}
		m, err := loader.Load(t.Context(), fixture(t, "zoo"), Options{})
		if err != nil {
			t.Fatal(err)
		}
		wantCalls(t, prepare(t, m, "ZOO", "z"), 1)
		closeModule(t, m)
		if err := loader.Close(t.Context()); err != nil {
			t.Error(err)
		}
	}
	kept, err := filepath.Glob(filepath.Join(dir, "meter-*", "*", "*"))
	if err != nil || len(kept) != 2 {
		t.Errorf("cached files: %v, %v; want two", kept, err)
	}
	if info, err := os.Stat(filepath.Dir(filepath.Dir(kept[0]))); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("mode of the cache: %v, %v", info.Mode(), err)
	}
}
