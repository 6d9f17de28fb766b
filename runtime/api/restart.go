package api

import (
	"net/http"

	"github.com/pacer-run/pacer/runtime/scheduler"
	"github.com/pacer-run/pacer/runtime/spec"
)

// restartApp answers POST below /v2/apps/: the API has nothing there but restart,
// which takes no body, whatever one is sent.
func (s *server) restartApp(core Core, w http.ResponseWriter, r *http.Request) error {
	t, err := appTarget(r)
	switch {
	case err != nil:
		return err
	case t.part != "restart":
		return errMethod
	case t.wildcard:
		return errUnknownURI
	}
	v := viewOf(core.Snapshot(), t.id)
	if v == nil {
		return &scheduler.NotFound{App: t.id}
	}
	return s.deploy(core, w, r, scheduler.ChangeTree{
		Restart: []spec.PathID{t.id}, Force: flag(r, "force", false), Group: t.id.Parent(),
	}, v.App)
}

// deploy carries out a change that needs nothing but the terms it is asked for
// with, and answers with its deployment. apps are those that it is about.
func (s *server) deploy(core Core, w http.ResponseWriter, r *http.Request, change scheduler.ChangeTree, apps ...*spec.App) error {
	terms, err := termsOf(r, apps...)
	if err != nil {
		return err
	}
	change.Terms = terms
	reply, done, err := s.carryOut(r, core, change)
	defer done()
	if err != nil {
		return err
	}
	answerDeployment(w, http.StatusOK, reply)
	return nil
}
