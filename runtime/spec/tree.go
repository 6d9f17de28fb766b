package spec

import (
	"iter"
	"slices"

	iradix "github.com/hashicorp/go-immutable-radix/v2"
)

// Group is what a group says of itself. Its members are found by their paths.
type Group struct {
	ID           PathID
	Dependencies []PathID // groups, absolute
	EnforceRole  bool     // of a top-level group: its services have its name as their role
}

// Tree is all apps and groups at one version. It is a value that never changes:
// With gives another one that shares what is the same. The zero value is the
// empty tree.
type Tree struct {
	Version Timestamp
	apps    *iradix.Tree[*App]
	groups  *iradix.Tree[*Group]
	volumes *iradix.Tree[PathID] // who uses a volume that must be its own, see volumeKey
}

// TreeChange replaces definitions: a nil value removes the entry.
type TreeChange struct {
	Version Timestamp
	Apps    map[PathID]*App
	Groups  map[PathID]*Group
}

// With returns the tree with the change applied. Groups above new apps and
// groups must be in the change where they are missing; see MissingGroups.
func (t Tree) With(c TreeChange) Tree {
	out := Tree{Version: c.Version, apps: t.appTree(), groups: t.groupTree(), volumes: t.indexVolumes(c.Apps)}
	if len(c.Apps) > 0 {
		txn := out.apps.Txn()
		for id, a := range c.Apps {
			set(txn, id, a)
		}
		out.apps = txn.Commit()
	}
	if len(c.Groups) > 0 {
		txn := out.groups.Txn()
		for id, g := range c.Groups {
			set(txn, id, g)
		}
		out.groups = txn.Commit()
	}
	return out
}

func set[T any](txn *iradix.Txn[*T], id PathID, value *T) {
	if value == nil {
		txn.Delete([]byte(id))
	} else {
		txn.Insert([]byte(id), value)
	}
}

func (t Tree) appTree() *iradix.Tree[*App] {
	if t.apps == nil {
		return iradix.New[*App]()
	}
	return t.apps
}

func (t Tree) groupTree() *iradix.Tree[*Group] {
	if t.groups == nil {
		return iradix.New[*Group]()
	}
	return t.groups
}

// App returns the definition, nil when there is none.
func (t Tree) App(id PathID) *App {
	a, _ := t.appTree().Get([]byte(id))
	return a
}

// Group returns the group, nil when there is none. The root group is always there.
func (t Tree) Group(id PathID) *Group {
	g, ok := t.groupTree().Get([]byte(id))
	if !ok && id == Root {
		return &Group{ID: Root}
	}
	return g
}

// Apps yields the apps below the group at any depth, in the order of their ids.
func (t Tree) Apps(group PathID) iter.Seq[*App] { return below(t.appTree(), group) }

// Groups yields the groups below the group at any depth, parents first.
func (t Tree) Groups(group PathID) iter.Seq[*Group] { return below(t.groupTree(), group) }

// Len returns how many apps there are.
func (t Tree) Len() int { return t.appTree().Len() }

// MissingGroups returns the groups above the path that do not exist, outermost first.
func (t Tree) MissingGroups(id PathID) []PathID {
	var missing []PathID
	for p := id.Parent(); p != Root; p = p.Parent() {
		if t.Group(p) == nil {
			missing = append(missing, p)
		}
	}
	slices.Reverse(missing)
	return missing
}

// below yields the entries whose path is within the group.
func below[T any](tree *iradix.Tree[*T], group PathID) iter.Seq[*T] {
	return func(yield func(*T) bool) {
		prefix := string(group)
		if group != Root {
			prefix += "/"
		}
		it := tree.Root().Iterator()
		it.SeekPrefix([]byte(prefix))
		for key, value, ok := it.Next(); ok; key, value, ok = it.Next() {
			if PathID(key) != Root && !yield(value) {
				return
			}
		}
	}
}

// Equal tells whether two groups say the same. Neither may be nil.
func (g *Group) Equal(o *Group) bool {
	return g == o || g.ID == o.ID && g.EnforceRole == o.EnforceRole && slices.Equal(g.Dependencies, o.Dependencies)
}
