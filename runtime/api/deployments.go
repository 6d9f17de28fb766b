package api

import (
	"net/http"

	"github.com/pacer-run/pacer/runtime/deployment"
	"github.com/pacer-run/pacer/runtime/scheduler"
	"github.com/pacer-run/pacer/runtime/spec"
)

// deploymentBody is a running deployment.
type deploymentBody struct {
	ID             string          `json:"id"`
	Version        string          `json:"version"`
	AffectedApps   []spec.PathID   `json:"affectedApps"`
	AffectedPods   []spec.PathID   `json:"affectedPods"`
	Steps          []step          `json:"steps"`
	CurrentActions []currentAction `json:"currentActions"`
	CurrentStep    int             `json:"currentStep"` // the first is 1
	TotalSteps     int             `json:"totalSteps"`
}

// step and action are the parts of a plan, in deployments and in events alike.
type step struct {
	Actions []action `json:"actions"`
}

type action struct {
	Action string      `json:"action"`
	App    spec.PathID `json:"app"`
}

// currentAction is an action of the step under way. Clients read the list of readiness
// checks without asking whether it is there.
type currentAction struct {
	action
	ReadinessCheckResults []readinessResult `json:"readinessCheckResults"`
	Paused                string            `json:"paused,omitempty"` // why its upgrade strategy waits to be told to go on
}

// deployments answers the deployments under way, oldest first. It is a list, not an
// object with one.
func (s *server) deployments(core Core, w http.ResponseWriter, _ *http.Request) error {
	list := []deploymentBody{}
	snapshot := core.Snapshot()
	for _, d := range snapshot.Deployments {
		list = append(list, deploymentOf(snapshot, d))
	}
	writeJSON(w, http.StatusOK, list)
	return nil
}

// deploymentOf counts steps from 1, as the API does and the core does not.
func deploymentOf(snapshot *scheduler.Snapshot, d *scheduler.DeploymentView) deploymentBody {
	body := deploymentBody{
		ID: d.Plan.ID, Version: d.Plan.Version.String(), AffectedApps: append([]spec.PathID{}, d.Plan.Apps()...), AffectedPods: []spec.PathID{},
		Steps: stepsOf(d.Plan.Steps), CurrentActions: []currentAction{}, CurrentStep: d.Current + 1, TotalSteps: len(d.Plan.Steps),
	}
	if d.Current < len(d.Plan.Steps) {
		paused := snapshot.PausedApps(d)
		for _, a := range stepOf(d.Plan.Steps[d.Current]).Actions {
			results := []readinessResult{}
			if v, ok := snapshot.Apps.Get([]byte(a.App)); ok {
				results = readinessOf(v, d)
			}
			body.CurrentActions = append(body.CurrentActions, currentAction{a, results, paused[a.App]})
		}
	}
	return body
}

func stepsOf(list []deployment.Step) []step {
	steps := make([]step, len(list))
	for i, s := range list {
		steps[i] = stepOf(s)
	}
	return steps
}

func stepOf(s deployment.Step) step {
	actions := make([]action, len(s.Actions))
	for i, a := range s.Actions {
		actions[i] = action{a.Kind.String(), a.App}
	}
	return step{actions}
}
