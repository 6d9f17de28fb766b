package wasm

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pacer-run/pacer/runtime/policy/remote"
	"github.com/pacer-run/pacer/sdk"
	"github.com/pacer-run/pacer/sdk/manifest"
)

const kindsSettings = `{"a": [1]}`

// kindsManifest is that of the modules with policies of all kinds.
func kindsManifest() manifest.Manifest {
	every := []string{"every"}
	return manifest.Manifest{
		Name: "kinds", Version: "1.2.3", ABI: "1.1",
		Kinds: map[string][]string{
			"constraint": {"EVERY", "EVERY_TOO", "HOST"}, "fetch": every, "upgrade": every, "health": every, "admission": every,
		},
		Imports: Grants(),
		Metrics: []manifest.Metric{{ID: 1, Name: "hits", Type: "counter"}, {ID: 2, Name: "level", Type: "gauge"}},
	}
}

// loadKinds loads a language's module with policies of all kinds, with one instance,
// so that every call meets the same one.
func loadKinds(t *testing.T, l language, log *slog.Logger) *Module {
	t.Helper()
	return loadKindsIn(t, l, log, DefaultLimits())
}

// loadKindsIn is loadKinds with limits.
func loadKindsIn(t *testing.T, l language, log *slog.Logger, limits Limits) *Module {
	t.Helper()
	limits.Instances = 1
	loader, err := NewLoader(limits, filepath.Join(scratch(), "cache"), log)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = loader.Close(context.Background()) })
	m, err := loader.Load(t.Context(), embed(t, l.kinds(t), kindsManifest()), Options{
		Settings: kindsSettings, Grants: Grants(), Now: func() time.Time { return time.Unix(1700, 0) },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeModule(t, m) })
	return m
}

// perKind runs the test for the module of each language, beside the policies in Go.
func perKind(t *testing.T, test func(t *testing.T, m *Module, native every)) {
	for _, l := range languages() {
		t.Run(l.name, func(t *testing.T) { test(t, loadKinds(t, l, quiet()), every{kindsSettings}) })
	}
}

// same compares two answers to a question, or that both are the same error of the
// user's.
func same[A any](t *testing.T, question any, want, got A, wantErr, gotErr error) {
	t.Helper()
	if (wantErr == nil) != (gotErr == nil) {
		t.Errorf("%+v: error %v, want %v", question, gotErr, wantErr)
	}
	wantInvalid, gotInvalid := (*sdk.Invalid)(nil), (*sdk.Invalid)(nil)
	if errors.As(wantErr, &wantInvalid) && (!errors.As(gotErr, &gotInvalid) || gotInvalid.Message != wantInvalid.Message) {
		t.Errorf("%+v: error %v, want %v", question, gotErr, wantErr)
	}
	if fault := (*sdk.Fault)(nil); wantErr != nil && wantInvalid == nil && (!errors.As(gotErr, &fault) || fault.Cause != wantErr.Error()) {
		t.Errorf("%+v: error %v, want the fault %v", question, gotErr, wantErr)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%+v: %s", question, diff)
	}
}

func apps() []sdk.AppFacts {
	return []sdk.AppFacts{
		{},
		{ID: "/a/bü", Version: "2026-01-02T03:04:05.678Z", Instances: 300, Role: "r", Labels: map[string]string{"a": "1", "team": "red", "": "x"}},
		{ID: "/" + strings.Repeat("x", 40), Instances: 7, Labels: map[string]string{"team": ""}},
	}
}

func TestLanguagesConstraint(t *testing.T) {
	inputs := []sdk.ConstraintInput{
		{Values: []string{""}, First: -1},
		{Values: []string{"", "", "a", "räck", "b"}, Placed: []uint32{1, 0, 2, 3, 4000}, First: 3, Instances: 5},
		{Values: []string{"", "x"}, First: 0, Instances: 1 << 20},
		many(10_000),
		{Values: []string{"", "x", "yz"}, Placed: []uint32{0, 0, 9}, First: 2},
	}
	perKind(t, func(t *testing.T, m *Module, native every) {
		for _, app := range apps() {
			for _, value := range []string{"", "v", "invalid", "fault"} {
				spec := sdk.ConstraintSpec{Field: "@zone", Operator: "EVERY_TOO", Value: value, HasValue: value != "", App: app}
				want, wantErr := native.constraint(spec)
				got, gotErr := remote.Constraint(m).Prepare(t.Context(), spec)
				same(t, spec, 0, 0, wantErr, gotErr)
				for _, in := range inputs {
					if wantErr != nil || gotErr != nil {
						break
					}
					a, err := want.Evaluate(t.Context(), in)
					b, bErr := got.Evaluate(t.Context(), in)
					same(t, in.First, a, b, err, bErr)
				}
				if got != nil {
					got.Close()
				}
			}
		}
	})
}

// many is more than a module has room for at the start.
func many(n int) sdk.ConstraintInput {
	in := sdk.ConstraintInput{Values: make([]string, n), Placed: make([]uint32, n), First: n - 1}
	for i := 1; i < n; i++ {
		in.Values[i], in.Placed[i] = "host-"+string(rune('a'+i%26))+".example.com", uint32(i)
	}
	return in
}

