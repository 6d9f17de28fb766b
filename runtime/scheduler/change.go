package scheduler

import (
	"slices"

	"github.com/pacer-run/pacer/runtime/deployment"
	"github.com/pacer-run/pacer/runtime/spec"
)

// onChangeTree accepts the change as a whole and starts its deployment, or
// refuses it and leaves everything as it was.
func (s *Scheduler) onChangeTree(c ChangeTree) {
	reply := Reply{Request: c.Request, DeploymentID: c.DeploymentID}
	if c.Rehearse {
		reply.Rehearsal, reply.Err = s.rehearse(&c)
		s.reply(reply)
		return
	}
	accepted, err := s.tryChange(&c)
	if err != nil {
		s.refuse(c.Request, c.DeploymentID, err, c.subject())
		return
	}
	reply.Version = accepted.plan.Version
	for _, p := range c.Put {
		reply.Apps = append(reply.Apps, s.tree.App(p.App.ID))
	}
	s.reply(reply)
	s.notify(GroupChanged{At: s.now, Group: c.subject(), Version: reply.Version})
	s.begin(accepted)
}

func (s *Scheduler) reply(r Reply) { s.pending.replies = append(s.pending.replies, r) }

// refuse answers a command with a refusal. Listeners of the event stream hear of
// those that only the core can find.
func (s *Scheduler) refuse(request RequestID, deploymentID string, err error, group spec.PathID) {
	s.reply(Reply{Request: request, Err: err})
	if _, stale := err.(*Stale); stale { //nolint:errorlint // made here, never wrapped
		return // the caller tries again
	}
	s.notify(ChangeRefused{At: s.now, Group: group, Version: s.nextVersion(), Reason: err.Error()})
	if locked, ok := err.(*Locked); ok { //nolint:errorlint // made here, never wrapped
		plan := &deployment.Plan{ID: deploymentID, Version: s.nextVersion()}
		s.notify(DeploymentEnded{At: s.now, Plan: plan, Failed: true, Reason: locked.Error()})
	}
}

// nextVersion is newer than every version before it.
func (s *Scheduler) nextVersion() spec.Timestamp { return max(s.now, s.tree.Version+1) }

// tryChange checks everything first and changes the state only when nothing can
// go wrong any more.
func (s *Scheduler) tryChange(c *ChangeTree) (*running, error) {
	change, kill, err := s.checkChange(c)
	if err != nil {
		return nil, err
	}
	r, err := s.planChange(c, change)
	if err != nil {
		return nil, err
	}
	r.kill = kill
	return r, nil
}

// planChange plans a change, takes its locks and puts it into force.
func (s *Scheduler) planChange(c *ChangeTree, change spec.TreeChange) (*running, error) {
	plan, after, err := s.draft(c, &change)
	if err != nil {
		return nil, err
	}
	if c.Basis != (Basis{}) {
		if err := c.Basis.check(s.basisOf(c, &change, plan)); err != nil {
			return nil, err
		}
	}
	if err := s.claimLocks(plan, c.Force); err != nil {
		return nil, err
	}
	s.adopt(plan, after)
	return &running{plan: plan, terms: c.Terms, began: s.now}, nil
}

// draft plans a change, to which it adds the groups that follow from it, and
// returns the tree after it.
func (s *Scheduler) draft(c *ChangeTree, change *spec.TreeChange) (*deployment.Plan, spec.Tree, error) {
	*change = s.tree.Complete(*change, spec.Settings{EnforceNewGroups: s.cfg.EnforceRole})
	o := deployment.Options{
		ID: c.DeploymentID, Version: s.nextVersion(), Restart: map[spec.PathID]bool{}, DependenciesFirst: s.cfg.DependenciesFirst,
	}
	for _, id := range c.Restart {
		o.Restart[id] = true
	}
	for _, p := range c.Put {
		if p.Restart {
			o.Restart[p.App.ID] = true
		}
	}
	plan, after, err := deployment.Make(s.tree, *change, o)
	if err != nil {
		return nil, spec.Tree{}, err
	}
	return plan, after, after.Validate(*change)
}

// treeChange is the command as a change of the tree, with service ports.
func (s *Scheduler) treeChange(c *ChangeTree) (spec.TreeChange, error) {
	change := spec.TreeChange{Apps: map[spec.PathID]*spec.App{}, Groups: map[spec.PathID]*spec.Group{}}
	var claimed []*spec.App // only while planning; adopt claims for good
	defer func() {
		for _, a := range claimed {
			s.ports.release(a)
		}
	}()
	for _, p := range c.Put {
		after, err := s.ports.assign(p.App, s.tree.App(p.App.ID))
		if err != nil {
			return change, err
		}
		s.ports.claim(after)
		claimed = append(claimed, after)
		change.Apps[after.ID] = after
	}
	for _, id := range c.Remove {
		change.Apps[id] = nil
	}
	for _, id := range c.Restart {
		change.Apps[id] = s.tree.App(id)
	}
	for _, p := range c.PutGroups {
		change.Groups[p.Group.ID] = p.Group
	}
	for _, id := range c.RemoveGroups {
		change.Groups[id] = nil
		if id == spec.Root {
			change.Groups[id] = &spec.Group{ID: spec.Root}
		}
	}
	return change, nil
}

