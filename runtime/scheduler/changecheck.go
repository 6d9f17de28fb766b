package scheduler

import (
	"slices"

	"github.com/pacer-run/pacer/runtime/spec"
)

// checkChange says the command as a change of the tree, with the instances to end
// by app, if it may be one.
func (s *Scheduler) checkChange(c *ChangeTree) (change spec.TreeChange, kill map[spec.PathID][]UUID, err error) {
	if len(s.deployments) >= s.cfg.MaxDeployments {
		return change, nil, &TooManyDeployments{Limit: s.cfg.MaxDeployments}
	}
	if err := s.checkReviewed(c.Reviewed, c.subject()); err != nil {
		return change, nil, err
	}
	if err := s.checkBases(c); err != nil {
		return change, nil, err
	}
	if change, err = s.treeChange(c); err != nil {
		return change, nil, err
	}
	if kill, err = s.scaleDownByKills(c, &change); err != nil || c.Reviewed == nil {
		return change, kill, err
	}
	for id := range kill { // instances may have ended, or come back, since
		if kept, ok := c.Reviewed.Kept[id]; !ok || kept != change.Apps[id].Instances {
			return change, nil, &Stale{App: id}
		}
	}
	return change, kill, nil
}

// checkReviewed refuses what was reviewed when there was another tree: whoever reviews
// a change may have looked at anything in it.
func (s *Scheduler) checkReviewed(r *Reviewed, subject spec.PathID) error {
	if r != nil && r.Tree != s.tree.Version {
		return &Stale{App: subject}
	}
	return nil
}

// checkBases refuses what was derived from something else than what is there.
func (s *Scheduler) checkBases(c *ChangeTree) error {
	named := map[spec.PathID]bool{}
	for _, p := range c.Put {
		if named[p.App.ID] {
			return &NamedTwice{ID: p.App.ID}
		}
		named[p.App.ID] = true
		switch before := s.tree.App(p.App.ID); {
		case (before == nil || !before.Resident()) && s.noPrincipal(p.App) != nil:
			return s.noPrincipal(p.App)
		case before == nil && p.Base != 0:
			return &NotFound{App: p.App.ID}
		case before != nil && p.Base == 0:
			return &Exists{App: p.App.ID}
		case before != nil && p.Base != before.Version:
			return &Stale{App: p.App.ID}
		}
	}
	for _, id := range slices.Concat(c.Remove, c.Restart) {
		if s.tree.App(id) == nil {
			return &NotFound{App: id}
		}
		if named[id] {
			return &NamedTwice{ID: id}
		}
		named[id] = true
	}
	return s.checkGroupBases(c)
}

func (s *Scheduler) checkGroupBases(c *ChangeTree) error {
	named := map[spec.PathID]bool{}
	for _, p := range c.PutGroups {
		if named[p.Group.ID] {
			return &NamedTwice{ID: p.Group.ID}
		}
		named[p.Group.ID] = true
		before := s.tree.Group(p.Group.ID)
		if (before == nil) != (p.Base == nil) || before != nil && !before.Equal(p.Base) {
			return &Stale{App: p.Group.ID}
		}
	}
	for _, id := range c.RemoveGroups {
		if s.tree.Group(id) == nil {
			return &GroupNotFound{Group: id}
		}
		if named[id] {
			return &NamedTwice{ID: id}
		}
		named[id] = true
	}
	return s.checkEmptied(c)
}

// checkEmptied refuses to take a group away from members that came since the
// caller looked.
func (s *Scheduler) checkEmptied(c *ChangeTree) error {
	if len(c.RemoveGroups) == 0 {
		return nil
	}
	named := map[spec.PathID]bool{}
	for _, id := range slices.Concat(c.Remove, c.RemoveGroups) {
		named[id] = true
	}
	for _, p := range c.Put {
		named[p.App.ID] = true
	}
	for _, p := range c.PutGroups {
		named[p.Group.ID] = true
	}
	for _, group := range c.RemoveGroups {
		for a := range s.tree.Apps(group) {
			if !named[a.ID] {
				return &Stale{App: a.ID}
			}
		}
		for g := range s.tree.Groups(group) {
			if !named[g.ID] {
				return &Stale{App: g.ID}
			}
		}
	}
	return nil
}
