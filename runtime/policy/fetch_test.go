package policy_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pacer-run/pacer/plugins/constraints"
	"github.com/pacer-run/pacer/plugins/fetchers"
	"github.com/pacer-run/pacer/runtime/policy"
	"github.com/pacer-run/pacer/sdk"
)

func openFetch(t *testing.T, steps []policy.FetchStep, more ...sdk.Fetch) (*policy.Catalog, error) {
	t.Helper()
	c, err := policy.Open(t.Context(), policy.Config{
		Builtins: constraints.All(), Fetch: append(fetchers.All(), more...), Fetching: steps,
	})
	if err == nil {
		t.Cleanup(func() {
			if err := c.Close(context.Background()); err != nil {
				t.Error(err)
			}
		})
	}
	return c, err
}

// asked are three artifacts of an app.
func asked() []sdk.FetchURI {
	return []sdk.FetchURI{{URI: "http://old/a", Extract: true}, {URI: "ftp://old/b"}, {URI: "https://new/c", Cache: true}}
}

func TestFetchPoliciesDecideInOrder(t *testing.T) {
	const mirror, old = "http://old/=https://new/", "http://old/a"
	for _, tt := range []struct {
		name  string
		steps []policy.FetchStep
		want  []string // the URI of each, or the reason against it
	}{
		{"none", nil, []string{old, "ftp://old/b", "https://new/c"}},
		{"as the app says", []policy.FetchStep{{Policy: "marathon"}}, []string{old, "ftp://old/b", "https://new/c"}},
		{
			"what is moved first is judged by where it then is",
			[]policy.FetchStep{{Policy: " Mirror", Settings: mirror}, {Policy: "schemes", Settings: "http;ftp"}},
			[]string{"https://new/a", "denied by the fetch policy schemes: the scheme ftp is forbidden", "https://new/c"},
		},
		{
			"a denial ends it",
			[]policy.FetchStep{{Policy: "schemes", Settings: "http"}, {Policy: "mirror", Settings: mirror}, {Policy: "schemes", Settings: "ftp"}},
			[]string{
				"denied by the fetch policy schemes: the scheme http is forbidden",
				"denied by the fetch policy schemes: the scheme ftp is forbidden", "https://new/c",
			},
		},
		{
			"one policy with several settings",
			[]policy.FetchStep{{Policy: "mirror", Settings: mirror}, {Policy: "mirror", Settings: "https://new/=s3://n/"}},
			[]string{"s3://n/a", "ftp://old/b", "s3://n/c"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, err := openFetch(t, tt.steps)
			if err != nil {
				t.Fatal(err)
			}
			decisions, err := c.DecideFetch(t.Context(), sdk.AppFacts{ID: "/app"}, asked())
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for i, d := range decisions {
				want := asked()[i]
				if want.URI = d.URI; !d.Denied && d.FetchURI != want {
					t.Errorf("%+v, want the flags of %+v", d.FetchURI, want)
				}
				got = append(got, d.URI+d.Reason)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestFetchModules(t *testing.T) {
	c, err := openFetch(t, []policy.FetchStep{{Policy: "marathon"}, {Policy: "schemes", Settings: "ftp"}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.DecideFetch(t.Context(), sdk.AppFacts{ID: "/app"}, asked()); err != nil {
		t.Fatal(err)
	}
	names := []string{"marathon", "mirror", "schemes", "sources", "flags", "pin", "limits"}
	m := c.Modules()[1]
	if m.Kind != policy.KindFetch || m.Name != "builtin" || m.State != policy.Active || !slices.Equal(m.Fetchers, names) ||
		m.Operators != nil || m.Rules != nil || m.Calls != 4 || m.Faults != 0 {
		t.Errorf("%+v", m)
	}
	if got := c.FetchPolicies(); !slices.Equal(got, names) {
		t.Errorf("policies %v", got)
	}
	_, err = openFetch(t, nil, fetchers.Mirror{})
	if err == nil || err.Error() != "two built-in policies offer the fetch policy mirror" {
		t.Errorf("error %v", err)
	}
}

func TestWrongFetchPoliciesAreToldAtTheStart(t *testing.T) {
	panics := illFetch{prepare: func() error { panic("no") }}
	for _, tt := range []struct {
		step policy.FetchStep
		want string
	}{
		{policy.FetchStep{Policy: "torrent"}, `"torrent": fetch policy must be one of the following marathon, mirror, schemes, sources, flags, pin, limits or sick`},
		{policy.FetchStep{Policy: "mirror"}, "needs settings"},
		{policy.FetchStep{Policy: "mirror", Settings: "http://a"}, "takes pairs"},
		{policy.FetchStep{Policy: "sick"}, "it panicked: no"},
	} {
		_, err := openFetch(t, []policy.FetchStep{{Policy: "marathon"}, tt.step}, panics)
		wrong, ok := errors.AsType[*policy.WrongFetching](err)
		if !ok || wrong.Policy != tt.step.Policy || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%+v: %v, want %q", tt.step, err, tt.want)
		}
	}
}

// illFetch is the fetch policy "sick"; its functions may be nil for what works.
type illFetch struct {
	prepare func() error
	decide  func([]sdk.FetchURI) ([]sdk.FetchDecision, error)
	close   func()
}

func (s illFetch) Policies() []string { return []string{"sick"} }

func (s illFetch) Prepare(context.Context, sdk.FetchSpec) (sdk.PreparedFetch, error) {
	if s.prepare != nil {
		return s, s.prepare()
	}
	return s, nil
}

func (s illFetch) Decide(_ context.Context, uris []sdk.FetchURI) ([]sdk.FetchDecision, error) {
	if s.decide != nil {
		return s.decide(uris)
	}
	return make([]sdk.FetchDecision, len(uris)), nil
}

func (s illFetch) Close() {
	if s.close != nil {
		s.close()
	}
}

func TestFaultsOfFetch(t *testing.T) {
	answer := func(change func(*sdk.FetchDecision)) func([]sdk.FetchURI) ([]sdk.FetchDecision, error) {
		return func(uris []sdk.FetchURI) (decisions []sdk.FetchDecision, err error) {
			for _, uri := range uris {
				d := sdk.AllowFetch(uri)
				change(&d)
				decisions = append(decisions, d)
			}
			return decisions, nil
		}
	}
	for _, tt := range []struct {
		name  string
		sick  illFetch
		cause string // of the one fault; "" for none
	}{
		{"nothing", illFetch{decide: answer(func(*sdk.FetchDecision) {})}, ""},
		{"a denial without a reason", illFetch{decide: answer(func(d *sdk.FetchDecision) { *d = sdk.DenyFetch("") })}, ""},
		{"another path", illFetch{decide: answer(func(d *sdk.FetchDecision) { d.DestPath = "a/../b" })}, ""},
		{"a panic", illFetch{decide: func([]sdk.FetchURI) ([]sdk.FetchDecision, error) { panic("no") }}, "it panicked: no"},
		{"an error", illFetch{decide: func([]sdk.FetchURI) ([]sdk.FetchDecision, error) { return nil, errors.New("lost") }}, "lost"},
		{
			"too few decisions",
			illFetch{decide: func([]sdk.FetchURI) ([]sdk.FetchDecision, error) { return nil, nil }},
			"it answered 0 decisions on 1 URIs",
		},
		{"no URI", illFetch{}, `it answered "" for "http://old/a", which is no URI`},
		{
			"a URI with a space",
			illFetch{decide: answer(func(d *sdk.FetchDecision) { d.URI = "http://a/b c" })},
			`it answered "http://a/b c" for "http://old/a", which is no URI`,
		},
		{
			"a path beside the sandbox",
			illFetch{decide: answer(func(d *sdk.FetchDecision) { d.DestPath = "a/../../b" })},
			`it wants "http://old/a" stored as "a/../../b", which is not below the sandbox`,
		},
		{
			"a digest that is none",
			illFetch{decide: answer(func(d *sdk.FetchDecision) { d.SHA256 = "ABCD" })},
			`it pins "http://old/a" to "ABCD", expected 64 digits of lower-case hexadecimal`,
		},
		{
			"a path of the agent",
			illFetch{decide: answer(func(d *sdk.FetchDecision) { d.DestPath = "/etc/passwd" })},
			`it wants "http://old/a" stored as "/etc/passwd", which is not below the sandbox`,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, err := openFetch(t, []policy.FetchStep{{Policy: "sick"}}, tt.sick)
			if err != nil {
				t.Fatal(err)
			}
			decisions, err := c.DecideFetch(t.Context(), sdk.AppFacts{ID: "/app"}, asked()[:1])
			fault, failed := errors.AsType[*sdk.Fault](err)
			if failed != (tt.cause != "") || failed && (fault.Module != "builtin" || fault.Cause != tt.cause || decisions != nil) {
				t.Errorf("%+v, %v", decisions, err)
			}
			if failed && !strings.HasPrefix(err.Error(), "fetch policy sick: ") {
				t.Errorf("it is not named: %v", err)
			}
			if m := c.Modules()[1]; m.Calls != 2 || (m.Faults == 1) != failed || m.Error != tt.cause {
				t.Errorf("%d calls, %d faults, %q", m.Calls, m.Faults, m.Error)
			}
		})
	}
}

// TestFetchPolicyThatPanicsAtTheEnd: its decision holds, and the list of modules knows.
func TestFetchPolicyThatPanicsAtTheEnd(t *testing.T) {
	asking := false
	c, err := openFetch(t, []policy.FetchStep{{Policy: "sick"}}, illFetch{
		decide: func(uris []sdk.FetchURI) ([]sdk.FetchDecision, error) {
			return []sdk.FetchDecision{sdk.AllowFetch(uris[0])}, nil
		},
		close: func() {
			if asking {
				panic("twice")
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	asking = true
	decisions, err := c.DecideFetch(t.Context(), sdk.AppFacts{ID: "/app"}, asked()[:1])
	if err != nil || decisions[0].FetchURI != asked()[0] {
		t.Errorf("%+v, %v", decisions, err)
	}
	if m := c.Modules()[1]; m.Faults != 1 || m.Error != "it panicked: twice" {
		t.Errorf("%d faults, %q", m.Faults, m.Error)
	}
}

// A digest holds through what later policies make of the URI, until one sets another;
// of limits the smallest counts.
func TestChecksAddUp(t *testing.T) {
	one, two := strings.Repeat("1", 64), strings.Repeat("2", 64)
	open := func(enforced bool, steps ...policy.FetchStep) *policy.Catalog {
		c, err := policy.Open(t.Context(), policy.Config{Builtins: constraints.All(), Fetch: fetchers.All(), Fetching: steps, Enforced: enforced})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := c.Close(context.Background()); err != nil {
				t.Error(err)
			}
		})
		return c
	}
	steps := []policy.FetchStep{
		{Policy: "pin", Settings: "http://old/a=" + one + ";ftp://old/b=" + one},
		{Policy: "limits", Settings: "bytes=1KiB;depth=3"},
		{Policy: "mirror", Settings: "http://old/=https://new/"},
		{Policy: "limits", Settings: "bytes=1MiB;depth=2;entries=7"},
		{Policy: "pin", Settings: "ftp://old/b=" + two},
		{Policy: "schemes", Settings: "gopher"},
	}
	got, err := open(true, steps...).DecideFetch(t.Context(), sdk.AppFacts{ID: "/app"}, asked())
	if err != nil {
		t.Fatal(err)
	}
	limits := sdk.FetchLimits{Bytes: 1024, Depth: 2, Entries: 7}
	want := []sdk.FetchDecision{
		{FetchURI: sdk.FetchURI{URI: "https://new/a", Extract: true}, SHA256: one, Limits: limits},
		{FetchURI: sdk.FetchURI{URI: "ftp://old/b"}, SHA256: two, Limits: limits},
		{FetchURI: sdk.FetchURI{URI: "https://new/c", Cache: true}, Limits: limits},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	got, err = open(false, steps[0]).DecideFetch(t.Context(), sdk.AppFacts{ID: "/app"}, asked())
	if err != nil || !got[0].Denied || got[0].SHA256 != "" || got[2].Denied {
		t.Errorf("not enforced: %+v, %v", got, err)
	}
}
