package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"strconv"

	"github.com/pacer-run/pacer/runtime/scheduler"
	"github.com/pacer-run/pacer/runtime/spec"
	"github.com/pacer-run/pacer/sdk"
)

// maxGroupJSON is the size up to which policies see a group with all that its apps say.
const maxGroupJSON = 1 << 20

// reviewGroup reviews what becomes of a group, with all below it. What a policy amends
// is reviewed app by app as all else.
func (a *admission) reviewGroup(id spec.PathID) error {
	x := subject{kind: sdk.AdmissionGroup, id: id, own: a.total(id)}
	old, fits := groupJSON(a.snapshot.Tree, id, true)
	next, nextFits := groupJSON(a.after, id, true)
	whole := fits && nextFits
	if !whole {
		old, _ = groupJSON(a.snapshot.Tree, id, false)
		next, _ = groupJSON(a.after, id, false)
	}
	x.old, x.new = old, next
	x.take = func(policy string, data []byte) ([]byte, error) {
		if sameJSON(data, next) {
			return next, nil
		}
		switch {
		case !whole:
			return nil, errors.New("the group is too large to be amended as a whole")
		case a.fixed:
			a.cannotAmend(id, policy)
			return next, nil
		}
		if err := a.takeGroup(id, data); err != nil {
			return nil, amendmentFault(id, err)
		}
		a.amended(id, policy, nil)
		var fits bool
		if next, fits = groupJSON(a.after, id, true); !fits {
			return nil, errors.New("the group became too large")
		}
		return next, nil
	}
	return a.ask(x)
}

// takeGroup makes an amended group the change, as if the user had sent it.
func (a *admission) takeGroup(id spec.PathID, data []byte) error {
	u, err := spec.ParseGroupUpdate(data, id)
	switch {
	case err != nil:
		return err
	case u.ID != id:
		return errors.New("it has another id")
	case u.Version != nil || u.ScaleBy != nil:
		return errors.New("expected the whole group, without a version and scaleBy")
	case len(u.Unknown) > 0:
		return spec.NewFault("/"+u.Unknown[0], "is not a field of a group or an app")
	}
	u.Force = flag(a.r, "force", false)
	tree, err := a.deriveTree(a.r, a.snapshot, u)
	if err != nil {
		return err
	}
	change, err := onGroup(a.r, a.snapshot, id, tree)
	if err != nil {
		return err
	}
	change.Rehearse, change.Reviewed = a.change.Rehearse, a.change.Reviewed
	a.change = change
	a.foresee()
	return nil
}

// groupJSON is a group with all below it, as the API shows it but for its version; nil
// for none. Without whole, apps have nothing but their ids. fits is false when it is
// larger than policies are shown.
func groupJSON(tree spec.Tree, id spec.PathID, whole bool) (b []byte, fits bool) {
	if tree.Group(id) == nil {
		return nil, true
	}
	w := groupWriter{whole: whole, groups: map[spec.PathID][]*spec.Group{}, apps: map[spec.PathID][]*spec.App{}}
	for g := range tree.Groups(id) {
		w.groups[g.ID.Parent()] = append(w.groups[g.ID.Parent()], g)
	}
	for app := range tree.Apps(id) {
		w.apps[app.ID.Parent()] = append(w.apps[app.ID.Parent()], app)
	}
	w.group(tree.Group(id))
	return w.b, len(w.b) <= maxGroupJSON
}

// groupWriter writes a group, and stops to do so when it is too large.
type groupWriter struct {
	b      []byte
	whole  bool
	groups map[spec.PathID][]*spec.Group // by the group that they are in
	apps   map[spec.PathID][]*spec.App
}

func (w *groupWriter) group(g *spec.Group) {
	w.b = spec.AppendText(append(w.b, `{"id":`...), string(g.ID))
	w.b = append(w.b, `,"apps":[`...)
	for i, app := range w.apps[g.ID] {
		if w.whole && len(w.b) > maxGroupJSON {
			return
		}
		if i > 0 {
			w.b = append(w.b, ',')
		}
		if w.b = append(w.b, '{'); w.whole {
			asked := *app
			asked.Version = 0
			w.b = asked.AppendFields(w.b, false)
		} else {
			w.b = spec.AppendText(append(w.b, `"id":`...), string(app.ID))
		}
		w.b = append(w.b, '}')
	}
	w.b = append(w.b, `],"groups":[`...)
	for i, inner := range w.groups[g.ID] {
		if i > 0 {
			w.b = append(w.b, ',')
		}
		w.group(inner)
	}
	w.b = append(w.b, `],"dependencies":[`...)
	for i, id := range g.Dependencies {
		if i > 0 {
			w.b = append(w.b, ',')
		}
		w.b = spec.AppendText(w.b, string(id))
	}
	if w.b = append(w.b, ']'); g.ID.TopLevel() {
		w.b = strconv.AppendBool(append(w.b, `,"enforceRole":`...), g.EnforceRole)
	}
	w.b = append(w.b, '}')
}

// sameJSON compares what two texts mean.
func sameJSON(a, b []byte) bool {
	x, y, ok := any(nil), any(nil), true
	for data, value := range map[*[]byte]*any{&a: &x, &b: &y} {
		d := json.NewDecoder(bytes.NewReader(*data))
		d.UseNumber()
		ok = ok && d.Decode(value) == nil
	}
	return ok && reflect.DeepEqual(x, y)
}

// treeChangeOf says a command as a change of the tree; killed instances aside.
func treeChangeOf(c scheduler.ChangeTree) spec.TreeChange {
	change := spec.TreeChange{Apps: map[spec.PathID]*spec.App{}, Groups: map[spec.PathID]*spec.Group{}}
	for _, p := range c.Put {
		change.Apps[p.App.ID] = p.App
	}
	for _, id := range c.Remove {
		change.Apps[id] = nil
	}
	for _, p := range c.PutGroups {
		change.Groups[p.Group.ID] = p.Group
	}
	for _, id := range c.RemoveGroups {
		change.Groups[id] = nil
		if id == spec.Root {
			change.Groups[id] = &spec.Group{ID: spec.Root}
		}
	}
	return change
}
