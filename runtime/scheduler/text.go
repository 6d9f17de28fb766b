package scheduler

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/pacer-run/pacer/runtime/placement"
	"github.com/pacer-run/pacer/runtime/spec"
)

// Names gives instances short names in text. The zero value uses full ids.
type Names struct {
	// Instance returns the name of an instance; nil means its full id.
	Instance func(app spec.PathID, id UUID) string
	// Start is the time that others are told relative to; 0 means in full.
	Start spec.Timestamp
}

func (n Names) instance(app spec.PathID, id UUID) string {
	if n.Instance == nil {
		return app.Safe() + ".instance-" + id.String()
	}
	return n.Instance(app, id)
}

// task names a task id by its instance and incarnation: "/web.1#2".
func (n Names) task(s *Scheduler, taskID string) string {
	safe, id, incarnation, err := ParseTaskID(taskID)
	if err != nil || n.Instance == nil {
		return taskID
	}
	app := spec.PathID("/" + strings.ReplaceAll(safe, "_", "/"))
	if m := s.members[id]; m != nil {
		app = m.app.spec.ID
	}
	return fmt.Sprintf("%s#%d", n.Instance(app, id), incarnation)
}

func (n Names) time(t spec.Timestamp) string {
	if n.Start == 0 {
		return t.String()
	}
	return fmt.Sprintf("+%gs", float64(t-n.Start)/1000)
}

// Text renders effects, one per line, in the order of execution.
func (e *Effects) Text(s *Scheduler, n Names) string {
	var b strings.Builder
	for _, r := range e.Save {
		fmt.Fprintf(&b, "save   %s\n", s.recordText(r, n))
	}
	for _, c := range e.Calls {
		fmt.Fprintf(&b, "call   %s\n", callText(s, c, n))
	}
	if e.Match != nil {
		fmt.Fprintf(&b, "match  %s\n", matchText(e.Match))
	}
	for i := range e.Upgrades {
		fmt.Fprintf(&b, "ask    %s\n", askText(&e.Upgrades[i]))
	}
	e.healthText(&b, s, n)
	for _, r := range e.Replies {
		fmt.Fprintf(&b, "reply  %s\n", replyText(r))
	}
	for _, x := range e.Notices {
		if t := noticeText(s, x, n); t != "" {
			fmt.Fprintf(&b, "notice %s\n", t)
		}
	}
	return b.String()
}

func (s *Scheduler) recordText(r Record, n Names) string {
	name := r.Key
	if id, err := ParseUUID(strings.TrimPrefix(r.Key, instancePrefix)); err == nil && strings.HasPrefix(r.Key, instancePrefix) {
		if m := s.members[id]; m != nil {
			return s.instanceText(m.inst, n)
		}
		name = n.instance("", id)
	}
	if id, err := releaseID(r.Key); err == nil && strings.HasPrefix(r.Key, releasePrefix) {
		name = releasePrefix + n.instance("", id)
	}
	name = n.versioned(name)
	if r.Value == nil {
		return name + " removed"
	}
	return name
}

// versioned shows the version in a key as a time.
func (n Names) versioned(key string) string {
	cut := strings.LastIndexAny(key, "@/")
	if !strings.HasPrefix(key, revisionPrefix) && !strings.HasPrefix(key, versionPrefix+"/") {
		return key
	}
	ms, err := strconv.ParseInt(key[cut+1:], 10, 64)
	if err != nil {
		return key
	}
	return key[:cut+1] + n.time(spec.Timestamp(ms))
}

// instanceText is one instance on one line.
func (s *Scheduler) instanceText(i *Instance, n Names) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s#%d %s", n.instance(i.App, i.ID), i.Incarnation, strings.ToLower(i.Condition.String()))
	if i.Goal != GoalRunning {
		b.WriteString(" goal=" + strings.ToLower(i.Goal.String()))
	}
	if i.Agent != nil {
		b.WriteString(" on " + i.Agent.ID)
	}
	if r := i.Reservation; r != nil {
		b.WriteString(" reserved")
		if r.Deadline != 0 {
			b.WriteString(" until " + n.time(r.Deadline))
		}
	}
	b.WriteString(i.Found.text())
	if i.UnreachableSince != 0 {
		b.WriteString(" since " + n.time(i.UnreachableSince))
	}
	return b.String()
}

// fetchText is what policies made of the artifacts of a task.
func fetchText(f *placement.Fetch) string {
	var uris []string
	for i, a := range f.Artifacts {
		uris = append(uris, a.URI)
		if f.Checks != nil && f.Checks[i] != (placement.FetchCheck{}) {
			uris = append(uris, "checked")
		}
	}
	return " (fetches " + strings.Join(uris, " ") + ")"
}

