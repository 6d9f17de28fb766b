package wasm

import (
	"errors"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/pacer-run/pacer/runtime/policy/remote"
	"github.com/pacer-run/pacer/sdk"
)

func fixture(t testing.TB, name string) []byte {
	t.Helper()
	code, err := os.ReadFile("testdata/" + name + ".wasm")
	if err != nil {
		t.Fatal(err)
	}
	return code
}

// tight limits make the hostile end within milliseconds.
func tight() Limits {
	limits := DefaultLimits()
	limits.BaseFuel, limits.ItemFuel, limits.CallFuel = 10_000_000, 1000, 50_000_000
	limits.Instances = 1 // so that the next call meets the same instance, if it lives
	return limits
}

func two() sdk.ConstraintInput {
	return sdk.ConstraintInput{Values: []string{"", "a"}, Placed: []uint32{0, 0}, First: -1}
}

func prepare(t testing.TB, m *Module, operator, value string) sdk.PreparedConstraint {
	t.Helper()
	p, err := remote.Constraint(m).Prepare(t.Context(), sdk.ConstraintSpec{Field: "f", Operator: operator, Value: value})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// cpu is the processor time of the process so far.
func cpu(t *testing.T) time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		t.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// worst is how much dearer a unit of any hostile module may be than one of an
// empty endless loop. This and the fuel bound the time of every call. It is far above
// what is measured: reads that miss every cache 25 to 150, growth of memory 5, all others below 2.
const worst = 2000

// Each hostile behaviour ends as a fault with its cause, costs no more than its
// budget, and its instance never works again; the module goes on with a new one.
func TestZoo(t *testing.T) {
	tests := []struct{ name, letter, cause string }{
		{"endless loop", "l", "fuel exhausted"},
		{"deep recursion", "r", "calls nested too deep"},
		{"loop-free call tree", "t", "fuel exhausted"},
		{"growth of memory", "g", "fuel exhausted"},
		{"filling all memory again and again", "f", "fuel exhausted"},
		{"copying all memory again and again", "c", "fuel exhausted"},
		{"initialising memory again and again", "i", "fuel exhausted"},
		{"growth and filling of tables", "T", "fuel exhausted"},
		{"reads all over the memory", "k", "fuel exhausted"},
		{"host calls without end", "h", "fuel exhausted"},
		{"logging without end", "L", "fuel exhausted"},
		{"refilling a counter of its own", "G", "fuel exhausted"},
		{"trap", "u", "unreachable"},
		{"division by zero", "d", "integer divide by zero"},
		{"answer of a lying length", "n", "an answer of 2147483647 bytes"},
		{"answer outside of the memory", "o", "outside of the memory"},
		{"answer of 2 GiB beyond the memory", "w", "an answer of 2147483646 bytes"},
		{"answer without quotas", "s", "not one quota for each value"},
		{"answer with unknown flags", "x", "unknown flags"},
		{"quota in between from a pure constraint", "p", "quota in between"},
		{"answer that is cut short", "m", "length beyond the end"},
		{"error of a lying length", "e", "an answer of"},
	}
	limits := tight()
	limits.BaseFuel, limits.CallFuel = 100_000_000, 200_000_000 // so that fixed costs hardly show
	m, err := load(t, fixture(t, "zoo"), limits)
	if err != nil {
		t.Fatal(err)
	}
	good := prepare(t, m, "ZOO", "z")
	before := cpu(t)
	if _, err := prepare(t, m, "ZOO", "l").Evaluate(t.Context(), two()); err == nil {
		t.Fatal("an endless loop ended")
	}
	loop := max(cpu(t)-before, time.Millisecond)
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			bad := prepare(t, m, "ZOO", test.letter)
			defer bad.Close()
			fuel, before := m.FuelUsed(), cpu(t)
			_, err := bad.Evaluate(t.Context(), two())
			if took := cpu(t) - before; took > worst*loop {
				t.Errorf("it took %v of CPU, an endless loop of the same budget %v", took, loop)
			} else {
				t.Logf("%.2f times the CPU of an endless loop; %v", float64(took)/float64(loop), err)
			}
			budget := m.limits.BaseFuel + 2*m.limits.ItemFuel
			if used := m.FuelUsed() - fuel; used > budget {
				t.Errorf("used %d units, the budget is %d", used, budget)
			}
			wantFault(t, err, test.cause)
			wantTrap(t, err, true)
			wantCalls(t, good, 1)
		})
	}
}

