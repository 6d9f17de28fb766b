package policy_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/pacer-run/pacer/plugins/constraints"
	"github.com/pacer-run/pacer/plugins/upgrades"
	"github.com/pacer-run/pacer/runtime/policy"
	"github.com/pacer-run/pacer/sdk"
)

func openUpgrades(t *testing.T, more ...sdk.Upgrade) *policy.Catalog {
	t.Helper()
	c, err := policy.Open(t.Context(), policy.Config{Builtins: constraints.All(), Upgrades: append(upgrades.All(), more...)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return c
}

func TestUpgrade(t *testing.T) {
	c := openUpgrades(t)
	p, err := c.PrepareUpgrade(t.Context(), sdk.UpgradeSpec{Strategy: " Rolling"})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	step, err := p.Next(t.Context(), sdk.UpgradeState{Instances: 4, MinHealthy: 2, MaxTotal: 5, Old: 4, OldHealthy: 4})
	if err != nil || step.Start != 1 || step.Kill != 2 {
		t.Errorf("step %+v, %v", step, err)
	}
}

func TestUnknownStrategy(t *testing.T) {
	for _, name := range []string{"", "UNIQUE", "sideways"} {
		_, err := openUpgrades(t).PrepareUpgrade(t.Context(), sdk.UpgradeSpec{Strategy: name})
		var invalid *sdk.Invalid
		if !errors.As(err, &invalid) || invalid.Message != "upgrade strategy must be one of the following rolling, batch, canary or blue-green" {
			t.Errorf("%q: error %v", name, err)
		}
	}
	_, err := open(t, "").PrepareUpgrade(t.Context(), sdk.UpgradeSpec{Strategy: "rolling"})
	if err == nil || err.Error() != "no upgrade strategy is available" {
		t.Errorf("without strategies: error %v", err)
	}
}

// The kinds are listed apart, and a call of one is not counted for the other.
func TestUpgradesAreListed(t *testing.T) {
	c := openUpgrades(t)
	if got := c.Strategies(); !slices.Equal(got, []string{"rolling", "batch", "canary", "blue-green"}) {
		t.Errorf("strategies %v", got)
	}
	if _, err := c.PrepareUpgrade(t.Context(), sdk.UpgradeSpec{Strategy: "batch"}); err != nil {
		t.Fatal(err)
	}
	modules := c.Modules()
	if len(modules) != 2 {
		t.Fatalf("%d modules: %+v", len(modules), modules)
	}
	if m := modules[0]; m.Kind != "constraint" || len(m.Operators) != 7 || m.Strategies != nil || m.Calls != 0 {
		t.Errorf("%+v", m)
	}
	if m := modules[1]; m.Kind != "upgrade" || m.Name != "builtin" || m.File != "" || m.State != policy.Active ||
		m.Operators != nil || !slices.Equal(m.Strategies, []string{"rolling", "batch", "canary", "blue-green"}) || m.Calls != 1 {
		t.Errorf("%+v", m)
	}
}

func TestStrategiesAreBuiltInOnce(t *testing.T) {
	_, err := policy.Open(t.Context(), policy.Config{Upgrades: append(upgrades.All(), upgrades.Batch{})})
	if err == nil || err.Error() != "two built-in policies offer the upgrade strategy batch" {
		t.Errorf("error %v", err)
	}
}

// broken is the strategy "broken"; its functions may be nil for what works.
type broken struct {
	prepare func() error
	next    func(ctx context.Context) (sdk.UpgradeStep, error)
	close   func()
}

func (b broken) Strategies() []string { return []string{"broken"} }

func (b broken) Prepare(context.Context, sdk.UpgradeSpec) (sdk.PreparedUpgrade, error) {
	if b.prepare != nil {
		return b, b.prepare()
	}
	return b, nil
}

func (b broken) Next(ctx context.Context, _ sdk.UpgradeState) (sdk.UpgradeStep, error) {
	if b.next != nil {
		return b.next(ctx)
	}
	return sdk.UpgradeStep{}, nil
}

func (b broken) Close() {
	if b.close != nil {
		b.close()
	}
}

// A policy that fails, in whatever way, is a fault with its cause, and takes
// nobody with it.
func TestFaultsOfUpgrades(t *testing.T) {
	answer := func(step sdk.UpgradeStep, err error) func(context.Context) (sdk.UpgradeStep, error) {
		return func(context.Context) (sdk.UpgradeStep, error) { return step, err }
	}
	for _, test := range []struct {
		name   string
		broken broken
		cause  string // of the one fault; "" for none
		calls  uint64
	}{
		{"a panic when it prepares", broken{prepare: func() error { panic("no") }}, "it panicked: no", 1},
		{"an error when it prepares", broken{prepare: func() error { return errors.New("no disk") }}, "no disk", 1},
		{"a panic in a step", broken{next: func(context.Context) (sdk.UpgradeStep, error) { panic(errors.New("index")) }}, "it panicked: index", 2},
		{"an error in a step", broken{next: answer(sdk.UpgradeStep{Start: 1}, errors.New("lost"))}, "lost", 2},
		{"an outcome that there is not", broken{next: answer(sdk.UpgradeStep{Outcome: 3}, nil)}, "it answered the outcome 3, which there is not", 2},
		{
			"too much to keep",
			broken{next: answer(sdk.UpgradeStep{Memory: make([]byte, sdk.MaxUpgradeMemory+1)}, nil)},
			"it wants 16385 bytes kept; the limit is 16384", 2,
		},
		{"a panic at the end", broken{close: func() { panic("twice") }}, "it panicked: twice", 2},
		{"just enough to keep", broken{next: answer(sdk.UpgradeStep{Memory: make([]byte, sdk.MaxUpgradeMemory)}, nil)}, "", 2},
		{"too much to do", broken{next: answer(sdk.UpgradeStep{Start: sdk.Unlimited, Kill: sdk.Unlimited}, nil)}, "", 2},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := openUpgrades(t, test.broken)
			step, err := use(t, c)
			var fault *sdk.Fault
			failed := errors.As(err, &fault)
			if failed && (fault.Module != "builtin" || fault.Cause != test.cause || step.Start != 0) {
				t.Errorf("step %+v, %v", step, err)
			}
			if wantErr := test.cause != "" && test.broken.close == nil; failed != wantErr {
				t.Errorf("error %v", err)
			}
			faults := uint64(0)
			if test.cause != "" {
				faults = 1
			}
			if m := c.Modules()[1]; m.Calls != test.calls || m.Faults != faults || m.Error != test.cause {
				t.Errorf("%d calls, %d faults, %q", m.Calls, m.Faults, m.Error)
			}
			if _, err := c.PrepareUpgrade(t.Context(), sdk.UpgradeSpec{Strategy: "rolling"}); err != nil {
				t.Errorf("rolling: %v", err)
			}
		})
	}
}

