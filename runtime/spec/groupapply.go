package spec

import (
	"errors"
	"fmt"
	"math"
)

// Apply returns the change of the tree that the update asks for, whole: missing
// groups above are made, members that a list leaves out go with all below them,
// and what stays as it is is left out. New definitions have no versions, and
// service ports only where they name them. Policies are not asked about
// constraints. The error is *Faults; the change then has what could be made of the
// update, for others to look for more faults in it. An update that asks for a
// version is not for Apply.
func (u *GroupUpdate) Apply(t Tree, s Settings) (TreeChange, error) {
	b := &groupBuilder{
		tree: t, settings: s, force: u.Force, change: newTreeChange(), faults: &Faults{Message: MessageInvalidObject},
	}
	if u.broken != nil {
		b.faults.Merge("", u.broken)
	}
	switch {
	case u.Version != nil:
		return TreeChange{}, errors.New("group update: a version is restored, not applied")
	case u.ScaleBy != nil && t.Group(u.ID) == nil:
		b.change.Groups[u.ID] = s.NewGroup(u.ID)
	case u.ScaleBy != nil:
		b.scale(u)
	default:
		b.checkEnforce(u, u.modifiesServices())
		b.put(u)
	}
	if err := b.faults.Err(); err != nil {
		return b.change, err
	}
	b.change = t.Complete(b.change, s)
	return b.change, t.With(b.change).Validate(b.change)
}

// groupBuilder puts a change together.
type groupBuilder struct {
	tree     Tree
	settings Settings
	force    bool
	change   TreeChange
	faults   *Faults
}

func newTreeChange() TreeChange {
	return TreeChange{Apps: map[PathID]*App{}, Groups: map[PathID]*Group{}}
}

// checkEnforce keeps apart what is hard to foresee together: which roles services
// may have, and the services.
func (b *groupBuilder) checkEnforce(u *GroupUpdate, services bool) {
	before := b.tree.Group(u.ID)
	if services && u.named && u.EnforceRole != nil && u.ID.TopLevel() && before != nil && before.EnforceRole != *u.EnforceRole {
		b.faults.Add(u.path+"/enforceRole", "enforceRole cannot be modified in a request that adds, removes or modifies "+
			"services; please make these changes in separate requests.")
	}
	if u.Groups != nil {
		for _, g := range *u.Groups {
			b.checkEnforce(g, services)
		}
	}
}

// put makes the group what the update says.
func (b *groupBuilder) put(u *GroupUpdate) {
	before := b.tree.Group(u.ID)
	group := b.settings.NewGroup(u.ID)
	if before != nil {
		group = new(*before)
	}
	replace(&group.Dependencies, u.Dependencies)
	if u.ID.TopLevel() {
		replace(&group.EnforceRole, u.EnforceRole)
	}
	if before == nil || !before.Equal(group) {
		b.change.Groups[u.ID] = group
	}
	if u.Apps != nil {
		b.putApps(u)
	}
	if u.Groups != nil {
		b.putGroups(u)
	}
}

func (b *groupBuilder) putGroups(u *GroupUpdate) {
	listed := map[PathID]bool{}
	for _, g := range *u.Groups {
		listed[g.ID] = true
	}
	for g := range b.tree.Groups(u.ID) {
		if g.ID.memberOf(u.ID) && !listed[g.ID] {
			b.tree.remove(&b.change, g.ID)
		}
	}
	for _, g := range *u.Groups {
		b.put(g)
	}
}

func (b *groupBuilder) putApps(u *GroupUpdate) {
	for a := range b.tree.Apps(u.ID) {
		if a.ID.memberOf(u.ID) {
			b.change.Apps[a.ID] = nil
		}
	}
	for _, update := range *u.Apps {
		b.putApp(update)
	}
}

// putApp replaces the definition as a whole.
func (b *groupBuilder) putApp(u *Update) {
	id := *u.ID
	current := b.tree.App(id)
	roles := b.roles(id, current)
	app := u.App(id, roles.Default, b.settings)
	err := app.Validate(Rules{Settings: b.settings, Roles: roles, Current: current, Force: b.force})
	if err == nil && current != nil {
		err = app.ValidateChange(current)
	}
	if faults, ok := errors.AsType[*Faults](err); ok {
		b.faults.Merge("", faults)
	}
	if current != nil && same(app.WithPortsOf(current), current) {
		delete(b.change.Apps, id)
	} else {
		b.change.Apps[id] = app
	}
}

// roles are those that a member may have. Unlike an app that comes alone, one
// that comes in a group may take the group's name only where that is enforced.
func (b *groupBuilder) roles(id PathID, current *App) Roles {
	topID := Root + PathID(id.Top())
	top := b.change.Groups[topID]
	if top == nil {
		top = b.tree.Group(topID)
	}
	roles := b.settings.Roles(id, top, current)
	if name := id.Top(); name == "" || roles.Default == name {
		return roles
	}
	roles.Allowed = []string{roles.Default}
	if current != nil && current.Role != "" && current.Role != roles.Default {
		roles.Allowed = append(roles.Allowed, current.Role)
	}
	return roles
}

// WithPortsOf fills in service ports that are not assigned yet as they will be:
// with those that the app has already.
func (a *App) WithPortsOf(current *App) *App {
	ports, own := a.ServicePorts(), current.ServicePorts()
	used := map[int]bool{}
	for _, port := range ports {
		used[port] = true
	}
	for i := range ports {
		for ports[i] == 0 && len(own) > 0 {
			if !used[own[0]] {
				ports[i], used[own[0]] = own[0], true
			}
			own = own[1:]
		}
	}
	return a.WithServicePorts(ports)
}

// scale multiplies the instances of all apps below.
func (b *groupBuilder) scale(u *GroupUpdate) {
	for a := range b.tree.Apps(u.ID) {
		instances := math.Ceil(float64(a.Instances) * *u.ScaleBy)
		if instances > maxInstances {
			b.faults.Add(u.path+"/scaleBy", fmt.Sprintf("%s would get more than %d instances", a.ID, maxInstances))
			continue
		}
		if int(instances) == a.Instances {
			continue
		}
		scaled := a.withoutVersions()
		scaled.Instances = int(instances)
		b.change.Apps[a.ID] = scaled
		f := &Faults{}
		scaled.checkLabels(f)
		if scaled.Container != nil {
			scaled.checkExternalApp(f)
		}
		b.faults.Merge("/apps/"+string(a.ID), f)
	}
}

// withoutVersions copies a definition for a change, which gives it new ones.
func (a *App) withoutVersions() *App {
	out := *a
	out.Version, out.LastScalingAt, out.LastConfigChangeAt = 0, 0, 0
	return &out
}
