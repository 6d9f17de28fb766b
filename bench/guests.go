package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// guest is a module that has operators which answer as those built in, under names
// with a prefix.
type guest struct {
	name, prefix string
	build        func(ctx context.Context, root, dir string) error
}

// guests are one of each tool chain: without a runtime, and with Go's.
func guests() []guest {
	return []guest{{"rust", "RUST_", buildRust}, {"c", "C_", buildC}, {"go", "W_", buildGo}}
}

// buildGuests builds the guests of these names, or all when there are none, with their
// own tool chains, as NAME.wasm in dir.
func buildGuests(ctx context.Context, dir string, names []string) error {
	root, err := treeRoot(ctx)
	if err != nil {
		return err
	}
	for _, g := range guests() {
		if len(names) > 0 && !slices.Contains(names, g.name) {
			continue
		}
		if err := g.build(ctx, root, dir); err != nil {
			return fmt.Errorf("building the guest in %s: %w", g.name, err)
		}
	}
	return nil
}

// treeRoot is the folder of go.mod.
func treeRoot(ctx context.Context) (string, error) {
	out, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}").Output()
	if err != nil {
		return "", fmt.Errorf("looking for the root of the tree: %w", err)
	}
	return strings.TrimSpace(string(out)), nil
}

func buildGo(ctx context.Context, root, dir string) error {
	return buildGoGuest(ctx, root, "./plugins/cmd/builtin-wasm", filepath.Join(dir, "go.wasm"))
}

func buildGoGuest(ctx context.Context, root, folder, out string) error {
	c := exec.CommandContext(ctx, "go", "build", "-buildmode=c-shared", "-ldflags=-s -w", "-o", out, folder)
	c.Dir = root
	c.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm", "GOFLAGS=", "CGO_ENABLED=0")
	return finish(c)
}

func buildC(ctx context.Context, root, dir string) error {
	c := exec.CommandContext(ctx, "clang", "--target=wasm32", "-nostdlib", "-O2", "-Wl,--no-entry", "-Wl,--stack-first",
		"-Wl,-z,stack-size=32768", "-Wl,--strip-debug", "-I", "sdk/c", "-o", filepath.Join(dir, "c.wasm"), "examples/policies/attributes-c/attributes.c")
	c.Dir = root
	return finish(c)
}

// buildRust takes the Rust of the system first: another one that comes earlier in the
// path often lacks the library for WASM.
func buildRust(ctx context.Context, root, dir string) error {
	const target = "wasm32-unknown-unknown"
	for _, bin := range []string{"/usr/bin/", ""} {
		library, err := exec.CommandContext(ctx, bin+"rustc", "--print", "target-libdir", "--target", target).Output()
		if err != nil {
			continue
		}
		if _, err := os.Stat(strings.TrimSpace(string(library))); err != nil {
			continue
		}
		built := filepath.Join(dir, "cargo")
		c := exec.CommandContext(ctx, bin+"cargo", "build", "--offline", "--quiet", "--release", "--target", target, "--target-dir", built)
		c.Dir = filepath.Join(root, "examples/policies/attributes-rust")
		c.Env = append(os.Environ(), "RUSTC="+bin+"rustc")
		if err := finish(c); err != nil {
			return err
		}
		return os.Rename(filepath.Join(built, target, "release/attributes.wasm"), filepath.Join(dir, "rust.wasm"))
	}
	return errors.New("no rustc has the library for " + target)
}

// finish runs the command and tells its output when it fails.
func finish(c *exec.Cmd) error {
	if message, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("%w\n%s", err, message)
	}
	return nil
}
