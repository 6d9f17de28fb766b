package policytest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/pacer-run/pacer/sdk"
)

// HealthVector is one line about a health rule: what a check found on an instance,
// the oldest result first, + for a success and - for a failure, and what the rule
// makes of it:
//
//	consecutive max 3 course +-- is unhealthy
//	consecutive max 3 course +--- is unhealthy replace
//	window max 2 label HEALTH_WINDOW=5 course +-+-+ is healthy
//	window label HEALTH_WINDOW=x invalid "a whole number"
//
// The parts: label, protocol (HTTP if left out), max (consecutive failures that the
// check bears, 3), interval (seconds, 10), mesos (Mesos makes the check), course, is,
// replace, reason (a text in the reason), invalid. Texts may be quoted as in Go.
type HealthVector struct {
	Line    int
	Text    string
	Spec    sdk.HealthSpec // with one check
	Course  string
	State   sdk.HealthState
	Replace bool
	Reason  string // in the reason; "" for any
	Invalid string // in the message of Prepare; "" when it has to accept
}

// ReadHealth reads a file of health vectors. Empty lines and those that start with #
// are left out.
func ReadHealth(r io.Reader) (vectors []HealthVector, err error) {
	err = lines(r, func(n int, text string) error {
		v, err := parseHealth(text)
		v.Line = n
		vectors = append(vectors, v)
		return err
	})
	return vectors, err
}

func parseHealth(line string) (HealthVector, error) {
	v := HealthVector{Text: line}
	rule, list, err := parts(line, "replace", "mesos")
	if err != nil {
		return v, err
	}
	check := sdk.HealthCheck{Protocol: "HTTP", IntervalMillis: 10_000, TimeoutMillis: 5_000, MaxConsecutiveFailures: 3}
	v.Spec = sdk.HealthSpec{Rule: rule, App: sdk.AppFacts{ID: "/app", Instances: 1, Labels: map[string]string{}}}
	judged := false
	for _, p := range list {
		judged = judged || p.name == "is" || p.name == "invalid"
		if err := v.add(&check, p); err != nil {
			return v, err
		}
	}
	if !judged {
		return v, errors.New("expected what the rule makes of it: is or invalid")
	}
	v.Spec.Checks = []sdk.HealthCheck{check}
	return v, nil
}

func (v *HealthVector) add(check *sdk.HealthCheck, p part) error {
	switch p.name {
	case "label":
		return p.label(v.Spec.App.Labels)
	case "protocol":
		check.Protocol = p.arg.text
	case "max":
		return p.number(&check.MaxConsecutiveFailures)
	case "interval":
		var seconds uint32
		err := p.number(&seconds)
		check.IntervalMillis = uint64(seconds) * 1000
		return err
	case "mesos":
		check.ByMesos = true
	case "course":
		v.Course = p.arg.text
		if strings.Trim(v.Course, "+-") != "" {
			return fmt.Errorf("course %q: expected + and - only", v.Course)
		}
	case "is":
		for v.State = sdk.HealthUnknown; v.State.String() != p.arg.text; v.State++ {
			if v.State == sdk.Unhealthy {
				return fmt.Errorf("is %q: expected unknown, healthy or unhealthy", p.arg.text)
			}
		}
	case "replace":
		v.Replace = true
	case "reason":
		v.Reason = p.arg.full()
	case "invalid":
		v.Invalid = p.arg.full()
	default:
		return fmt.Errorf("%q is no part of a health vector", p.name)
	}
	return nil
}

// RunHealthVectors checks each vector, in a subtest named after its line.
func RunHealthVectors(t *testing.T, policy sdk.Health, vectors []HealthVector) {
	t.Helper()
	for _, v := range vectors {
		t.Run(fmt.Sprintf("line %d", v.Line), func(t *testing.T) {
			if err := v.Check(t.Context(), policy); err != nil {
				t.Errorf("%s\n%v", v.Text, err)
			}
		})
	}
}

// Check says how the rule's verdict differs from the vector; nil if it does not.
func (v HealthVector) Check(ctx context.Context, policy sdk.Health) error {
	prepared, err := policy.Prepare(ctx, v.Spec)
	if done, err := refusal(err, v.Invalid); done {
		return err
	}
	defer prepared.Close()
	if v.Invalid != "" {
		return fmt.Errorf("accepted, want it invalid with %q", v.Invalid)
	}
	verdicts, err := prepared.Judge(ctx, []sdk.HealthHistory{v.history()})
	if err != nil {
		return fmt.Errorf("judge: %w", err)
	}
	if len(verdicts) != 1 {
		return fmt.Errorf("%d verdicts on one history", len(verdicts))
	}
	got := verdicts[0]
	if got.State != v.State || got.Replace != v.Replace || !strings.Contains(got.Reason, v.Reason) {
		return fmt.Errorf("got %v, replace %t, reason %q; want %v, replace %t, %q in the reason", got.State, got.Replace, got.Reason, v.State, v.Replace, v.Reason)
	}
	return nil
}

// history is the course with a result at every interval.
func (v HealthVector) history() sdk.HealthHistory {
	interval := v.Spec.Checks[0].IntervalMillis
	h := sdk.HealthHistory{AgeMillis: uint64(len(v.Course)+1) * interval}
	for i, result := range v.Course {
		r := sdk.HealthResult{AtMillis: int64(uint64(i+1) * interval), Alive: result == '+'}
		if !r.Alive {
			r.Cause = "no answer"
		}
		h.HealthRecord = h.Add(r)
	}
	return h
}

// refusal deals with an error of Prepare: whether the vector is settled by it, and
// how it differs from what the message has to have in it.
func refusal(err error, want string) (done bool, differs error) {
	invalid, ok := errors.AsType[*sdk.Invalid](err)
	switch {
	case err == nil:
		return false, nil
	case !ok || want == "":
		return true, fmt.Errorf("prepare: %w", err)
	case !strings.Contains(invalid.Message, want):
		return true, fmt.Errorf("invalid: %q, want %q in it", invalid.Message, want)
	}
	return true, nil
}
