package api

import (
	"slices"

	"github.com/pacer-run/pacer/runtime/scheduler"
	"github.com/pacer-run/pacer/runtime/spec"
)

// statistics sort an app's tasks by how they relate to its definition. A group
// without tasks is left out.
type statistics struct {
	StartedAfterLastScaling *taskGroup `json:"startedAfterLastScaling,omitempty"`
	WithLatestConfig        *taskGroup `json:"withLatestConfig,omitempty"`
	WithOutdatedConfig      *taskGroup `json:"withOutdatedConfig,omitempty"`
	TotalSummary            *taskGroup `json:"totalSummary,omitempty"`
}

type taskGroup struct {
	Stats groupStats `json:"stats"`
}

type groupStats struct {
	Counts   counts    `json:"counts"`
	LifeTime *lifeTime `json:"lifeTime,omitempty"`
}

type lifeTime struct {
	AverageSeconds float64 `json:"averageSeconds"`
	MedianSeconds  float64 `json:"medianSeconds"`
}

// statisticsOf counts a task's life from its start to now.
func statisticsOf(v *scheduler.AppView, now spec.Timestamp) statistics {
	group := func(keep func(*scheduler.Instance) bool) *taskGroup {
		var members []*scheduler.Instance
		for _, i := range v.Instances {
			if hasTask(i) && keep(i) {
				members = append(members, i)
			}
		}
		return groupOf(members, now)
	}
	return statistics{
		StartedAfterLastScaling: group(func(i *scheduler.Instance) bool { return i.StagedAt > v.App.LastScalingAt }),
		WithLatestConfig:        group(func(i *scheduler.Instance) bool { return i.Version >= v.App.LastConfigChangeAt }),
		WithOutdatedConfig:      group(func(i *scheduler.Instance) bool { return i.Version < v.App.LastConfigChangeAt }),
		TotalSummary:            group(func(*scheduler.Instance) bool { return true }),
	}
}

// groupOf returns nil for no tasks. Lifetimes are of tasks that have started.
func groupOf(members []*scheduler.Instance, now spec.Timestamp) *taskGroup {
	if len(members) == 0 {
		return nil
	}
	g := &taskGroup{Stats: groupStats{Counts: countTasks(members)}}
	var ages []float64
	sum := 0.0
	for _, i := range members {
		if i.StartedAt != 0 {
			age := now.Time().Sub(i.StartedAt.Time()).Seconds()
			ages, sum = append(ages, age), sum+age
		}
	}
	if n := len(ages); n > 0 {
		slices.Sort(ages)
		g.Stats.LifeTime = &lifeTime{AverageSeconds: sum / float64(n), MedianSeconds: (ages[(n-1)/2] + ages[n/2]) / 2}
	}
	return g
}
