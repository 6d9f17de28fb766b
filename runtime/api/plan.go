package api

import (
	"net/http"

	"github.com/pacer-run/pacer/runtime/scheduler"
	"github.com/pacer-run/pacer/runtime/spec"
)

// planAnswer says what a change would do. Nothing is done or reserved.
type planAnswer struct {
	Token    string         `json:"token"`
	Apps     []plannedApp   `json:"apps"`   // that are named, in their order, or that a group's change concerns, by id
	Groups   []plannedGroup `json:"groups"` // that change, by id
	Steps    []step         `json:"steps"`  // of the deployment
	Locks    []deploymentID `json:"locks"`  // deployments that hold apps of the change
	Warnings []planWarning  `json:"warnings"`
}

// plannedApp is an app before and after.
type plannedApp struct {
	App     spec.PathID  `json:"app"`
	Action  string       `json:"action"` // "create", "restart", "scale", "delete" or "none"
	Changes []fieldDelta `json:"changes"`
	Kills   int          `json:"kills"`  // instances that end
	Starts  int          `json:"starts"` // instances that begin
	Places  *placesBody  `json:"places,omitempty"`
}

// plannedGroup is what a group says of itself before and after.
type plannedGroup struct {
	Group   spec.PathID  `json:"group"`
	Action  string       `json:"action"` // "create", "change" or "delete"
	Changes []fieldDelta `json:"changes"`
}

// placesBody is where instances would go by the last offers seen.
type placesBody struct {
	Wanted  int            `json:"wanted"`
	Placed  int            `json:"placed"`
	On      []placeCount   `json:"on"`
	Refused map[string]int `json:"refused,omitempty"` // offers by the first reason
	Fault   string         `json:"fault,omitempty"`
	Denied  string         `json:"denied,omitempty"` // a policy's word against the app itself: nothing is placed
}

type placeCount struct {
	Agent    string `json:"agent"`
	Hostname string `json:"hostname"`
	Count    int    `json:"count"`
}

// planWarning is a reason why the change may not come to its end, or what admission
// policies have to say of it.
type planWarning struct {
	App  spec.PathID `json:"app"` // or the group
	Code string      `json:"code"`
	Text string      `json:"text"`
}

// plan answers POST /pacer/v1/plan with what the change would do that the body
// stands for. The core rehearses it: what would refuse the change refuses its plan,
// but for locks.
func (s *server) plan(core Core, w http.ResponseWriter, r *http.Request) error {
	data, err := s.body(w, r)
	if err != nil {
		return err
	}
	r = r.Clone(r.Context())
	r.Method = http.MethodPut
	derive, err := s.planned(w, r, data)
	if err != nil {
		return err
	}
	c, err := s.commit(core, w, r, func(snapshot *scheduler.Snapshot) (scheduler.ChangeTree, error) {
		change, err := derive(snapshot)
		change.Rehearse = true
		return change, err
	})
	defer c.done()
	if err != nil {
		return err
	}
	answer := s.planAnswer(core.Snapshot(), r, c.change, c.reply.Rehearsal)
	for _, n := range c.notes {
		answer.Warnings = append(answer.Warnings, planWarning{App: n.id, Code: n.code, Text: n.text})
	}
	writeJSON(w, http.StatusOK, answer)
	return nil
}

func (s *server) planAnswer(snapshot *scheduler.Snapshot, r *http.Request, change scheduler.ChangeTree, rehearsal *scheduler.Rehearsal) planAnswer {
	plan := rehearsal.Plan
	answer := planAnswer{
		Token: tokenText(rehearsal.Basis), Apps: []plannedApp{}, Groups: plannedGroups(plan), Steps: stepsOf(plan.Steps),
		Locks: []deploymentID{}, Warnings: []planWarning{},
	}
	for _, id := range rehearsal.Locks {
		answer.Locks = append(answer.Locks, deploymentID{id})
	}
	now := spec.TimestampOf(s.Now())
	apps := plannedApps(snapshot, change, plan)
	s.foresee(r.Context(), snapshot, now, apps)
	cluster := snapshot.Cluster(now)
	for _, p := range apps {
		answer.Apps = append(answer.Apps, p.plannedApp)
		answer.Warnings = append(answer.Warnings, p.warnings(cluster)...)
		answer.Warnings = append(answer.Warnings, s.foreseeHalt(r.Context(), p)...)
	}
	return answer
}
