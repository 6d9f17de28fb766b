package api

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/go-chi/chi/v5"

	"github.com/pacer-run/pacer/runtime/deployment"
	"github.com/pacer-run/pacer/runtime/scheduler"
	"github.com/pacer-run/pacer/runtime/spec"
)

// promoteApp carries out POST /pacer/v1/apps/{id}/promote: the paused upgrade of the
// app goes on.
func (s *server) promoteApp(core Core, w http.ResponseWriter, r *http.Request) error {
	text, ok := strings.CutSuffix(strings.TrimRight(chi.URLParam(r, "*"), "/"), "/promote")
	if !ok {
		return errUnknownURI
	}
	id, err := spec.ParseAppID(text, spec.Root)
	if err != nil {
		return err
	}
	return s.promote(core, w, r, scheduler.Promote{App: id})
}

// promoteDeployment carries out POST /pacer/v1/deployments/{id}/promote, for all
// upgrades of the deployment that are paused.
func (s *server) promoteDeployment(core Core, w http.ResponseWriter, r *http.Request) error {
	return s.promote(core, w, r, scheduler.Promote{Deployment: chi.URLParam(r, "id")})
}

// promote answers with the deployment that goes on.
func (s *server) promote(core Core, w http.ResponseWriter, r *http.Request, command scheduler.Promote) error {
	reply, done, err := s.command(r, core, func(request scheduler.RequestID, _ string) scheduler.Event {
		command.Request = request
		return command
	})
	defer done()
	if err != nil {
		return err
	}
	answerDeployment(w, http.StatusOK, reply)
	return nil
}

// promotePath is where to promote an app, for people.
func promotePath(app spec.PathID) string {
	return "POST /pacer/v1/apps/" + strings.TrimPrefix(string(app), "/") + "/promote"
}

// foreseeHalt warns of an upgrade that its strategy will stop although all goes well.
func (s *server) foreseeHalt(ctx context.Context, p *planning) []planWarning {
	if p.after == nil || p.old == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, s.CommandTimeout)
	defer cancel()
	stop, err := s.ForeseeUpgrade(ctx, p.after, p.old)
	switch {
	case err != nil:
		return []planWarning{{p.App, "strategyFault", "its upgrade strategy gave no answer: " + err.Error()}}
	case stop == nil:
		return nil
	}
	code, text := "pauses", "pauses it"
	if stop.RollBack {
		code, text = "rollsBack", "rolls it back"
	}
	return []planWarning{{p.App, code, fmt.Sprintf("its upgrade strategy %s with %s and %d old: %s",
		text, count(stop.New, "new instance"), stop.Old, stop.Reason)}}
}

// noForecast is what is known of strategies that cannot be asked.
func noForecast(context.Context, *spec.App, int) (*deployment.Halt, error) { return nil, nil }
