package api

import (
	"net/http"
	"strings"

	"github.com/go-chi/chi/v5"

	"github.com/pacer-run/pacer/runtime/scheduler"
	"github.com/pacer-run/pacer/runtime/spec"
)

// cancelDeployment carries out DELETE /v2/deployments/{id}: what it did is undone
// by another deployment or, when forced, stays.
func (s *server) cancelDeployment(core Core, w http.ResponseWriter, r *http.Request) error {
	force := flag(r, "force", false)
	reply, done, err := s.command(r, core, func(request scheduler.RequestID, deployment string) scheduler.Event {
		return scheduler.CancelDeployment{
			Request: request, ID: chi.URLParam(r, "id"), DeploymentID: deployment, Force: force, By: authorOf(r),
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
