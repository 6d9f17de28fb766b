package scheduler

// Snapshot returns the state for readers. What did not change since the last
// call is shared with it, so the cost is that of the apps that changed.
func (s *Scheduler) Snapshot() *Snapshot {
	if len(s.pending.dirtyApp) > 0 {
		txn := s.view.Txn()
		for _, a := range s.pending.dirtyApp {
			a.viewDirty = false
			key := []byte(a.spec.ID)
			if s.apps[a.spec.ID] == a {
				txn.Insert(key, s.viewOf(a))
			} else if s.apps[a.spec.ID] == nil {
				txn.Delete(key)
			}
		}
		s.view = txn.Commit()
		s.pending.dirtyApp = nil
		s.pending.changed = true
	}
	if s.pending.changed || s.snapshot == nil || s.counts != s.snapshot.Counts {
		s.snapshot = s.buildSnapshot()
		s.pending.changed = false
	}
	return s.snapshot
}

func (s *Scheduler) buildSnapshot() *Snapshot {
	s.counts.Apps = s.view.Len()
	s.counts.Deployments = len(s.deployments)
	s.counts.OffersHeld = s.offers.len()
	views := make([]*DeploymentView, 0, len(s.deployments))
	for _, r := range s.deployments {
		views = append(views, &DeploymentView{Plan: r.plan, Current: r.current, Terms: r.terms, Began: r.began})
	}
	return &Snapshot{
		Apps:        s.view,
		Tree:        s.tree,
		revisions:   s.revisions,
		Ended:       s.ended.list,
		Deployments: views,
		FrameworkID: s.master.frameworkID,
		MasterHost:  s.master.host,
		MasterURL:   s.master.url,
		Subscribed:  s.master.subscribed,
		Counts:      s.counts,
		HomeRegion:  s.master.region,
		Sightings:   s.sightings,
		VoidSince:   s.voidSince,
	}
}

func (s *Scheduler) viewOf(a *app) *AppView {
	a.sweep()
	v := &AppView{
		App: a.spec, Removed: a.removed, LastFailure: a.lastFailure, Refusals: a.refusals,
		Uncovered:  a.uncovered,
		OfferTimes: a.offerTimes, PausedUntil: a.pause.until,
		Versions: s.definitions.versions(a.spec.ID),
		Backoff:  Backoff{Delay: a.backoff.delay.Milliseconds(), Until: a.backoff.until},
	}
	v.HealthFault, v.HealthFailed = a.healthFault()
	v.HealthStandIn = a.hasStandIn()
	if n := a.total(); n > 0 {
		v.Instances = make([]*Instance, 0, n)
		for _, m := range a.members {
			if m.inst != nil {
				v.Instances = append(v.Instances, m.inst)
			}
		}
	}
	if a.lock != nil {
		v.Deployments = []string{a.lock.plan.ID}
	}
	if u := a.upgrade; u != nil {
		v.Upgrade = &UpgradeView{Began: u.began, Paused: u.paused, Promotions: u.promotions, Fault: u.cause, Failed: u.failed, Excess: u.excess}
	}
	return v
}
