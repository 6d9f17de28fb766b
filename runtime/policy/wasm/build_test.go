package wasm

import (
	"context"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/pacer-run/pacer/sdk/policytest"
)

// Folders of Go guests, from this package's.
const (
	guestBuiltin    = "../../../plugins/cmd/builtin-wasm"
	guestRackSpread = "../../../examples/policies/rack-spread"
)

// scratch keeps, for the time of one run of the tests, the Go guests and what the
// engine compiled of them: both take seconds.
func scratch() string { return os.Getenv("PACER_TEST_SCRATCH") }

func TestMain(m *testing.M) {
	if scratch() != "" { // a process of the fuzzer, which shares its parent's
		os.Exit(m.Run())
	}
	dir, err := os.MkdirTemp("", "policy-wasm-")
	if err == nil {
		err = os.Setenv("PACER_TEST_SCRATCH", dir)
	}
	if err != nil {
		panic(err)
	}
	code := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

// buildGuest builds a Go guest with the tool chain that is in the path, which is
// the test's own: "go test" puts it there.
func buildGuest(t testing.TB, folder string) []byte {
	t.Helper()
	out := filepath.Join(scratch(), filepath.Base(folder)+".wasm")
	if code, err := os.ReadFile(out); err == nil {
		return code
	}
	cmd := exec.CommandContext(t.Context(), "go", "build", "-buildmode=c-shared", "-ldflags=-s -w", "-o", out, ".")
	cmd.Dir = folder
	cmd.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm", "GOFLAGS=", "CGO_ENABLED=0")
	if message, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("building %s: %v\n%s", folder, err, message)
	}
	code, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return code
}

func quiet() *slog.Logger { return slog.New(slog.NewTextHandler(io.Discard, nil)) }

// load returns a module that is closed with the test.
func load(t testing.TB, code []byte, limits Limits) (*Module, error) {
	t.Helper()
	return loadWith(t, code, limits, Options{})
}

func loadWith(t testing.TB, code []byte, limits Limits, options Options) (*Module, error) {
	t.Helper()
	loader, err := NewLoader(limits, filepath.Join(scratch(), "cache"), quiet())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := loader.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	m, err := loader.Load(t.Context(), code, options)
	if err == nil {
		t.Cleanup(func() { closeModule(t, m) })
	}
	return m, err
}

func closeModule(t testing.TB, m *Module) {
	if err := m.Close(context.Background()); err != nil {
		t.Error(err)
	}
}

// read reads vectors of any kind.
func read[V any](t testing.TB, path string, parse func(io.Reader) ([]V, error)) []V {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	list, err := parse(file)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func vectors(t testing.TB, path string) []policytest.Vector {
	t.Helper()
	return read(t, path, policytest.Read)
}
