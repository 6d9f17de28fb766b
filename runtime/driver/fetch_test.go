package driver_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pacer-run/pacer/runtime/placement"
	"github.com/pacer-run/pacer/runtime/scheduler"
	"github.com/pacer-run/pacer/runtime/spec"
	"github.com/pacer-run/pacer/sdk"
)

func (p policies) DecideFetch(ctx context.Context, app sdk.AppFacts, uris []sdk.FetchURI) ([]sdk.FetchDecision, error) {
	p.add("fetch %s", app.ID)
	var decisions []sdk.FetchDecision
	for _, uri := range uris {
		if uri.URI == "slow:" {
			<-ctx.Done()
			return nil, ctx.Err()
		}
		d, err := p.fetch(uri)
		if err != nil {
			return nil, err
		}
		decisions = append(decisions, d)
	}
	return decisions, nil
}

func (noPolicies) DecideFetch(context.Context, sdk.AppFacts, []sdk.FetchURI) ([]sdk.FetchDecision, error) {
	return nil, &sdk.Invalid{Message: "no policies here"}
}

// placeAll is a matcher that places every wanted app once.
func placeAll(w *world) matcher {
	return func(_ context.Context, r placement.Request, _ func(*spec.App) []placement.Rule) (result placement.Result) {
		for _, wanted := range r.Wanted {
			w.add("match %s", wanted.App.ID)
			result.Placements = append(result.Placements, placement.Placement{App: wanted.App, Offer: r.Offers[0]})
			result.Refusals = append(result.Refusals, placement.Refusals{App: wanted.App})
		}
		return result
	}
}

// judge is a fetch policy for the tests: the URI says what it gets.
func judge(uri sdk.FetchURI) (sdk.FetchDecision, error) {
	switch scheme, rest, _ := strings.Cut(uri.URI, ":"); scheme {
	case "bad":
		return sdk.DenyFetch("it is bad"), nil
	case "broken":
		return sdk.FetchDecision{}, &sdk.Fault{Module: "m@1", Cause: "it broke"}
	case "pinned":
		return sdk.FetchDecision{FetchURI: uri, SHA256: "ab", Limits: sdk.FetchLimits{Bytes: 7}}, nil
	case "old":
		uri.URI, uri.Executable = "new:"+rest, true
	}
	return sdk.AllowFetch(uri), nil
}

func fetching(id spec.PathID, uris ...string) *spec.App {
	app := &spec.App{ID: id, Version: 1, Role: "*"}
	for _, uri := range uris {
		app.Fetch = append(app.Fetch, spec.Artifact{URI: uri, Extract: true})
	}
	return app
}

func TestFetchIsDecidedBeforeTheMatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		apps := []*spec.App{
			fetching("/none"), fetching("/plain", "new:1"), fetching("/moved", "new:1", "old:2"),
			fetching("/denied", "new:1", "bad:2"), fetching("/fault", "broken:1"),
			fetching("/pinned", "new:1", "pinned:2"),
		}
		w := start(t, func(w *world) {
			w.core.on, w.matcher, w.policies.fetch = askFor(apps...), placeAll(w), judge
		})
		for range 2 {
			w.driver.Post(scheduler.Offers{})
			synctest.Wait()
		}
		got := w.answers()[1].Result
		fetches := map[spec.PathID]*placement.Fetch{}
		for _, p := range got.Placements {
			fetches[p.App.ID] = p.Fetch
		}
		want := map[spec.PathID]*placement.Fetch{
			"/none": nil, "/plain": nil,
			"/moved": {Artifacts: []spec.Artifact{{URI: "new:1", Extract: true}, {URI: "new:2", Extract: true, Executable: true}}},
			"/pinned": {
				Artifacts: []spec.Artifact{{URI: "new:1", Extract: true}, {URI: "pinned:2", Extract: true}},
				Checks:    []placement.FetchCheck{{}, {SHA256: "ab", Limits: sdk.FetchLimits{Bytes: 7}}},
			},
		}
		if diff := cmp.Diff(want, fetches); diff != "" {
			t.Errorf("placements: %s", diff)
		}
		if first := w.answers()[0].Result.Placements[2].Fetch; first != fetches["/moved"] {
			t.Error("the same decision is another value in the next match")
		}
		if len(got.Refusals) != len(apps) {
			t.Fatalf("%d refusals of %d apps", len(got.Refusals), len(apps))
		}
		denied, fault := got.Refusals[4], got.Refusals[5]
		if denied.App != apps[3] || denied.Denied != "bad:2: it is bad" || denied.Fault != nil || denied.Processed != 1 || denied.Unused() != 1 {
			t.Errorf("denied: %+v", denied)
		}
		if f, ok := errors.AsType[*sdk.Fault](fault.Fault); fault.App != apps[4] || !ok || f.Module != "m@1" || fault.Unused() != 0 {
			t.Errorf("fault: %+v", fault)
		}
		if slices.Contains(w.all(), "match /denied") || slices.Contains(w.all(), "match /fault") || slices.Contains(w.all(), "fetch /none") {
			t.Errorf("asked: %q", w.all())
		}
		for _, line := range []string{"fetch /plain", "fetch /moved", "fetch /denied", "fetch /fault"} {
			if n := count(w.all(), line); n != 1 {
				t.Errorf("%s: %d times, want once", line, n)
			}
		}
	})
}

