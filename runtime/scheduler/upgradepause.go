package scheduler

import (
	"cmp"
	"time"

	"github.com/pacer-run/pacer/runtime/spec"
	"github.com/pacer-run/pacer/sdk"
)

// longestAskAfter bounds when a strategy is asked again, in milliseconds: a year
// is never, and a time further away does not fit into a duration.
const longestAskAfter = 365 * 24 * 3600 * 1000

// pauseUpgrade stops an upgrade until somebody lets it go on, or, when the strategy
// asks to be asked again, until that says otherwise.
func (s *Scheduler) pauseUpgrade(a *app, step *sdk.UpgradeStep) {
	u := a.upgrade
	reason, watched := cmp.Or(step.Reason, "paused by its strategy"), step.AskAfterMillis > 0
	if u.paused == "" {
		s.notify(UpgradePaused{At: s.now, Plan: a.lock.plan, App: a.spec.ID, Reason: reason})
	}
	if u.paused != reason || u.watched != watched {
		u.paused, u.watched = reason, watched
		s.upgradeChanged(a)
	}
}

// resumeUpgrade ends a pause by the strategy's own word.
func (s *Scheduler) resumeUpgrade(a *app) {
	a.upgrade.paused, a.upgrade.watched = "", false
	s.upgradeChanged(a)
	s.notify(UpgradeResumed{At: s.now, Plan: a.lock.plan, App: a.spec.ID})
}

// onPromote ends pauses by the word of a user. The strategies are asked at the end
// of the batch, after it is saved that they may go on.
func (s *Scheduler) onPromote(c Promote) {
	r, apps, err := s.toPromote(c)
	if err != nil {
		s.reply(Reply{Request: c.Request, Err: err})
		return
	}
	s.reply(Reply{Request: c.Request, DeploymentID: r.plan.ID, Version: r.plan.Version})
	for _, a := range apps {
		u := a.upgrade
		u.paused, u.watched = "", false
		u.promotions++
		u.outdated = u.asked != 0
		s.upgradeChanged(a)
		s.notify(UpgradeResumed{At: s.now, Plan: r.plan, App: a.spec.ID, Promoted: true})
		s.look(a)
	}
}

// toPromote finds the paused upgrades that a command is about: at least one.
func (s *Scheduler) toPromote(c Promote) (*running, []*app, error) {
	if c.App != "" {
		switch a := s.apps[c.App]; {
		case a == nil || a.removed && a.lock == nil:
			return nil, nil, &NotFound{App: c.App}
		case a.lock == nil:
			return nil, nil, &NotPaused{App: c.App}
		case a.upgrade == nil || a.upgrade.paused == "":
			return nil, nil, &NotPaused{App: c.App, Deployment: a.lock.plan.ID}
		default:
			return a.lock, []*app{a}, nil
		}
	}
	r := s.findDeployment(c.Deployment)
	if r == nil {
		return nil, nil, &DeploymentNotFound{ID: c.Deployment}
	}
	var paused []*app
	for _, id := range r.plan.Apps() {
		if a := s.apps[id]; a != nil && a.lock == r && a.upgrade != nil && a.upgrade.paused != "" {
			paused = append(paused, a)
		}
	}
	if paused == nil {
		return nil, nil, &NotPaused{Deployment: c.Deployment}
	}
	return r, paused, nil
}

// upgradeChanged has an upgrade saved and shown.
func (s *Scheduler) upgradeChanged(a *app) {
	s.dirty(deploymentKey(a.lock.plan.ID))
	s.touch(a)
}

// askAgain has the strategy asked after a time although nothing changed; 0: not.
// Only the last answer counts: the alarms of earlier ones do nothing.
func (s *Scheduler) askAgain(a *app, after time.Duration) {
	a.upgrade.again = 0
	if after > 0 {
		a.upgrade.again = s.now.Add(after)
		s.alarms.add(alarm{at: a.upgrade.again, kind: alarmUpgrade, app: a})
	}
}

// upgradeAlarm has a strategy asked again that wanted to be, or that failed.
func (s *Scheduler) upgradeAlarm(a *app) {
	if s.apps[a.spec.ID] == a && a.upgrade != nil && a.upgrade.again != 0 && s.now >= a.upgrade.again {
		a.upgrade.again = 0
		s.look(a)
	}
}

// PausedApps maps the apps of a deployment whose upgrades are paused to the reasons;
// nil when there are none.
func (s *Snapshot) PausedApps(d *DeploymentView) map[spec.PathID]string {
	var paused map[spec.PathID]string
	for _, id := range d.Plan.Apps() {
		v, ok := s.Apps.Get([]byte(id))
		if !ok || v.Upgrade == nil || v.Upgrade.Paused == "" || len(v.Deployments) == 0 || v.Deployments[0] != d.Plan.ID {
			continue
		}
		if paused == nil {
			paused = map[spec.PathID]string{}
		}
		paused[id] = v.Upgrade.Paused
	}
	return paused
}
