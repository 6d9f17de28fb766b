package api

import (
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
	put := s.puttingGroup(r, u)
	c, err := s.commit(core, w, r, func(snapshot *scheduler.Snapshot) (scheduler.ChangeTree, error) {
		switch {
		case snapshot.Tree.Group(u.ID) != nil:
			return scheduler.ChangeTree{}, &problem{
				http.StatusConflict, "Group " + string(u.ID) + " is already created. Use PUT to change this group.",
			}
		case snapshot.Tree.App(u.ID) != nil:
			return scheduler.ChangeTree{}, &problem{http.StatusConflict, "An app with the path " + string(u.ID) + " already exists."}
		}
		return put(snapshot)
	})
	defer c.done()
	if err != nil {
		return err
	}
	w.Header().Set("Location", rootURL(r)+string(u.ID))
	answerDeployment(w, http.StatusCreated, c.reply)
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
	return s.deploy(core, w, r, s.puttingGroup(r, u))
}

// puttingGroup makes a group what an update says.
func (s *server) puttingGroup(r *http.Request, u *spec.GroupUpdate) derivation {
	return func(snapshot *scheduler.Snapshot) (scheduler.ChangeTree, error) {
		change, err := s.deriveTree(r, snapshot, u)
		if err != nil {
			return scheduler.ChangeTree{}, err
		}
		return onGroup(r, snapshot, u.ID, change)
	}
}

// onGroup says the change of a group in the words of the core.
func onGroup(r *http.Request, snapshot *scheduler.Snapshot, id spec.PathID, change spec.TreeChange) (c scheduler.ChangeTree, err error) {
	c = commandOf(snapshot.Tree, change)
	c.Group, c.Members, c.Force = id, id, flag(r, "force", false)
	c.Terms, err = termsOf(r, appsOf(c.Put)...)
	return c, err
}

// rehearse answers the steps that a change would be carried out in.
func (s *server) rehearse(snapshot *scheduler.Snapshot, w http.ResponseWriter, r *http.Request, u *spec.GroupUpdate) error {
	command, err := s.puttingGroup(r, u)(snapshot)
	if err != nil {
		return err
	}
	command.Rehearse = true
	command, notes, err := s.review(r, snapshot, command)
	warn(w, notes)
	if err != nil {
		return err
	}
	change := snapshot.Tree.Complete(treeChangeOf(command), s.Settings)
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
	return s.deploy(core, w, r, removingGroup(r, id))
}

// removingGroup takes a group away, which has to be there.
func removingGroup(r *http.Request, id spec.PathID) derivation {
	return func(snapshot *scheduler.Snapshot) (scheduler.ChangeTree, error) {
		if snapshot.Tree.Group(id) == nil {
			return scheduler.ChangeTree{}, &scheduler.GroupNotFound{Group: id}
		}
		return onGroup(r, snapshot, id, snapshot.Tree.Remove(id))
	}
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
	_, done, err := s.reviewedCommand(core, w, r, enforcing(id, enforce),
		func(reviewed *scheduler.Reviewed, request scheduler.RequestID, _ string) scheduler.Event {
			return scheduler.SetEnforceRole{Request: request, Group: id, Enforce: enforce, Reviewed: reviewed}
		})
	defer done()
	if err != nil {
		return err
	}
	w.WriteHeader(http.StatusOK)
	return nil
}

// enforcing is the change that a group's role stands for.
func enforcing(id spec.PathID, enforce bool) func(*scheduler.Snapshot) (scheduler.ChangeTree, bool) {
	return func(snapshot *scheduler.Snapshot) (scheduler.ChangeTree, bool) {
		group := snapshot.Tree.Group(id)
		if group == nil {
			return scheduler.ChangeTree{}, false // the core says so
		}
		changed := *group
		changed.EnforceRole = enforce
		return scheduler.ChangeTree{Members: id, PutGroups: []scheduler.PutGroup{{Group: &changed, Base: group}}}, true
	}
}

// groupUpdate reads the body, of whatever content type. Its id is relative to the
// URL's.
func (s *server) groupUpdate(w http.ResponseWriter, r *http.Request) (*spec.GroupUpdate, error) {
	id, err := urlGroup(r)
	if err == nil {
		err = checkGroupID(id)
	}
	if err != nil {
		return nil, err
	}
	data, err := s.anyBody(w, r)
	if err != nil {
		return nil, err
	}
	return parseGroup(w, r, id, data)
}

// checkGroupID refuses the words that no app's id ends with either.
func checkGroupID(id spec.PathID) error {
	if id == spec.Root {
		return nil
	}
	_, err := spec.ParseAppID(string(id), spec.Root)
	return err
}

// parseGroup reads what is to become of a group.
func parseGroup(w http.ResponseWriter, r *http.Request, id spec.PathID, data []byte) (*spec.GroupUpdate, error) {
	u, err := spec.ParseGroupUpdate(data, id)
	if err != nil {
		return nil, err
	}
	u.Force = flag(r, "force", false)
	return u, noteUnknownFields(w, r, "a group or an app", u.Unknown)
}
