package policytest_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/pacer-run/pacer/sdk"
	"github.com/pacer-run/pacer/sdk/policytest"
)

// rule is a policy whose verdicts are made by a function.
type rule func([]sdk.HealthHistory) ([]sdk.HealthVerdict, error)

func (r rule) Rules() []string { return []string{"rule"} }

func (r rule) Prepare(context.Context, sdk.HealthSpec) (sdk.PreparedHealth, error) { return r, nil }

func (r rule) Judge(_ context.Context, h []sdk.HealthHistory) ([]sdk.HealthVerdict, error) {
	return r(h)
}

func (r rule) Close() {}

// each is a rule that judges one history at a time.
func each(judge func(i int, h *sdk.HealthHistory) sdk.HealthVerdict) rule {
	return func(histories []sdk.HealthHistory) ([]sdk.HealthVerdict, error) {
		var verdicts []sdk.HealthVerdict
		for i := range histories {
			verdicts = append(verdicts, judge(i, &histories[i]))
		}
		return verdicts, nil
	}
}

func TestCheckHealth(t *testing.T) {
	state := func(h *sdk.HealthHistory) sdk.HealthState {
		switch {
		case h.Results == 0:
			return sdk.HealthUnknown
		case h.Alive():
			return sdk.Healthy
		}
		return sdk.Unhealthy
	}
	for _, tt := range []struct {
		name string
		rule rule
		want string // in the error; "" for none
	}{
		{"keeps all promises", each(func(_ int, h *sdk.HealthHistory) sdk.HealthVerdict { return sdk.HealthVerdict{State: state(h)} }), ""},
		{"too few verdicts", func([]sdk.HealthHistory) ([]sdk.HealthVerdict, error) { return nil, nil }, "0 verdicts on"},
		{"a fault", func([]sdk.HealthHistory) ([]sdk.HealthVerdict, error) { return nil, errors.New("boom") }, "boom"},
		{"a state that is none", each(func(int, *sdk.HealthHistory) sdk.HealthVerdict { return sdk.HealthVerdict{State: 7} }), "the state 7"},
		{"replaces what is healthy", each(func(_ int, h *sdk.HealthHistory) sdk.HealthVerdict {
			return sdk.HealthVerdict{State: state(h), Replace: h.Alive()}
		}), "healthy is to be replaced"},
		{"knows before anything was found", each(func(int, *sdk.HealthHistory) sdk.HealthVerdict {
			return sdk.HealthVerdict{State: sdk.Healthy}
		}), "nothing was found yet"},
		{"depends on the place", each(func(i int, h *sdk.HealthHistory) sdk.HealthVerdict {
			return sdk.HealthVerdict{State: state(h), Reason: strings.Repeat("x", i%3)}
		}), "more than the history"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			switch err := policytest.CheckHealth(t.Context(), tt.rule, "rule"); {
			case tt.want == "" && err != nil:
				t.Error(err)
			case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
				t.Errorf("got %v, want %q in it", err, tt.want)
			}
		})
	}
}
