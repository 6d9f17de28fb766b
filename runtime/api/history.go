package api

import (
	"cmp"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

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
	ID              string        `json:"id"`
	Version         string        `json:"version"`
	State           string        `json:"state"` // "running", or the outcome
	Apps            []spec.PathID `json:"apps"`
	Steps           []step        `json:"steps"`
	CurrentStep     int           `json:"currentStep"` // the first is 1; the last one when all are done
	TotalSteps      int           `json:"totalSteps"`
	User            string        `json:"user,omitempty"`
	Address         string        `json:"address,omitempty"`
	Began           string        `json:"began"`
	Ended           string        `json:"ended,omitempty"`
	DurationSeconds float64       `json:"durationSeconds"` // until it ended, or until now
	Outcome         string        `json:"outcome,omitempty"`
	Reason          string        `json:"reason,omitempty"`
	TimeoutSeconds  float64       `json:"timeoutSeconds,omitempty"`
	RollBack        bool          `json:"rollBack,omitempty"` // undo it when it fails
	// Paused says of apps why their upgrade strategies wait to be told to go on.
	Paused map[spec.PathID]string `json:"paused,omitempty"`
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
	keep, err := pastFilter(r.URL.Query())
	if err != nil {
		return err
	}
	snapshot := core.Snapshot()
	all := pastOf(snapshot)
	if after := r.URL.Query().Get("after"); after != "" {
		at := slices.IndexFunc(all, func(d past) bool { return d.id() == after })
		if at < 0 {
			return spec.NewFault("/after", "names the deployment "+strconv.Quote(after)+", which is not kept: begin again without it")
		}
		all = all[at+1:]
	}
	all = slices.DeleteFunc(all, func(d past) bool { return !keep(d) })
	page := deploymentPage{Deployments: []pastDeployment{}}
	if len(all) > limit {
		all, page.Next = all[:limit], all[limit-1].id()
	}
	for _, d := range all {
		page.Deployments = append(page.Deployments, d.body(snapshot, spec.TimestampOf(s.Now())))
	}
	writeJSON(w, http.StatusOK, page)
	return nil
}

// pastFilter reads which deployments are asked for: those of any of the apps, in any
// of the states.
func pastFilter(query url.Values) (func(past) bool, error) {
	var apps []spec.PathID
	for _, text := range given(query, "app") {
		id, err := spec.ParseAppID(text, spec.Root)
		if path, ok := errors.AsType[*spec.PathError](err); ok {
			return nil, spec.NewFault("/app", path.Message)
		}
		apps = append(apps, id)
	}
	states := given(query, "outcome")
	for _, state := range states {
		if known := knownStates(); !slices.Contains(known, state) {
			return nil, spec.NewFault("/outcome", "got "+state+", expected one of: ["+strings.Join(known, ", ")+"]")
		}
	}
	return func(d past) bool {
		touches := func(id spec.PathID) bool { return slices.Contains(apps, id) }
		return (len(states) == 0 || slices.Contains(states, d.state())) && (len(apps) == 0 || slices.ContainsFunc(d.apps(), touches))
	}, nil
}

// given are the values of a query parameter that are not empty.
func given(query url.Values, name string) (values []string) {
	for _, value := range query[name] {
		if value != "" {
			values = append(values, value)
		}
	}
	return values
}

func knownStates() []string {
	states := []string{stateRunning}
	for outcome := scheduler.Succeeded; outcome <= scheduler.RolledBack; outcome++ {
		states = append(states, outcome.String())
	}
	return states
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
	for _, d := range pastOf(snapshot) {
		if d.id() == id {
			writeJSON(w, http.StatusOK, d.body(snapshot, spec.TimestampOf(s.Now())))
			return nil
		}
	}
	return &scheduler.DeploymentNotFound{ID: id}
}

// past is a deployment that began: one of the two is nil.
type past struct {
	running *scheduler.DeploymentView
	ended   *scheduler.EndedDeployment
}

// pastOf lists all deployments of a snapshot, the one that began last first.
func pastOf(snapshot *scheduler.Snapshot) []past {
	out := make([]past, 0, len(snapshot.Deployments)+len(snapshot.Ended))
	for _, d := range snapshot.Deployments {
		out = append(out, past{running: d})
	}
	for _, e := range slices.Backward(snapshot.Ended) {
		out = append(out, past{ended: e})
	}
	slices.SortStableFunc(out, func(x, y past) int {
		return cmp.Or(cmp.Compare(y.began(), x.began()), cmp.Compare(y.version(), x.version()))
	})
	return out
}

func (p past) id() string {
	if p.running != nil {
		return p.running.Plan.ID
	}
	return p.ended.ID
}

func (p past) state() string {
	if p.running != nil {
		return stateRunning
	}
	return p.ended.Outcome.String()
}

func (p past) apps() []spec.PathID {
	if p.running != nil {
		return p.running.Plan.Apps()
	}
	return p.ended.Apps
}

func (p past) began() spec.Timestamp {
	if p.running != nil {
		return p.running.Began
	}
	return p.ended.Began
}

func (p past) version() spec.Timestamp {
	if p.running != nil {
		return p.running.Plan.Version
	}
	return p.ended.Version
}

// body is what the API shows.
func (p past) body(snapshot *scheduler.Snapshot, now spec.Timestamp) pastDeployment {
	var steps []deployment.Step
	var current int
	var terms scheduler.Terms
	out := pastDeployment{ID: p.id(), Version: p.version().String(), State: p.state(), Began: p.began().String()}
	if d := p.running; d != nil {
		steps, current, terms = d.Plan.Steps, d.Current, d.Terms
		out.DurationSeconds, out.Paused = secondsBetween(d.Began, now), snapshot.PausedApps(d)
	} else {
		e := p.ended
		steps, current, terms = e.Steps, e.Current, e.Terms
		out.Ended, out.Outcome, out.Reason = e.Ended.String(), e.Outcome.String(), e.Reason
		out.DurationSeconds = secondsBetween(e.Began, e.Ended)
	}
	out.Apps, out.Steps = append([]spec.PathID{}, p.apps()...), stepsOf(steps)
	out.CurrentStep, out.TotalSteps = stepNumber(current, steps), len(steps)
	out.User, out.Address = terms.By.User, terms.By.Address
	out.TimeoutSeconds, out.RollBack = terms.Timeout.Seconds(), terms.RollBack
	return out
}

// secondsBetween is at least 0, whatever clocks said.
func secondsBetween(from, to spec.Timestamp) float64 { return float64(max(0, to-from)) / 1000 }

// stepNumber counts from 1, and stays at the last step when all are done.
func stepNumber(current int, steps []deployment.Step) int { return min(current+1, len(steps)) }
