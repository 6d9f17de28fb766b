package author

import (
	"iter"
	"slices"
	"strconv"
	"strings"

	"github.com/pacer-run/pacer/runtime/policy/remote"
	"github.com/pacer-run/pacer/sdk"
	"github.com/pacer-run/pacer/sdk/policytest"
	"github.com/pacer-run/pacer/sdk/wire"
)

// healthForm is that of the kind health.
type healthForm = form[sdk.Health, sdk.PreparedHealth, sdk.HealthSpec, []sdk.HealthHistory, []sdk.HealthVerdict]

func healthTools() healthForm {
	return healthForm{
		policies: func(b Builtins) []sdk.Health { return b.Healths }, names: sdk.Health.Rules,
		take: sdk.Health.Prepare, answer: sdk.PreparedHealth.Judge,
		decodeSpec: wire.DecodeHealthSpec, encodeSpec: wire.AppendHealthSpec, decoder: always(wire.DecodeHealthInput),
		encodeInput: wire.AppendHealthInput, decodeAnswer: wire.DecodeHealthAnswer, encodeAnswer: wire.AppendHealthAnswer,
		name:    func(h *sdk.HealthSpec) *string { return &h.Rule },
		subject: func(h *sdk.HealthSpec) subject { return subject{h.Rule, h.Rule, h.App.ID} },
		itemsOf: func(histories []sdk.HealthHistory) (items []string) {
			for i := range histories {
				items = append(items, "check "+strconv.FormatUint(uint64(histories[i].Check), 10)+" "+courseText(&histories[i].HealthRecord))
			}
			return items
		},
		verdictsOf: func(verdicts []sdk.HealthVerdict) (texts []string) {
			for _, v := range verdicts {
				text := v.State.String()
				if v.Replace {
					text += ", replaced"
				}
				texts = append(texts, text)
			}
			return texts
		},
		cases: healthCases, make: randomHealth, text: healthText, reduced: smallerHealth,
	}
}

// courseText is a record as in a vector, the oldest result first.
func courseText(r *sdk.HealthRecord) string {
	var text strings.Builder
	for i := int(r.Results) - 1; i >= 0; i-- {
		text.WriteByte("-+"[r.Recent>>i&1])
	}
	return text.String()
}

// historyOf is a course with a result at every interval, as in a vector.
func historyOf(course string, intervalMillis uint64) sdk.HealthHistory {
	h := sdk.HealthHistory{AgeMillis: uint64(len(course)+1) * intervalMillis}
	for i, result := range course {
		r := sdk.HealthResult{AtMillis: int64(uint64(i+1) * intervalMillis), Alive: result == '+'}
		if !r.Alive {
			r.Cause = "no answer"
		}
		h.HealthRecord = h.Add(r)
	}
	return h
}

func healthCases(text []byte, _ Envelope) ([]Case, error) {
	return lineCases(text, policytest.ReadHealth, func(v policytest.HealthVector) Case {
		c := Case{Line: v.Line, Name: v.Spec.Rule, Text: v.Text, check: asked(remote.Health, v.Check), actual: answered(remote.Health, v.Actual)}
		if v.Invalid == "" {
			c.sample = &sample{remote.KindHealth, v.Spec.Rule, wire.AppendHealthSpec(nil, v.Spec), healthSample}
		}
		return c
	})
}

func healthSample(n int) []byte {
	histories := make([]sdk.HealthHistory, n)
	for i := range histories {
		h := sdk.HealthHistory{AgeMillis: 600_000}
		for bit := range 16 {
			h.HealthRecord = h.Add(sdk.HealthResult{AtMillis: int64(bit+1) * 10_000, Alive: (i*7+bit)%5 != 0, Cause: "no answer"})
		}
		histories[i] = h
	}
	return wire.AppendHealthInput(nil, histories)
}

func randomHealth(f *fuzzer, t target) (sdk.HealthSpec, []sdk.HealthHistory) {
	check := sdk.HealthCheck{Protocol: "HTTP", IntervalMillis: 10_000, TimeoutMillis: 5_000, MaxConsecutiveFailures: uint32(f.size(20))}
	spec := sdk.HealthSpec{Rule: t.name, App: sdk.AppFacts{ID: "/app", Instances: 1}, Checks: []sdk.HealthCheck{check}}
	if known, ok := healthTools().known(f, t); ok {
		spec.App.Labels = known.App.Labels
	} else {
		spec.App.Labels = f.labels(t)
	}
	histories := make([]sdk.HealthHistory, f.size(100))
	for i := range histories {
		course := make([]byte, f.size(80))
		for i := range course {
			course[i] = "+-"[f.rand.IntN(2)]
		}
		histories[i] = historyOf(string(course), check.IntervalMillis)
	}
	return spec, histories
}

// healthText asks about the last history alone.
func healthText(spec sdk.HealthSpec, histories []sdk.HealthHistory) string {
	course := ""
	if n := len(histories); n > 0 {
		course = courseText(&histories[n-1].HealthRecord)
	}
	return spec.Rule + labelsText(spec.App.Labels) + " max " + strconv.FormatUint(uint64(spec.Checks[0].MaxConsecutiveFailures), 10) +
		" course " + strconv.Quote(course) + " is unknown"
}

func smallerHealth(spec sdk.HealthSpec, histories []sdk.HealthHistory) iter.Seq2[sdk.HealthSpec, []sdk.HealthHistory] {
	return func(yield func(sdk.HealthSpec, []sdk.HealthHistory) bool) {
		for fewer := range without(histories) {
			if !yield(spec, fewer) {
				return
			}
		}
		for app := range smallerApp(spec.App) {
			less := spec
			if less.App = app; !yield(less, histories) {
				return
			}
		}
		for n := range below(uint64(spec.Checks[0].MaxConsecutiveFailures)) {
			less := spec
			less.Checks = slices.Clone(spec.Checks)
			if less.Checks[0].MaxConsecutiveFailures = uint32(n); !yield(less, histories) {
				return
			}
		}
		for i := range histories {
			for course := range shorter(courseText(&histories[i].HealthRecord)) {
				changed := slices.Clone(histories)
				if changed[i] = historyOf(course, spec.Checks[0].IntervalMillis); !yield(spec, changed) {
					return
				}
			}
		}
	}
}
