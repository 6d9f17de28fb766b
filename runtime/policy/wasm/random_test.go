//go:build !race

package wasm

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/pacer-run/pacer/sdk"
)

// The functions below ask both twins what a fuzzer, or a seeded source, made of plain
// values. What no host asks is made into what one does: texts are UTF-8 and not too
// long, and capacities are those that the API takes.

// text is a text as a host has it.
func text(s string) string {
	const most = 512
	return strings.ToValidUTF8(s[:min(len(s), most)], "?")
}

// named is the name if it is among the names, or else the first of them.
func named(name string, names []string) string {
	if slices.Contains(names, name) {
		return name
	}
	return names[0]
}

// labels are those on the lines of a text, KEY=VALUE each.
func labels(lines string) map[string]string {
	list := map[string]string{}
	for line := range strings.SplitSeq(text(lines), "\n") {
		if key, value, ok := strings.Cut(line, "="); ok && len(list) < 8 {
			list[key] = value
		}
	}
	return list
}

// askFetch asks about the URIs on the lines of a text, each with its path in the
// sandbox behind a tab, if it has one. The bits of flags are those of the URIs.
func askFetch(w *twins, policy, settings, appLabels, uris string, enforced bool, flags byte) {
	w.t.Helper()
	t := twinFetch{w}
	p, err := t.Prepare(w.t.Context(), sdk.FetchSpec{
		Policy: named(policy, t.Policies()), Settings: text(settings), Enforced: enforced,
		App: sdk.AppFacts{ID: "/a", Instances: 1, Labels: labels(appLabels)},
	})
	if err != nil {
		return // both refuse it alike, or the test has failed
	}
	defer p.Close()
	var list []sdk.FetchURI
	for line := range strings.SplitSeq(text(uris), "\n") {
		uri, path, _ := strings.Cut(line, "\t")
		list = append(list, sdk.FetchURI{URI: uri, DestPath: path, Extract: flags&1 != 0, Executable: flags&2 != 0, Cache: flags&4 != 0})
	}
	if _, err := p.Decide(w.t.Context(), list); err != nil {
		w.t.Error(err)
	}
}

// count is a number of instances: mostly a small one.
func count(b byte) uint32 {
	const small = 240
	if b < small {
		return uint32(b)
	}
	return math.MaxUint32 >> (b - small)
}

// askUpgrade takes a strategy through a few steps, each with what the one before left.
// counts are those of the state, nine of them for a step.
func askUpgrade(w *twins, strategy, appLabels string, minimum, over float64, counts, memory []byte, millis, now uint64, promotions uint8, undoes bool) {
	w.t.Helper()
	t := twinUpgrade{w}
	fraction := func(f float64) float64 { return min(max(0, f), 1) }
	if math.IsNaN(minimum) || math.IsNaN(over) {
		minimum, over = 1, 1
	}
	spec := sdk.UpgradeSpec{
		Strategy: named(strategy, t.Strategies()), MinimumHealthCapacity: fraction(minimum), MaximumOverCapacity: fraction(over),
		App: sdk.AppFacts{ID: "/a", Labels: labels(appLabels)},
	}
	p, err := t.Prepare(w.t.Context(), spec)
	if err != nil {
		return // both refuse it alike, or the test has failed
	}
	defer p.Close()
	s := sdk.UpgradeState{
		MinimumHealthCapacity: spec.MinimumHealthCapacity, MaximumOverCapacity: spec.MaximumOverCapacity, Memory: memory[:min(len(memory), 256)],
		Millis: millis, NowMillis: int64(now >> 1), Promotions: uint32(promotions), Undoes: undoes,
	}
	for range 8 {
		for _, into := range []*uint32{&s.Instances, &s.MinHealthy, &s.MaxTotal, &s.Old, &s.OldDying, &s.OldHealthy, &s.New, &s.NewHealthy, &s.NewReady} {
			if len(counts) > 0 {
				*into, counts = count(counts[0]), counts[1:]
			}
		}
		step, err := p.Next(w.t.Context(), s)
		if err != nil {
			w.t.Error(err)
			return
		}
		if len(counts) == 0 {
			return
		}
		s.Memory = step.Memory
		s.Millis += step.AskAfterMillis
	}
}

