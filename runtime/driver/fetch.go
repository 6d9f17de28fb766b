package driver

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/pacer-run/pacer/runtime/placement"
	"github.com/pacer-run/pacer/runtime/scheduler"
	"github.com/pacer-run/pacer/runtime/spec"
	"github.com/pacer-run/pacer/sdk"
)

// fetches remembers what fetch policies decided of app versions. It belongs to one
// asker. What was decided holds for all tasks of the version, until the policies are
// others or the term ends.
type fetches struct {
	policies MatchPolicies // of the match under way
	now      func() time.Time
	apps     map[appVersion]*decided
	live     int // app versions left by the last sweep
	// generation is that of the policies when they decided.
	generation uint64
}

// decided is the word on one app version. At most one field but retry is set; none
// for an app whose artifacts are fetched as it says.
type decided struct {
	fetch  *placement.Fetch
	denied string
	fault  error
	retry  time.Time // when a fault is asked about again
}

func newFetches(policies MatchPolicies, now func() time.Time) *fetches {
	return &fetches{policies: policies, now: now, apps: map[appVersion]*decided{}}
}

// of asks the policies about an app, once per version unless they fail.
func (f *fetches) of(ctx context.Context, app *spec.App) *decided {
	key := appVersion{app.ID, app.Version}
	d := f.apps[key]
	if d == nil || d.fault != nil && !f.now().Before(d.retry) {
		d = f.decide(ctx, app)
		f.apps[key] = d
	}
	return d
}

func (f *fetches) decide(ctx context.Context, app *spec.App) *decided {
	facts, uris := FetchQuestion(app)
	decisions, err := f.policies.DecideFetch(ctx, facts, uris)
	if err == nil && len(decisions) != len(app.Fetch) {
		err = fmt.Errorf("%d decisions on %d artifacts", len(decisions), len(app.Fetch))
	}
	if err != nil {
		return &decided{fault: fmt.Errorf("fetch: %w", err), retry: f.now().Add(errorRetry)}
	}
	fetch := &placement.Fetch{Artifacts: make([]spec.Artifact, len(decisions)), Checks: make([]placement.FetchCheck, len(decisions))}
	for i, d := range decisions {
		if d.Denied {
			return &decided{denied: app.Fetch[i].URI + ": " + d.Reason}
		}
		fetch.Artifacts[i], fetch.Checks[i] = spec.Artifact(d.FetchURI), placement.FetchCheck{SHA256: d.SHA256, Limits: d.Limits}
	}
	if !slices.ContainsFunc(fetch.Checks, func(c placement.FetchCheck) bool { return c != placement.FetchCheck{} }) {
		fetch.Checks = nil
	}
	if fetch.Checks == nil && slices.Equal(fetch.Artifacts, app.Fetch) {
		return &decided{}
	}
	return &decided{fetch: fetch}
}

// FetchQuestion is what fetch policies are told of an app and of its artifacts.
func FetchQuestion(app *spec.App) (sdk.AppFacts, []sdk.FetchURI) {
	uris := make([]sdk.FetchURI, len(app.Fetch))
	for i, a := range app.Fetch {
		uris[i] = sdk.FetchURI(a)
	}
	return appFacts(app), uris
}

// around has match answer a request without the apps that policies deny or have no
// word on. These have refusals in its answer like all others, and the placements
// say what is fetched for them.
func (f *fetches) around(ctx context.Context, r *placement.Request, match func(*placement.Request) placement.Result) placement.Result {
	if !slices.ContainsFunc(r.Wanted, func(w placement.Wanted) bool { return len(w.App.Fetch) > 0 }) {
		return match(r)
	}
	if g := generationOf(f.policies); g != f.generation {
		clear(f.apps)
		f.generation = g
	}
	words := map[*spec.App]*decided{}
	var refused []placement.Refusals
	part := *r
	part.Wanted = nil
	for _, w := range r.Wanted {
		if len(w.App.Fetch) > 0 {
			word := f.of(ctx, w.App)
			if word.denied != "" || word.fault != nil {
				refused = append(refused, word.refusals(w.App, r.Offers))
				continue
			}
			words[w.App] = word
		}
		part.Wanted = append(part.Wanted, w)
	}
	result := match(&part)
	for i := range result.Placements {
		if word := words[result.Placements[i].App]; word != nil {
			result.Placements[i].Fetch = word.fetch
		}
	}
	result.Refusals = append(result.Refusals, refused...)
	return result
}

// refusals are those of an app that no offer can help. A fault says nothing about
// offers.
func (d *decided) refusals(app *spec.App, offers []*placement.Offer) placement.Refusals {
	out := placement.Refusals{App: app, Fault: d.fault, Denied: d.denied}
	if d.fault != nil {
		return out
	}
	out.Processed = len(offers)
	for _, o := range offers {
		reason := placement.UnfulfilledConstraint
		if o.Role != app.Role {
			reason = placement.UnfulfilledRole
		}
		out.Declined[reason]++
	}
	return out
}

// sweep forgets versions that are gone, when many may be.
func (f *fetches) sweep(s *scheduler.Snapshot) {
	if len(f.apps) <= 2*f.live+sweepSlack {
		return
	}
	for key := range f.apps {
		if view, ok := s.Apps.Get([]byte(key.id)); !ok || view.Removed || view.App.Version != key.version {
			delete(f.apps, key)
		}
	}
	f.live = len(f.apps)
}
