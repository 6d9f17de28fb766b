package api

import (
	"errors"
	"maps"
	"net/http"
	"slices"

	"github.com/pacer-run/pacer/runtime/scheduler"
	"github.com/pacer-run/pacer/runtime/spec"
)

// deriveTree makes the change that an update asks for, and checks it.
func (s *server) deriveTree(r *http.Request, snapshot *scheduler.Snapshot, u *spec.GroupUpdate) (spec.TreeChange, error) {
	if u.Version != nil {
		return s.restore(r, snapshot, u)
	}
	faults := &spec.Faults{Message: spec.MessageInvalidObject}
	change, err := u.Apply(snapshot.Tree, s.Settings)
	if err != nil && !errors.As(err, &faults) {
		return change, err
	}
	for _, id := range slices.Sorted(maps.Keys(change.Apps)) {
		if app := change.Apps[id]; app != nil {
			s.checkPolicies(r, app, snapshot.Tree.App(id), faults)
			checkTermLabels(app, faults)
		}
	}
	return change, faults.Err()
}

// restore makes the change back to a version. Its apps have to hold today: roles
// and policies may have changed since.
func (s *server) restore(r *http.Request, snapshot *scheduler.Snapshot, u *spec.GroupUpdate) (spec.TreeChange, error) {
	tree := snapshot.Tree
	old, ok := snapshot.Revision(*u.Version)
	if !ok || old.Group(u.ID) == nil {
		return spec.TreeChange{}, &problem{
			http.StatusUnprocessableEntity, "Group " + string(u.ID) + " not available in version " + versionText(*u.Version),
		}
	}
	change := tree.Complete(tree.Restore(old, u.ID), s.Settings)
	after := tree.With(change)
	all := &spec.Faults{Message: spec.MessageInvalidObject}
	for _, id := range slices.Sorted(maps.Keys(change.Apps)) {
		app, current := change.Apps[id], tree.App(id)
		if app == nil {
			continue
		}
		top := after.Group(spec.Root + spec.PathID(id.Top()))
		var faults *spec.Faults
		switch err := s.validate(r, s.Settings.Roles(id, top, current), nil, app, current); {
		case errors.As(err, &faults):
			all.Merge("", faults)
		case err != nil:
			return change, err
		}
	}
	if err := all.Err(); err != nil {
		return change, err
	}
	return change, after.Validate(change)
}

// commandOf says the change in the words of the core, in the order of the ids: each
// definition with the one in the tree that it was derived from.
func commandOf(tree spec.Tree, change spec.TreeChange) scheduler.ChangeTree {
	var c scheduler.ChangeTree
	for _, id := range slices.Sorted(maps.Keys(change.Apps)) {
		app, current := change.Apps[id], tree.App(id)
		switch {
		case app == nil:
			c.Remove = append(c.Remove, id)
		case current == nil:
			c.Put = append(c.Put, scheduler.PutApp{App: app})
		default:
			c.Put = append(c.Put, scheduler.PutApp{App: app, Base: current.Version})
		}
	}
	for _, id := range slices.Sorted(maps.Keys(change.Groups)) {
		if group := change.Groups[id]; group == nil {
			c.RemoveGroups = append(c.RemoveGroups, id)
		} else {
			c.PutGroups = append(c.PutGroups, scheduler.PutGroup{Group: group, Base: tree.Group(id)})
		}
	}
	return c
}