func wantFault(t *testing.T, err error, cause string) {
	t.Helper()
	var fault *sdk.Fault
	if !errors.As(err, &fault) || !strings.Contains(fault.Cause, cause) {
		t.Errorf("error %v, want a fault with %q", err, cause)
	}
}

// wantTrap checks whether a fault is a trap.
func wantTrap(t *testing.T, err error, want bool) {
	t.Helper()
	if fault, ok := errors.AsType[*sdk.Fault](err); !ok || fault.Trap != want {
		t.Errorf("%v: a trap: want %t", err, want)
	}
}

// wantCalls checks how many evaluations the instance has seen, this one included.
func wantCalls(t *testing.T, p sdk.PreparedConstraint, want uint32) {
	t.Helper()
	answer, err := p.Evaluate(t.Context(), two())
	if err != nil {
		t.Errorf("the module does not go on: %v", err)
	} else if answer.Quota[1] != want {
		t.Errorf("the instance has seen %d calls, want %d", answer.Quota[1], want)
	}
}

// An error that a module answers in good order is no reason to distrust it.
func TestOrderlyErrorKeepsInstance(t *testing.T) {
	m, err := load(t, fixture(t, "zoo"), tight())
	if err != nil {
		t.Fatal(err)
	}
	good := prepare(t, m, "ZOO", "z")
	wantCalls(t, good, 1)
	_, err = prepare(t, m, "ZOO", "E").Evaluate(t.Context(), two())
	wantFault(t, err, "tired")
	wantTrap(t, err, false)
	wantCalls(t, good, 3)
}

// A buffer that lies outside of the memory is found out before anything is written.
func TestLyingBuffer(t *testing.T) {
	m, err := load(t, fixture(t, "zoo"), tight())
	if err != nil {
		t.Fatal(err)
	}
	good := prepare(t, m, "ZOO", "z")
	if _, err := prepare(t, m, "ZOO", "b").Evaluate(t.Context(), two()); err != nil {
		t.Fatal(err)
	}
	_, err = good.Evaluate(t.Context(), two())
	wantFault(t, err, "the buffer lies outside of the memory")
	wantTrap(t, err, true)
	wantCalls(t, good, 1)
}

// What cannot be run safely is refused when it is loaded, with the reason.
func TestRefused(t *testing.T) {
	tests := map[string]string{
		"refused-import":          "it imports env.open_socket, which is not granted",
		"refused-kind-type":       "its export fetch_prepare has the type (i64) -> (i64), want (i32) -> (i64)",
		"refused-kind-part":       "it does not export the function upgrade_prepare",
		"refused-kind-memory":     "it does not export the function admission_review",
		"refused-import-fuel":     "it imports the global policy_v1.policy_fuel; only functions are granted",
		"refused-read-fuel":       "a global that does not exist",
		"refused-import-type":     "it imports policy_v1.log with the type (i64) -> ()",
		"refused-start-loop":      "fuel exhausted",
		"refused-initialize-loop": "_initialize: fuel exhausted",
		"refused-initialize-type": "its export _initialize has the type (i32) -> ()",
		"refused-own-fuel":        `the name "policy_fuel" is the host's`,
		"refused-reach-fuel":      "a global that does not exist",
		"refused-table":           "more elements than are allowed",
	}
	limits := tight()
	limits.StartFuel = 10_000_000
	if _, err := load(t, fixture(t, "good"), limits); err != nil {
		t.Errorf("good module: %v", err)
	}
	for name, cause := range tests {
		if _, err := load(t, fixture(t, name), limits); err == nil || !strings.Contains(err.Error(), cause) {
			t.Errorf("%s: error %v, want %q in it", name, err, cause)
		}
	}
	limits.MemoryPages = 0
	if _, err := load(t, fixture(t, "good"), limits); err == nil || !strings.Contains(err.Error(), "asks for 1 pages of memory, 0 are allowed") {
		t.Errorf("memory: error %v", err)
	}
	for _, code := range []string{"", "\x00asm", "\x00asm\x01\x00\x00\x00", "#!/bin/sh\n"} {
		if _, err := load(t, []byte(code), limits); err == nil {
			t.Errorf("%q: loaded", code)
		}
	}
}
