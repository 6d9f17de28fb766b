package author

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/pacer-run/pacer/runtime/policy/remote"
	"github.com/pacer-run/pacer/sdk"
	"github.com/pacer-run/pacer/sdk/wire"
)

// question is a random one, with the vector that asks the same.
type question struct {
	kind        remote.Kind
	name        string
	spec, input []byte
	items       int
	vector      string
}

func (f *fuzzer) question(t target) *question {
	q := &question{kind: t.kind, name: t.name, items: 1}
	switch t.kind {
	case remote.KindConstraint:
		f.constraint(q, t)
	case remote.KindFetch:
		f.fetch(q, t)
	case remote.KindUpgrade:
		f.upgrade(q, t)
	case remote.KindHealth:
		f.health(q, t)
	case remote.KindAdmission:
		f.admission(q, t)
	}
	return q
}

// text is a random one: a word of the vectors, such a word with a change, or nonsense.
func (f *fuzzer) text(t target) string {
	if len(t.seeds) > 0 && f.rand.IntN(4) > 0 {
		word := t.seeds[f.rand.IntN(len(t.seeds))]
		if f.rand.IntN(3) == 0 && word != "" {
			at := f.rand.IntN(len(word))
			word = strings.ToValidUTF8(word[:at]+f.noise()+word[at:], "?")
		}
		return word
	}
	var text strings.Builder
	for range f.rand.IntN(12) {
		text.WriteString(f.noise())
	}
	return text.String()
}

func (f *fuzzer) noise() string {
	const pieces = "a|Z|0|9|-|_|.|/|:|;|=|*|+|(|)|[|]|{|}|\\|\"|'| |,|\t|ü|日|\u202e|%|99999999999|-1|1e9|true|null|aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	list := strings.Split(pieces, "|")
	return list[f.rand.IntN(len(list))]
}

// known is a sample of what the policy takes, for most questions: one that it refuses
// tries no more than its prepare.
func (f *fuzzer) known(t target) *sample {
	if len(t.accepted) == 0 || f.rand.IntN(4) == 0 {
		return nil
	}
	return t.accepted[f.rand.IntN(len(t.accepted))]
}

// size is a random one, mostly small.
func (f *fuzzer) size(most int) int {
	if f.rand.IntN(8) > 0 {
		most = min(most, 5)
	}
	return f.rand.IntN(most + 1)
}

func (f *fuzzer) constraint(q *question, t target) {
	spec := sdk.ConstraintSpec{Field: "field", Operator: q.name, App: sdk.AppFacts{ID: "/app"}}
	in := sdk.ConstraintInput{Values: []string{""}, Placed: []uint32{0}, First: -1, Instances: uint32(f.size(50))}
	vector := q.name
	if s := f.known(t); s != nil {
		known, _ := wire.DecodeSpec(s.spec(q.name)) // it is our own
		spec.Value, spec.HasValue = known.Value, known.HasValue
	} else if f.rand.IntN(5) > 0 {
		spec.Value, spec.HasValue = f.text(t), true
	}
	if spec.HasValue {
		vector += " value " + strconv.Quote(spec.Value)
	}
	placed, known := "", ""
	seen := map[string]bool{"": true}
	for range f.size(300) {
		value := f.text(t)
		if seen[value] {
			continue
		}
		seen[value] = true
		n := f.size(20)
		in.Values, in.Placed = append(in.Values, value), append(in.Placed, uint32(n))
		if n > 0 && in.First < 0 {
			in.First = len(in.Values) - 1
		}
		known += " " + strconv.Quote(value)
		placed += strings.Repeat(" "+strconv.Quote(value), n)
	}
	spec.App.Instances = in.Instances
	q.spec, q.input, q.items = wire.AppendSpec(nil, spec), wire.AppendInput(nil, in), len(in.Values)
	q.vector = vector + " instances " + strconv.FormatUint(uint64(in.Instances), 10)
	if placed != "" {
		q.vector += " placed" + placed
	}
	if known != "" {
		q.vector += " known" + known
	}
}

func (f *fuzzer) fetch(q *question, t target) {
	settings := ""
	if s := f.known(t); s != nil {
		known, _ := wire.DecodeFetchSpec(s.spec(q.name)) // it is our own
		settings = known.Settings
	} else if f.rand.IntN(4) > 0 {
		settings = f.text(t)
	}
	q.spec = wire.AppendFetchSpec(nil, sdk.FetchSpec{Policy: q.name, Settings: settings, App: sdk.AppFacts{ID: "/app", Instances: 1}, Enforced: f.rand.IntN(2) == 0})
	uris := make([]sdk.FetchURI, f.size(50))
	for i := range uris {
		uris[i] = sdk.FetchURI{URI: f.text(t), Extract: f.rand.IntN(2) == 0, Cache: f.rand.IntN(2) == 0, Executable: f.rand.IntN(2) == 0}
	}
	q.input, q.items = wire.AppendFetchInput(nil, uris), len(uris)
	uri := ""
	if len(uris) > 0 {
		uri = uris[0].URI
	}
	q.vector = q.name + " " + strconv.Quote(settings) + " " + strconv.Quote(uri) + " allowed"
}

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
	text := ""
	for _, key := range slices.Sorted(maps.Keys(labels)) {
		text += " label " + strconv.Quote(key+"="+labels[key])
	}
	return text
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
		text := ""
		for range f.size(80) {
			text += "+-"[f.rand.IntN(2):][:1]
		}
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
