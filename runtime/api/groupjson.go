package api

import (
	"net/http"
	"strconv"

	"github.com/pacer-run/pacer/runtime/scheduler"
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
	tree   spec.Tree
	embeds groupEmbeds
	ofApps embeds
	groups map[spec.PathID][]spec.PathID
	apps   map[spec.PathID][]*scheduler.AppView
}

func newGroupInfo(tree spec.Tree, id spec.PathID, e groupEmbeds, ofApps embeds) *groupInfo {
	info := &groupInfo{
		tree: tree, embeds: e, ofApps: ofApps,
		groups: map[spec.PathID][]spec.PathID{}, apps: map[spec.PathID][]*scheduler.AppView{},
	}
	if e.groups {
		for g := range tree.Groups(id) {
			parent := g.ID.Parent()
			info.groups[parent] = append(info.groups[parent], g.ID)
		}
	}
	return info
}

func (i *groupInfo) addApp(v *scheduler.AppView) {
	if i.embeds.apps {
		parent := v.App.ID.Parent()
		i.apps[parent] = append(i.apps[parent], v)
	}
}

// appendGroup appends a group that is in the tree. There are no pods.
func (i *groupInfo) appendGroup(b []byte, id spec.PathID) []byte {
	g := i.tree.Group(id)
	b = append(b, `{"id":`...)
	b = append(b, encodeJSON(id)...)
	b = append(b, `,"apps":[`...)
	for n, v := range i.apps[id] {
		if n > 0 {
			b = append(b, ',')
		}
		b = appendApp(b, v, i.ofApps)
	}
	b = append(b, `],"pods":[],"groups":[`...)
	for n, inner := range i.groups[id] {
		if n > 0 {
			b = append(b, ',')
		}
		b = i.appendGroup(b, inner)
	}
	b = append(b, `],"dependencies":`...)
	b = append(b, encodeJSON(append([]spec.PathID{}, g.Dependencies...))...)
	b = append(b, `,"version":`...)
	b = append(b, encodeJSON(treeVersion(i.tree))...)
	if id.TopLevel() {
		b = strconv.AppendBool(append(b, `,"enforceRole":`...), g.EnforceRole)
	}
	return append(b, '}')
}

// treeVersion is the beginning of time before the first change: clients read a
// time there.
func treeVersion(tree spec.Tree) string {
	if tree.Version == 0 {
		return "1970-01-01T00:00:00.000Z"
	}
	return tree.Version.String()
}
