package process

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/pacer-run/pacer/runtime/policy/remote"
	"github.com/pacer-run/pacer/sdk"
)

// The test binary is also the modules under test: started with these arguments it
// is the one that is named.
const asModule = "as-module"

func TestMain(m *testing.M) {
	if len(os.Args) > 2 && os.Args[1] == asModule {
		modules()[os.Args[2]]()
		os.Exit(0)
	}
	dir, err := os.MkdirTemp("", "policy-process-")
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

// as is the configuration of a module under test. Its limits suit a busy machine.
func as(t testing.TB, name string, args ...string) Config {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return Config{Command: append([]string{self, asModule, name}, args...), Dir: shortDir(t), Limits: patient()}
}

// patient are limits that no machine is too slow for, and a restart without delay.
func patient() Limits {
	l := Limits{
		Start: time.Minute, Configure: time.Minute, Ping: time.Minute, PingEvery: time.Hour,
		BackoffMin: time.Millisecond, DataBytes: 1 << 50, // the race detector maps terabytes
	}
	for kind := range l.Call {
		l.Call[kind] = time.Minute
	}
	return l
}

// shortDir is a folder whose path is short enough for sockets. What the host leaves
// in it is an error.
func shortDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "p")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if left, err := filepath.Glob(filepath.Join(dir, "*")); err != nil || len(left) > 0 {
			t.Errorf("left behind: %v, %v", left, err)
		}
		_ = os.RemoveAll(dir)
	})
	return dir
}

// start starts a module that is closed with the test, and then nothing is left of it.
func start(t testing.TB, config Config) *Module {
	t.Helper()
	m, err := Start(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeModule(t, m) })
	return m
}

func closeModule(t testing.TB, m *Module) {
	t.Helper()
	pid := m.State().PID
	if err := m.Close(context.Background()); err != nil {
		t.Error(err)
	}
	if pid != 0 && !errors.Is(syscall.Kill(-pid, 0), syscall.ESRCH) {
		t.Errorf("the process group %d is still there", pid)
	}
	wantNoGoroutines(t)
}

// wantNoGoroutines waits until none is left that this package, or what it uses, has
// started.
func wantNoGoroutines(t testing.TB) {
	t.Helper()
	var left []string
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		stacks := make([]byte, 1<<20)
		stacks = stacks[:runtime.Stack(stacks, true)]
		left = nil
		for stack := range bytes.SplitSeq(stacks, []byte("\n\n")) {
			for _, pkg := range []string{"go-plugin.", "google.golang.org/grpc", "policy/process.(*Module)", "policy/process.(*child)"} {
				if bytes.Contains(stack, []byte(pkg)) && !bytes.Contains(stack, []byte("testing.tRunner")) {
					left = append(left, string(stack))
					break
				}
			}
		}
		if len(left) == 0 {
			return
		}
	}
	t.Errorf("goroutines left:\n%s", strings.Join(left, "\n\n"))
}

// step asks the zoo's upgrade strategy of that name for a step.
func step(t testing.TB, m *Module, strategy string) (sdk.UpgradeStep, error) {
	t.Helper()
	p, err := remote.Upgrade(m).Prepare(t.Context(), sdk.UpgradeSpec{Strategy: strategy})
	if err != nil {
		return sdk.UpgradeStep{}, err
	}
	defer p.Close()
	return p.Next(t.Context(), sdk.UpgradeState{Instances: 1})
}

// tell is the reason that the strategy gives, which is what the test wants to know.
func tell(t testing.TB, m *Module, strategy string) string {
	t.Helper()
	s, err := step(t, m, strategy)
	if err != nil {
		t.Fatal(err)
	}
	return s.Reason
}

// wantTrap checks whether a fault is a trap.
func wantTrap(t testing.TB, err error, want bool) {
	t.Helper()
	if fault, ok := errors.AsType[*sdk.Fault](err); !ok || fault.Trap != want {
		t.Errorf("%v: a trap: want %t", err, want)
	}
}

// wantFault checks that the error is a fault of the module with the text in its cause.
func wantFault(t testing.TB, err error, text string) {
	t.Helper()
	fault, ok := errors.AsType[*sdk.Fault](err)
	if !ok || !strings.Contains(fault.Cause, text) {
		t.Errorf("error %v; want a fault with %q", err, text)
		return
	}
	if fault.Module != "zoo@1.2.3" {
		t.Errorf("the fault is that of %s", fault.Module)
	}
}
