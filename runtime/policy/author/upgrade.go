package author

import (
	"fmt"
	"iter"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/pacer-run/pacer/runtime/policy/remote"
	"github.com/pacer-run/pacer/sdk"
	"github.com/pacer-run/pacer/sdk/policytest"
	"github.com/pacer-run/pacer/sdk/wire"
)

// upgradeForm is that of the kind upgrade.
type upgradeForm = form[sdk.Upgrade, sdk.PreparedUpgrade, sdk.UpgradeSpec, sdk.UpgradeState, sdk.UpgradeStep]

func upgradeTools() upgradeForm {
	return upgradeForm{
		policies: func(b Builtins) []sdk.Upgrade { return b.Upgrades }, names: sdk.Upgrade.Strategies,
		take: sdk.Upgrade.Prepare, answer: sdk.PreparedUpgrade.Next,
		decodeSpec: wire.DecodeUpgradeSpec, encodeSpec: wire.AppendUpgradeSpec, decoder: always(wire.DecodeUpgradeState),
		encodeInput:  wire.AppendUpgradeState,
		decodeAnswer: func(b []byte, _ int) (sdk.UpgradeStep, error) { return wire.DecodeUpgradeStep(b) }, encodeAnswer: wire.AppendUpgradeStep,
		name:       func(u *sdk.UpgradeSpec) *string { return &u.Strategy },
		subject:    func(u *sdk.UpgradeSpec) subject { return subject{u.Strategy, u.Strategy, u.App.ID} },
		itemsOf:    func(sdk.UpgradeState) []string { return []string{""} },
		verdictsOf: func(s sdk.UpgradeStep) []string { return []string{stepText(&s)} },
		cases:      upgradeCases, make: randomUpgrade, text: upgradeText, reduced: smallerUpgrade,
	}
}

func stepText(s *sdk.UpgradeStep) string {
	text := fmt.Sprintf("start %d kill %d", s.Start, s.Kill)
	switch s.Outcome {
	case sdk.Proceed:
	case sdk.Pause:
		text += " pause"
	case sdk.RollBack:
		text += " rollback"
	default:
		text += fmt.Sprintf(" outcome %d", s.Outcome)
	}
	if s.AskAfterMillis > 0 {
		text += " ask " + (time.Duration(s.AskAfterMillis) * time.Millisecond).String()
	}
	return text
}

func upgradeCases(text []byte, envelope Envelope) ([]Case, error) {
	if isScript(text) {
		return scriptCases(text, envelope)
	}
	return lineCases(text, policytest.ReadUpgrade, func(v policytest.UpgradeVector) Case {
		c := Case{Line: v.Line, Name: v.Spec.Strategy, Text: v.Text, check: asked(remote.Upgrade, v.Check), actual: answered(remote.Upgrade, v.Actual)}
		if v.Invalid == "" {
			c.sample = &sample{remote.KindUpgrade, v.Spec.Strategy, wire.AppendUpgradeSpec(nil, v.Spec), func(int) []byte {
				return wire.AppendUpgradeState(nil, v.State)
			}}
		}
		return c
	})
}

func randomUpgrade(f *fuzzer, t target) (sdk.UpgradeSpec, sdk.UpgradeState) {
	spec := sdk.UpgradeSpec{Strategy: t.name, App: sdk.AppFacts{ID: "/app"}}
	if known, ok := upgradeTools().known(f, t); ok {
		spec.App.Labels = known.App.Labels
	} else {
		spec.App.Labels = f.labels(t)
	}
	s := sdk.UpgradeState{
		Instances: uint32(f.size(1000)), MinimumHealthCapacity: float64(f.rand.IntN(11)) / 10, MaximumOverCapacity: float64(f.rand.IntN(11)) / 10,
		Millis: uint64(f.rand.IntN(1 << 30)), Promotions: uint32(f.size(5)), Undoes: f.rand.IntN(8) == 0,
	}
	upTo := func(n uint32) uint32 { return f.rand.Uint32N(n + 1) }
	s.Old, s.New = upTo(s.Instances+1), upTo(s.Instances)
	s.OldDying = upTo(s.Old)
	s.OldHealthy = upTo(s.Old - s.OldDying)
	s.NewHealthy, s.NewReady = upTo(s.New), upTo(s.New)
	if f.rand.IntN(2) == 0 {
		s.NowMillis = 1000 * (1_700_000_000 + int64(f.rand.IntN(1<<30)))
	}
	if f.rand.IntN(3) == 0 {
		s.Memory = []byte(f.text(t))
	}
	return whole(spec, s)
}

