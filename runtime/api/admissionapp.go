package api

import (
	"errors"
	"slices"
	"strconv"

	"github.com/pacer-run/pacer/runtime/scheduler"
	"github.com/pacer-run/pacer/runtime/spec"
	"github.com/pacer-run/pacer/sdk"
)

// reviewApp reviews what becomes of an app: next is nil when it goes, and put takes an
// amended definition.
func (a *admission) reviewApp(id spec.PathID, next *spec.App, put func(policy string, amended *spec.App)) error {
	current := a.snapshot.Tree.App(id)
	x := subject{kind: sdk.AdmissionApp, id: id, place: a.placeOfApp(id), old: appJSON(current)}
	if next != nil {
		asked := asAsked(next, current)
		x.new, x.own = appJSON(asked), shareOf(a.after.App(id))
		x.take = func(policy string, data []byte) ([]byte, error) {
			app, err := a.readApp(id, data, current)
			if err != nil {
				return nil, amendmentFault(id, err)
			}
			if changed := fieldDeltas(asked, app); len(changed) > 0 {
				put(policy, app)
				if a.unamendable == nil {
					a.amended(id, policy, changed)
					a.replace(app)
				}
			}
			asked = app
			return appJSON(app), nil
		}
	}
	return a.ask(x)
}

// placeOfApp is where the body of a request has an app.
func (a *admission) placeOfApp(id spec.PathID) string {
	switch {
	case a.change.Members != "" || a.fixed:
		return "/apps/" + string(id)
	case len(a.change.Put) > 1:
		i := slices.IndexFunc(a.change.Put, func(p scheduler.PutApp) bool { return p.App.ID == id })
		return "/(" + strconv.Itoa(i) + ")"
	}
	return ""
}

// reviewPut reviews a new definition.
func (a *admission) reviewPut(i int) error {
	p := a.change.Put[i]
	if p.Base == 0 && a.snapshot.Tree.App(p.App.ID) != nil {
		return nil // the core refuses to create what is there
	}
	put := func(_ string, amended *spec.App) { a.change.Put[i].App = amended }
	if a.fixed {
		put = a.refuse(p.App.ID)
	}
	return a.reviewApp(p.App.ID, p.App, put)
}

// reviewRestarts reviews apps whose instances are replaced. One that is amended gets a
// new definition, and is restarted all the same.
func (a *admission) reviewRestarts() error {
	for _, id := range slices.Clone(a.change.Restart) {
		current := a.snapshot.Tree.App(id)
		if current == nil {
			continue // the core says so
		}
		var next *spec.App
		if err := a.reviewApp(id, current, func(_ string, amended *spec.App) { next = amended }); err != nil {
			return err
		}
		if next != nil {
			a.change.Restart = slices.DeleteFunc(slices.Clone(a.change.Restart), func(x spec.PathID) bool { return x == id })
			a.change.Put = append(a.change.Put, scheduler.PutApp{App: next, Base: current.Version, Restart: true})
		}
	}
	return nil
}

// refuse is for an app that cannot be amended.
func (a *admission) refuse(id spec.PathID) func(string, *spec.App) {
	return func(policy string, _ *spec.App) { a.cannotAmend(id, policy) }
}

// readApp reads an amended app as if the user had sent it.
func (a *admission) readApp(id spec.PathID, data []byte, current *spec.App) (*spec.App, error) {
	u, err := spec.ParseUpdate(data, spec.Whole, true)
	switch {
	case err != nil:
		return nil, err
	case u.ID == nil || *u.ID != id:
		return nil, errors.New("it has another id")
	case len(u.Unknown) > 0:
		return nil, spec.NewFault("/"+u.Unknown[0], "is not a field of an app")
	}
	var top *spec.Group
	if name := id.Top(); name != "" {
		top = a.after.Group(spec.Root + spec.PathID(name))
	}
	roles := a.Settings.Roles(id, top, current)
	app := u.App(id, roles.Default, a.Settings)
	return app, a.validate(a.r, roles, u, app, current)
}

// asAsked is a definition as it is to become, without what the core gives it but for
// the service ports that it keeps.
func asAsked(app, current *spec.App) *spec.App {
	if current != nil {
		app = app.WithPortsOf(current)
	}
	asked := *app
	asked.Version, asked.LastScalingAt, asked.LastConfigChangeAt = 0, 0, 0
	return &asked
}

// appJSON is an app as the API shows it; nil for none.
func appJSON(app *spec.App) []byte {
	if app == nil {
		return nil
	}
	return append(app.AppendFields([]byte{'{'}, true), '}')
}

// keptAfter says with how many instances the core leaves the apps of those that are
// killed for good: not counted are those that are not meant to live anyway.
func keptAfter(snapshot *scheduler.Snapshot, kill []scheduler.UUID) map[spec.PathID]int {
	if len(kill) == 0 {
		return nil
	}
	named := make(map[scheduler.UUID]bool, len(kill))
	for _, id := range kill {
		named[id] = true
	}
	kept := map[spec.PathID]int{}
	for v := range viewsBelow(snapshot, spec.Root) {
		for _, i := range v.Instances {
			if !named[i.ID] {
				continue
			}
			if _, seen := kept[v.App.ID]; !seen {
				kept[v.App.ID] = v.App.Instances
			}
			if i.Goal == scheduler.GoalRunning && i.Condition.Active() && i.Condition != scheduler.Killing {
				kept[v.App.ID] = max(0, kept[v.App.ID]-1)
			}
		}
	}
	return kept
}