func callText(s *Scheduler, c Call, n Names) string {
	switch c := c.(type) {
	case Accept:
		return fmt.Sprintf("accept %s: %s", strings.Join(c.Offer.IDs(), " "), strings.Join(s.operationsText(&c, n), ", "))
	case Decline:
		return fmt.Sprintf("decline %s for %s", strings.Join(c.OfferIDs, " "), c.Refuse)
	case Revive:
		return "revive " + strings.Join(c.Roles, " ")
	case Suppress:
		return "suppress " + strings.Join(c.Roles, " ")
	case UpdateRoles:
		return fmt.Sprintf("roles %s suppressed=%v", strings.Join(c.Roles, " "), c.Suppressed)
	case Kill:
		return "kill " + n.task(s, c.TaskID) + on(c.AgentID)
	case Acknowledge:
		return "acknowledge " + n.task(s, c.TaskID)
	case Reconcile:
		var tasks []string
		for _, t := range c.Tasks {
			tasks = append(tasks, n.task(s, t.TaskID)+on(t.AgentID))
		}
		if len(tasks) == 0 {
			return "reconcile all"
		}
		return "reconcile " + strings.Join(tasks, " ")
	}
	return fmt.Sprintf("%T", c)
}

func on(agent string) string {
	if agent == "" {
		return ""
	}
	return "@" + agent
}

func matchText(r *placement.Request) string {
	var b strings.Builder
	for _, w := range r.Wanted {
		fmt.Fprintf(&b, "%s×%d", w.App.ID, w.Count)
		if w.Held != nil {
			b.WriteString(" held@" + w.Held.AgentID)
		}
		for _, a := range w.Placed {
			b.WriteString(" placed@" + a.ID)
		}
		b.WriteString(" ")
	}
	b.WriteString("over")
	for _, o := range r.Offers {
		b.WriteString(" " + strings.Join(o.IDs(), "+"))
	}
	return b.String()
}

func replyText(r Reply) string {
	if r.Err != nil {
		return fmt.Sprintf("%d refused: %v", r.Request, r.Err)
	}
	if r.Rehearsal != nil {
		return fmt.Sprintf("%d rehearsed:%s", r.Request, rehearsalText(r.Rehearsal))
	}
	return fmt.Sprintf("%d accepted as %s", r.Request, r.DeploymentID)
}

func rehearsalText(r *Rehearsal) string {
	var b strings.Builder
	for i := range r.Plan.Steps {
		fmt.Fprintf(&b, " step %d %s", i+1, actionsText(r.Plan, i))
	}
	if len(r.Locks) > 0 {
		b.WriteString(" locked by " + strings.Join(r.Locks, " "))
	}
	return b.String()
}

func noticeText(s *Scheduler, x Notice, n Names) string {
	switch x := x.(type) {
	case Registered:
		return "registered as " + x.FrameworkID
	case Reregistered:
		return "reregistered"
	case MasterLost:
		return "disconnected"
	case StatusApplied:
		return fmt.Sprintf("status %s %s", n.task(s, x.TaskID), x.State)
	case InstanceChanged:
		return "" // the records and the state say it
	case MessageCame:
		return fmt.Sprintf("message of executor %s on %s: %q", x.Message.ExecutorID, x.Message.AgentID, x.Message.Data)
	case UnknownTerminated:
		return fmt.Sprintf("unknown instance of %s terminated", x.SafePath)
	case GroupChanged:
		return fmt.Sprintf("group %s changed", x.Group)
	case ChangeRefused:
		return fmt.Sprintf("change of group %s refused", x.Group)
	case HealthChanged:
		return fmt.Sprintf("health of %s: %s", n.instance(x.Instance.App, x.Instance.ID), healthText(x.Instance.Healthy))
	case StepFailed:
		return fmt.Sprintf("deployment %s step %d failed", x.Plan.ID, x.Step+1)
	case StepBegun:
		return fmt.Sprintf("deployment %s step %d of %d: %s", x.Plan.ID, x.Step+1, len(x.Plan.Steps), actionsText(x.Plan, x.Step))
	case StepEnded:
		return fmt.Sprintf("deployment %s step %d done", x.Plan.ID, x.Step+1)
	case DeploymentEnded:
		if x.Failed {
			return fmt.Sprintf("deployment %s failed: %s", x.Plan.ID, x.Reason)
		}
		return fmt.Sprintf("deployment %s succeeded", x.Plan.ID)
	case AppTerminated:
		return fmt.Sprintf("app %s terminated", x.App)
	case UpgradePaused:
		return fmt.Sprintf("upgrade of %s paused: %s", x.App, x.Reason)
	case UpgradeResumed:
		if x.Promoted {
			return fmt.Sprintf("upgrade of %s promoted", x.App)
		}
		return fmt.Sprintf("upgrade of %s goes on", x.App)
	case HealthCheckAdded, HealthCheckRemoved, HealthCheckFailed, AliveChanged, UnhealthyKilled:
		return healthNoticeText(x, n)
	}
	return fmt.Sprintf("%T", x)
}

// askText renders a question to a strategy.
func askText(a *UpgradeAsk) string {
	st := &a.State
	return fmt.Sprintf("upgrade %s: of %d, healthy>=%d total<=%d, old %d (%d dying, %d healthy), new %d (%d healthy, %d ready)",
		a.App.ID, st.Instances, st.MinHealthy, st.MaxTotal, st.Old, st.OldDying, st.OldHealthy, st.New, st.NewHealthy, st.NewReady)
}

func healthText(healthy *bool) string {
	switch {
	case healthy == nil:
		return "unknown"
	case *healthy:
		return "good"
	}
	return "bad"
}
