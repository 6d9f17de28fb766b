package spec

import (
	"maps"
	"slices"
)

// Remove returns the change that takes the group away with all that is below it.
// The root stays, empty.
func (t Tree) Remove(id PathID) TreeChange {
	c := newTreeChange()
	t.remove(&c, id)
	if id == Root {
		delete(c.Groups, Root)
		if root := (&Group{ID: Root}); !t.Group(Root).Equal(root) {
			c.Groups[Root] = root
		}
	}
	return c
}

// remove adds to a change that the group goes, with all below.
func (t Tree) remove(c *TreeChange, id PathID) {
	for a := range t.Apps(id) {
		c.Apps[a.ID] = nil
	}
	for g := range t.Groups(id) {
		c.Groups[g.ID] = nil
	}
	c.Groups[id] = nil
}

// Restore returns the change that makes the group, with all below it, what it was
// in an old tree, which has to have it. Definitions come without their versions,
// and those that are the same are left out.
func (t Tree) Restore(old Tree, id PathID) TreeChange {
	c := newTreeChange()
	for a := range t.Apps(id) {
		if old.App(a.ID) == nil {
			c.Apps[a.ID] = nil
		}
	}
	for a := range old.Apps(id) {
		if now := t.App(a.ID); now == nil || !same(a, now) {
			c.Apps[a.ID] = a.withoutVersions()
		}
	}
	for g := range t.Groups(id) {
		if old.Group(g.ID) == nil {
			c.Groups[g.ID] = nil
		}
	}
	put := func(g *Group) {
		if now := t.Group(g.ID); g != nil && (now == nil || !now.Equal(g)) {
			c.Groups[g.ID] = g
		}
	}
	for _, missing := range t.MissingGroups(id) {
		put(old.Group(missing))
	}
	put(old.Group(id))
	for g := range old.Groups(id) {
		put(g)
	}
	return c
}

// Complete returns the change with what follows from it: groups above new apps and
// groups that are not there yet, and no empty group in the place of a new app.
func (t Tree) Complete(c TreeChange, s Settings) TreeChange {
	out := TreeChange{Version: c.Version, Apps: c.Apps, Groups: maps.Clone(c.Groups)}
	if out.Groups == nil {
		out.Groups = map[PathID]*Group{}
	}
	above := func(id PathID) {
		for p := id.Parent(); p != Root; p = p.Parent() {
			group, named := out.Groups[p]
			if !named {
				group = t.Group(p)
			}
			if group != nil {
				return // those above it are there, or are made for it
			}
			out.Groups[p] = s.NewGroup(p)
		}
	}
	for id, a := range c.Apps {
		if a != nil {
			above(id)
		}
	}
	for id, g := range c.Groups {
		if g != nil {
			above(id)
		}
	}
	out.Groups = t.makeRoom(c, out)
	return out
}

// makeRoom takes groups away whose place an app takes and that nothing is below
// after the change.
func (t Tree) makeRoom(c, out TreeChange) map[PathID]*Group {
	var after *Tree
	for id, a := range c.Apps {
		if _, named := c.Groups[id]; a == nil || named || t.Group(id) == nil {
			continue
		}
		if after == nil {
			next := t.With(out)
			after = &next
		}
		if after.empty(id) {
			out.Groups[id] = nil
		}
	}
	return out.Groups
}

// empty tells whether nothing is below the group.
func (t Tree) empty(id PathID) bool {
	for range t.Apps(id) {
		return false
	}
	for range t.Groups(id) {
		return false
	}
	return true
}

// Validate checks what a change has brought into the tree against the rest of it:
// no id may be that of a group and of an app, and no volume outside Mesos may be
// used by two apps. Cycles of dependencies are not its concern. The error is
// *Faults.
func (t Tree) Validate(c TreeChange) error {
	f := &Faults{Message: MessageInvalidObject}
	for _, id := range slices.Sorted(maps.Keys(c.Apps)) {
		if c.Apps[id] != nil && t.Group(id) != nil {
			t.addClash(f, id)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(c.Groups)) {
		if c.Groups[id] != nil && t.App(id) != nil {
			t.addClash(f, id)
		}
	}
	t.checkVolumeNames(f, c)
	return f.Err()
}

// addClash places the fault at the group that both are in.
func (t Tree) addClash(f *Faults, id PathID) {
	path, place := "/", 0
	for g := range t.Groups(Root) {
		if g.ID == id.Parent() {
			path = at("/groups", place)
			break
		}
		place++
	}
	f.Add(path, messageClash)
}
