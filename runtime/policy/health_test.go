package policy_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/pacer-run/pacer/plugins/constraints"
	"github.com/pacer-run/pacer/plugins/health"
	"github.com/pacer-run/pacer/plugins/upgrades"
	"github.com/pacer-run/pacer/runtime/policy"
	"github.com/pacer-run/pacer/sdk"
)

func openHealth(t *testing.T, more ...sdk.Health) *policy.Catalog {
	t.Helper()
	c, err := policy.Open(t.Context(), policy.Config{
		Builtins: constraints.All(), Upgrades: upgrades.All(), Health: append(health.All(), more...),
	})
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

// sick are two histories of one check: nothing yet, and a failure.
func sick() []sdk.HealthHistory {
	return []sdk.HealthHistory{{}, {HealthRecord: sdk.HealthRecord{}.Add(sdk.HealthResult{AtMillis: 1, Cause: "down"})}}
}

func TestHealth(t *testing.T) {
	c := openHealth(t)
	p, err := c.PrepareHealth(t.Context(), sdk.HealthSpec{Rule: " Consecutive", Checks: []sdk.HealthCheck{{MaxConsecutiveFailures: 1}}})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	verdicts, err := p.Judge(t.Context(), sick())
	if want := []sdk.HealthVerdict{{}, {State: sdk.Unhealthy, Replace: true, Reason: "down"}}; err != nil || !slices.Equal(verdicts, want) {
		t.Errorf("%+v, %v", verdicts, err)
	}
	if got := c.HealthRules(); !slices.Equal(got, []string{"consecutive", "window"}) {
		t.Errorf("rules %v", got)
	}
	modules := c.Modules()
	if len(modules) != 3 {
		t.Fatalf("%+v", modules)
	}
	if m := modules[2]; m.Kind != "health" || m.Name != "builtin" || m.State != policy.Active || m.Operators != nil || m.Strategies != nil ||
		!slices.Equal(m.Rules, []string{"consecutive", "window"}) || m.Calls != 2 || m.Faults != 0 {
		t.Errorf("%+v", m)
	}
	if m := modules[1]; m.Rules != nil || m.Calls != 0 {
		t.Errorf("%+v", m)
	}
}

func TestUnknownRule(t *testing.T) {
	_, err := openHealth(t).PrepareHealth(t.Context(), sdk.HealthSpec{Rule: "rolling"})
	if invalid, ok := errors.AsType[*sdk.Invalid](err); !ok || invalid.Message != "health rule must be one of the following consecutive or window" {
		t.Errorf("error %v", err)
	}
	_, err = policy.Open(t.Context(), policy.Config{Health: append(health.All(), health.Window{})})
	if err == nil || err.Error() != "two built-in policies offer the health rule window" {
		t.Errorf("error %v", err)
	}
}

// ill is the rule "ill"; its functions may be nil for what works.
type ill struct {
	prepare func() error
	judge   func() ([]sdk.HealthVerdict, error)
	close   func()
}

func (i ill) Rules() []string { return []string{"ill"} }

func (i ill) Prepare(context.Context, sdk.HealthSpec) (sdk.PreparedHealth, error) {
	if i.prepare != nil {
		return i, i.prepare()
	}
	return i, nil
}

func (i ill) Judge(context.Context, []sdk.HealthHistory) ([]sdk.HealthVerdict, error) {
	if i.judge != nil {
		return i.judge()
	}
	return make([]sdk.HealthVerdict, 2), nil
}

func (i ill) Close() {
	if i.close != nil {
		i.close()
	}
}

func TestFaultsOfHealth(t *testing.T) {
	answer := func(err error, verdicts ...sdk.HealthVerdict) func() ([]sdk.HealthVerdict, error) {
		return func() ([]sdk.HealthVerdict, error) { return verdicts, err }
	}
	unknown := sdk.HealthVerdict{}
	for _, test := range []struct {
		name  string
		ill   ill
		cause string // of the one fault; "" for none
		calls uint64
	}{
		{"nothing", ill{}, "", 2},
		{"a panic when it prepares", ill{prepare: func() error { panic("no") }}, "it panicked: no", 1},
		{"a panic when it judges", ill{judge: func() ([]sdk.HealthVerdict, error) { panic("no") }}, "it panicked: no", 2},
		{"an error when it judges", ill{judge: answer(errors.New("lost"), unknown, unknown)}, "lost", 2},
		{"too few verdicts", ill{judge: answer(nil, unknown)}, "it answered 1 verdicts on 2 histories", 2},
		{"a state that there is not", ill{judge: answer(nil, unknown, sdk.HealthVerdict{State: 3})}, "it answered the state 3, which there is not", 2},
		{
			"replaces what is well",
			ill{judge: answer(nil, sdk.HealthVerdict{State: sdk.Healthy, Replace: true}, unknown)},
			"it wants an instance replaced whose state is healthy", 2,
		},
		{"a panic at the end", ill{close: func() { panic("twice") }}, "it panicked: twice", 2},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := openHealth(t, test.ill)
			verdicts, err := judge(t, c)
			fault, failed := errors.AsType[*sdk.Fault](err)
			if failed && (fault.Module != "builtin" || fault.Cause != test.cause || verdicts != nil) {
				t.Errorf("%+v, %v", verdicts, err)
			}
			if wantErr := test.cause != "" && test.ill.close == nil; failed != wantErr {
				t.Errorf("error %v", err)
			}
			m := c.Modules()[2]
			if m.Calls != test.calls || (m.Faults == 1) != (test.cause != "") || m.Error != test.cause {
				t.Errorf("%d calls, %d faults, %q", m.Calls, m.Faults, m.Error)
			}
		})
	}
}

// judge prepares the rule ill, asks it once and closes it.
func judge(t *testing.T, c *policy.Catalog) ([]sdk.HealthVerdict, error) {
	p, err := c.PrepareHealth(t.Context(), sdk.HealthSpec{Rule: "ill"})
	if err != nil {
		return nil, err
	}
	defer p.Close()
	return p.Judge(t.Context(), sick())
}
