package wasm

import (
	"bytes"
	"log/slog"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pacer-run/pacer/runtime/policy/remote"
	"github.com/pacer-run/pacer/sdk"
	"github.com/pacer-run/pacer/sdk/manifest"
)

const guestAuthor = "testdata/author-go"

// authorManifest is that of the guest which asks for everything.
func authorManifest() manifest.Manifest {
	return manifest.Manifest{
		Name: "author-go", Version: "1.0.0", ABI: "1.1",
		Kinds:    map[string][]string{"constraint": {"GRANTED", "HOSTILE"}},
		Imports:  Grants(),
		Settings: &manifest.Settings{Defaults: []byte(`{"color":"red"}`)},
		Metrics: []manifest.Metric{
			{ID: 1, Name: "hits", Type: "counter"},
			{ID: 2, Name: "level", Type: "gauge"},
			{ID: 3, Name: "sizes", Type: "histogram"},
		},
	}
}

func loadAuthor(t *testing.T, options Options) *Module {
	t.Helper()
	options.Grants = Grants()
	m, err := loadWith(t, embed(t, buildGuest(t, guestAuthor), authorManifest()), DefaultLimits(), options)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// order gives the guest an order and returns its answer's reason.
func order(t *testing.T, m *Module, what string) string {
	t.Helper()
	reason, err := tryOrder(t, m, what)
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	return reason
}

func tryOrder(t *testing.T, m *Module, what string) (string, error) {
	spec := sdk.ConstraintSpec{Field: "f", Operator: "GRANTED", Value: what}
	p, err := remote.Constraint(m).Prepare(t.Context(), spec)
	if err != nil {
		return "", err
	}
	defer p.Close()
	answer, err := p.Evaluate(t.Context(), two())
	return answer.Reason, err
}

// What is imported has to be in the manifest and granted, or the error says what is
// missing; a module without a manifest gets nothing.
func TestUngranted(t *testing.T) {
	code := buildGuest(t, guestAuthor)
	tests := []struct {
		name            string
		listed, granted []string
		cause           string
	}{
		{"nothing granted", Grants(), nil, `it imports policy_v1.now_ms, which is not granted: the grant "now" would allow it`},
		{"one missing", Grants(), []string{"now", "rand", "metric"}, `it imports policy_v1.kv_get, which is not granted: the grant "kv" would allow it`},
		{"not listed", []string{"now", "metric", "kv"}, Grants(), `it imports policy_v1.rand_u64, but its manifest does not list the import "rand"`},
	}
	for _, test := range tests {
		said := authorManifest()
		said.Imports = test.listed
		_, err := loadWith(t, embed(t, code, said), DefaultLimits(), Options{Grants: test.granted})
		if err == nil || !strings.Contains(err.Error(), test.cause) {
			t.Errorf("%s: error %v, want %q in it", test.name, err, test.cause)
		}
	}
	_, err := loadWith(t, code, DefaultLimits(), Options{Grants: Grants()})
	const cause = `it imports policy_v1.now_ms, which is not granted: the grant "now" is only for a module with a manifest that lists it`
	if err == nil || err.Error() != cause {
		t.Errorf("without a manifest: error %v, want %q", err, cause)
	}
}

// Settings are the operator's, else the manifest's defaults; what the module says
// against them is the reason why it is not loaded.
func TestSettings(t *testing.T) {
	if got := order(t, loadAuthor(t, Options{}), "settings"); got != `{"color":"red"}` {
		t.Errorf("defaults: %s", got)
	}
	if got := order(t, loadAuthor(t, Options{Settings: `{"color":"green"}`}), "settings"); got != `{"color":"green"}` {
		t.Errorf("the operator's: %s", got)
	}
	code := embed(t, buildGuest(t, guestAuthor), authorManifest())
	_, err := loadWith(t, code, DefaultLimits(), Options{Grants: Grants(), Settings: `{"color":"bad"}`})
	if err == nil || err.Error() != "policy_configure: /color: red or green expected" {
		t.Errorf("bad settings: error %v", err)
	}
}

// The time is that of the call, and random numbers follow from what is asked, on
// whatever instance.
func TestNowAndRand(t *testing.T) {
	seconds := int64(0)
	clock := func() time.Time { seconds++; return time.Unix(seconds, 0) }
	m := loadAuthor(t, Options{Now: clock, Limits: Limits{Instances: 1}})
	for _, want := range []string{"1000", "2000"} {
		if got := order(t, m, "now"); got != want {
			t.Errorf("now %s, want %s", got, want)
		}
	}
	one, two := order(t, m, "rand"), order(t, m, "rand")
	a, b, _ := strings.Cut(one, " ")
	if one != two || a == b {
		t.Errorf("random numbers %s, then %s", one, two)
	}
	if other := order(t, m, "rand x"); other == one {
		t.Errorf("another question, the same numbers %s", other)
	}
	if other := order(t, loadAuthor(t, Options{Fresh: true}), "rand"); other != one {
		t.Errorf("another instance, other numbers %s, want %s", other, one)
	}
}

// Metrics are what the manifest declares; a wrong use is told and does nothing.
func TestMetrics(t *testing.T) {
	var log bytes.Buffer
	loader, err := NewLoader(DefaultLimits(), filepath.Join(scratch(), "cache"), slog.New(slog.NewTextHandler(&log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	code := embed(t, buildGuest(t, guestAuthor), authorManifest())
	m, err := loader.Load(t.Context(), code, Options{Grants: Grants()})
	if err != nil {
		t.Fatal(err)
	}
	defer closeModule(t, m)
	order(t, m, "metrics")
	order(t, m, "metrics")
	said := authorManifest().Metrics
	want := []Metric{
		{Metric: said[0], Value: 4},
		{Metric: said[1], Value: -3.5},
		{Metric: said[2], Count: 2, Sum: 100, Buckets: []uint64{0, 0, 0, 0, 0, 2, 2, 2, 2, 2}},
	}
	if diff := cmp.Diff(want, m.Metrics()); diff != "" {
		t.Error(diff)
	}
	for _, text := range []string{"metric_add: the manifest declares no metric 4", "metric_add(-1): not for the counter hits"} {
		if !strings.Contains(log.String(), text) {
			t.Errorf("the log lacks %q:\n%s", text, &log)
		}
	}
}

// What a module keeps is common to its instances, is bounded, and does not change by
// a call that fails.
func TestStore(t *testing.T) {
	m := loadAuthor(t, Options{Fresh: true})
	if got := order(t, m, "get a"); got != "" {
		t.Errorf("at first %q", got)
	}
	long := strings.Repeat("y", 1000) // longer than the guest's first room
	order(t, m, "put a 1")
	order(t, m, "put b "+long)
	if got := order(t, m, "get a") + order(t, m, "get b"); got != "1"+long {
		t.Errorf("kept %q", got)
	}
	_, err := tryOrder(t, m, "put-and-fail a 2")
	wantFault(t, err, "after all not")
	if got := order(t, m, "get a"); got != "1" {
		t.Errorf("after a failed call %q", got)
	}
	order(t, m, "put b ")
	if got := order(t, m, "get b"); got != "" {
		t.Errorf("removed, but there is %q", got)
	}
	n, err := strconv.Atoi(order(t, m, "fill"))
	if err != nil || n < 60 || n > 65 || sizeOf(m.store.snapshot()) > storeQuota {
		t.Errorf("%d values of 1,000 bytes fit, error %v", n, err)
	}
	if got := order(t, m, "put c "+long); got != "no room" {
		t.Errorf("a full store took more: %q", got)
	}
}

// Calls at the same time see the store as it was and do not lose what others kept.
func TestStoreConcurrently(t *testing.T) {
	m := loadAuthor(t, Options{Limits: Limits{Instances: 2}})
	var group sync.WaitGroup
	for i := range 4 {
		group.Go(func() {
			for j := range 5 {
				if _, err := tryOrder(t, m, "put "+strconv.Itoa(i)+"/"+strconv.Itoa(j)+" x"); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	if n := len(m.store.snapshot()); n != 20 {
		t.Errorf("%d entries, want 20", n)
	}
	if !slices.Equal(Grants(), []string{"now", "rand", "metric", "kv"}) {
		t.Errorf("grants %v", Grants())
	}
}