// scaleDownByKills scales the apps of the named instances down by as many as are
// still meant to live, and returns those to end, by app.
func (s *Scheduler) scaleDownByKills(c *ChangeTree, change *spec.TreeChange) (map[spec.PathID][]UUID, error) {
	if len(c.Kill) == 0 {
		return nil, nil
	}
	kill := map[spec.PathID][]UUID{}
	for _, id := range c.Kill {
		m := s.members[id]
		if m == nil || m.app.removed || slices.Contains(kill[m.app.spec.ID], id) {
			continue
		}
		a := m.app
		if _, named := change.Apps[a.spec.ID]; named && kill[a.spec.ID] == nil {
			return nil, &NamedTwice{ID: a.spec.ID}
		}
		kill[a.spec.ID] = append(kill[a.spec.ID], id)
		scaled := change.Apps[a.spec.ID]
		if scaled == nil {
			copied := *a.spec
			scaled = &copied
		}
		if m.inst.Goal == GoalRunning && m.inst.Condition.Active() && m.inst.Condition != Killing {
			scaled.Instances = max(0, scaled.Instances-1)
		}
		change.Apps[a.spec.ID] = scaled
	}
	return kill, nil
}

// claimLocks refuses a plan for apps that other deployments change, or, when
// forced, cancels those.
func (s *Scheduler) claimLocks(plan *deployment.Plan, force bool) error {
	holders := s.holders(plan)
	if len(holders) > 0 && !force {
		locked := &Locked{}
		for _, r := range holders {
			locked.Deployments = append(locked.Deployments, r.plan.ID)
		}
		return locked
	}
	for _, r := range holders {
		s.end(r, Cancelled, cancelled)
		s.recover(r, plan)
	}
	return nil
}

// holders are the deployments that change apps of the plan, each once.
func (s *Scheduler) holders(plan *deployment.Plan) (holders []*running) {
	for _, ch := range plan.Changes {
		if r := s.holder(ch.App()); r != nil && !slices.Contains(holders, r) {
			holders = append(holders, r)
		}
	}
	return holders
}

// holder returns the deployment that changes an app, nil when there is none. An app
// that is removed may be gone before its deployment has ended.
func (s *Scheduler) holder(id spec.PathID) *running {
	if a := s.apps[id]; a != nil {
		return a.lock
	}
	for _, r := range s.deployments {
		if r.plan.Change(id) != nil {
			return r
		}
	}
	return nil
}

// recover lets the apps of a deployment that ended before its time, but for those
// that the next plan changes, get as many instances as they are defined with.
func (s *Scheduler) recover(r *running, next *deployment.Plan) {
	for _, ch := range r.plan.Changes {
		id := ch.App()
		a := s.apps[id]
		if a == nil || a.lock != nil || next != nil && next.Change(id) != nil {
			continue
		}
		if a.removed {
			s.doomAll(a)
		} else {
			s.aim(a, a.spec.Instances)
		}
		s.settle(a)
	}
}

// aim sets how many instances an app holds.
func (s *Scheduler) aim(a *app, target int) {
	if a.target != target {
		a.target = target
		s.dirty(appKey(a.spec.ID))
	}
}

// adopt puts the tree of an accepted plan into force.
func (s *Scheduler) adopt(plan *deployment.Plan, after spec.Tree) {
	if len(plan.Changes)+len(plan.Groups) == 0 {
		return
	}
	s.pending.changed = true
	s.define(plan.Changes)
	s.tree = after
	for _, ch := range plan.Changes {
		s.adoptApp(ch)
	}
	for _, g := range plan.Groups {
		s.dirty(groupKey(g.Group()))
	}
	s.remember(plan, after)
}

// adoptApp puts one definition into force.
func (s *Scheduler) adoptApp(ch deployment.Change) {
	a := s.apps[ch.App()]
	if a == nil {
		a = &app{spec: ch.After, uncovered: s.uncovered(ch.After)}
		s.apps[ch.After.ID] = a
		s.definitions.pin(a.spec)
	}
	if ch.Before != nil {
		s.ports.release(ch.Before)
	}
	if ch.After == nil {
		a.removed, a.target = true, 0
	} else {
		if ch.Before == nil || ch.Before.LastConfigChangeAt != ch.After.LastConfigChangeAt {
			s.clearBackoff(a)
		}
		if a.spec != ch.After {
			s.definitions.pin(ch.After)
			s.unpin(a.spec)
			a.uncovered = s.uncovered(ch.After)
		}
		a.spec, a.removed = ch.After, false
		if ch.Before == nil {
			s.dropMisfits(a)
		}
		a.refusals = nil
		s.endPause(a) // the new definition may be right
		s.ports.claim(ch.After)
		s.want(a) // what waited for a place before a removal waits again
	}
	s.dirty(appKey(a.spec.ID))
	s.touch(a)
}

// subject is the group that a command is about.
func (c *ChangeTree) subject() spec.PathID {
	switch {
	case c.Group != "":
		return c.Group
	case len(c.Put) == 1:
		return c.Put[0].App.ID.Parent()
	case len(c.Put) == 0 && len(c.Remove) == 1:
		return c.Remove[0].Parent()
	default:
		return spec.Root
	}
}

// appsInOrder returns all apps in the order of their ids.
func (s *Scheduler) appsInOrder() []*app {
	out := make([]*app, 0, len(s.apps))
	for _, a := range s.apps {
		out = append(out, a)
	}
	slices.SortFunc(out, func(x, y *app) int {
		if x.spec.ID < y.spec.ID {
			return -1
		}
		return 1
	})
	return out
}
