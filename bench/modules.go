package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"

	"github.com/pacer-run/pacer/plugins/constraints"
	"github.com/pacer-run/pacer/runtime/policy"
	"github.com/pacer-run/pacer/runtime/policy/process"
	"github.com/pacer-run/pacer/runtime/policy/remote"
	"github.com/pacer-run/pacer/runtime/policy/wasm"
	"github.com/pacer-run/pacer/sdk"
)

// processGuest is the name of the policies that are built in, as a process.
const processGuest = "process"

// oneKind is a guest in Go with one constraint, as people ship them; the one that is named
// go has all kinds in it, and all that is built in.
const oneKind = "go, of one kind"

// modules are the guests, each loaded by itself and in a catalog.
type modules struct {
	dir     string
	code    map[string][]byte // by the guest's name
	loader  *wasm.Loader
	loaded  map[string]remote.Module
	catalog *policy.Catalog
}

// openModules builds and loads them all.
func openModules(ctx context.Context) (m *modules, err error) {
	m = &modules{code: map[string][]byte{}, loaded: map[string]remote.Module{}}
	if m.dir, err = os.MkdirTemp("", "bench-"); err != nil {
		return nil, err
	}
	if err := m.open(ctx); err != nil {
		return nil, errors.Join(err, m.close(ctx))
	}
	return m, nil
}

func (m *modules) open(ctx context.Context) (err error) {
	quiet := slog.New(slog.DiscardHandler)
	if err := buildGuests(ctx, m.dir, nil); err != nil {
		return err
	}
	if m.loader, err = wasm.NewLoader(wasm.DefaultLimits(), m.cache(), quiet); err != nil {
		return err
	}
	for _, g := range guests() {
		if m.code[g.name], err = os.ReadFile(filepath.Join(m.dir, g.name+".wasm")); err != nil {
			return err
		}
		if m.loaded[g.name], err = m.loader.Load(ctx, m.code[g.name], wasm.Options{}); err != nil {
			return fmt.Errorf("the guest in %s: %w", g.name, err)
		}
	}
	m.catalog, err = policy.Open(ctx, policy.Config{Builtins: constraints.All(), Dir: m.dir, CacheDir: m.cache()})
	if err != nil {
		return err
	}
	<-m.catalog.Loaded()
	return m.others(ctx)
}

// others are the process, the guest that takes JSON, and one that people would ship.
func (m *modules) others(ctx context.Context) error {
	root, err := treeRoot(ctx)
	if err != nil {
		return err
	}
	file := filepath.Join(m.dir, "builtin-process")
	c := exec.CommandContext(ctx, "go", "build", "-ldflags=-s -w", "-o", file, "./plugins/cmd/builtin-process")
	c.Dir, c.Env = root, append(os.Environ(), "GOFLAGS=-buildvcs=false", "CGO_ENABLED=0")
	if err := finish(c); err != nil {
		return fmt.Errorf("building the process: %w", err)
	}
	if m.loaded[processGuest], err = process.Start(ctx, process.Config{Command: []string{file}}); err != nil {
		return err
	}
	for name, folder := range map[string]string{"json": "./bench/testdata/json-guest", oneKind: "./examples/policies/rack-spread"} {
		file := filepath.Join(m.dir, name)
		if err := buildGoGuest(ctx, root, folder, file); err != nil {
			return err
		}
		if m.code[name], err = os.ReadFile(file); err != nil {
			return err
		}
	}
	return nil
}

func (m *modules) cache() string { return filepath.Join(m.dir, "cache") }

func (m *modules) close(ctx context.Context) error {
	var errs []error
	for _, loaded := range m.loaded {
		if loaded != nil {
			errs = append(errs, loaded.Close(ctx))
		}
	}
	if m.catalog != nil {
		errs = append(errs, m.catalog.Close(ctx))
	}
	if m.loader != nil {
		errs = append(errs, m.loader.Close(ctx))
	}
	return errors.Join(append(errs, os.RemoveAll(m.dir))...)
}

// operator is the name that LIKE has in a guest.
func operator(name string) string {
	for _, g := range guests() {
		if g.name == name {
			return g.prefix + "LIKE"
		}
	}
	return "LIKE" // of the process
}

// prepare prepares LIKE in a guest, without a catalog and so without a memory.
func (m *modules) prepare(ctx context.Context, name string) (sdk.PreparedConstraint, error) {
	return remote.Constraint(m.loaded[name]).Prepare(ctx, likeSpec(operator(name)))
}

// fixed is what a question to a process takes besides its work: as time, which depends
// on who else uses the machine, and beside an empty call of go-plugin, one by one, to
// the same process in the same moment.
func (t *targets) fixed(ctx context.Context, ask func() error) error {
	pinged, ok := t.loaded[processGuest].(interface {
		Ping(ctx context.Context) error
	})
	if !ok {
		return errors.New("the process cannot be pinged")
	}
	var asked, ratios, empty samples
	for range 5 * t.rounds { // a round takes a few milliseconds
		a, errA := passed(20, ask)
		b, errB := passed(20, func() error { return pinged.Ping(ctx) })
		if err := errors.Join(errA, errB); err != nil {
			return err
		}
		asked, empty, ratios = append(asked, float64(a)/1000), append(empty, float64(b)/1000), append(ratios, float64(a)/float64(b))
	}
	median, least := ratios.median(), slices.Min(asked)/slices.Min(empty)
	t.note(target{"3", "a question to a process about one value", "us", 100, asked.median(), slices.Min(asked), false})
	t.note(target{"3", fmt.Sprintf("... : an empty unary call of go-plugin to it (%.0f us)", empty.median()), "x", 1, median, least, false})
	return nil
}
