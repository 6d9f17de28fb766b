package author

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/pacer-run/pacer/sdk/manifest"
)

// Built is what a build made.
type Built struct {
	File   string `json:"file"`
	Size   int    `json:"size"` // bytes, with the manifest
	Digest string `json:"digest"`
}

// Make runs the project's own tool chain and puts the manifest into what it made. The
// tools' words go to output.
func (p *Project) Make(ctx context.Context, output io.Writer) (*Built, error) {
	line, err := p.buildLine()
	if err != nil {
		return nil, err
	}
	env := os.Environ()
	if strings.Contains(line, "cargo ") {
		if env, err = rustEnvironment(ctx, env); err != nil {
			return nil, cmp.Or(context.Cause(ctx), err)
		}
		env = append(env, p.rustFlags()...)
	}
	path := p.OutputPath()
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err // an old module must not pass for the new one
	}
	cmd := exec.CommandContext(ctx, "sh", "-c", line)
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = p.Dir, env, output, output
	if err := cmd.Run(); ctx.Err() != nil {
		return nil, context.Cause(ctx)
	} else if err != nil {
		return nil, errors.Join(fmt.Errorf("build: %s: %w", line, err), p.missing())
	}
	code, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("build: it did not make the output: there is no %s", path) // it is no file that was asked for
	}
	if err != nil {
		return nil, err
	}
	if code, err = manifest.Embed(code, p.Manifest); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if err := os.WriteFile(path, code, 0o644); err != nil {
		return nil, err
	}
	sum := sha256.Sum256(code)
	return &Built{path, len(code), hex.EncodeToString(sum[:])}, nil
}

// buildLine is what the project says, or what goes with the files that are there.
func (p *Project) buildLine() (string, error) {
	if p.Build != "" {
		return p.Build, nil
	}
	if l, ok := p.language(); ok {
		return l.build(ShellWord(strings.TrimSuffix(p.Output, ".wasm"))), nil
	}
	return "", fmt.Errorf("%s: build: nothing is said, and no go.mod, Cargo.toml, package.json or policy.c is there to go by", filepath.Join(p.Dir, ProjectFile))
}

// ShellWord is a text as a shell takes it for one word: in quotes where it needs them.
func ShellWord(text string) string {
	if regexp.MustCompile(`\A[\w@%+=:,./-]+\z`).MatchString(text) {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}

// language is that of the files that are there; false for none that is known.
func (p *Project) language() (l language, ok bool) {
	for _, known := range []struct {
		file string
		of   func() language
	}{{"go.mod", goLanguage}, {"Cargo.toml", rustLanguage}, {"package.json", assemblyScript}, {"policy.c", cLanguage}} {
		if _, err := os.Stat(filepath.Join(p.Dir, known.file)); err == nil {
			return known.of(), true
		}
	}
	return l, false
}

// missing names a tool that the project's language needs and that is not there; nil
// when nothing is known to be missing.
func (p *Project) missing() error {
	l, _ := p.language()
	for _, tool := range l.tools {
		if _, err := exec.LookPath(tool); err != nil {
			return fmt.Errorf("there is no %s in the PATH; a project in %s needs %s", tool, l.name, l.needs)
		}
	}
	return nil
}

// rustFlags have the compiler leave out where the project is: the same source has the
// same digest everywhere, and a module does not tell of its author's disk. The variable
// is added to what .cargo/config.toml says. It cannot hold a path with a blank in it.
func (p *Project) rustFlags() []string {
	const name = "CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS"
	dir, err := filepath.Abs(p.Dir)
	if err == nil {
		dir, err = filepath.EvalSymlinks(dir) // as the compiler names it
	}
	if err != nil || strings.ContainsAny(dir, " \t\n=") {
		return nil
	}
	return []string{name + "=" + strings.TrimSpace(os.Getenv(name)+" --remap-path-prefix="+dir+"=.")}
}

// rustEnvironment puts a Rust that has the library for WASM first. The one that is
// first in the path often lacks it where Debian's, which has it, is there as well.
func rustEnvironment(ctx context.Context, env []string) ([]string, error) {
	dirs := append(filepath.SplitList(os.Getenv("PATH")), "/usr/bin")
	for _, dir := range dirs {
		rustc, cargo := filepath.Join(dir, "rustc"), filepath.Join(dir, "cargo")
		if _, err := os.Stat(cargo); err != nil {
			continue
		}
		out, err := exec.CommandContext(ctx, rustc, "--print", "target-libdir", "--target", "wasm32-unknown-unknown").Output()
		if err != nil {
			continue
		}
		if _, err := os.Stat(strings.TrimSpace(string(out))); err != nil {
			continue
		}
		return append(env, "PATH="+dir+string(filepath.ListSeparator)+os.Getenv("PATH"), "RUSTC="+rustc), nil
	}
	return nil, errors.New("build: no cargo has the library for wasm32-unknown-unknown: " +
		"install cargo and libstd-rust-dev-wasm32 (Debian), or run rustup target add wasm32-unknown-unknown")
}
