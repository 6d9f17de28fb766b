package wasm

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pacer-run/pacer/runtime/policy/remote"
	"github.com/pacer-run/pacer/sdk"
	"github.com/pacer-run/pacer/sdk/policytest"
)

// The modules in C and in Rust are built with the tools of Debian, and those in
// AssemblyScript with npm's, as their authors do. Without these tools the tests fail: a
// language that is not tried is not supported. A build is kept for the run of the
// tests, as that of Go guests.

// absolute is a path of the tree, from this package's folder.
func absolute(t testing.TB, path string) string {
	t.Helper()
	path, err := filepath.Abs(filepath.Join("../../..", path))
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// Sources of modules in C and in AssemblyScript, from the root of the tree.
const (
	exampleC  = "examples/policies/attributes-c/attributes.c"
	kindsC    = "runtime/policy/wasm/testdata/kinds-c/kinds.c"
	exampleAS = "examples/policies/attributes-assemblyscript/index.ts"
	kindsAS   = "runtime/policy/wasm/testdata/kinds-assemblyscript/index.ts"
)

// buildClang builds a module of one C file without a library.
func buildClang(t testing.TB, source string) []byte {
	t.Helper()
	return buildClangWith(t, source, false)
}

// buildClangWith builds a module of one C file, with the flags that sdk/c asks for: on
// its own, or with a C library.
func buildClangWith(t testing.TB, source string, library bool) []byte {
	t.Helper()
	out := filepath.Join(scratch(), fmt.Sprint(strings.TrimSuffix(filepath.Base(source), ".c"), library, ".wasm"))
	if code, err := os.ReadFile(out); err == nil {
		return code
	}
	args := []string{"--target=wasm32", "-nostdlib", "-Wl,--no-entry"}
	if library {
		args = []string{"--target=wasm32-wasi", "-mexec-model=reactor"}
	}
	args = append(args, "-O2", "-Wall", "-Wextra", "-Werror", "-Wl,--stack-first", "-Wl,-z,stack-size=32768", "-Wl,--strip-debug",
		"-I", absolute(t, "sdk/c"), "-o", out, absolute(t, source))
	if message, err := exec.CommandContext(t.Context(), "clang", args...).CombinedOutput(); err != nil {
		t.Fatalf("building %s, which takes the packages clang, lld, wasi-libc and libclang-rt-dev-wasm32 (make needs): %v\n%s",
			source, err, message)
	}
	code, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return code
}

// cargo is a command of the Rust that has the library for WASM: Debian's if it is
// there, since other ones often lack that.
func cargo(t testing.TB, folder string, args ...string) *exec.Cmd {
	t.Helper()
	for _, bin := range []string{"/usr/bin/", ""} {
		dir, err := exec.CommandContext(t.Context(), bin+"rustc", "--print", "target-libdir", "--target", "wasm32-unknown-unknown").Output()
		if err != nil {
			continue
		}
		if _, err := os.Stat(strings.TrimSpace(string(dir))); err != nil {
			continue
		}
		cmd := exec.CommandContext(t.Context(), bin+"cargo", append(args, "--offline", "--quiet", "--target-dir", filepath.Join(scratch(), "cargo"))...)
		cmd.Dir = absolute(t, folder)
		cmd.Env = append(os.Environ(), "RUSTC="+bin+"rustc", "RUSTDOC="+bin+"rustdoc")
		return cmd
	}
	t.Fatal("no Rust with the library for wasm32-unknown-unknown: it takes the packages rustc, cargo and libstd-rust-dev-wasm32 (make needs)")
	return nil
}

// buildCargo builds the crate in a folder as a module.
func buildCargo(t testing.TB, folder, name string) []byte {
	t.Helper()
	out := filepath.Join(scratch(), "cargo/wasm32-unknown-unknown/release", name+".wasm")
	if code, err := os.ReadFile(out); err == nil {
		return code
	}
	cmd := cargo(t, folder, "build", "--release", "--target", "wasm32-unknown-unknown")
	if message, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("building %s: %v\n%s", folder, err, message)
	}
	code, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return code
}