// whole has the numbers that follow from others follow.
func whole(spec sdk.UpgradeSpec, s sdk.UpgradeState) (sdk.UpgradeSpec, sdk.UpgradeState) {
	n := float64(s.Instances)
	s.MinHealthy, s.MaxTotal = uint32(math.Ceil(n*s.MinimumHealthCapacity)), uint32(n*(1+s.MaximumOverCapacity))
	if s.MinHealthy == s.MaxTotal {
		s.MaxTotal++ // as a host does
	}
	s.OldDying = min(s.OldDying, s.Old)
	s.OldHealthy = min(s.OldHealthy, s.Old-s.OldDying)
	s.New = min(s.New, s.Instances)
	s.NewHealthy, s.NewReady = min(s.NewHealthy, s.New), min(s.NewReady, s.New)
	spec.App.Instances = s.Instances
	spec.MinimumHealthCapacity, spec.MaximumOverCapacity = s.MinimumHealthCapacity, s.MaximumOverCapacity
	return spec, s
}

// counts are the numbers of a state by their words in a vector.
func counts(s *sdk.UpgradeState) []struct {
	word string
	of   *uint32
} {
	return []struct {
		word string
		of   *uint32
	}{
		{"instances", &s.Instances},
		{"old", &s.Old},
		{"dying", &s.OldDying},
		{"healthy", &s.OldHealthy},
		{"new", &s.New},
		{"well", &s.NewHealthy},
		{"ready", &s.NewReady},
		{"promotions", &s.Promotions},
	}
}

func upgradeText(spec sdk.UpgradeSpec, s sdk.UpgradeState) string {
	var text strings.Builder
	text.WriteString(spec.Strategy + labelsText(spec.App.Labels))
	for _, c := range counts(&s) {
		if *c.of > 0 || c.word == "well" && s.NewReady > 0 {
			text.WriteString(" " + c.word + " " + strconv.FormatUint(uint64(*c.of), 10))
		}
	}
	text.WriteString(" min " + strconv.FormatFloat(s.MinimumHealthCapacity, 'g', -1, 64) + " over " + strconv.FormatFloat(s.MaximumOverCapacity, 'g', -1, 64))
	if s.Millis > 0 {
		text.WriteString(" after " + (time.Duration(s.Millis) * time.Millisecond).String())
	}
	if s.NowMillis > 0 {
		text.WriteString(" at " + time.UnixMilli(s.NowMillis).UTC().Format(time.RFC3339))
	}
	if s.Undoes {
		text.WriteString(" undoes")
	}
	if len(s.Memory) > 0 {
		text.WriteString(" memory " + strconv.Quote(string(s.Memory)))
	}
	return text.String() + " says nothing"
}

func smallerUpgrade(spec sdk.UpgradeSpec, s sdk.UpgradeState) iter.Seq2[sdk.UpgradeSpec, sdk.UpgradeState] {
	return func(yield func(sdk.UpgradeSpec, sdk.UpgradeState) bool) {
		for app := range smallerApp(spec.App) {
			less := spec
			if less.App = app; !yield(less, s) {
				return
			}
		}
		for less := range smallerState(s) {
			if !yield(whole(spec, less)) {
				return
			}
		}
		for memory := range shorter(string(s.Memory)) {
			less := s
			if less.Memory = []byte(memory); !yield(spec, less) {
				return
			}
		}
	}
}

func smallerState(s sdk.UpgradeState) iter.Seq[sdk.UpgradeState] {
	return func(yield func(sdk.UpgradeState) bool) {
		plain := s
		plain.MinimumHealthCapacity, plain.MaximumOverCapacity = 1, 0
		if (plain.MinimumHealthCapacity != s.MinimumHealthCapacity || plain.MaximumOverCapacity != s.MaximumOverCapacity) && !yield(plain) {
			return
		}
		plain = s
		if plain.NowMillis, plain.Undoes = 0, false; (s.NowMillis > 0 || s.Undoes) && !yield(plain) {
			return
		}
		for i, c := range counts(&s) {
			for n := range below(uint64(*c.of)) {
				less := s
				if *counts(&less)[i].of = uint32(n); !yield(less) {
					return
				}
			}
		}
		for n := range below(s.Millis) {
			less := s
			if less.Millis = n; !yield(less) {
				return
			}
		}
	}
}
