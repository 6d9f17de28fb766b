package upgrades

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/pacer-run/pacer/sdk"
)

// Labels that set the strategy canary.
const (
	// CanaryShareLabel says how many new instances come first: "10%" or "3".
	CanaryShareLabel = "PACER_UPGRADE_CANARY_SHARE"
	// CanaryBakeLabel has the upgrade go on by itself after the first ones have been
	// healthy so long without a break; without it somebody has to say so.
	CanaryBakeLabel = "PACER_UPGRADE_CANARY_BAKE"
	// CanaryTimeoutLabel has the upgrade rolled back when the first ones were not
	// healthy for so long in all; without it they are waited for.
	CanaryTimeoutLabel = "PACER_UPGRADE_CANARY_TIMEOUT"
)

// Canary is the strategy canary: a few new instances come first, and the rest
// follows, as in rolling, when somebody or a time without trouble says that they
// are good.
type Canary struct{}

// Strategies returns canary.
func (Canary) Strategies() []string { return []string{"canary"} }

// Prepare reads the labels.
func (Canary) Prepare(_ context.Context, u sdk.UpgradeSpec) (sdk.PreparedUpgrade, error) {
	set := settings{labels: u.App.Labels}
	c := canary{
		share: set.share(CanaryShareLabel, share{percent: 10}),
		bake:  set.duration(CanaryBakeLabel), timeout: set.duration(CanaryTimeoutLabel),
	}
	if set.wrong != nil {
		return nil, set.wrong
	}
	return &c, nil
}

type canary struct {
	share         share
	bake, timeout uint64 // milliseconds; 0: none
}

func (*canary) Close() {}

// Next never asks for more than the envelope allows.
func (c *canary) Next(_ context.Context, s sdk.UpgradeState) (sdk.UpgradeStep, error) {
	p := progressOf(&s)
	first := c.share.of(p.wanted)
	seen := recall(s.Memory)
	if s.Promotions > 0 || s.Undoes || seen.passed || first == 0 {
		return rest(p), nil
	}
	start, kill := p.firstOnes(first)
	seen = seen.at(s.Millis, start <= 0 && kill <= 0 && p.fresh >= first && p.ready == p.fresh && p.well == p.fresh)
	since := s.Millis - seen.since
	lost := seen.lost + since // when they are not well
	var step sdk.UpgradeStep
	switch {
	case seen.well && c.bake > 0 && since >= c.bake:
		return rest(p), nil
	case seen.well:
		step = c.paused(first, since)
	case c.timeout > 0 && lost >= c.timeout:
		return sdk.UpgradeStep{Outcome: sdk.RollBack, Reason: fmt.Sprintf(
			"the first new instances were not all healthy for %s: %d of %d are", length(c.timeout), p.well, first)}, nil
	default:
		if step = p.step(start, kill); c.timeout > 0 {
			step.AskAfterMillis = c.timeout - lost
		}
	}
	if c.bake+c.timeout > 0 {
		step.Memory = seen.memory()
	}
	return step, nil
}

// rest is the step after the first ones: that of rolling, whatever comes.
func rest(p progress) sdk.UpgradeStep {
	step := p.step(roll(p))
	step.Memory = []byte(passed)
	return step
}

// paused is the answer while all the first ones are well. When time or the loss of
// health may end the pause it asks to be asked.
func (c *canary) paused(first int, since uint64) sdk.UpgradeStep {
	step := sdk.UpgradeStep{Outcome: sdk.Pause, AskAfterMillis: c.timeout}
	step.Reason = fmt.Sprintf("the first %d new instances are healthy", first)
	if first == 1 {
		step.Reason = "the first new instance is healthy"
	}
	if c.bake > 0 {
		step.AskAfterMillis = c.bake - since
		step.Reason += ", and the upgrade goes on by itself after " + length(c.bake) + " of that"
	}
	return step
}

// firstOnes brings the first ones up beside the old ones, which go where there is
// no room, and when the new ones are there in their place.
func (p *progress) firstOnes(first int) (start, kill int) {
	missing := max(0, first-p.fresh)
	start = min(missing, p.room)
	needed := missing - max(0, p.room) - p.dying
	surplus := p.living - p.wanted
	if first < p.wanted { // else the old ones would be gone before anybody had a say
		surplus += p.ready
	}
	return start, min(p.living, p.unhealthy+max(0, p.spare), max(needed, surplus))
}

// seen is what a canary remembers: since when its first ones are well, or are not,
// in milliseconds since the upgrade began, and for how long they were not before.
// One that fails again and again is well between.
type seen struct {
	well, passed bool
	since, lost  uint64
}

// passed is the memory of an upgrade whose first ones have been good.
const passed = "passed"

func recall(memory []byte) (s seen) {
	word, numbers, _ := strings.Cut(string(memory), ":")
	if word == passed {
		return seen{passed: true}
	}
	since, lost, _ := strings.Cut(numbers, "+")
	s.well = word == "well"
	s.since, _ = strconv.ParseUint(since, 10, 64) // it is its own, or nothing
	s.lost, _ = strconv.ParseUint(lost, 10, 64)
	return s
}

func (s seen) memory() []byte {
	word := "unwell:"
	if s.well {
		word = "well:"
	}
	return fmt.Appendf(nil, "%s%d+%d", word, s.since, s.lost)
}

// at is the memory after a look. The clock of another leader may be behind.
func (s seen) at(millis uint64, well bool) seen {
	s.since = min(s.since, millis)
	if s.well == well {
		return s
	}
	if !s.well {
		s.lost += millis - s.since
	}
	return seen{well: well, since: millis, lost: s.lost}
}

// length writes a duration: "10m" and not "10m0s".
func length(millis uint64) string {
	text := (time.Duration(millis) * time.Millisecond).String()
	if short, ok := strings.CutSuffix(text, "m0s"); ok {
		text = short + "m"
	}
	if short, ok := strings.CutSuffix(text, "h0m"); ok {
		text = short + "h"
	}
	return text
}
