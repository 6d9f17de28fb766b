package api

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"

	"github.com/go-chi/chi/v5"

	"github.com/pacer-run/pacer/runtime/deployment"
	"github.com/pacer-run/pacer/runtime/scheduler"
	"github.com/pacer-run/pacer/runtime/spec"
)

const (
	// pageDefault and pageMost are how many deployments one answer lists.
	pageDefault = 50
	pageMost    = 1000
)

// stateRunning is the state of a deployment that is not over; the others have
// their outcome as state.
const stateRunning = "running"

// pastDeployment is a deployment under way or over.
type pastDeployment struct {
	ID             string        `json:"id"`
	Version        string        `json:"version"`
	State          string        `json:"state"` // "running", or the outcome
	Apps           []spec.PathID `json:"apps"`
	Steps          []step        `json:"steps"`
	CurrentStep    int           `json:"currentStep"` // the first is 1; the last one when all are done
	TotalSteps     int           `json:"totalSteps"`
	User           string        `json:"user,omitempty"`
	Address        string        `json:"address,omitempty"`
	Began          string        `json:"began"`
	Ended          string        `json:"ended,omitempty"`
	Outcome        string        `json:"outcome,omitempty"`
	Reason         string        `json:"reason,omitempty"`
	TimeoutSeconds float64       `json:"timeoutSeconds,omitempty"`
	RollBack       bool          `json:"rollBack,omitempty"` // undo it when it fails

	began spec.Timestamp
}

// deploymentPage is a part of the history. Next is the id to ask on after; "" on
// the last page.
type deploymentPage struct {
	Deployments []pastDeployment `json:"deployments"`
	Next        string           `json:"next,omitempty"`
}

// history answers deployments, those under way and those over, the one that began
// last first. That order does not change when one ends, so that pages fit together.
func (s *server) history(core Core, w http.ResponseWriter, r *http.Request) error {
	limit, err := pageLimit(r)
	if err != nil {
		return err
	}
	all := pastOf(core.Snapshot())
	if after := r.URL.Query().Get("after"); after != "" {
		at := slices.IndexFunc(all, func(d pastDeployment) bool { return d.ID == after })
		if at < 0 {
			return spec.NewFault("/after", "names the deployment "+strconv.Quote(after)+", which is not kept: begin again without it")
		}
		all = all[at+1:]
	}
	page := deploymentPage{Deployments: all}
	if len(all) > limit {
		page.Deployments, page.Next = all[:limit], all[limit-1].ID
	}
	writeJSON(w, http.StatusOK, page)
	return nil
}

// pageLimit reads how many are asked for.
func pageLimit(r *http.Request) (int, error) {
	text := r.URL.Query().Get("limit")
	if text == "" {
		return pageDefault, nil
	}
	limit, err := strconv.Atoi(text)
	if err != nil || limit < 1 || limit > pageMost {
		return 0, spec.NewFault("/limit", "expected a number from 1 to "+strconv.Itoa(pageMost)+", got "+strconv.Quote(text))
	}
	return limit, nil
}

// historyItem answers one deployment.
func (s *server) historyItem(core Core, w http.ResponseWriter, r *http.Request) error {
	id, snapshot := chi.URLParam(r, "id"), core.Snapshot()
	for _, d := range snapshot.Deployments {
		if d.Plan.ID == id {
			writeJSON(w, http.StatusOK, underWay(d))
			return nil
		}
	}
	for _, e := range snapshot.Ended {
		if e.ID == id {
			writeJSON(w, http.StatusOK, overOf(e))
			return nil
		}
	}
	return &scheduler.DeploymentNotFound{ID: id}
}

// pastOf lists all deployments of a snapshot, the one that began last first.
func pastOf(snapshot *scheduler.Snapshot) []pastDeployment {
	out := make([]pastDeployment, 0, len(snapshot.Deployments)+len(snapshot.Ended))
	for _, d := range snapshot.Deployments {
		out = append(out, underWay(d))
	}
	for _, e := range slices.Backward(snapshot.Ended) {
		out = append(out, overOf(e))
	}
	slices.SortStableFunc(out, func(x, y pastDeployment) int {
		return cmp.Or(cmp.Compare(y.began, x.began), cmp.Compare(y.Version, x.Version))
	})
	return out
}

func underWay(d *scheduler.DeploymentView) pastDeployment {
	out := askedWith(d.Terms, d.Began)
	out.ID, out.Version, out.State = d.Plan.ID, d.Plan.Version.String(), stateRunning
	out.Apps, out.Steps = append([]spec.PathID{}, d.Plan.Apps()...), stepsOf(d.Plan.Steps)
	out.CurrentStep, out.TotalSteps = stepNumber(d.Current, d.Plan.Steps), len(d.Plan.Steps)
	return out
}

func overOf(e *scheduler.EndedDeployment) pastDeployment {
	out := askedWith(e.Terms, e.Began)
	out.ID, out.Version, out.State = e.ID, e.Version.String(), e.Outcome.String()
	out.Apps, out.Steps = append([]spec.PathID{}, e.Apps...), stepsOf(e.Steps)
	out.CurrentStep, out.TotalSteps = stepNumber(e.Current, e.Steps), len(e.Steps)
	out.Ended, out.Outcome, out.Reason = e.Ended.String(), e.Outcome.String(), e.Reason
	return out
}

func askedWith(t scheduler.Terms, began spec.Timestamp) pastDeployment {
	return pastDeployment{
		User: t.By.User, Address: t.By.Address, TimeoutSeconds: t.Timeout.Seconds(), RollBack: t.RollBack,
		Began: began.String(), began: began,
	}
}

// stepNumber counts from 1, and stays at the last step when all are done.
func stepNumber(current int, steps []deployment.Step) int { return min(current+1, len(steps)) }
