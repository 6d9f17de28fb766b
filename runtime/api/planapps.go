package api

import (
	"slices"

	"github.com/pacer-run/pacer/runtime/deployment"
	"github.com/pacer-run/pacer/runtime/placement"
	"github.com/pacer-run/pacer/runtime/scheduler"
	"github.com/pacer-run/pacer/runtime/spec"
)

// planning is a planned app with what its forecast is made from.
type planning struct {
	plannedApp
	after  *spec.App // nil when it goes, or when nothing changes
	wanted placement.Wanted
	old    int // instances that a restart replaces
}

// plannedApps counts what begins and what ends of all apps that a change names.
func plannedApps(snapshot *scheduler.Snapshot, change scheduler.ChangeTree, plan *deployment.Plan) []*planning {
	changed := map[spec.PathID]deployment.Change{}
	for _, c := range plan.Changes {
		changed[c.App()] = c
	}
	restarted := restartsOf(plan)
	out := make([]*planning, 0, len(changed))
	for _, id := range namedApps(change) {
		if c, ok := changed[id]; ok {
			out = append(out, planningOf(c, viewOf(snapshot, id), restarted[id]))
		} else {
			out = append(out, &planning{plannedApp: plannedApp{App: id, Action: "none", Changes: []fieldDelta{}}})
		}
	}
	return out
}

// namedApps are the apps that a change names: in its order those of a list, by id
// those of a group.
func namedApps(change scheduler.ChangeTree) []spec.PathID {
	var ids []spec.PathID
	for _, p := range change.Put {
		ids = append(ids, p.App.ID)
	}
	ids = slices.Concat(ids, change.Remove, change.Restart)
	if change.Members != "" {
		slices.Sort(ids)
	}
	return ids
}

func restartsOf(plan *deployment.Plan) map[spec.PathID]bool {
	out := map[spec.PathID]bool{}
	for _, s := range plan.Steps {
		for _, a := range s.Actions {
			if a.Kind == deployment.Restart {
				out[a.App] = true
			}
		}
	}
	return out
}

// plannedGroups compares what groups say of themselves.
func plannedGroups(plan *deployment.Plan) []plannedGroup {
	out := []plannedGroup{}
	for _, c := range plan.Groups {
		p := plannedGroup{Group: c.Group(), Action: "change"}
		switch {
		case c.Before == nil:
			p.Action = "create"
		case c.After == nil:
			p.Action = "delete"
		}
		p.Changes = deltas([]fieldDelta{}, "", groupFields(c.Before), groupFields(c.After))
		out = append(out, p)
	}
	return out
}

// groupFields is a group as the API shows it, but for its members.
func groupFields(g *spec.Group) map[string]any {
	fields := map[string]any{}
	if g == nil {
		return fields
	}
	fields["dependencies"] = append([]spec.PathID{}, g.Dependencies...)
	if g.ID.TopLevel() {
		fields["enforceRole"] = g.EnforceRole
	}
	return fields
}

// planningOf works with the definition as it would be in force: by its versions
// it is told which instances count for constraints. v is nil for a new app.
func planningOf(c deployment.Change, v *scheduler.AppView, restarts bool) *planning {
	held := heldBy(v)
	if c.After == nil {
		return &planning{plannedApp: plannedApp{App: c.App(), Action: "delete", Changes: []fieldDelta{}, Kills: held}}
	}
	p := &planning{plannedApp: plannedApp{App: c.App(), Action: "create", Changes: fieldDeltas(c.Before, c.After)}, after: c.After}
	p.wanted = placement.Wanted{App: c.After, Count: c.After.Instances}
	p.Starts = c.After.Instances
	switch {
	case v == nil:
		return p
	case restarts:
		p.Action, p.Kills, p.old = "restart", held, held
		return p
	}
	as := *v
	as.App = c.After
	now := as.Wanted()
	p.Action, p.Starts, p.Kills = "scale", max(0, c.After.Instances-held), max(0, held-c.After.Instances)
	p.wanted.Count, p.wanted.Placed = p.Starts+max(0, now.Count-p.Kills), now.Placed
	return p
}

// heldBy counts the instances that are to be there. v may be nil.
func heldBy(v *scheduler.AppView) (held int) {
	if v == nil {
		return 0
	}
	for _, i := range v.Instances {
		if i.Goal == scheduler.GoalRunning && i.Condition != scheduler.UnreachableInactive {
			held++
		}
	}
	return held
}