// buildAsc builds a module of AssemblyScript from its entry file, with the flags that
// sdk/assemblyscript asks for, and a runtime.
func buildAsc(t testing.TB, entry, runtime string) []byte {
	t.Helper()
	entry = absolute(t, entry)
	out := filepath.Join(scratch(), fmt.Sprintf("%s-%s.wasm", filepath.Base(filepath.Dir(entry)), runtime))
	if code, err := os.ReadFile(out); err == nil {
		return code
	}
	sdk := absolute(t, "sdk/assemblyscript")
	asc := filepath.Join(sdk, "node_modules/.bin/asc")
	if _, err := os.Stat(asc); err != nil {
		t.Fatalf("no compiler of AssemblyScript: it takes node 20 and npm, and `npm ci` in sdk/assemblyscript (make needs): %v", err)
	}
	cmd := exec.CommandContext(t.Context(), asc, filepath.Base(entry), "--lib", filepath.Join(sdk, "assembly"), "-O3",
		"--runtime", runtime, "--use", "abort=~lib/pacer/abort/abortWith", "-o", out)
	cmd.Dir = filepath.Dir(entry) // names of files in the module are relative to it
	if message, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("building %s: %v\n%s", entry, err, message)
	}
	code, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return code
}

// language is one in which modules are written: the example, which has LIKE, UNLIKE
// and MAX_PER under names with a prefix, and the one with all kinds.
type language struct {
	name    string
	prefix  string
	example func(testing.TB) []byte
	kinds   func(testing.TB) []byte
}

func languages() []language {
	return []language{
		{
			"c", "C_",
			func(t testing.TB) []byte { return buildClang(t, exampleC) },
			func(t testing.TB) []byte { return buildClang(t, kindsC) },
		},
		{
			"c with wasi-libc", "C_",
			func(t testing.TB) []byte { return buildClangWith(t, exampleC, true) },
			func(t testing.TB) []byte { return buildClangWith(t, kindsC, true) },
		},
		{
			"rust", "RUST_",
			func(t testing.TB) []byte { return buildCargo(t, "examples/policies/attributes-rust", "attributes") },
			func(t testing.TB) []byte { return buildCargo(t, "runtime/policy/wasm/testdata/kinds-rust", "kinds") },
		},
		{
			"assemblyscript", "AS_",
			func(t testing.TB) []byte { return buildAsc(t, exampleAS, "incremental") },
			func(t testing.TB) []byte { return buildAsc(t, kindsAS, "incremental") },
		},
		{
			"assemblyscript minimal", "AS_",
			func(t testing.TB) []byte { return buildAsc(t, exampleAS, "minimal") },
			func(t testing.TB) []byte { return buildAsc(t, kindsAS, "minimal") },
		},
	}
}

// attributes is the example's constraint, under the builtins' names.
func (l language) attributes(t *testing.T) policytest.Prepare {
	t.Helper()
	m, err := load(t, l.example(t), DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	return func(ctx context.Context, spec sdk.ConstraintSpec) (sdk.PreparedConstraint, error) {
		spec.Operator = l.prefix + spec.Operator
		return remote.Constraint(m).Prepare(ctx, spec)
	}
}

// The examples answer as the builtins do, to all of their vectors.
func TestLanguagesBuiltinVectors(t *testing.T) {
	for _, l := range languages() {
		t.Run(l.name, func(t *testing.T) {
			prepare := l.attributes(t)
			tried := map[string]int{}
			for _, v := range vectors(t, "../../../plugins/constraints/testdata/vectors.txt") {
				switch v.Spec.Operator {
				case "LIKE", "UNLIKE", "MAX_PER":
					policytest.Run(t, prepare, []policytest.Vector{v})
					tried[v.Spec.Operator]++
				}
			}
			if tried["LIKE"] < 67 || tried["UNLIKE"] < 10 || tried["MAX_PER"] < 22 {
				t.Errorf("vectors tried: %v", tried)
			}
		})
	}
}

// What is written in Rust is tested natively, too, as its authors do.
func TestRustNatively(t *testing.T) {
	for _, folder := range []string{"sdk/rust", "examples/policies/attributes-rust"} {
		if out, err := cargo(t, folder, "test").CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", folder, err, out)
		}
	}
}
