package api

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pacer-run/pacer/runtime/scheduler"
	"github.com/pacer-run/pacer/runtime/spec"
)

// census counts the instances of an app by what they are on their way to.
type census struct {
	running, healthy    int // that run, and that are well; those that are to end left out
	newOnes, newHealthy int // of the latest configuration: that run, and that are well
	starting            int // that have a place, and do not run yet
	ending              int // that are to end, and have not
	replaced            int // that cannot be reached, and were replaced
	away                []*scheduler.Instance
}

func censusOf(v *scheduler.AppView) (c census) {
	for _, i := range v.Instances {
		switch {
		case i.Condition == scheduler.UnreachableInactive:
			c.replaced++
		case i.Condition == scheduler.Unreachable:
			c.away = append(c.away, i)
		case i.Goal != scheduler.GoalRunning || i.Condition == scheduler.Killing:
			c.ending++
		case i.Condition == scheduler.Running:
			c.countRunning(v, i)
		case i.Condition.Active():
			c.starting++
		}
	}
	return c
}

func (c *census) countRunning(v *scheduler.AppView, i *scheduler.Instance) {
	well := healthy(v, i)
	c.running++
	if well {
		c.healthy++
	}
	if i.Version >= v.App.LastConfigChangeAt {
		c.newOnes++
		if well {
			c.newHealthy++
		}
	}
}

// healthy tells of an instance that runs whether nothing says that it is not well.
// Where its version has health checks one of them must have said that it is.
func healthy(v *scheduler.AppView, i *scheduler.Instance) bool {
	if i.Healthy != nil {
		return *i.Healthy
	}
	version := v.App
	if old := versionOf(v, i.Version); old != nil {
		version = old
	}
	return len(version.HealthChecks) == 0
}

// deploymentCause is what the deployment waits for that holds the app; "" for none.
func deploymentCause(snapshot *scheduler.Snapshot, v *scheduler.AppView, c census) (state, text string) {
	if len(v.Deployments) == 0 {
		return "", ""
	}
	id := v.Deployments[0]
	at := slices.IndexFunc(snapshot.Deployments, func(d *scheduler.DeploymentView) bool { return d.Plan.ID == id })
	if at < 0 {
		return whyDeploying, fmt.Sprintf("deployment %s holds the lock", id)
	}
	d := snapshot.Deployments[at]
	own := ownStep(d, v.App.ID)
	where := fmt.Sprintf("step %d of %d", stepNumber(d.Current, d.Plan.Steps), len(d.Plan.Steps))
	switch {
	case own > d.Current:
		return whyDependency, fmt.Sprintf("it waits for %s of deployment %s: %s", where, id, appsOfStep(d))
	case own == d.Current && len(c.away) > 0:
		return whyUnreachable, unreachableText(v, c)
	case own == d.Current && v.Upgrade != nil && c.newHealthy < c.newOnes:
		return whyHealth, fmt.Sprintf("its upgrade waits for health: %d of %s well", c.newHealthy, isOrAre(c.newOnes, "new instance"))
	case own == d.Current && v.Upgrade == nil && c.starting+c.ending == 0 && c.healthy < c.running:
		return whyHealth, fmt.Sprintf("deployment %s waits for health: %d of %s well", id, c.healthy, isOrAre(c.running, "running instance"))
	case own == d.Current && unready(v, d) > 0:
		return whyHealth, fmt.Sprintf("deployment %s waits for readiness checks: %s not ready", id, isOrAre(unready(v, d), "instance"))
	}
	text = fmt.Sprintf("deployment %s holds the lock and is at %s", id, where)
	if own < 0 && d.Current < len(d.Plan.Steps) {
		text += ": " + appsOfStep(d)
	}
	return whyDeploying, text
}

// ownStep is the step of the deployment that does the next thing to the app, -1 when
// nothing is left to do to it.
func ownStep(d *scheduler.DeploymentView, app spec.PathID) int {
	for i := d.Current; i < len(d.Plan.Steps); i++ {
		for _, a := range d.Plan.Steps[i].Actions {
			if a.App == app {
				return i
			}
		}
	}
	return -1
}

// appsOfStep names the apps that the step under way is about.
func appsOfStep(d *scheduler.DeploymentView) string {
	const most = 3
	var names []string
	actions := d.Plan.Steps[d.Current].Actions
	for _, a := range actions[:min(len(actions), most)] {
		names = append(names, string(a.App))
	}
	text := strings.Join(names, ", ")
	if more := len(actions) - most; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

// instanceCause is how the instances are of an app that waits for nothing else.
func instanceCause(v *scheduler.AppView, c census) (state, text string) {
	asked := v.App.Instances
	switch {
	case len(c.away) > 0:
		return whyUnreachable, unreachableText(v, c)
	case asked == 0 && c.ending+c.running+c.starting > 0:
		return whySuspended, "it is suspended, and " + count(c.ending+c.running+c.starting, "instance") + " still to end"
	case asked == 0:
		return whySuspended, "it is suspended: it asks for no instances"
	case c.running < asked || c.running > asked || c.ending > 0:
		return whyStarting, fmt.Sprintf("%d of %s run, and none waits for a place", c.running, count(asked, "instance"))
	case c.healthy < c.running:
		return whyHealth, fmt.Sprintf("%d of %s well", c.healthy, isOrAre(c.running, "running instance"))
	case c.replaced > 0:
		return whyRunning, fmt.Sprintf("it runs as asked: %s; %s cannot be reached any more", count(c.running, "instance"), count(c.replaced, "other"))
	}
	return whyRunning, "it runs as asked: " + count(c.running, "instance")
}

// unreachableText says of instances that cannot be reached what becomes of them.
func unreachableText(v *scheduler.AppView, c census) string {
	first := c.away[0]
	for _, i := range c.away {
		if i.UnreachableSince < first.UnreachableSince {
			first = i
		}
	}
	text := fmt.Sprintf("%d of %s cannot be reached, since %s", len(c.away), count(v.App.Instances, "instance"), first.UnreachableSince)
	if first.Agent != nil {
		text += " on " + first.Agent.Hostname
	}
	if v.App.UnreachableStrategy.Disabled {
		return text + ": nothing is started instead, since unreachableStrategy is disabled"
	}
	return fmt.Sprintf("%s: it is replaced at %s", text, first.UnreachableSince.Add(v.App.UnreachableStrategy.InactiveAfter))
}

// isOrAre writes "1 instance is", "2 instances are".
func isOrAre(n int, noun string) string {
	if n == 1 {
		return count(n, noun) + " is"
	}
	return count(n, noun) + " are"
}
