package api

import (
	"net/http"
	"strconv"

	"github.com/pacer-run/pacer/runtime/spec"
)

// groupEmbeds says which members a group's JSON shows.
type groupEmbeds struct{ groups, apps bool }

// groupEmbedsOf is all members unless the query says otherwise.
func groupEmbedsOf(r *http.Request) groupEmbeds {
	names, ok := r.URL.Query()["embed"]
	if !ok {
		return groupEmbeds{groups: true, apps: true}
	}
	var e groupEmbeds
	for _, name := range names {
		switch name {
		case "group.groups":
			e.groups = true
		case "group.apps":
			e.apps = true
		}
	}
	return e
}

// groupInfo is what the JSON of a group and its members is made of, by the group
// that each is in.
type groupInfo struct {
	tree    spec.Tree
	version string
	embeds  groupEmbeds
	ofApps  embeds
	groups  map[spec.PathID][]*spec.Group
	apps    map[spec.PathID][]*appText
}

func newGroupInfo(tree spec.Tree, id spec.PathID, e groupEmbeds, ofApps embeds) *groupInfo {
	info := &groupInfo{
		tree: tree, version: treeVersion(tree), embeds: e, ofApps: ofApps,
		groups: map[spec.PathID][]*spec.Group{}, apps: map[spec.PathID][]*appText{},
	}
	if e.groups {
		for g := range tree.Groups(id) {
			parent := g.ID.Parent()
			info.groups[parent] = append(info.groups[parent], g)
		}
	}
	return info
}

// addApps adds apps, which are in the order of their ids: those of one group mostly
// follow each other.
func (i *groupInfo) addApps(list []*appText) {
	if !i.embeds.apps {
		return
	}
	for len(list) > 0 {
		parent, n := list[0].view.App.ID.Parent(), 1
		for n < len(list) && list[n].view.App.ID.Parent() == parent {
			n++
		}
		if others := i.apps[parent]; others == nil {
			i.apps[parent] = list[:n:n] // no copy, nor room to append to
		} else {
			i.apps[parent] = append(others, list[:n]...)
		}
		list = list[n:]
	}
}

// write appends a group that is in the tree. There are no pods.
func (i *groupInfo) write(c *chunks, id spec.PathID) { i.writeGroup(c, i.tree.Group(id)) }

func (i *groupInfo) writeGroup(c *chunks, g *spec.Group) {
	c.b = spec.AppendText(append(c.b, `{"id":`...), string(g.ID))
	c.b = append(c.b, `,"apps":[`...)
	c.apps(i.apps[g.ID], i.ofApps)
	c.b = append(c.b, `],"pods":[],"groups":[`...)
	for n, inner := range i.groups[g.ID] {
		if n > 0 {
			c.b = append(c.b, ',')
		}
		i.writeGroup(c, inner)
	}
	c.b = append(c.b, `],"dependencies":[`...)
	for n, id := range g.Dependencies {
		if n > 0 {
			c.b = append(c.b, ',')
		}
		c.b = spec.AppendText(c.b, string(id))
	}
	c.b = spec.AppendText(append(c.b, `],"version":`...), i.version)
	if g.ID.TopLevel() {
		c.b = strconv.AppendBool(append(c.b, `,"enforceRole":`...), g.EnforceRole)
	}
	c.b = append(c.b, '}')
	c.spill()
}

// treeVersion is the beginning of time before the first change: clients read a
// time there.
func treeVersion(tree spec.Tree) string {
	if tree.Version == 0 {
		return "1970-01-01T00:00:00.000Z"
	}
	return tree.Version.String()
}
