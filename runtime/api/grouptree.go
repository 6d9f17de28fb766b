package api

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strconv"

	"github.com/pacer-run/pacer/runtime/scheduler"
	"github.com/pacer-run/pacer/runtime/spec"
)

// deriveTree makes the change that an update asks for, and checks it.
func (s *server) deriveTree(r *http.Request, snapshot *scheduler.Snapshot, u *spec.GroupUpdate) (spec.TreeChange, error) {
	if u.Version != nil {
		return s.restore(r, snapshot, u)
	}
	change, err := u.Apply(snapshot.Tree, s.Settings)
	if err != nil {
		return change, err
	}
	faults := &spec.Faults{Message: spec.MessageInvalidObject}
	for _, id := range slices.Sorted(maps.Keys(change.Apps)) {
		if app := change.Apps[id]; app != nil {
			s.askPolicies(r, app, snapshot.Tree.App(id), faults)
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
			http.StatusUnprocessableEntity, "Group " + string(u.ID) + " not available in version " + u.Version.String(),
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
		faults := &spec.Faults{Message: spec.MessageInvalidObject}
		top := after.Group(spec.Root + spec.PathID(id.Top()))
		err := app.Validate(spec.Rules{Settings: s.Settings, Roles: s.Settings.Roles(id, top, current), Current: current, Force: u.Force})
		if err == nil && current != nil {
			err = app.ValidateChange(current)
		}
		if err != nil && !errors.As(err, &faults) {
			return change, err
		}
		s.askPolicies(r, app, current, faults)
		all.Merge("", faults)
	}
	if err := all.Err(); err != nil {
		return change, err
	}
	return change, after.Validate(change)
}

// askPolicies checks what the rules of the API leave to others: constraints, and
// the labels for deployments. A constraint that the app has already is not asked
// about again.
func (s *server) askPolicies(r *http.Request, app, current *spec.App, faults *spec.Faults) {
	ctx, cancel := context.WithTimeout(r.Context(), s.CommandTimeout)
	defer cancel()
	for i, c := range app.Constraints {
		if current != nil && hasConstraint(current, c) {
			continue
		}
		if err := s.CheckConstraint(ctx, app, c); err != nil {
			faults.Add("/constraints("+strconv.Itoa(i)+")", err.Error())
		}
	}
	checkTermLabels(app, faults)
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
