package scheduler

import (
	"cmp"
	"slices"

	"github.com/pacer-run/pacer/runtime/deployment"
	"github.com/pacer-run/pacer/runtime/spec"
)

// definitions holds every version of every app that is kept: the newest ones of
// each app, and those that something refers to. A version has a record of its own
// that never changes, so that a change of one app writes that app's records alone.
type definitions struct {
	byApp map[spec.PathID][]*definition // oldest first
}

// definition is one version. It goes when nothing pins it and newer ones fill the
// app's share.
type definition struct {
	app  *spec.App
	pins int // the app itself, revisions and deployments that refer to it
}

func newDefinitions() definitions { return definitions{byApp: map[spec.PathID][]*definition{}} }

// find returns a version, nil when it is not kept.
func (d *definitions) find(id spec.PathID, version spec.Timestamp) *definition {
	list := d.byApp[id]
	i, ok := slices.BinarySearchFunc(list, version, func(x *definition, v spec.Timestamp) int {
		return cmp.Compare(x.app.Version, v)
	})
	if !ok {
		return nil
	}
	return list[i]
}

// order sorts what was read, and lets versions that differ in nothing but the
// number of instances share the rest, as they did when they were made.
func (d *definitions) order() {
	for _, list := range d.byApp {
		slices.SortFunc(list, func(x, y *definition) int { return cmp.Compare(x.app.Version, y.app.Version) })
		for i := 1; i < len(list); i++ {
			before, a := list[i-1].app, list[i].app
			if before.LastConfigChangeAt != a.LastConfigChangeAt || spec.Compare(before, a) == spec.Reconfigured {
				continue
			}
			shared := *before
			shared.Instances, shared.Version, shared.LastScalingAt = a.Instances, a.Version, a.LastScalingAt
			shared.ExecutorResources = a.ExecutorResources
			list[i].app = &shared
		}
	}
}

// pin keeps a version that is kept already.
func (d *definitions) pin(a *spec.App) { d.find(a.ID, a.Version).pins++ }

// versions lists what is kept of an app, newest first.
func (d *definitions) versions(id spec.PathID) []*spec.App {
	list := d.byApp[id]
	out := make([]*spec.App, 0, len(list))
	for _, def := range slices.Backward(list) {
		out = append(out, def.app)
	}
	return out
}

// revision is one version of the whole tree, and how it came from the one before.
type revision struct {
	tree    spec.Tree
	changes []deployment.Change
	groups  []deployment.GroupChange
}

// define keeps the new versions of a plan.
func (s *Scheduler) define(changes []deployment.Change) {
	for _, ch := range changes {
		if a := ch.After; a != nil && s.definitions.find(a.ID, a.Version) == nil {
			s.definitions.byApp[a.ID] = append(s.definitions.byApp[a.ID], &definition{app: a})
			s.dirty(versionKey(a.ID, a.Version))
		}
	}
}

// pinChanges keeps what changes refer to.
func (s *Scheduler) pinChanges(changes []deployment.Change) {
	for _, ch := range changes {
		if ch.Before != nil {
			s.definitions.pin(ch.Before)
		}
		if ch.After != nil {
			s.definitions.pin(ch.After)
		}
	}
}

func (s *Scheduler) unpinChanges(changes []deployment.Change) {
	for _, ch := range changes {
		if ch.Before != nil {
			s.unpin(ch.Before)
		}
		if ch.After != nil {
			s.unpin(ch.After)
		}
	}
}

// unpin lets go of a version, and drops what nobody needs any more.
func (s *Scheduler) unpin(a *spec.App) {
	s.definitions.find(a.ID, a.Version).pins--
	s.prune(a.ID)
}

// prune drops the oldest versions of an app beyond its share that nothing pins. Of
// an app that is gone nothing is kept for its own sake.
func (s *Scheduler) prune(id spec.PathID) {
	list := s.definitions.byApp[id]
	surplus := len(list)
	if s.apps[id] != nil {
		surplus -= s.cfg.MaxVersions
	}
	if surplus <= 0 {
		return
	}
	kept := list[:0:0]
	for _, def := range list {
		if surplus > 0 && def.pins == 0 {
			surplus--
			s.dirty(versionKey(id, def.app.Version))
			continue
		}
		kept = append(kept, def)
	}
	if len(kept) == len(list) {
		return
	}
	s.definitions.byApp[id] = kept
	if len(kept) == 0 {
		delete(s.definitions.byApp, id)
	}
	if a := s.apps[id]; a != nil {
		s.touch(a)
	}
}

// remember adds a version of the tree and drops the oldest beyond the limit.
func (s *Scheduler) remember(plan *deployment.Plan, after spec.Tree) {
	s.pinChanges(plan.Changes)
	// The slice is shared with snapshots: it is replaced, never changed.
	list := append(slices.Clip(s.revisions), &revision{tree: after, changes: plan.Changes, groups: plan.Groups})
	s.dirty(revisionKey(after.Version))
	for len(list) > s.cfg.MaxVersions {
		oldest := list[0]
		list = list[1:]
		s.revisions = list
		s.dirty(revisionKey(oldest.tree.Version))
		s.unpinChanges(oldest.changes)
	}
	s.revisions = list
	for _, ch := range plan.Changes {
		s.prune(ch.App())
	}
}

// findRevision returns a kept version of the tree, nil when there is none.
func (s *Scheduler) findRevision(version spec.Timestamp) *revision {
	for _, r := range s.revisions {
		if r.tree.Version == version {
			return r
		}
	}
	return nil
}

// rebuildRevisions gives revisions that were read their trees, from the newest,
// which is in force, to the oldest.
func (s *Scheduler) rebuildRevisions() {
	tree := s.tree
	for _, r := range slices.Backward(s.revisions) {
		tree.Version = r.tree.Version
		r.tree = tree
		undo := spec.TreeChange{Apps: map[spec.PathID]*spec.App{}, Groups: map[spec.PathID]*spec.Group{}}
		for _, ch := range r.changes {
			undo.Apps[ch.App()] = ch.Before
		}
		for _, g := range r.groups {
			undo.Groups[g.Group()] = g.Before
		}
		tree = tree.With(undo)
	}
}