// askHealth has a rule judge the courses on the lines of a text, + for a success, and
// a record that no course may lead to.
func askHealth(w *twins, rule, appLabels, courses, cause string, most uint32, byMesos bool, record sdk.HealthRecord) {
	w.t.Helper()
	t := twinHealth{w}
	check := sdk.HealthCheck{Protocol: "HTTP", IntervalMillis: 10_000, TimeoutMillis: 5_000, MaxConsecutiveFailures: most, ByMesos: byMesos}
	p, err := t.Prepare(w.t.Context(), sdk.HealthSpec{
		Rule: named(rule, t.Rules()), App: sdk.AppFacts{ID: "/a", Instances: 1, Labels: labels(appLabels)}, Checks: []sdk.HealthCheck{check},
	})
	if err != nil {
		return // both refuse it alike, or the test has failed
	}
	defer p.Close()
	record.LastFailureCause, record.Results = text(cause), record.Results%(sdk.MaxRecentResults+1)
	record.FirstSuccess, record.LastSuccess, record.LastFailure = max(0, record.FirstSuccess), max(0, record.LastSuccess), max(0, record.LastFailure)
	histories := []sdk.HealthHistory{{HealthRecord: record}, {Check: 1, HealthRecord: record}}
	for line := range strings.SplitSeq(text(courses), "\n") {
		h := sdk.HealthHistory{AgeMillis: uint64(len(line)) * check.IntervalMillis}
		for i, result := range []byte(line) {
			h.HealthRecord = h.Add(sdk.HealthResult{AtMillis: int64(i+1) * 10_000, Alive: result == '+', Cause: record.LastFailureCause})
		}
		histories = append(histories, h)
	}
	if _, err := p.Judge(w.t.Context(), histories); err != nil {
		w.t.Error(err)
	}
}

// askAdmission has a change reviewed. An app that is no JSON is a fault of both.
func askAdmission(w *twins, policy, settings, before, after string, verb, subject uint8) {
	w.t.Helper()
	t := twinAdmission{w}
	r := sdk.AdmissionRequest{
		Policy: named(policy, t.Policies()), Settings: text(settings), Verb: sdk.AdmissionVerb(verb % 4), Subject: sdk.AdmissionSubject(1 + subject%2),
		ID: "/a", User: "somebody", NowMillis: 1_700_000_000_000,
	}
	if r.Verb != sdk.AdmissionCreate && before != "" {
		r.Old = []byte(before)
	}
	if r.Verb != sdk.AdmissionDelete && after != "" {
		r.New = []byte(after)
	}
	_, _ = t.Review(w.t.Context(), r) // the twins have compared how it ended
}

// vocabulary is what random texts are made of: what the policies read, and what nobody
// writes.
var vocabulary = map[string][]string{
	"":             {"", " ", "=", ";", "\n", "\t", "%", "ü", "日", "\u202e", "\x00", "-", "1", "99999999999999999999", "0x1p-2", "a"},
	"fetch":        {"http", "https", "ftp", "://", "/", "..", "%2e%2e", "files", "HTTP", "a.tgz", "?q=1", "#f", "extract", "cache", "executable", "on", "off", "bytes", "entries", "depth", "ratio", "1GiB", "10", "unenforced", "label", "required", strings.Repeat("0a", 32), "file:", ":"},
	"upgrade":      {"PACER_UPGRADE_CANARY_SHARE", "PACER_UPGRADE_CANARY_BAKE", "PACER_UPGRADE_CANARY_TIMEOUT", "PACER_UPGRADE_BLUE_GREEN_PAUSE", "10", "10m", "1h", "0.5s", "true", "false", "1e3", "passed:", "well:", "5+7"},
	"health":       {"PACER_HEALTH_WINDOW", "3", "5", "/", "64", "65", "+", "no answer"},
	"admission":    {"cpus", "mem", "disk", "gpus", "instances", "labels", "team", "owner", "4", "0.5", "1e400", "NaN", "inf", "-0"},
	"json":         {"{", "}", "[", "]", ":", ",", "null", "true", `"cpus"`, `"mem"`, `"labels"`, `"team"`, `"instances"`, `"x\ud800"`, "1.5", "-1", "1e308", "1e309"},
	"json, whole":  {`{"cpus":8,"mem":1,"labels":{"team":"a"}}`, `{"cpus":1e999}`, `{"labels":{"team":" "},"instances":21}`, `{"CPUS":3,"cpus":2}`, "null", "{}", `{"labels":[]}`, `{"instances":"1"}`},
	"course":       {"+", "-", "++", "--", "\n", "+-"},
	"settings":     {"extract=off", "http;ftp", "https://files/", "http://old/=http://new/", "bytes=1GiB;entries=5", "label", "required;unenforced"},
	"labels":       {"PACER_UPGRADE_CANARY_SHARE=10%", "PACER_UPGRADE_CANARY_BAKE=10m", "PACER_UPGRADE_CANARY_TIMEOUT=600", "PACER_HEALTH_WINDOW=3/5", "PACER_HEALTH_WINDOW=1/64", "\n"},
	"uris":         {"http://old/a", "https://files/b?c", "/etc/x", "docker:y", "s3://team/x.tgz\tbin/x", "\n"},
	"admits":       {"cpus=4", "mem=8192;instances=20", "team", "team;owner", "cpus=0.5;cpus=1", "gpus=1e999"},
	"app, changed": {`{"cpus":5,"mem":9000,"labels":{"owner":"b"}}`, `{"cpus":4}`, `{"labels":null}`},
}

