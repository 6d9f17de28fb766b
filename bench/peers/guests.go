package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/pacer-run/pacer/runtime/policy/remote"
	"github.com/pacer-run/pacer/runtime/policy/wasm"
	"github.com/pacer-run/pacer/sdk"
)

// guests are Pacer's modules in Go and in Rust, loaded as Pacer loads them: metered, with
// the limits that there are by default.
type guests struct {
	dir    string
	loader *wasm.Loader
	loaded map[string]*wasm.Module
	code   map[string][]byte
}

// openGuests builds them with their own tool chains and loads them.
func openGuests(ctx context.Context) (g *guests, err error) {
	g = &guests{loaded: map[string]*wasm.Module{}, code: map[string][]byte{}}
	if g.dir, err = os.MkdirTemp("", "peers-"); err != nil {
		return nil, err
	}
	if err := g.open(ctx); err != nil {
		return nil, errors.Join(err, g.close(ctx))
	}
	return g, nil
}

func (g *guests) open(ctx context.Context) (err error) {
	out, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}", "github.com/pacer-run/pacer").Output()
	if err != nil {
		return fmt.Errorf("looking for the root of the tree: %w", err)
	}
	root := strings.TrimSpace(string(out))
	if g.loader, err = wasm.NewLoader(wasm.DefaultLimits(), filepath.Join(g.dir, "cache"), slog.New(slog.DiscardHandler)); err != nil {
		return err
	}
	for name, build := range map[string]func(ctx context.Context, root, dir string) (string, error){"Go": buildGo, "Rust": buildRust} {
		file, err := build(ctx, root, g.dir)
		if err != nil {
			return fmt.Errorf("building the guest in %s: %w", name, err)
		}
		if g.code[name], err = os.ReadFile(file); err != nil {
			return err
		}
		if g.loaded[name], err = g.loader.Load(ctx, g.code[name], wasm.Options{}); err != nil {
			return fmt.Errorf("the guest in %s: %w", name, err)
		}
	}
	return nil
}

func (g *guests) close(ctx context.Context) error {
	var errs []error
	for _, m := range g.loaded {
		if m != nil {
			errs = append(errs, m.Close(ctx))
		}
	}
	if g.loader != nil {
		errs = append(errs, g.loader.Close(ctx))
	}
	return errors.Join(append(errs, os.RemoveAll(g.dir))...)
}

// prepare prepares LIKE in a guest.
func (g *guests) prepare(ctx context.Context, name string) (sdk.PreparedConstraint, error) {
	return remote.Constraint(g.loaded[name]).Prepare(ctx, likeSpec(name))
}

func likeSpec(guest string) sdk.ConstraintSpec {
	operator := map[string]string{"Go": "W_LIKE", "Rust": "RUST_LIKE"}[guest]
	return sdk.ConstraintSpec{Field: "rack", Operator: operator, Value: likeRacks, HasValue: true}
}

// verdicts are what the guest says about each value.
func verdicts(ctx context.Context, p sdk.PreparedConstraint, values []string) (map[string]bool, error) {
	answer, err := p.Evaluate(ctx, sdk.ConstraintInput{Values: values, First: -1})
	if err != nil {
		return nil, err
	}
	fits := map[string]bool{}
	for slot, value := range values[1:] {
		fits[value] = answer.Quota[slot+1] == sdk.Unlimited
	}
	return fits, nil
}

func buildGo(ctx context.Context, root, dir string) (string, error) {
	file := filepath.Join(dir, "go.wasm")
	c := exec.CommandContext(ctx, "go", "build", "-buildmode=c-shared", "-ldflags=-s -w", "-o", file, "./plugins/cmd/builtin-wasm")
	c.Dir, c.Env = root, append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm", "GOFLAGS=", "CGO_ENABLED=0")
	return file, finish(c)
}

// buildRust takes the Rust of the system first: another one that comes earlier in the
// path often lacks the library for WASM.
func buildRust(ctx context.Context, root, dir string) (string, error) {
	const target = "wasm32-unknown-unknown"
	for _, bin := range []string{"/usr/bin/", ""} {
		library, err := exec.CommandContext(ctx, bin+"rustc", "--print", "target-libdir", "--target", target).Output()
		if err != nil {
			continue
		}
		if _, err := os.Stat(strings.TrimSpace(string(library))); err != nil {
			continue
		}
		c := exec.CommandContext(ctx, bin+"cargo", "build", "--offline", "--quiet", "--release", "--target", target, "--target-dir", dir)
		c.Dir, c.Env = filepath.Join(root, "examples/policies/attributes-rust"), append(os.Environ(), "RUSTC="+bin+"rustc")
		return filepath.Join(dir, target, "release/attributes.wasm"), finish(c)
	}
	return "", errors.New("no rustc has the library for " + target)
}

// finish runs the command and tells its output when it fails.
func finish(c *exec.Cmd) error {
	if message, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("%w\n%s", err, message)
	}
	return nil
}
