package scheduler

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/cockroachdb/datadriven"

	"github.com/pacer-run/pacer/runtime/placement"
	"github.com/pacer-run/pacer/runtime/spec"
	"github.com/pacer-run/pacer/sdk"
)

// matched answers the match under way with the placements named.
func (w *world) matched(d *datadriven.TestData) (Event, error) {
	if w.match == nil {
		return nil, fmt.Errorf("no match was asked for")
	}
	e := Matched{MatchedOffers: w.match.Offers}
	for _, x := range d.CmdArgs {
		switch x.Key {
		case "partial":
			e.Partial = true
			continue
		case "fault":
			w.refuse(&e, x.Vals, &sdk.Fault{Module: "zoo@1", Cause: "fuel exhausted"})
			continue
		case "denied": // by a fetch policy: each offer counts
			for _, id := range x.Vals {
				r := placement.Refusals{App: w.wantedApp(id), Processed: len(e.MatchedOffers), Denied: "denied by the fetch policy test"}
				r.Declined[placement.UnfulfilledConstraint] = len(e.MatchedOffers)
				e.Result.Refusals = append(e.Result.Refusals, r)
			}
			continue
		case "fetch": // of the placements so far
			for i := range e.Result.Placements {
				e.Result.Placements[i].Fetch = &placement.Fetch{Artifacts: []spec.Artifact{{URI: x.Vals[0]}}}
			}
			continue
		case "late":
			w.refuse(&e, x.Vals, fmt.Errorf("constraint f:ZOO: %w", context.DeadlineExceeded))
			continue
		}
		app, offer, _ := strings.Cut(x.Key, "@")
		p := placement.Placement{App: w.wantedApp(app)}
		if held := w.wantedHeld(app); held != nil {
			p.App, p.Held = held.App, held.Held
		}
		i := slices.IndexFunc(w.match.Offers, func(o *placement.Offer) bool { return slices.Contains(o.IDs(), offer) })
		if p.App == nil || i < 0 {
			return nil, fmt.Errorf("%s is not part of the match", x.Key)
		}
		p.Offer = w.match.Offers[i]
		w.placeVolumes(&p)
		e.Result.Placements = append(e.Result.Placements, p)
	}
	for _, wanted := range w.match.Wanted { // the matcher answers about every one
		faulted := slices.ContainsFunc(e.Result.Refusals, func(r placement.Refusals) bool { return r.App == wanted.App })
		if !faulted && !e.Partial {
			e.Result.Refusals = append(e.Result.Refusals, placement.Refusals{App: wanted.App})
		}
	}
	return e, nil
}

// wantedApp is the app as the match under way has it; nil when it is not in it.
func (w *world) wantedApp(id string) *spec.App {
	for _, wanted := range w.match.Wanted {
		if string(wanted.App.ID) == id {
			return wanted.App
		}
	}
	return nil
}

// refuse answers that the apps were not placed because of a policy.
func (w *world) refuse(e *Matched, apps []string, fault error) {
	for _, id := range apps {
		e.Result.Refusals = append(e.Result.Refusals, placement.Refusals{App: w.wantedApp(id), Fault: fault})
	}
}
