package api

import (
	"math"

	"github.com/pacer-run/pacer/runtime/spec"
	"github.com/pacer-run/pacer/sdk"
)

// share is what apps ask for. Thousandths make sums exact: what is added can be taken
// away again.
type share struct{ apps, instances, milliCPUs, milliMem, milliDisk, gpus int64 }

// shareOf is what all instances of an app ask for; nil asks for nothing.
func shareOf(app *spec.App) share {
	if app == nil {
		return share{}
	}
	n := int64(app.Instances)
	return share{
		apps: 1, instances: n, milliCPUs: n * milli(app.CPUs), milliMem: n * milli(app.Mem), milliDisk: n * milli(app.Disk),
		gpus: n * int64(app.GPUs),
	}
}

func milli(x float64) int64 { return int64(math.Round(x * 1000)) }

// add adds a share so many times.
func (s *share) add(o share, times int64) {
	s.apps += times * o.apps
	s.instances += times * o.instances
	s.milliCPUs += times * o.milliCPUs
	s.milliMem += times * o.milliMem
	s.milliDisk += times * o.milliDisk
	s.gpus += times * o.gpus
}

// use is the share of a group in the form for policies.
func (s share) use(group spec.PathID) sdk.GroupUse {
	return sdk.GroupUse{
		ID: string(group), Apps: count32(s.apps), Instances: count32(s.instances), GPUs: count32(s.gpus),
		CPUs: float64(s.milliCPUs) / 1000, Mem: float64(s.milliMem) / 1000, Disk: float64(s.milliDisk) / 1000,
	}
}

func count32(n int64) uint32 { return uint32(min(max(n, 0), math.MaxUint32)) }

// total is what a group asks for after the change. To find that out takes a look at
// each app below it, once for all subjects of a change.
func (a *admission) total(group spec.PathID) share {
	total := a.totals[group]
	if total == nil {
		total = &share{}
		for app := range a.after.Apps(group) {
			total.add(shareOf(app), 1)
		}
		a.totals[group] = total
	}
	return *total
}

// above is what the groups above a subject ask for without it.
func (a *admission) above(x subject) []sdk.GroupUse {
	var groups []sdk.GroupUse
	for _, group := range groupsAbove(x.id) {
		total := a.total(group)
		total.add(x.own, -1)
		groups = append(groups, total.use(group))
	}
	return groups
}

// groupsAbove are those that an app or group is in, the root first.
func groupsAbove(id spec.PathID) []spec.PathID {
	if id == spec.Root {
		return nil
	}
	return append(groupsAbove(id.Parent()), id.Parent())
}

// replace makes an amended app the one that is to become.
func (a *admission) replace(app *spec.App) {
	before := shareOf(a.after.App(app.ID))
	a.after = a.after.With(spec.TreeChange{Version: a.after.Version, Apps: map[spec.PathID]*spec.App{app.ID: app}})
	for _, group := range groupsAbove(app.ID) {
		if total := a.totals[group]; total != nil {
			total.add(before, -1)
			total.add(shareOf(app), 1)
		}
	}
}
