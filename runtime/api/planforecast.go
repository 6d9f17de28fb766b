package api

import (
	"context"
	"fmt"

	"github.com/pacer-run/pacer/runtime/placement"
	"github.com/pacer-run/pacer/runtime/scheduler"
	"github.com/pacer-run/pacer/runtime/spec"
)

// foresee fills in where the instances of all apps together would go.
func (s *server) foresee(ctx context.Context, snapshot *scheduler.Snapshot, now spec.Timestamp, planned []*planning) {
	var wanted []placement.Wanted
	var apps []*planning
	for _, p := range planned {
		if p.wanted.Count > 0 {
			wanted, apps = append(wanted, p.wanted), append(apps, p)
		}
	}
	ctx, cancel := context.WithTimeout(ctx, s.CommandTimeout)
	defer cancel()
	for i, prediction := range s.predict(ctx, snapshot, now, wanted) {
		places := &placesBody{Wanted: prediction.Wanted, Placed: prediction.Placed, On: []placeCount{}}
		for _, on := range prediction.On {
			places.On = append(places.On, placeCount{on.Agent.ID, on.Agent.Hostname, on.Count})
		}
		for reason, n := range prediction.Refusals.Declined {
			if n > 0 {
				if places.Refused == nil {
					places.Refused = map[string]int{}
				}
				places.Refused[placement.Reason(reason).String()] = n
			}
		}
		if fault := prediction.Refusals.Fault; fault != nil {
			places.Fault = fault.Error()
		}
		s.foreseeFetch(ctx, prediction.App, places)
		apps[i].Places = places
	}
}

// foreseeFetch takes the places away from an app that fetch policies deny, or have no
// word on.
func (s *server) foreseeFetch(ctx context.Context, app *spec.App, places *placesBody) {
	if len(app.Fetch) == 0 {
		return
	}
	decisions, err := s.CheckFetch(ctx, app)
	if err != nil {
		places.Fault = err.Error()
	}
	for i, d := range decisions {
		if d.Denied {
			places.Denied = app.Fetch[i].URI + ": " + d.Reason
			break
		}
	}
	if err != nil || places.Denied != "" {
		places.Placed, places.On = 0, []placeCount{}
	}
}

// predict asks the placement. A panic of a policy is a fault of all apps.
func (s *server) predict(ctx context.Context, snapshot *scheduler.Snapshot, now spec.Timestamp, wanted []placement.Wanted) (out []placement.Prediction) {
	var release []func()
	defer func() {
		for _, done := range release {
			done()
		}
	}()
	defer func() {
		if cause := recover(); cause != nil {
			out = make([]placement.Prediction, len(wanted))
			for i, w := range wanted {
				fault := placement.Refusals{Fault: fmt.Errorf("a policy panicked: %v", cause)}
				out[i] = placement.Prediction{App: w.App, Wanted: w.Count, Refusals: fault}
			}
		}
	}()
	cluster := snapshot.Cluster(now)
	cluster.UnrestrictedGPUs = s.UnrestrictedGPUs
	prepared := map[*spec.App][]placement.Rule{}
	return placement.Predict(ctx, cluster, wanted, func(app *spec.App) []placement.Rule {
		if _, ok := prepared[app]; !ok {
			rules, done := s.Rules(ctx, app)
			prepared[app], release = rules, append(release, done)
		}
		return prepared[app]
	})
}
