package author

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/pacer-run/pacer/sdk"
	"github.com/pacer-run/pacer/sdk/wire"
)

// label is a random label of an app, as one in the vectors if there are some.
func (f *fuzzer) label(t target) (key, value string) {
	for range 4 {
		if key, value, ok := strings.Cut(f.text(t), "="); ok && key != "" {
			return key, value
		}
	}
	return "LABEL", f.text(t)
}

// labelsText are labels in the words of a vector.
func labelsText(labels map[string]string) string {
	var text strings.Builder
	for _, key := range slices.Sorted(maps.Keys(labels)) {
		text.WriteString(" label " + strconv.Quote(key+"="+labels[key]))
	}
	return text.String()
}

func (f *fuzzer) upgrade(q *question, t target) {
	labels := map[string]string{}
	if s := f.known(t); s != nil {
		known, _ := wire.DecodeUpgradeSpec(s.spec(q.name)) // it is our own
		labels = known.App.Labels
	} else if f.rand.IntN(4) > 0 {
		key, value := f.label(t)
		labels = map[string]string{key: value}
	}
	vector := q.name + labelsText(labels)
	n := uint32(f.size(1000))
	s := sdk.UpgradeState{Instances: n, MinimumHealthCapacity: float64(f.rand.IntN(11)) / 10, MaximumOverCapacity: float64(f.rand.IntN(11)) / 10}
	s.MinHealthy = uint32(float64(n) * s.MinimumHealthCapacity)
	s.MaxTotal = max(s.MinHealthy+1, uint32(float64(n)*(1+s.MaximumOverCapacity)))
	s.Old = uint32(f.rand.IntN(int(n) + 2))
	s.OldDying = uint32(f.rand.IntN(int(s.Old) + 1))
	s.OldHealthy = uint32(f.rand.IntN(int(s.Old-s.OldDying) + 1))
	s.New = uint32(f.rand.IntN(int(n) + 1))
	s.NewHealthy, s.NewReady = uint32(f.rand.IntN(int(s.New)+1)), uint32(f.rand.IntN(int(s.New)+1))
	s.Millis, s.Promotions = uint64(f.rand.IntN(1<<30)), uint32(f.size(5))
	if f.rand.IntN(2) == 0 {
		s.NowMillis = 1_700_000_000_000 + int64(f.rand.IntN(1<<40))
	}
	if f.rand.IntN(3) == 0 {
		s.Memory = []byte(f.text(t))
	}
	q.spec = wire.AppendUpgradeSpec(nil, sdk.UpgradeSpec{Strategy: q.name, App: sdk.AppFacts{ID: "/app", Instances: n, Labels: labels}, MinimumHealthCapacity: s.MinimumHealthCapacity, MaximumOverCapacity: s.MaximumOverCapacity})
	q.input = wire.AppendUpgradeState(nil, s)
	add := func(name string, v uint32) { vector += " " + name + " " + strconv.FormatUint(uint64(v), 10) }
	add("instances", n)
	vector += " min " + strconv.FormatFloat(s.MinimumHealthCapacity, 'g', -1, 64) + " over " + strconv.FormatFloat(s.MaximumOverCapacity, 'g', -1, 64)
	add("old", s.Old)
	add("dying", s.OldDying)
	add("healthy", s.OldHealthy)
	add("new", s.New)
	add("well", s.NewHealthy)
	add("ready", s.NewReady)
	add("promotions", s.Promotions)
	q.vector = vector + " after " + strconv.FormatUint(s.Millis, 10) + "ms says nothing"
}

// course is a random one of results.
func (f *fuzzer) course() string {
	results := make([]byte, f.size(80))
	for i := range results {
		results[i] = "+-"[f.rand.IntN(2)]
	}
	return string(results)
}

func (f *fuzzer) health(q *question, t target) {
	labels := map[string]string{}
	if s := f.known(t); s != nil {
		known, _ := wire.DecodeHealthSpec(s.spec(q.name)) // it is our own
		labels = known.App.Labels
	} else if f.rand.IntN(4) > 0 {
		key, value := f.label(t)
		labels = map[string]string{key: value}
	}
	vector := q.name + labelsText(labels)
	check := sdk.HealthCheck{Protocol: "HTTP", IntervalMillis: 10_000, TimeoutMillis: 5_000, MaxConsecutiveFailures: uint32(f.size(20))}
	course := ""
	histories := make([]sdk.HealthHistory, f.size(100))
	for i := range histories {
		text := f.course()
		h := sdk.HealthHistory{AgeMillis: uint64(len(text)+1) * check.IntervalMillis}
		for j, result := range text {
			h.HealthRecord = h.Add(sdk.HealthResult{AtMillis: int64(j+1) * 10_000, Alive: result == '+', Cause: "no answer"})
		}
		histories[i], course = h, text
	}
	q.spec = wire.AppendHealthSpec(nil, sdk.HealthSpec{Rule: q.name, App: sdk.AppFacts{ID: "/app", Instances: 1, Labels: labels}, Checks: []sdk.HealthCheck{check}})
	q.input, q.items = wire.AppendHealthInput(nil, histories), len(histories)
	q.vector = vector + " max " + strconv.FormatUint(uint64(check.MaxConsecutiveFailures), 10) + " course " + strconv.Quote(course) + " is unknown"
}

// admission asks about an app with random fields. Such vectors are JSON, and none is
// written.
func (f *fuzzer) admission(q *question, t target) {
	verb := sdk.AdmissionVerb(1 + f.rand.IntN(3))
	r := sdk.AdmissionRequest{
		Policy: q.name, Verb: verb, Subject: sdk.AdmissionSubject(1 + f.rand.IntN(2)), ID: "/team/app", User: f.text(t),
		Force: f.rand.IntN(2) == 0, NowMillis: 1_700_000_000_000 + int64(f.rand.IntN(1<<40)),
		Above: []sdk.GroupUse{{ID: "/", Apps: 3, Instances: 9, CPUs: 4.5, Mem: 4096}, {ID: "/team", Apps: 1, Instances: uint32(f.size(1000)), CPUs: float64(f.size(100))}},
	}
	if s := f.known(t); s != nil {
		known, _ := wire.DecodeAdmissionRequest(s.input(q.name, 1)) // it is our own
		r.Settings = known.Settings
	} else if f.rand.IntN(4) > 0 {
		r.Settings = f.text(t)
	}
	if verb != sdk.AdmissionCreate {
		r.Old = f.app(t)
	}
	if verb != sdk.AdmissionDelete {
		r.New = f.app(t)
	}
	q.input = wire.AppendAdmissionRequest(nil, r)
}

func (f *fuzzer) app(t target) []byte {
	return []byte(`{"id":"/team/app","cpus":` + strconv.Itoa(f.size(100)) + `,"mem":` + strconv.Itoa(f.size(100_000)) + `,"instances":` + strconv.Itoa(f.size(500)) +
		`,"labels":{"` + strconv.Itoa(f.size(9)) + `":` + strconv.QuoteToASCII(strings.ToValidUTF8(f.rareASCII(t), "")) + `}}`)
}

// rareASCII is a random text without what only Go's quoting knows.
func (f *fuzzer) rareASCII(t target) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '?'
		}
		return r
	}, f.text(t))
}
