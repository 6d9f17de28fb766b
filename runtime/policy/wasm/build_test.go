package wasm

import (
	"context"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
)

// Folders of Go guests, from this package's.
const (
	guestBuiltin    = "../../../plugins/constraints/cmd/builtin-wasm"
	guestRackSpread = "../../../examples/policies/rack-spread"
)

// buildGuest builds a Go guest with the tool chain that runs the test. It takes
// seconds only when the build cache is cold.
func buildGuest(t testing.TB, folder string) []byte {
	t.Helper()
	out := filepath.Join(t.TempDir(), "guest.wasm")
	tool := filepath.Join(runtime.GOROOT(), "bin", "go")
	cmd := exec.CommandContext(t.Context(), tool, "build", "-buildmode=c-shared", "-ldflags=-s -w", "-o", out, ".")
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
	loader, err := NewLoader(limits, "", quiet())
	if err != nil {
		t.Fatal(err)
	}
	m, err := loader.Load(t.Context(), code)
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