func TestDeniedOffersCountByRole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		app := fetching("/denied", "bad:1")
		app.Role = "prod"
		w := start(t, func(w *world) {
			w.matcher, w.policies.fetch = placeAll(w), judge
			w.core.on = func(c *core, ev scheduler.Event) {
				if _, ok := ev.(scheduler.Offers); ok {
					c.effects.Match = &placement.Request{
						Wanted: []placement.Wanted{{App: app, Count: 1}},
						Offers: []*placement.Offer{{ID: "1", Role: "prod"}, {ID: "2", Role: "*"}, {ID: "3", Role: "prod"}},
					}
				}
			}
		})
		w.driver.Post(scheduler.Offers{})
		synctest.Wait()
		r := w.answers()[0].Result.Refusals[0]
		if r.Processed != 3 || r.Declined[placement.UnfulfilledConstraint] != 2 || r.Declined[placement.UnfulfilledRole] != 1 {
			t.Errorf("%+v", r)
		}
	})
}

func TestFaultyFetchPolicyIsAskedAgainLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		broken := true
		w := start(t, func(w *world) {
			w.core.on, w.matcher = askFor(fetching("/a", "x:1")), placeAll(w)
			w.policies.fetch = func(uri sdk.FetchURI) (sdk.FetchDecision, error) {
				if broken {
					return sdk.FetchDecision{}, errors.New("not now")
				}
				return sdk.AllowFetch(uri), nil
			}
		})
		for range 3 { // at 0, 4 and 8 seconds
			w.driver.Post(scheduler.Offers{})
			synctest.Wait()
			<-time.After(4 * time.Second)
			broken = false
		}
		if n := count(w.all(), "fetch /a"); n != 2 {
			t.Errorf("asked %d times in 8 s, want 2", n)
		}
		placed := 0
		for _, m := range w.answers() {
			placed += len(m.Result.Placements)
		}
		if placed != 1 {
			t.Errorf("placed %d times, want once: %q", placed, w.all())
		}
	})
}

func TestSlowFetchPolicyHoldsItsAppAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow, quick := fetching("/slow", "slow:"), fetching("/quick", "new:1")
		w := start(t, func(w *world) {
			w.core.on, w.matcher, w.policies.fetch = askFor(quick, slow, fetching("/none")), placeAll(w), judge
		})
		w.driver.Post(scheduler.Offers{})
		<-time.After(10 * time.Second) // of the bubble: far beyond the deadline of a match
		synctest.Wait()
		if n := len(w.answers()); n != 1 {
			t.Fatalf("%d answers, want 1", n)
		}
		result := w.answers()[0].Result
		if len(result.Placements) != 2 {
			t.Errorf("%d placements, want those of the other two", len(result.Placements))
		}
		if last := result.Refusals[len(result.Refusals)-1]; last.App != slow || !errors.Is(last.Fault, context.DeadlineExceeded) {
			t.Errorf("refusals %+v", last)
		}
	})
}

func TestDecisionsOnGoneVersionsAreForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := start(t, func(w *world) { w.matcher, w.policies.fetch = placeAll(w), judge })
		ask := func(version spec.Timestamp) {
			app := fetching("/a", "old:1")
			app.Version = version
			w.core.on = askFor(app)
			w.driver.Post(scheduler.Offers{})
			synctest.Wait()
		}
		for version := range spec.Timestamp(100) {
			ask(version)
		}
		ask(0) // the snapshot of the fake has no apps: it was swept
		if n := count(w.all(), "fetch /a"); n != 101 {
			t.Errorf("asked %d times, want 101", n)
		}
	})
}
