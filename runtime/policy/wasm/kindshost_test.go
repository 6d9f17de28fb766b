package wasm

import (
	"bytes"
	"context"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pacer-run/pacer/runtime/policy/remote"
	"github.com/pacer-run/pacer/sdk"
)

// What the host offers beyond the question reaches modules in every language.
func TestLanguagesHost(t *testing.T) {
	var numbers []string
	for _, l := range languages() {
		t.Run(l.name, func(t *testing.T) {
			var log bytes.Buffer
			m := loadKinds(t, l, slog.New(slog.NewTextHandler(&log, nil)))
			orders := []struct{ order, want string }{
				{"now", "1700000"},
				{"get", "0"},
				{"put", "yes yes"},
				{"get", "1 1000"},
				{"remove", "yes"},
				{"get", "1000"},
				{"metrics", "metrics"},
				{"log", "log"},
			}
			for _, o := range orders {
				if got := askHost(t, m, o.order); got != o.want {
					t.Errorf("%s: %q, want %q", o.order, got, o.want)
				}
			}
			if metrics := m.Metrics(); metrics[0].Value != 2 || metrics[1].Value != -3.5 {
				t.Errorf("metrics %+v", metrics)
			}
			if !strings.Contains(log.String(), `level=WARN msg="a line"`) {
				t.Errorf("the log lacks the line:\n%s", &log)
			}
			numbers = append(numbers, askHost(t, m, "rand"))
		})
	}
	one, other, _ := strings.Cut(numbers[0], " ")
	if one == other || one == "" {
		t.Errorf("random numbers %s", numbers[0])
	}
	for _, n := range numbers {
		if n != numbers[0] {
			t.Errorf("random numbers %s, in another language %s", n, numbers[0])
		}
	}
}

// askHost gives the module an order for the host and returns its answer's reason.
func askHost(t *testing.T, m *Module, order string) string {
	t.Helper()
	spec := sdk.ConstraintSpec{Operator: "HOST", Value: order, HasValue: true}
	p, err := remote.Constraint(m).Prepare(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	answer, err := p.Evaluate(t.Context(), two())
	if err != nil {
		t.Fatal(err)
	}
	return answer.Reason
}

// An evaluation uses the same fuel every time, so it leaves nothing behind that the
// next one pays for, and not much of it for each value.
func TestLanguagesFuel(t *testing.T) {
	values, _ := racks(1000)
	for _, l := range languages() {
		limits := DefaultLimits()
		limits.Instances = 1
		m, err := load(t, l.example(t), limits)
		if err != nil {
			t.Fatal(err)
		}
		for operator, most := range map[string]int64{"LIKE": 3000, "MAX_PER": 500} {
			spec := sdk.ConstraintSpec{Operator: l.prefix + operator, Value: "2", HasValue: true}
			in := sdk.ConstraintInput{Values: values, Placed: make([]uint32, len(values)), First: -1}
			if operator == "LIKE" {
				spec.Value, in.Placed = likeRacks, nil
			}
			p, err := remote.Constraint(m).Prepare(t.Context(), spec)
			if err != nil {
				t.Fatal(err)
			}
			fuel := make([]int64, 5)
			for i := range fuel {
				before := m.FuelUsed()
				if _, err := p.Evaluate(t.Context(), in); err != nil {
					t.Fatal(err)
				}
				fuel[i] = m.FuelUsed() - before
			}
			// The first may grow the memory.
			if steady := []int64{fuel[1], fuel[1], fuel[1], fuel[1]}; !cmp.Equal(steady, fuel[1:]) || fuel[1] > most*int64(len(values)) {
				t.Errorf("%s in %s: fuel %v for %d values", operator, l.name, fuel, len(values))
			}
			t.Logf("%s in %s: %d units for a value", operator, l.name, fuel[1]/int64(len(values)))
		}
	}
}

// Settings that a module does not want are why it is not loaded.
func TestLanguagesSettings(t *testing.T) {
	for _, l := range languages() {
		loader, err := NewLoader(DefaultLimits(), filepath.Join(scratch(), "cache"), quiet())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = loader.Close(context.Background()) })
		for want, code := range map[string][]byte{
			"these settings are bad":       embed(t, l.kinds(t), kindsManifest()),
			"the module takes no settings": l.example(t),
		} {
			_, err := loader.Load(t.Context(), code, Options{Settings: `{"bad":1}`, Grants: Grants()})
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: error %v, want %s", l.name, err, want)
			}
		}
	}
}

// A panic is told as the cause of the fault. So is the end of memory in C; that of
// Rust and AssemblyScript just traps. The next call meets a new instance.
func TestLanguagesPanic(t *testing.T) {
	for _, l := range languages() {
		t.Run(l.name, func(t *testing.T) {
			memory := "unreachable"
			if l.prefix == "C_" {
				memory = "panic: out of memory"
			}
			c := remote.Constraint(loadKinds(t, l, quiet()))
			for value, want := range map[string]string{"panic": "panic: at the prepared place", "memory": memory} {
				_, err := c.Prepare(t.Context(), sdk.ConstraintSpec{Operator: "EVERY", Value: value, HasValue: true})
				wantFault(t, err, want)
			}
			if _, err := c.Prepare(t.Context(), sdk.ConstraintSpec{Operator: "EVERY"}); err != nil {
				t.Errorf("a new instance answers no better: %v", err)
			}
		})
	}
}

// What a call takes of memory is given back, and what was prepared at its release. Where
// strings are made of the values, these calls take more than twice of what there is.
func TestLanguagesMemory(t *testing.T) {
	limits := DefaultLimits()
	limits.MemoryPages, limits.HighWater = 64, 64 // it is not replaced, and traps in the end
	in := many(1000)
	for _, l := range languages() {
		t.Run(l.name, func(t *testing.T) {
			m := loadKindsIn(t, l, quiet(), limits)
			for i := range 200 {
				spec := sdk.ConstraintSpec{Operator: "EVERY", Value: "v", HasValue: true}
				p, err := remote.Constraint(m).Prepare(t.Context(), spec)
				if err != nil {
					t.Fatal(err)
				}
				if _, err := p.Evaluate(t.Context(), in); err != nil {
					t.Fatalf("evaluation %d: %v", i, err)
				}
				p.Close()
			}
		})
	}
}
