package policytest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/pacer-run/pacer/sdk"
)

// UpgradeVector is one line about an upgrade strategy: where an upgrade stands and
// the step that the strategy takes from there:
//
//	batch instances 7 min 0.4 over 0 old 7 healthy 7 says kill 3
//	canary label CANARY=10% instances 10 over 0.1 old 10 healthy 10 new 1 ready 1 says pause reason "10 %"
//	canary label CANARY=x invalid "a percentage"
//
// Before says: label, instances, min and over (the two capacities, 1 and 0 if left
// out), old, dying, healthy (old ones), new, well (new ones that are healthy; as many
// as are ready if left out), ready, after (time since the upgrade began, such as 90s),
// at (the time of day, RFC 3339), promotions, undoes (it undoes another upgrade), memory. Behind it: start and kill (0 if
// left out), ask (after a time), pause, rollback, reason (a text in it), memory. Texts
// may be quoted as in Go.
type UpgradeVector struct {
	Line    int
	Text    string
	Spec    sdk.UpgradeSpec
	State   sdk.UpgradeState
	Step    sdk.UpgradeStep // Reason is what has to be in the reason
	Asks    bool            // AskAfterMillis is checked
	Leaves  bool            // Memory is checked
	Invalid string          // in the message of Prepare; "" when it has to accept

	says, well bool
}

// ReadUpgrade reads a file of upgrade vectors. Empty lines and those that start with
// # are left out.
func ReadUpgrade(r io.Reader) (vectors []UpgradeVector, err error) {
	err = lines(r, func(n int, text string) error {
		v, err := parseUpgrade(text)
		v.Line = n
		vectors = append(vectors, v)
		return err
	})
	return vectors, err
}

func parseUpgrade(line string) (UpgradeVector, error) {
	v := UpgradeVector{Text: line}
	strategy, list, err := parts(line, "says", "pause", "rollback", "nothing", "undoes")
	if err != nil {
		return v, err
	}
	v.Spec = sdk.UpgradeSpec{Strategy: strategy, App: sdk.AppFacts{ID: "/app", Labels: map[string]string{}}}
	v.State.MinimumHealthCapacity = 1
	for _, p := range list {
		add := v.addState
		if v.says {
			add = v.addStep
		}
		if err := add(p); err != nil {
			return v, err
		}
	}
	if !v.says && v.Invalid == "" {
		return v, errors.New("expected the step that is taken: says or invalid")
	}
	if !v.well {
		v.State.NewHealthy = v.State.NewReady
	}
	v.Spec.App.Instances = v.State.Instances
	v.Spec.MinimumHealthCapacity, v.Spec.MaximumOverCapacity = v.State.MinimumHealthCapacity, v.State.MaximumOverCapacity
	v.State.MinHealthy, v.State.MaxTotal = envelope(&v.State)
	return v, nil
}

// envelope is the one that a host gives to an app without volumes.
func envelope(s *sdk.UpgradeState) (minHealthy, maxTotal uint32) {
	n := float64(s.Instances)
	minHealthy, maxTotal = uint32(math.Ceil(n*s.MinimumHealthCapacity)), uint32(n*(1+s.MaximumOverCapacity))
	if minHealthy == maxTotal {
		maxTotal++ // else nothing could ever move
	}
	return minHealthy, maxTotal
}

func (v *UpgradeVector) addState(p part) error {
	s := &v.State
	numbers := map[string]*uint32{
		"instances": &s.Instances, "old": &s.Old, "dying": &s.OldDying, "healthy": &s.OldHealthy,
		"new": &s.New, "well": &s.NewHealthy, "ready": &s.NewReady, "promotions": &s.Promotions,
	}
	if into, ok := numbers[p.name]; ok {
		v.well = v.well || p.name == "well"
		return p.number(into)
	}
	switch p.name {
	case "says":
		v.says = true
	case "label":
		return p.label(v.Spec.App.Labels)
	case "min":
		return p.fraction(&s.MinimumHealthCapacity)
	case "over":
		return p.fraction(&s.MaximumOverCapacity)
	case "after":
		return p.millis(&s.Millis)
	case "at":
		at, err := time.Parse(time.RFC3339, p.arg.text)
		if err != nil {
			return fmt.Errorf("at %q: expected a time such as 2026-01-31T09:00:00Z", p.arg.text)
		}
		s.NowMillis = at.UnixMilli()
	case "memory":
		s.Memory = []byte(p.arg.full())
	case "undoes":
		s.Undoes = true
	case "invalid":
		v.Invalid = p.arg.full()
	default:
		return fmt.Errorf("%q is no part of the state in an upgrade vector", p.name)
	}
	return nil
}