func TestLanguagesFetch(t *testing.T) {
	uris := []sdk.FetchURI{
		{},
		{URI: "https://a/b.tgz", Extract: true},
		{URI: "http://a/b", Cache: true},
		{URI: "hdfs://x", Executable: true, DestPath: "d/ü"},
		{URI: "https://" + strings.Repeat("x", 3000), Cache: true},
	}
	perKind(t, func(t *testing.T, m *Module, native every) {
		for i, app := range apps() {
			for _, settings := range []string{"", "mirror:", "invalid", "fault"} {
				spec := sdk.FetchSpec{Policy: "every", Settings: settings, App: app, Enforced: i == 1}
				want, wantErr := native.fetch(spec)
				got, gotErr := remote.Fetch(m).Prepare(t.Context(), spec)
				same(t, spec, 0, 0, wantErr, gotErr)
				for n := 1; n <= len(uris) && wantErr == nil && gotErr == nil; n++ {
					a, err := want.Decide(t.Context(), uris[:n])
					b, bErr := got.Decide(t.Context(), uris[:n])
					same(t, spec, a, b, err, bErr)
				}
			}
		}
	})
}

func TestLanguagesUpgrade(t *testing.T) {
	states := []sdk.UpgradeState{
		{},
		{
			Instances: 9, MinimumHealthCapacity: 0.5, MaximumOverCapacity: 0.25, MinHealthy: 2, MaxTotal: 3, Old: 4, OldDying: 5, OldHealthy: 6,
			New: 7, NewHealthy: 8, NewReady: 9, Millis: 1 << 40, Memory: []byte{0, 1, 255}, Promotions: 11, NowMillis: 1 << 41, Undoes: true,
		},
		{Memory: make([]byte, 10_000), Promotions: 1},
	}
	perKind(t, func(t *testing.T, m *Module, native every) {
		for _, app := range apps() {
			spec := sdk.UpgradeSpec{Strategy: "every", App: app, MinimumHealthCapacity: 0.75, MaximumOverCapacity: 0.125}
			want, wantErr := native.upgrade(spec)
			got, gotErr := remote.Upgrade(m).Prepare(t.Context(), spec)
			same(t, spec, 0, 0, wantErr, gotErr)
			for _, s := range states {
				a, err := want.Next(t.Context(), s)
				b, bErr := got.Next(t.Context(), s)
				same(t, s, a, b, err, bErr)
			}
		}
	})
}

func TestLanguagesHealth(t *testing.T) {
	checks := []sdk.HealthCheck{{}, {
		Protocol: "MESOS_HTTP", IntervalMillis: 1, TimeoutMillis: 2, GraceMillis: 1 << 40, MaxConsecutiveFailures: 4, ByMesos: true,
	}}
	histories := []sdk.HealthHistory{
		{},
		{Check: 1, AgeMillis: 2, HealthRecord: sdk.HealthRecord{
			FirstSuccess: 3, LastSuccess: 1 << 41, LastFailure: 5, LastFailureCause: "cause", ConsecutiveFailures: 6, Recent: 1<<63 | 5, Results: 64,
		}},
		{HealthRecord: sdk.HealthRecord{Recent: 0b1011, Results: 5}},
	}
	for range 500 { // more than one call
		histories = append(histories, histories[1])
	}
	perKind(t, func(t *testing.T, m *Module, native every) {
		for _, app := range apps() {
			spec := sdk.HealthSpec{Rule: "every", App: app, Checks: checks}
			want, wantErr := native.health(spec)
			got, gotErr := remote.Health(m).Prepare(t.Context(), spec)
			same(t, spec, 0, 0, wantErr, gotErr)
			a, err := want.Judge(t.Context(), histories)
			b, bErr := got.Judge(t.Context(), histories)
			same(t, spec.App.ID, a, b, err, bErr)
		}
	})
}

func TestLanguagesAdmission(t *testing.T) {
	requests := []sdk.AdmissionRequest{
		{},
		{Policy: "every", Settings: "invalid"},
		{Policy: "every", User: "mallory", Verb: sdk.AdmissionDelete, Subject: sdk.AdmissionGroup},
		{
			Policy: "every", Settings: "s", Verb: sdk.AdmissionUpdate, Subject: sdk.AdmissionApp, ID: "/a/b", Old: []byte(`{"x":1}`),
			New: []byte(`{"x":"ü"}`), User: "u", NowMillis: 1 << 41, Above: []sdk.GroupUse{
				{ID: "/", Apps: 1, Instances: 2, CPUs: 0.1, Mem: 3.5, Disk: 4000, GPUs: 5}, {ID: "/a"},
			},
		},
		{Policy: "every", Verb: sdk.AdmissionCreate, New: make([]byte, 30_000), Force: true},
		{Policy: "every", New: append(append([]byte(`"`), make([]byte, 20_000)...), '"')},
	}
	perKind(t, func(t *testing.T, m *Module, native every) {
		for _, r := range requests {
			want, wantErr := native.Review(t.Context(), r)
			got, gotErr := remote.Admission(m).Review(t.Context(), r)
			same(t, r.Policy, want, got, wantErr, gotErr)
		}
	})
}
