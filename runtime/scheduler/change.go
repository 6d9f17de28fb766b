package scheduler

import (
	"slices"

	"github.com/pacer-run/pacer/runtime/deployment"
	"github.com/pacer-run/pacer/runtime/spec"
)

// onChangeApps accepts the change as a whole and starts its deployment, or
// refuses it and leaves everything as it was.
func (s *Scheduler) onChangeApps(c ChangeApps) {
	reply := Reply{Request: c.Request, DeploymentID: c.DeploymentID}
	plan, err := s.tryChange(&c, &reply)
	if err != nil {
		s.pending.replies = append(s.pending.replies, Reply{Request: c.Request, Err: err})
		return
	}
	s.pending.replies = append(s.pending.replies, reply)
	s.begin(plan)
}

// tryChange checks everything first and changes the state only when nothing can
// go wrong any more.
func (s *Scheduler) tryChange(c *ChangeApps, reply *Reply) (*deployment.Plan, error) {
	if len(s.deployments) >= s.cfg.MaxDeployments {
		return nil, &TooManyDeployments{Limit: s.cfg.MaxDeployments}
	}
	if err := s.checkBases(c); err != nil {
		return nil, err
	}
	version := max(s.now, s.lastVersion+1)
	changes, err := s.planChanges(c, version)
	if err != nil {
		return nil, err
	}
	if err := s.claimLocks(changes, c.Force); err != nil {
		return nil, err
	}
	s.lastVersion = version
	plan := &deployment.Plan{ID: c.DeploymentID, Version: version, Steps: deployment.Steps(changes)}
	for _, ch := range changes {
		s.apply(ch)
	}
	reply.Version = version
	for _, p := range c.Put {
		reply.Apps = append(reply.Apps, s.apps[p.App.ID].spec)
	}
	s.notifyGroups(changes, version)
	return plan, nil
}

// checkBases refuses what was derived from something else than what is there.
func (s *Scheduler) checkBases(c *ChangeApps) error {
	named := map[spec.PathID]bool{}
	for _, p := range c.Put {
		if named[p.App.ID] {
			return &Unsupported{App: p.App.ID, What: "named twice in one request"}
		}
		named[p.App.ID] = true
		switch before := s.defined(p.App.ID); {
		case before == nil && p.Base != 0:
			return &NotFound{App: p.App.ID}
		case before != nil && p.Base == 0:
			return &Exists{App: p.App.ID}
		case before != nil && p.Base != before.Version:
			return &Stale{App: p.App.ID}
		}
	}
	for _, id := range c.Remove {
		if s.defined(id) == nil {
			return &NotFound{App: id}
		}
		if named[id] {
			return &Unsupported{App: id, What: "named twice in one request"}
		}
		named[id] = true
	}
	return nil
}

// defined returns the definition in force, nil when there is none.
func (s *Scheduler) defined(id spec.PathID) *spec.App {
	if a := s.apps[id]; a != nil && !a.removed {
		return a.spec
	}
	return nil
}

// planChanges stamps the new definitions and pairs them with the old ones, in
// the order of the apps' ids.
func (s *Scheduler) planChanges(c *ChangeApps, version spec.Timestamp) ([]deployment.Change, error) {
	var changes []deployment.Change
	var claimed []*spec.App // only while planning; apply claims for good
	defer func() {
		for _, a := range claimed {
			s.ports.release(a)
		}
	}()
	for _, p := range c.Put {
		before := s.defined(p.App.ID)
		after, err := s.ports.assign(p.App, before)
		if err != nil {
			return nil, err
		}
		s.ports.claim(after)
		claimed = append(claimed, after)
		after, err = s.stamp(before, after, version)
		if err != nil {
			return nil, err
		}
		changes = append(changes, deployment.Change{Before: before, After: after})
	}
	for _, id := range c.Remove {
		changes = append(changes, deployment.Change{Before: s.defined(id)})
	}
	slices.SortFunc(changes, func(x, y deployment.Change) int { return compareIDs(x, y) })
	return changes, nil
}

// stamp sets the versions of a new definition by what changed.
func (s *Scheduler) stamp(before, after *spec.App, version spec.Timestamp) (*spec.App, error) {
	out := *after
	out.Version, out.LastScalingAt, out.LastConfigChangeAt = version, version, version
	if before == nil {
		return &out, nil
	}
	switch spec.Compare(before, after) {
	case spec.Reconfigured:
		if a := s.apps[after.ID]; a.total() > 0 && out.Instances > 0 {
			return nil, &Unsupported{App: after.ID, What: "changing the definition of an app with instances is not supported " +
				"by this version of Pacer: set instances to 0 first, or delete the app and create it anew"}
		}
	case spec.Scaled:
		out.LastConfigChangeAt = before.LastConfigChangeAt
	case spec.Unchanged:
		return before, nil
	}
	return &out, nil
}

// claimLocks refuses changes of apps that other deployments change, or, when
// forced, cancels those.
func (s *Scheduler) claimLocks(changes []deployment.Change, force bool) error {
	var holders []*running
	for _, ch := range changes {
		if ch.Before == ch.After {
			continue
		}
		a := s.apps[changedApp(ch)]
		if a != nil && a.lock != nil && !slices.Contains(holders, a.lock) {
			holders = append(holders, a.lock)
		}
	}
	if len(holders) > 0 && !force {
		locked := &Locked{}
		for _, r := range holders {
			locked.Deployments = append(locked.Deployments, r.plan.ID)
		}
		return locked
	}
	for _, r := range holders {
		s.end(r, cancelled)
	}
	return nil
}

// apply puts one new definition into force.
func (s *Scheduler) apply(ch deployment.Change) {
	if ch.Before == ch.After {
		return
	}
	a := s.apps[changedApp(ch)]
	if a == nil {
		a = &app{spec: ch.After}
		s.apps[ch.After.ID] = a
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
		a.spec, a.removed = ch.After, false
		a.refusals = nil
		s.endPause(a) // the new definition may be right
		s.ports.claim(ch.After)
	}
	s.pending.changed = true
	s.dirty(appKey(a.spec.ID))
	s.touch(a)
}

// notifyGroups tells which groups changed, each once.
func (s *Scheduler) notifyGroups(changes []deployment.Change, version spec.Timestamp) {
	var groups []spec.PathID
	for _, ch := range changes {
		if g := changedApp(ch).Parent(); !slices.Contains(groups, g) {
			groups = append(groups, g)
			s.notify(GroupChanged{At: s.now, Group: g, Version: version})
		}
	}
}

func changedApp(ch deployment.Change) spec.PathID {
	if ch.After != nil {
		return ch.After.ID
	}
	return ch.Before.ID
}

func compareIDs(x, y deployment.Change) int {
	switch a, b := changedApp(x), changedApp(y); {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
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
