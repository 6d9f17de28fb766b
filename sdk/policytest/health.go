package policytest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/pacer-run/pacer/sdk"
)

// RunHealth checks that each rule of the policy keeps what sdk.PreparedHealth
// promises, on every course of up to eight results. Whether its verdicts are
// good ones is for the policy's own tests.
func RunHealth(t *testing.T, policy sdk.Health) {
	t.Helper()
	for _, rule := range policy.Rules() {
		if rule != sdk.CanonicalRule(rule) {
			t.Errorf("the rule %q is not in the form of sdk.CanonicalRule", rule)
		}
		if err := CheckHealth(t.Context(), policy, rule); err != nil {
			t.Errorf("%s: %v", rule, err)
		}
	}
}

// CheckHealth says which promise the rule breaks; nil when it keeps them all.
func CheckHealth(ctx context.Context, policy sdk.Health, rule string) error {
	checks := []sdk.HealthCheck{
		{Protocol: "HTTP", IntervalMillis: 10_000, TimeoutMillis: 5_000, MaxConsecutiveFailures: 3},
		{Protocol: "TCP", IntervalMillis: 60_000, TimeoutMillis: 20_000, MaxConsecutiveFailures: 1},
		{Protocol: "MESOS_HTTP", IntervalMillis: 60_000, TimeoutMillis: 20_000, ByMesos: true},
	}
	p, err := policy.Prepare(ctx, sdk.HealthSpec{Rule: rule, App: sdk.AppFacts{ID: "/app", Instances: 2}, Checks: checks})
	if err != nil {
		return fmt.Errorf("prepare: %w", err)
	}
	defer p.Close()
	histories := courses(len(checks))
	verdicts, err := p.Judge(ctx, slices.Clone(histories))
	if err != nil {
		return fmt.Errorf("judge: %w", err)
	}
	if len(verdicts) != len(histories) {
		return fmt.Errorf("%d verdicts on %d histories", len(verdicts), len(histories))
	}
	var errs []error
	for i := range histories {
		if err := sound(&histories[i], &verdicts[i]); err != nil {
			errs = append(errs, err)
		}
	}
	return errors.Join(append(errs, alone(ctx, p, histories, verdicts))...)
}

// courses are all histories of up to eight results for each of so many checks.
func courses(checks int) []sdk.HealthHistory {
	var all []sdk.HealthHistory
	for check := range checks {
		for length := range 9 {
			for bits := range 1 << length {
				h := sdk.HealthHistory{Check: uint32(check), AgeMillis: uint64(length) * 10_000}
				for i := range length {
					h.HealthRecord = h.Add(sdk.HealthResult{AtMillis: int64(i+1) * 10_000, Alive: bits>>i&1 == 1, Cause: "no answer"})
				}
				all = append(all, h)
			}
		}
	}
	return all
}

// sound says what no verdict on the history can be.
func sound(h *sdk.HealthHistory, v *sdk.HealthVerdict) error {
	switch {
	case v.State > sdk.Unhealthy:
		return fmt.Errorf("the state %d, which there is not, on %+v", v.State, *h)
	case v.Replace && v.State != sdk.Unhealthy:
		return fmt.Errorf("an instance that is %v is to be replaced, on %+v", v.State, *h)
	case h.Results == 0 && v.State != sdk.HealthUnknown:
		return fmt.Errorf("%v although nothing was found yet", v.State)
	}
	return nil
}

// alone asks about each history again, in another order and company.
func alone(ctx context.Context, p sdk.PreparedHealth, histories []sdk.HealthHistory, verdicts []sdk.HealthVerdict) error {
	back := slices.Clone(histories)
	slices.Reverse(back)
	again, err := p.Judge(ctx, back)
	if err != nil {
		return fmt.Errorf("judge in reverse: %w", err)
	}
	if len(again) != len(back) {
		return fmt.Errorf("%d verdicts on %d histories in reverse", len(again), len(back))
	}
	for i, v := range verdicts {
		if w := again[len(again)-1-i]; v != w {
			return fmt.Errorf("the verdict depends on more than the history: %+v and %+v on %+v", v, w, histories[i])
		}
	}
	none, err := p.Judge(ctx, nil)
	if err == nil && len(none) > 0 {
		err = fmt.Errorf("%d verdicts on nothing", len(none))
	}
	return err
}
