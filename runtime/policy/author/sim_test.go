package author_test

import (
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pacer-run/pacer/runtime/policy/author"
	"github.com/pacer-run/pacer/sdk"
)

// stepwise is a strategy made of a function.
type stepwise func(sdk.UpgradeState) sdk.UpgradeStep

func (s stepwise) Strategies() []string { return []string{"test"} }
func (s stepwise) Close()               {}

func (s stepwise) Prepare(context.Context, sdk.UpgradeSpec) (sdk.PreparedUpgrade, error) {
	return s, nil
}

func (s stepwise) Next(_ context.Context, state sdk.UpgradeState) (sdk.UpgradeStep, error) {
	return s(state), nil
}

// canary starts one, waits for a promotion, then goes on when an hour has passed.
func canary(s sdk.UpgradeState) sdk.UpgradeStep {
	switch {
	case s.New == 0:
		return sdk.UpgradeStep{Start: 1, Memory: []byte("began")}
	case s.NewReady < s.New:
		return sdk.UpgradeStep{Memory: s.Memory}
	case s.New == 1 && s.Promotions == 0:
		return sdk.UpgradeStep{Outcome: sdk.Pause, Reason: "look at the first", Memory: s.Memory}
	case s.Millis < 3_600_000 && s.NowMillis < 1_000_000_000_000:
		return sdk.UpgradeStep{AskAfterMillis: 60_000, Memory: s.Memory}
	case string(s.Memory) != "began":
		return sdk.UpgradeStep{Outcome: sdk.RollBack, Reason: "forgotten"}
	case s.New < s.Instances:
		if s.OldDying == 0 && s.OldHealthy > 0 {
			return sdk.UpgradeStep{Kill: 1, Memory: s.Memory}
		}
		return sdk.UpgradeStep{Start: min(s.Instances-s.New, s.MaxTotal-s.Old-s.New), Memory: s.Memory}
	}
	return sdk.UpgradeStep{Kill: s.Old - s.OldDying, Memory: s.Memory}
}

func simulate(t *testing.T, s stepwise, script string) ([]author.SimStep, error) {
	t.Helper()
	m := author.Builtins{Upgrades: []sdk.Upgrade{s}}.Module()
	return author.Simulate(t.Context(), m, []byte(script), envelope())
}

func TestSimulation(t *testing.T) {
	script := "# A canary.\nupgrade n=2 min=0.5 over=0.5 strategy=test\n----\nat least 1 healthy, at most 3 in all\nK0 L1\n\n" +
		"healthy 1\n----\npaused: look at the first\n\npromote\n----\nnothing\n\nafter 30m\n----\nnothing\n\nat 2026-01-31T09:00:00Z\n----\nK2\n\nrest\n"
	steps, err := simulate(t, canary, script)
	if err != nil {
		t.Fatal(err)
	}
	if err := author.Differs(steps); err == nil || !strings.Contains(err.Error(), "line 19: at 2026-01-31T09:00:00Z: got") {
		t.Errorf("%v", err)
	}
	updated := author.Rewritten([]byte(script), steps)
	again, err := simulate(t, canary, string(updated))
	if err != nil || author.Differs(again) != nil {
		t.Errorf("after the update: %v, %v\n%s", err, author.Differs(again), updated)
	}
	if diff := cmp.Diff(author.Script(steps), author.Script(again)); diff != "" {
		t.Errorf("the same script had another course: %s", diff)
	}
	if !strings.HasPrefix(string(updated), "# A canary.\nupgrade n=2") || !strings.HasSuffix(author.Script(steps), "done\n") {
		t.Errorf("%s", updated)
	}
}

func TestWrongSimulations(t *testing.T) {
	kills := func(sdk.UpgradeState) sdk.UpgradeStep { return sdk.UpgradeStep{Kill: 1} }
	idle := func(sdk.UpgradeState) sdk.UpgradeStep { return sdk.UpgradeStep{} }
	for _, tt := range []struct {
		name, script, want string
		strategy           stepwise
	}{
		{"beyond the envelope", "run n=2 min=1 over=0 strategy=test", "it asked to kill 1 instances where the envelope allows 0", kills},
		{"no such strategy", "run n=2 strategy=other", "no upgrade called other; it has test", idle},
		{"no such argument", "run n=2 m=3", "m=3: no such argument", idle},
		{"no such command", "upgrade n=2 strategy=test\n\njumps 3", "line 3: jumps 3: no such command", idle},
		{"too many", "upgrade n=2 strategy=test\n\nfalters 3", "there are not that many", idle},
		{"not begun", "falters 3", "expected upgrade or run first", idle},
		{"not paused", "upgrade n=2 strategy=test\n\npromote", "it is not paused", idle},
		{"no time", "upgrade n=2 strategy=test\n\nafter 5", "expected a time such as 10m", idle},
		{"too large", "upgrade n=9999999 strategy=test", "expected a whole number up to", idle},
		{"too much memory", "upgrade n=1 strategy=test", "more memory than is kept", func(sdk.UpgradeState) sdk.UpgradeStep {
			return sdk.UpgradeStep{Memory: make([]byte, sdk.MaxUpgradeMemory+1)}
		}},
	} {
		if _, err := simulate(t, tt.strategy, tt.script); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %q in it", tt.name, err, tt.want)
		}
	}
	steps, err := simulate(t, idle, "run n=1 strategy=test")
	if err != nil || !strings.HasSuffix(steps[0].Got, "; stuck\n") {
		t.Errorf("a strategy that does nothing: %+v, %v", steps, err)
	}
}