func (v *UpgradeVector) addStep(p part) error {
	switch p.name {
	case "nothing":
	case "start":
		return p.number(&v.Step.Start)
	case "kill":
		return p.number(&v.Step.Kill)
	case "ask":
		v.Asks = true
		return p.millis(&v.Step.AskAfterMillis)
	case "pause":
		v.Step.Outcome = sdk.Pause
	case "rollback":
		v.Step.Outcome = sdk.RollBack
	case "reason":
		v.Step.Reason = p.arg.full()
	case "memory":
		v.Leaves, v.Step.Memory = true, []byte(p.arg.full())
	default:
		return fmt.Errorf("%q is no part of the step in an upgrade vector", p.name)
	}
	return nil
}

func (p part) millis(into *uint64) error {
	d, err := time.ParseDuration(p.arg.text)
	if err != nil || d < 0 {
		return fmt.Errorf("%s %q: expected a time such as 90s", p.name, p.arg.full())
	}
	*into = uint64(d.Milliseconds())
	return nil
}

// RunUpgrade checks each vector, in a subtest named after its line.
func RunUpgrade(t *testing.T, policy sdk.Upgrade, vectors []UpgradeVector) {
	t.Helper()
	for _, v := range vectors {
		t.Run(fmt.Sprintf("line %d", v.Line), func(t *testing.T) {
			if err := v.Check(t.Context(), policy); err != nil {
				t.Errorf("%s\n%v", v.Text, err)
			}
		})
	}
}

// Check says how the strategy's step differs from the vector; nil if it does not. It
// is asked twice: the step must depend on the state alone.
func (v UpgradeVector) Check(ctx context.Context, policy sdk.Upgrade) error {
	prepared, err := policy.Prepare(ctx, v.Spec)
	if done, err := refusal(err, v.Invalid); done {
		return err
	}
	defer prepared.Close()
	if v.Invalid != "" {
		return fmt.Errorf("accepted, want it invalid with %q", v.Invalid)
	}
	for range 2 {
		step, err := prepared.Next(ctx, v.State)
		if err != nil {
			return fmt.Errorf("next: %w", err)
		}
		if !v.fits(&step) {
			return fmt.Errorf("got %s", stepText(&step))
		}
	}
	return nil
}

func (v *UpgradeVector) fits(step *sdk.UpgradeStep) bool {
	want := &v.Step
	return step.Start == want.Start && step.Kill == want.Kill && step.Outcome == want.Outcome && strings.Contains(step.Reason, want.Reason) &&
		(!v.Asks || step.AskAfterMillis == want.AskAfterMillis) && (!v.Leaves || bytes.Equal(step.Memory, want.Memory))
}

// stepText is a step in the words of a vector.
func stepText(s *sdk.UpgradeStep) string {
	text := moves(s)
	if s.AskAfterMillis > 0 {
		text += fmt.Sprintf(" ask %v", time.Duration(s.AskAfterMillis)*time.Millisecond)
	}
	if s.Reason != "" {
		text += fmt.Sprintf(" reason %q", s.Reason)
	}
	if len(s.Memory) > 0 {
		text += fmt.Sprintf(" memory %q", s.Memory)
	}
	return text
}

// moves is what a step does, in the words of a vector.
func moves(s *sdk.UpgradeStep) string {
	text := ""
	if s.Start > 0 {
		text += fmt.Sprintf(" start %d", s.Start)
	}
	if s.Kill > 0 {
		text += fmt.Sprintf(" kill %d", s.Kill)
	}
	switch s.Outcome {
	case sdk.Proceed:
	case sdk.Pause:
		text += " pause"
	case sdk.RollBack:
		text += " rollback"
	default:
		text += fmt.Sprintf(" outcome %d", s.Outcome)
	}
	if text == "" {
		return "nothing"
	}
	return text[1:]
}
