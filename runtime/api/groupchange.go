package api

import (
	"errors"
	"net/http"

	"github.com/pacer-run/pacer/runtime/deployment"
	"github.com/pacer-run/pacer/runtime/scheduler"
	"github.com/pacer-run/pacer/runtime/spec"
)

// createGroup carries out POST: the group must not be there yet.
func (s *server) createGroup(core Core, w http.ResponseWriter, r *http.Request) error {
	u, err := s.groupUpdate(w, r)
	if err != nil {
		return err
	}
	reply, done, err := s.changeTree(core, r, u.ID, func(snapshot *scheduler.Snapshot) (spec.TreeChange, error) {
		switch {
		case snapshot.Tree.Group(u.ID) != nil:
			return spec.TreeChange{}, &problem{
				http.StatusConflict, "Group " + string(u.ID) + " is already created. Use PUT to change this group.",
			}
		case snapshot.Tree.App(u.ID) != nil:
			return spec.TreeChange{}, &problem{http.StatusConflict, "An app with the path " + string(u.ID) + " already exists."}
		}
		return s.deriveTree(r, snapshot, u)
	})
	defer done()
	if err != nil {
		return err
	}
	w.Header().Set("Location", rootURL(r)+string(u.ID))
	answerDeployment(w, http.StatusCreated, reply)
	return nil
}

// changeGroup carries out PUT, or tells what it would do.
func (s *server) changeGroup(core Core, w http.ResponseWriter, r *http.Request) error {
	u, err := s.groupUpdate(w, r)
	if err != nil {
		return err
	}
	if flag(r, "dryRun", false) {
		return s.rehearse(core.Snapshot(), w, r, u)
	}
	reply, done, err := s.changeTree(core, r, u.ID, func(snapshot *scheduler.Snapshot) (spec.TreeChange, error) {
		return s.deriveTree(r, snapshot, u)
	})
	defer done()
	if err != nil {
		return err
	}
	answerDeployment(w, http.StatusOK, reply)
	return nil
}

// rehearse answers the steps that a change would be carried out in.
func (s *server) rehearse(snapshot *scheduler.Snapshot, w http.ResponseWriter, r *http.Request, u *spec.GroupUpdate) error {
	change, err := s.deriveTree(r, snapshot, u)
	if err != nil {
		return err
	}
	for id, app := range change.Apps {
		if current := snapshot.Tree.App(id); app != nil && current != nil {
			change.Apps[id] = app.WithPortsOf(current)
		}
	}
	version := max(spec.TimestampOf(s.Now()), snapshot.Tree.Version+1)
	plan, _, err := deployment.Make(snapshot.Tree, change, deployment.Options{
		Version: version, DependenciesFirst: s.DependenciesFirst,
	})
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, map[string]any{"steps": stepsOf(plan.Steps)})
	return nil
}

// deleteGroup carries out DELETE: the group goes with all that is below it. The
// root stays, empty.
func (s *server) deleteGroup(core Core, w http.ResponseWriter, r *http.Request) error {
	id, err := urlGroup(r)
	if err != nil {
		return err
	}
	reply, done, err := s.changeTree(core, r, id, func(snapshot *scheduler.Snapshot) (spec.TreeChange, error) {
		if snapshot.Tree.Group(id) == nil {
			return spec.TreeChange{}, &scheduler.GroupNotFound{Group: id}
		}
		return snapshot.Tree.Remove(id), nil
	})
	defer done()
	if err != nil {
		return err
	}
	answerDeployment(w, http.StatusOK, reply)
	return nil
}

// enforceRole carries out PATCH. A body that says nothing asks for the default.
func (s *server) enforceRole(core Core, w http.ResponseWriter, r *http.Request) error {
	id, err := urlGroup(r)
	switch {
	case err != nil:
		return err
	case !id.TopLevel():
		return spec.NewFault("/", "Path needs to be top-level")
	}
	data, err := s.anyBody(w, r)
	if err != nil {
		return err
	}
	asked, unknown, err := spec.ParseGroupRole(data)
	if err != nil {
		return err
	}
	if err := noteUnknownFields(w, r, "the role of a group", unknown); err != nil {
		return err
	}
	enforce := s.Settings.EnforceNewGroups
	if asked != nil {
		enforce = *asked
	}
	_, done, err := s.command(r, core, func(request scheduler.RequestID, _ string) scheduler.Event {
		return scheduler.SetEnforceRole{Request: request, Group: id, Enforce: enforce}
	})
	defer done()
	if err != nil {
		return err
	}
	w.WriteHeader(http.StatusOK)
	return nil
}

// groupUpdate reads the body, of whatever content type. Its id is relative to the
// URL's.
func (s *server) groupUpdate(w http.ResponseWriter, r *http.Request) (*spec.GroupUpdate, error) {
	id, err := urlGroup(r)
	if err == nil && id != spec.Root {
		_, err = spec.ParseAppID(string(id), spec.Root) // the same words are reserved
	}
	if err != nil {
		return nil, err
	}
	data, err := s.anyBody(w, r)
	if err != nil {
		return nil, err
	}
	u, err := spec.ParseGroupUpdate(data, id)
	if err != nil {
		return nil, err
	}
	u.Force = flag(r, "force", false)
	return u, noteUnknownFields(w, r, "a group or an app", u.Unknown)
}

// changeTree derives a change from the snapshot and has it carried out; anew when
// it was outdated by the time the core saw it. done must be called when the
// answer is written.
func (s *server) changeTree(
	core Core, r *http.Request, id spec.PathID, derive func(*scheduler.Snapshot) (spec.TreeChange, error),
) (reply scheduler.Reply, done func(), err error) {
	for attempt := 0; ; attempt++ {
		tree := core.Snapshot()
		change, err := derive(tree)
		if err != nil {
			return reply, func() {}, err
		}
		command := commandOf(tree.Tree, change)
		command.Group, command.Force = id, flag(r, "force", false)
		command.Terms, err = termsOf(r, appsOf(command.Put)...)
		if err != nil {
			return reply, func() {}, err
		}
		reply, done, err = s.carryOut(r, core, command)
		var gone *scheduler.GroupNotFound
		if attempt == staleRetries || !outdated(err) && !errors.As(err, &gone) {
			return reply, done, err
		}
		done()
	}
}
