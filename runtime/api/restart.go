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
	return s.deploy(core, w, r, restarting(r, t.id))
}

// restarting replaces the instances of an app.
func restarting(r *http.Request, id spec.PathID) derivation {
	return func(snapshot *scheduler.Snapshot) (scheduler.ChangeTree, error) {
		change := scheduler.ChangeTree{Restart: []spec.PathID{id}, Force: flag(r, "force", false), Group: id.Parent()}
		return onApp(r, snapshot, id, change)
	}
}

// onApp completes the change of an app, which has to be there.
func onApp(r *http.Request, snapshot *scheduler.Snapshot, id spec.PathID, change scheduler.ChangeTree) (scheduler.ChangeTree, error) {
	v := viewOf(snapshot, id)
	if v == nil {
		return change, &scheduler.NotFound{App: id}
	}
	var err error
	change.Terms, err = termsOf(r, v.App)
	return change, err
}

// deploy has a change carried out and answers with its deployment.
func (s *server) deploy(core Core, w http.ResponseWriter, r *http.Request, derive derivation) error {
	c, err := s.commit(core, w, r, derive)
	defer c.done()
	if err != nil {
		return err
	}
	answerDeployment(w, http.StatusOK, c.reply)
	return nil
}
