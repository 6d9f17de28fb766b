package spec

import (
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// GroupUpdate is a group as it was sent: nil fields were absent or null, and keep
// what there is. ParseGroupUpdate makes one. Of ScaleBy, Version and all other
// fields only one kind is set.
type GroupUpdate struct {
	ID           PathID     // absolute
	Apps         *[]*Update // whole definitions, of direct members
	Groups       *[]*GroupUpdate
	Dependencies *[]PathID
	ScaleBy      *float64   // what the instances of all apps below are multiplied with
	Version      *Timestamp // asks for the group as it was; see Tree.Restore
	EnforceRole  *bool
	// Unknown names the fields that no version of the API has, with their
	// place: "apps(0)/foo". They have no effect.
	Unknown []string
	// Force permits resident apps to change their roles. It is the caller's to set.
	Force bool

	path   string  // in the document
	named  bool    // the document says the id
	broken *Faults // of the outermost: rules that the document breaks by itself
}

// The bounds of a document of groups: no file system and no tree of ours is
// deeper.
const maxDepth = 200

const messageClash = "Groups and Applications may not have the same identifier."

const messageAlone = "not allowed in conjunction with other properties."

// ParseGroupUpdate reads a group. base is the path that its id is relative to, and
// its path when it has no id. Members are relative to the group that they are in.
// The error is a *SyntaxError or *Faults; rules that the document breaks by itself
// are for Apply to tell with all others.
func ParseGroupUpdate(data []byte, base PathID) (*GroupUpdate, error) {
	value, err := parseDocument(data)
	if err != nil {
		return nil, err
	}
	r := newReading()
	u := r.object("", value).groupUpdate(base, 0)
	u.Unknown = r.unknown
	u.broken = &r.rules
	if err := r.form.Err(); err != nil || u.Version == nil && u.ScaleBy == nil {
		return u, err
	}
	return u, r.rules.Err()
}

// ParseGroupRole reads what a group is to do about its role: the only thing that can
// be changed of it without a deployment. nil asks for the default. unknown is as in
// GroupUpdate.
func ParseGroupRole(data []byte) (enforce *bool, unknown []string, err error) {
	value, err := parseDocument(data)
	if err != nil {
		return nil, nil, err
	}
	r := newReading()
	o := r.object("", value)
	enforce = o.boolean("enforceRole")
	o.finish()
	return enforce, r.unknown, r.form.Err()
}

// groupUpdate reads a group of which depth others are around.
func (o *object) groupUpdate(base PathID, depth int) *GroupUpdate {
	u := &GroupUpdate{ID: base, path: o.path}
	o.base = base
	_, _, u.named = o.take("id")
	if id := o.groupID(depth > 0); id != nil {
		u.ID = *id
	}
	u.Version = o.timestamp("version")
	u.ScaleBy = o.number("scaleBy", 0, maxScalar)
	u.EnforceRole = o.boolean("enforceRole")
	if u.EnforceRole != nil && *u.EnforceRole && !u.ID.TopLevel() {
		o.rules.Add(o.path+"/enforceRole", "enforceRole can only be set for top-level groups, and "+string(u.ID)+" is not top-level")
	}
	o.base = u.ID
	u.Dependencies = o.paths("dependencies")
	u.readApps(o)
	u.readGroups(o, depth)
	if u.clashes() {
		o.rules.Add(orRoot(o.path), messageClash)
	}
	if pods, ok := o.fields["pods"].([]any); ok && len(pods) == 0 {
		o.ignore("pods") // answers have it, and none in it asks for nothing
	}
	o.checkAlone("version")
	o.checkAlone("scaleBy")
	o.finish()
	return u
}

// groupID reads the id. A nested group has to be a member of the one around it.
func (o *object) groupID(nested bool) *PathID {
	const name = "id"
	if nested {
		o.need(name)
	}
	s := o.text(name, 1)
	if s == nil {
		return nil
	}
	id, err := ParsePathID(*s, o.base)
	switch {
	case err != nil:
		o.form.Add(o.path+"/"+name, pathKey(err))
		return nil
	case id.appFault() == messageReserved:
		o.rules.Add(o.path+"/"+name, messageReserved)
	case nested && !id.memberOf(o.base):
		o.rules.Add(o.path+"/"+name, notChild(o.base))
	}
	return &id
}

func notChild(group PathID) string {
	return "Identifier is not child of '" + short(string(group)) + "'"
}

// memberOf tells whether the path is directly in the group.
func (p PathID) memberOf(group PathID) bool { return p != Root && p.Parent() == group }

// checkAlone notes that a field stands beside others, when it does.
func (o *object) checkAlone(name string) {
	if o.fields[name] == nil {
		return
	}
	for _, other := range []string{"id", "apps", "groups", "dependencies", "scaleBy", "version", "enforceRole"} {
		if other != name && o.fields[other] != nil {
			o.rules.Add(o.path+"/"+name, messageAlone)
		}
	}
}

// readApps reads the members. What breaks a rule in one of them is told as if the
// app had come alone, what has a wrong form with its place in the document.
func (u *GroupUpdate) readApps(o *object) {
	items, path, ok := o.list("apps")
	if !ok {
		return
	}
	apps := make([]*Update, 0, len(items))
	first := map[PathID]int{}
	for i, item := range items {
		part := newReading()
		part.base = u.ID
		app := part.update(part.object("", item), Whole, true)
		for _, name := range app.Unknown {
			o.unknown = append(o.unknown, strings.TrimPrefix(at(path, i), "/")+"/"+name)
		}
		o.form.Merge(at(path, i), &part.form)
		o.rules.Merge("", &part.rules)
		if app.ID == nil {
			continue
		}
		before, repeats := first[*app.ID]
		switch {
		case repeats && reflect.DeepEqual(items[before], item):
			continue
		case repeats:
			o.rules.Add(at(path, i)+"/id", "Identifier is that of "+path+"("+strconv.Itoa(before)+") too")
		case !app.ID.memberOf(u.ID):
			o.rules.Add(at(path, i)+"/id", notChild(u.ID))
		}
		first[*app.ID] = i
		apps = append(apps, app)
	}
	u.Apps = &apps
}

func (u *GroupUpdate) readGroups(o *object, depth int) {
	items, path, ok := o.list("groups")
	if !ok {
		return
	}
	groups := make([]*GroupUpdate, 0, len(items))
	first := map[PathID]int{}
	for i, item := range items {
		inner := o.object(at(path, i), item)
		if depth == maxDepth {
			o.rules.Add(inner.path, "groups are nested more than "+strconv.Itoa(maxDepth)+" deep")
			break
		}
		g := inner.groupUpdate(u.ID, depth+1)
		before, repeats := first[g.ID]
		switch {
		case !g.named:
			continue
		case repeats && reflect.DeepEqual(items[before], item):
			continue
		case repeats:
			o.rules.Add(inner.path+"/id", "Identifier is that of "+path+"("+strconv.Itoa(before)+") too")
		}
		first[g.ID] = i
		groups = append(groups, g)
	}
	u.Groups = &groups
}

// clashes tells whether a member is to be a group and an app.
func (u *GroupUpdate) clashes() bool {
	if u.Apps == nil || u.Groups == nil {
		return false
	}
	apps := map[PathID]bool{}
	for _, a := range *u.Apps {
		apps[*a.ID] = true
	}
	return slices.ContainsFunc(*u.Groups, func(g *GroupUpdate) bool { return apps[g.ID] })
}

// modifiesServices tells whether the update says anything about apps.
func (u *GroupUpdate) modifiesServices() bool {
	if u.Version != nil || u.ScaleBy != nil || u.Apps != nil {
		return true
	}
	return u.Groups != nil && slices.ContainsFunc(*u.Groups, (*GroupUpdate).modifiesServices)
}
