package api

import (
	"net/http"
	"slices"
	"strings"

	"github.com/go-chi/chi/v5"

	"github.com/pacer-run/pacer/runtime/scheduler"
	"github.com/pacer-run/pacer/runtime/spec"
)

// cancelDeployment carries out DELETE /v2/deployments/{id}: what it did is undone
// by another deployment or, when forced, stays. A timeout is that of the other one.
func (s *server) cancelDeployment(core Core, w http.ResponseWriter, r *http.Request) error {
	force := flag(r, "force", false)
	terms, err := termsOf(r)
	switch {
	case err != nil:
		return err
	case force && terms.Timeout > 0:
		return &problem{http.StatusUnprocessableEntity, "query parameter timeout: expected none with force=true, which makes no deployment"}
	case terms.RollBack:
		return &problem{http.StatusUnprocessableEntity, "query parameter rollback: expected none, since what undoes a deployment is not undone"}
	}
	id := chi.URLParam(r, "id")
	reply, done, err := s.reviewedCommand(core, w, r, undoing(id, force),
		func(reviewed *scheduler.Reviewed, request scheduler.RequestID, deployment string) scheduler.Event {
			return scheduler.CancelDeployment{
				Request: request, ID: id, DeploymentID: deployment, Force: force, Terms: terms, Reviewed: reviewed,
			}
		})
	defer done()
	switch {
	case err != nil:
		return err
	case force:
		w.WriteHeader(http.StatusAccepted)
	default:
		answerDeployment(w, http.StatusOK, reply)
	}
	return nil
}

// undoing is the change that undoes a deployment; none when it stays as far as it is.
func undoing(id string, force bool) func(*scheduler.Snapshot) (scheduler.ChangeTree, bool) {
	return func(snapshot *scheduler.Snapshot) (scheduler.ChangeTree, bool) {
		i := slices.IndexFunc(snapshot.Deployments, func(d *scheduler.DeploymentView) bool { return d.Plan.ID == id })
		if force || i < 0 {
			return scheduler.ChangeTree{}, false
		}
		return commandOf(snapshot.Tree, snapshot.Deployments[i].Plan.Revert(snapshot.Tree)), true
	}
}

// resetDelay carries out DELETE /v2/queue/{id}/delay, the only thing there is to
// delete below /v2/queue/.
func (s *server) resetDelay(core Core, w http.ResponseWriter, r *http.Request) error {
	path, ok := strings.CutSuffix(chi.URLParam(r, "*"), "/delay")
	if !ok {
		return errUnknownURI
	}
	app, err := spec.ParseAppID(path, spec.Root)
	if err != nil {
		return err
	}
	_, done, err := s.command(r, core, func(request scheduler.RequestID, _ string) scheduler.Event {
		return scheduler.ResetDelay{Request: request, App: app}
	})
	done()
	if err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
