package policy_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pacer-run/pacer/plugins/constraints"
	"github.com/pacer-run/pacer/runtime/policy"
	"github.com/pacer-run/pacer/sdk"
)

func placed() sdk.ConstraintInput {
	return sdk.ConstraintInput{Values: []string{"", "a"}, Placed: []uint32{0, 0}, First: -1}
}

// zoo is a constraint of the module that misbehaves as the letter says.
func zoo(letter string) sdk.ConstraintSpec {
	return sdk.ConstraintSpec{Field: "f", Operator: "ZOO", Value: letter, HasValue: true}
}

// Users submit apps while matches evaluate, modules load and somebody lists them.
func TestConcurrentUse(t *testing.T) {
	// Time flies, so that the faults of the module do not put it into quarantine.
	var seconds atomic.Int64
	c := openWith(t, policy.Config{
		Builtins: constraints.All(), Dir: directory(t, map[string]string{"a.wasm": "nothing", "zoo.wasm": "@zoo"}),
		Now: func() time.Time { return time.Unix(60*seconds.Add(1), 0) },
	})
	const rounds = 30
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			for range rounds {
				submit(t, c, zoo("z"), true)
				submit(t, c, sdk.ConstraintSpec{Field: "f", Operator: "LIKE", Value: "a.*", HasValue: true}, true)
				submit(t, c, sdk.ConstraintSpec{Field: "f", Operator: "LIKE", Value: "(", HasValue: true}, false)
				submit(t, c, sdk.ConstraintSpec{Field: "f", Operator: "NEAR"}, false)
			}
		})
	}
	group.Go(func() { match(t, c, rounds) })
	group.Go(func() {
		for range rounds {
			if len(c.Modules()) != 3 || len(c.Operators()) < 7 {
				t.Error("a module or an operator is missing")
			}
		}
	})
	group.Wait()
}

// submit is what the API does with a constraint.
func submit(t *testing.T, c *policy.Catalog, spec sdk.ConstraintSpec, valid bool) {
	prepared, err := c.Prepare(t.Context(), spec)
	if err == nil {
		prepared.Close()
	}
	var invalid *sdk.Invalid
	if valid != (err == nil) || !valid && !errors.As(err, &invalid) {
		t.Errorf("%s %s: %v", spec.Operator, spec.Value, err)
	}
}

// match is what a matcher does: the same constraints again and again, of which
// one fails and is prepared anew.
func match(t *testing.T, c *policy.Catalog, rounds int) {
	good, err := c.Prepare(t.Context(), zoo("z"))
	if err != nil {
		t.Error(err)
		return
	}
	defer good.Close()
	for range rounds {
		if answer, err := good.Evaluate(t.Context(), placed()); err != nil || answer.Quota[1] == 0 {
			t.Errorf("%v, %v", answer, err)
		}
		bad, err := c.Prepare(t.Context(), zoo("u"))
		if err != nil {
			t.Error(err)
			return
		}
		var fault *sdk.Fault
		if _, err := bad.Evaluate(t.Context(), placed()); !errors.As(err, &fault) {
			t.Errorf("error %v, want a fault", err)
		}
		bad.Close()
	}
}

// Close lets calls under way end; later ones get a fault that says why, and
// nothing blocks.
func TestCloseWhileInUse(t *testing.T) {
	c, err := policy.Open(t.Context(), policy.Config{
		Builtins: constraints.All(), Dir: directory(t, map[string]string{"zoo.wasm": "@zoo"}),
	})
	if err != nil {
		t.Fatal(err)
	}
	var group, begun sync.WaitGroup
	for range 4 {
		p, err := c.Prepare(t.Context(), zoo("z"))
		if err != nil {
			t.Fatal(err)
		}
		begun.Add(1)
		group.Go(func() {
			defer p.Close()
			_, err := p.Evaluate(t.Context(), placed())
			begun.Done()
			for err == nil {
				_, err = p.Evaluate(t.Context(), placed())
			}
			wantClosed(t, err)
		})
	}
	begun.Wait()
	for range 2 { // the second has nothing to do
		if err := c.Close(context.Background()); err != nil {
			t.Error(err)
		}
	}
	group.Wait()
	_, err = c.Prepare(t.Context(), zoo("z"))
	wantClosed(t, err)
	submit(t, c, sdk.ConstraintSpec{Field: "f", Operator: "UNIQUE"}, true)
}

func wantClosed(t *testing.T, err error) {
	t.Helper()
	var fault *sdk.Fault
	if !errors.As(err, &fault) || fault.Module != "zoo@1" || fault.Cause != "the module is closed" {
		t.Errorf("error %v, want a fault of the closed module", err)
	}
}

// Close does not wait for modules that are still loading.
func TestCloseWhileLoading(t *testing.T) {
	for range 10 {
		c, err := policy.Open(t.Context(), policy.Config{Dir: directory(t, map[string]string{"zoo.wasm": "@zoo"})})
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Close(context.Background()); err != nil {
			t.Error(err)
		}
		if m := c.Modules()[1]; m.State == policy.Loading {
			t.Errorf("%s is still %v", m.File, m.State)
		}
	}
}