// source makes random values of a seed.
type source struct{ *rand.Rand }

// text is a few of the words of those lists, or of nonsense.
func (s source) text(lists ...string) string {
	var out strings.Builder
	for range s.IntN(6) {
		list := vocabulary[lists[s.IntN(len(lists))]]
		if s.IntN(8) == 0 {
			list = vocabulary[""]
		}
		out.WriteString(list[s.IntN(len(list))])
	}
	return out.String()
}

// word is one of them alone, which is what most policies take, or a text.
func (s source) word(whole string, lists ...string) string {
	if s.IntN(2) == 0 {
		return vocabulary[whole][s.IntN(len(vocabulary[whole]))]
	}
	return s.text(append(lists, whole)...)
}

func (s source) name(names []string) string { return names[s.IntN(len(names))] }

func (s source) bytes(most int) []byte {
	b := make([]byte, s.IntN(most+1))
	for i := range b {
		b[i] = byte(s.UintN(256))
		if s.IntN(4) > 0 {
			b[i] %= 20
		}
	}
	return b
}

// A few hundred random questions of each kind are answered with the same bytes, or
// refused in the same words, natively and as a module. The fuzz targets go on from here.
func TestTwinsAtRandom(t *testing.T) {
	m, err := load(t, buildGuest(t, guestBuiltin), DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	w, s := &twins{t: t, m: &tap{Module: m}}, source{rand.New(rand.NewPCG(7, 7))}
	const rounds = 400
	for range rounds {
		askFetch(w, s.name(twinFetch{w}.Policies()), s.word("settings", "fetch"), s.text("labels", "fetch"), s.word("uris", "fetch"), s.IntN(2) == 0, byte(s.UintN(8)))
		askUpgrade(w, s.name(twinUpgrade{w}.Strategies()), s.word("labels", "upgrade"), s.Float64(), s.Float64(), s.bytes(72), []byte(s.text("upgrade")),
			s.Uint64N(1<<32), s.Uint64(), uint8(s.IntN(3)), s.IntN(4) == 0)
		askHealth(w, s.name(twinHealth{w}.Rules()), s.word("labels", "health"), s.text("course"), s.text("health"), uint32(s.IntN(5)), s.IntN(2) == 0,
			sdk.HealthRecord{FirstSuccess: s.Int64(), LastFailure: s.Int64(), ConsecutiveFailures: s.Uint32(), Recent: s.Uint64(), Results: s.Uint32()})
		askAdmission(w, s.name(twinAdmission{w}.Policies()), s.word("admits", "admission"), s.word("json, whole", "json"), s.word("app, changed", "json"), uint8(s.IntN(4)), uint8(s.IntN(2)))
		if t.Failed() {
			return
		}
	}
	if w.taken < rounds || w.refused < rounds/4 || w.faults == 0 {
		t.Errorf("%d were taken, %d refused and %d failed: the questions try too little", w.taken, w.refused, w.faults)
	}
}
