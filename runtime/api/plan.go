package api

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"slices"

	"github.com/pacer-run/pacer/runtime/deployment"
	"github.com/pacer-run/pacer/runtime/placement"
	"github.com/pacer-run/pacer/runtime/scheduler"
	"github.com/pacer-run/pacer/runtime/spec"
)

// planAnswer says what a change would do. Nothing is done or reserved.
type planAnswer struct {
	Token    string         `json:"token"`
	Apps     []plannedApp   `json:"apps"`  // that are named, in their order
	Steps    []step         `json:"steps"` // of the deployment
	Locks    []deploymentID `json:"locks"` // deployments that hold apps of the change
	Warnings []planWarning  `json:"warnings"`
}

// plannedApp is an app before and after.
type plannedApp struct {
	App     spec.PathID  `json:"app"`
	Action  string       `json:"action"` // "create", "restart", "scale" or "none"
	Changes []fieldDelta `json:"changes"`
	Kills   int          `json:"kills"`  // instances that end
	Starts  int          `json:"starts"` // instances that begin
	Places  *placesBody  `json:"places,omitempty"`
}

// placesBody is where instances would go by the last offers seen.
type placesBody struct {
	Wanted  int            `json:"wanted"`
	Placed  int            `json:"placed"`
	On      []placeCount   `json:"on"`
	Refused map[string]int `json:"refused,omitempty"` // offers by the first reason
	Fault   string         `json:"fault,omitempty"`
}

type placeCount struct {
	Agent    string `json:"agent"`
	Hostname string `json:"hostname"`
	Count    int    `json:"count"`
}

// planWarning is a reason why the change may not come to its end.
type planWarning struct {
	App  spec.PathID `json:"app"`
	Code string      `json:"code"`
	Text string      `json:"text"`
}

// plan answers POST /pacer/v1/plan with what a PUT of the same body would do.
func (s *server) plan(core Core, w http.ResponseWriter, r *http.Request) error {
	data, err := s.body(w, r)
	if err != nil {
		return err
	}
	r = r.Clone(r.Context())
	r.Method = http.MethodPut
	updates, err := planUpdates(data, formOf(r))
	if err != nil {
		return err
	}
	if err := s.noteUnknown(w, r, updates...); err != nil {
		return err
	}
	snapshot := core.Snapshot()
	put, err := s.deriveAll(r, snapshot, updates)
	if err != nil {
		return err
	}
	now := spec.TimestampOf(s.Now())
	plan, err := s.planOfPut(snapshot, now, put)
	if err != nil {
		return err
	}
	answer := planAnswer{
		Token: tokenFor(data, put).String(), Steps: stepsOf(plan.Steps), Locks: locksOf(snapshot, plan), Warnings: []planWarning{},
	}
	planned := plannedApps(snapshot, put, plan)
	s.foresee(r.Context(), snapshot, now, planned)
	cluster := snapshot.Cluster(now)
	for _, p := range planned {
		answer.Apps = append(answer.Apps, p.plannedApp)
		answer.Warnings = append(answer.Warnings, p.warnings(cluster)...)
	}
	writeJSON(w, http.StatusOK, answer)
	return nil
}

// planOfPut makes the deployment that the core would make.
func (s *server) planOfPut(snapshot *scheduler.Snapshot, now spec.Timestamp, put []scheduler.PutApp) (*deployment.Plan, error) {
	change := spec.TreeChange{Apps: map[spec.PathID]*spec.App{}}
	for _, p := range put {
		if _, twice := change.Apps[p.App.ID]; twice {
			return nil, &scheduler.NamedTwice{ID: p.App.ID}
		}
		change.Apps[p.App.ID] = p.App
	}
	plan, _, err := deployment.Make(snapshot.Tree, change, deployment.Options{
		Version: max(now, snapshot.Tree.Version+1), DependenciesFirst: s.DependenciesFirst,
	})
	return plan, err
}

// planUpdates reads an app or a list of apps, each with its id.
func planUpdates(data []byte, form spec.Form) ([]*spec.Update, error) {
	if text := bytes.TrimLeft(data, " \t\r\n"); len(text) > 0 && text[0] != '[' {
		u, err := spec.ParseUpdate(data, form, false)
		if err != nil {
			return nil, err
		}
		if slices.Contains(u.Unknown, "apps") || slices.Contains(u.Unknown, "groups") {
			return nil, spec.NewFault("/", "expected an app or a list of apps; a group cannot be planned")
		}
		if u.ID == nil {
			return nil, errNoID
		}
		return []*spec.Update{u}, nil
	}
	updates, err := spec.ParseUpdates(data, form)
	if err != nil {
		return nil, err
	}
	for _, u := range updates {
		if u.ID == nil {
			return nil, errNoID
		}
	}
	return updates, nil
}

// locksOf are the deployments that hold apps of the plan, each once.
func locksOf(snapshot *scheduler.Snapshot, plan *deployment.Plan) []deploymentID {
	locks := []deploymentID{}
	for _, id := range plan.Apps() {
		v, ok := snapshot.Apps.Get([]byte(id))
		if !ok {
			continue
		}
		for _, d := range v.Deployments {
			if !slices.Contains(locks, deploymentID{d}) {
				locks = append(locks, deploymentID{d})
			}
		}
	}
	return locks
}

// planning is a planned app with what its forecast is made from.
type planning struct {
	plannedApp
	after  *spec.App
	wanted placement.Wanted
	old    int // instances that a restart replaces
}

// plannedApps counts what begins and what ends.
func plannedApps(snapshot *scheduler.Snapshot, put []scheduler.PutApp, plan *deployment.Plan) []*planning {
	changed := map[spec.PathID]deployment.Change{}
	for _, c := range plan.Changes {
		changed[c.App()] = c
	}
	out := make([]*planning, len(put))
	for i, p := range put {
		c, ok := changed[p.App.ID]
		if !ok {
			out[i] = &planning{plannedApp: plannedApp{App: p.App.ID, Action: "none", Changes: []fieldDelta{}}, after: p.App}
			continue
		}
		out[i] = planningOf(c, viewOf(snapshot, p.App.ID), restartsIn(plan, p.App.ID))
	}
	return out
}

func restartsIn(plan *deployment.Plan, id spec.PathID) bool {
	for _, s := range plan.Steps {
		if slices.ContainsFunc(s.Actions, func(a deployment.Action) bool { return a.App == id && a.Kind == deployment.Restart }) {
			return true
		}
	}
	return false
}

// planningOf works with the definition as it would be in force: by its versions
// it is told which instances count for constraints. v is nil for a new app.
func planningOf(c deployment.Change, v *scheduler.AppView, restarts bool) *planning {
	p := &planning{plannedApp: plannedApp{App: c.App(), Action: "create", Changes: fieldDeltas(c.Before, c.After)}, after: c.After}
	p.wanted = placement.Wanted{App: c.After, Count: c.After.Instances}
	p.Starts = c.After.Instances
	if v == nil {
		return p
	}
	held := 0
	for _, i := range v.Instances {
		if i.Goal == scheduler.GoalRunning && i.Condition != scheduler.UnreachableInactive {
			held++
		}
	}
	if restarts {
		p.Action, p.Kills, p.old = "restart", held, held
		return p
	}
	as := *v
	as.App = c.After
	now := as.Wanted()
	p.Action, p.Starts, p.Kills = "scale", max(0, c.After.Instances-held), max(0, held-c.After.Instances)
	p.wanted.Count, p.wanted.Placed = p.Starts+max(0, now.Count-p.Kills), now.Placed
	return p
}

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
		apps[i].Places = places
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