// use prepares the broken strategy, asks it once and closes it.
func use(t *testing.T, c *policy.Catalog) (sdk.UpgradeStep, error) {
	p, err := c.PrepareUpgrade(t.Context(), sdk.UpgradeSpec{Strategy: "broken"})
	if err != nil {
		return sdk.UpgradeStep{}, err
	}
	defer p.Close()
	return p.Next(t.Context(), sdk.UpgradeState{})
}

// What the user has to change, and a caller that gives up, are no faults.
func TestNoFaultsOfUpgrades(t *testing.T) {
	c := openUpgrades(t, broken{prepare: func() error { return &sdk.Invalid{Message: "label STEP is missing"} }})
	var invalid *sdk.Invalid
	if _, err := use(t, c); !errors.As(err, &invalid) {
		t.Errorf("error %v", err)
	}
	if m := c.Modules()[1]; m.Calls != 1 || m.Faults != 0 {
		t.Errorf("%d calls, %d faults", m.Calls, m.Faults)
	}
	c = openUpgrades(t, broken{next: func(ctx context.Context) (sdk.UpgradeStep, error) { return sdk.UpgradeStep{}, ctx.Err() }})
	p, err := c.PrepareUpgrade(t.Context(), sdk.UpgradeSpec{Strategy: "broken"})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := p.Next(ctx, sdk.UpgradeState{}); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	if m := c.Modules()[1]; m.Calls != 2 || m.Faults != 0 {
		t.Errorf("%d calls, %d faults", m.Calls, m.Faults)
	}
}

// shaky is a built-in constraint that panics.
type shaky struct{ named }

func (shaky) Prepare(context.Context, sdk.ConstraintSpec) (sdk.PreparedConstraint, error) {
	panic("no")
}

func TestPanicOfConstraint(t *testing.T) {
	c, err := policy.Open(t.Context(), policy.Config{Builtins: []sdk.Constraint{shaky{"SHAKY"}}})
	if err != nil {
		t.Fatal(err)
	}
	var fault *sdk.Fault
	if _, err := c.Prepare(t.Context(), sdk.ConstraintSpec{Operator: "SHAKY"}); !errors.As(err, &fault) || fault.Cause != "it panicked: no" {
		t.Errorf("error %v", err)
	}
	if err := c.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

// What shows only to who carries the steps out counts like any other fault.
func TestBlame(t *testing.T) {
	c := openUpgrades(t)
	p, err := c.PrepareUpgrade(t.Context(), sdk.UpgradeSpec{Strategy: "rolling", App: sdk.AppFacts{ID: "/web"}})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	fault := p.(interface{ Blame(cause string) *sdk.Fault }).Blame("too much")
	if fault.Module != "builtin" || fault.Cause != "too much" {
		t.Errorf("fault %+v", fault)
	}
	if m := c.Modules()[1]; m.Faults != 1 || m.Error != "too much" {
		t.Errorf("%d faults, %q", m.Faults, m.Error)
	}
}
