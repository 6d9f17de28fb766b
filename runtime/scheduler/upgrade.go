package scheduler

import (
	"cmp"
	"slices"
	"time"

	"github.com/pacer-run/pacer/runtime/deployment"
	"github.com/pacer-run/pacer/runtime/spec"
	"github.com/pacer-run/pacer/sdk"
)

// upgrade is a restart under way: an app goes from its old instances to new ones.
// The strategy that says how is a policy: it is asked with an effect and answers
// with an event. Old instances are those that an earlier configuration launched.
type upgrade struct {
	began      spec.Timestamp
	memory     []byte
	paused     string     // why the strategy stopped it; "" when it goes on
	watched    bool       // the strategy is asked although it is paused
	promotions uint32     // how often somebody ended a pause
	cause      string     // why the strategy could not be asked; "" when it could
	failed     *sdk.Fault // whose fault that is, where it is known
	excess     *sdk.Fault // of its last answer, see UpgradeStepped

	due      bool           // something changed since it was asked
	queued   bool           // it is in pending.upgrades
	asked    uint64         // number of the question that is out; 0: none
	outdated bool           // its answer does not count: somebody ended the pause it is about
	again    spec.Timestamp // when it is asked although nothing changed; 0: never
}

// upgradeRetry is when a strategy that failed is asked again.
const upgradeRetry = 10 * time.Second

// UpgradeAsk asks a strategy for the next step of an upgrade. Its answer is an
// UpgradeStepped with the same number.
type UpgradeAsk struct {
	Number uint64
	App    *spec.App // the version that is to come
	State  sdk.UpgradeState
}

// Excess says what of an answer goes beyond the envelope, "" when nothing does.
func (a *UpgradeAsk) Excess(step *sdk.UpgradeStep) string { return deployment.Excess(&a.State, step) }

// UpgradeStepped is the answer to an UpgradeAsk.
type UpgradeStepped struct {
	Number uint64
	App    spec.PathID
	Step   sdk.UpgradeStep
	// Fault is why the strategy gave no answer; "" when it did. Nothing is started
	// or killed then, and it is asked again later.
	Fault string
	// Failed is the fault of a module that Fault is about; nil where none is known.
	Failed *sdk.Fault
	// Excess says how the step goes beyond the envelope, and whose it is; nil when
	// it does not. It is cut, and the rest is done.
	Excess *sdk.Fault
}

// isOld tells whether an earlier configuration launched the member.
func (a *app) isOld(m *member) bool { return m.inst.Version < a.spec.LastConfigChangeAt }

// beginUpgrade starts to replace the old instances of an app, or, under another
// leader, goes on with it.
func (s *Scheduler) beginUpgrade(a *app) {
	if a.upgrade == nil {
		a.upgrade = &upgrade{began: s.now}
		s.clearBackoff(a)
	}
	s.probeAll(a)
	s.look(a)
}

func (s *Scheduler) endUpgrade(a *app) {
	if a.upgrade != nil {
		a.upgrade = nil
		s.probeAll(a)
		s.touch(a)
	}
}

// look has the strategy asked at the end of the batch.
func (s *Scheduler) look(a *app) {
	s.dropOld(a)
	s.dropSurplus(a)
	a.upgrade.due = true
	s.queueUpgrade(a)
}

func (s *Scheduler) queueUpgrade(a *app) {
	if !a.upgrade.queued {
		a.upgrade.queued = true
		s.pending.upgrades = append(s.pending.upgrades, a)
	}
}

// dropOld forgets old instances that have no task: they must not be launched
// again. One that cannot be reached counts as gone, or no upgrade would end while
// an agent is away.
func (s *Scheduler) dropOld(a *app) {
	for _, m := range slices.Clone(a.members) {
		if m.inst == nil || !a.isOld(m) {
			continue
		}
		if c := m.inst.Condition; c == Scheduled || c.Terminal() || c == Unreachable || c == UnreachableInactive {
			s.doom(m)
		}
	}
}

// dropSurplus ends new instances beyond those wanted: one that was replaced while
// it could not be reached may come back.
func (s *Scheduler) dropSurplus(a *app) {
	surplus := -a.spec.Instances
	for _, m := range a.members {
		if m.inst != nil && a.countsAsNew(m) {
			surplus++
		}
	}
	if surplus <= 0 {
		return
	}
	for _, m := range a.victims(surplus, func(m *member) bool { return !a.isOld(m) }) {
		s.doom(m)
	}
}

// countsAsNew tells whether the member is one of those that are to come. One that
// is replaced because nobody can reach it is not.
func (a *app) countsAsNew(m *member) bool {
	return !a.isOld(m) && m.inst.Goal == GoalRunning && m.inst.Condition != UnreachableInactive
}

// serveUpgrades asks the strategies of all upgrades that changed.
func (s *Scheduler) serveUpgrades() []UpgradeAsk {
	var asks []UpgradeAsk
	for _, a := range s.pending.upgrades {
		u := a.upgrade
		if u == nil {
			continue
		}
		u.queued = false
		if !u.due || u.asked != 0 || u.paused != "" && !u.watched {
			continue // asked when the answer is there, or it goes on
		}
		s.questions++
		u.due, u.asked, u.outdated = false, s.questions, false
		asks = append(asks, UpgradeAsk{Number: u.asked, App: a.spec, State: s.upgradeState(a)})
	}
	s.pending.upgrades = nil
	return asks
}

// upgradeState counts the instances as a strategy sees them.
func (s *Scheduler) upgradeState(a *app) sdk.UpgradeState {
	e := deployment.EnvelopeOf(a.spec)
	st := sdk.UpgradeState{
		Instances: uint32(a.spec.Instances), MinimumHealthCapacity: a.spec.UpgradeStrategy.MinimumHealthCapacity,
		MaximumOverCapacity: a.spec.UpgradeStrategy.MaximumOverCapacity,
		MinHealthy:          uint32(e.MinHealthy), MaxTotal: uint32(e.MaxTotal),
		// The clock of the leader that began it may have been ahead of this one's.
		Millis: uint64(max(0, s.now-a.upgrade.began)), Memory: a.upgrade.memory,
		Promotions: a.upgrade.promotions, NowMillis: int64(s.now), Undoes: a.lock != nil && a.lock.undoes,
	}
	for _, m := range a.members {
		switch {
		case m.inst == nil || m.inst.dormant():
		case a.isOld(m):
			st.Old++
			if m.inst.Goal != GoalRunning || m.killing == m.inst.Incarnation {
				st.OldDying++
			} else if s.healthy(m) {
				st.OldHealthy++
			}
		case a.countsAsNew(m):
			st.New++
			if s.healthy(m) {
				st.NewHealthy++
			}
			if s.arrived(m) {
				st.NewReady++
			}
		}
	}
	return st
}

// upgradeDone tells whether all instances are new and have been healthy.
func (s *Scheduler) upgradeDone(a *app) bool {
	st := s.upgradeState(a)
	return st.Old == 0 && int(st.New) == a.spec.Instances && st.NewReady == st.New && a.doomed() == 0
}

// onUpgradeStepped does what the envelope allows of a strategy's answer. The
// counts are taken anew: what changed while it was asked counts.
func (s *Scheduler) onUpgradeStepped(e UpgradeStepped) {
	a := s.apps[e.App]
	if a == nil || a.upgrade == nil || a.upgrade.asked != e.Number {
		return // the upgrade it was about is over
	}
	u := a.upgrade
	u.asked = 0
	if u.outdated {
		s.look(a)
		return
	}
	u.excess = e.Excess
	s.touch(a)
	if u.cause, u.failed = e.Fault, e.Failed; e.Fault != "" {
		s.askAgain(a, upgradeRetry)
		return
	}
	s.askAgain(a, time.Duration(min(e.Step.AskAfterMillis, longestAskAfter))*time.Millisecond)
	if !slices.Equal(u.memory, e.Step.Memory) && len(e.Step.Memory) <= sdk.MaxUpgradeMemory {
		u.memory = e.Step.Memory
		s.dirty(deploymentKey(a.lock.plan.ID))
	}
	switch e.Step.Outcome {
	case sdk.Pause:
		s.pauseUpgrade(a, &e.Step)
	case sdk.RollBack:
		s.giveUp(a.lock, RolledBack, cmp.Or(e.Step.Reason, "rolled back by its strategy"), !a.lock.undoes)
	case sdk.Proceed:
		if u.paused != "" {
			s.resumeUpgrade(a)
		}
		s.takeStep(a, &e.Step)
	}
	if a.upgrade == u && u.due {
		s.queueUpgrade(a)
	}
}

// takeStep starts and kills.
func (s *Scheduler) takeStep(a *app, step *sdk.UpgradeStep) {
	st := s.upgradeState(a)
	allowed := deployment.Cut(&st, step)
	for _, m := range s.oldVictims(a, allowed.KillUnhealthy, allowed.KillHealthy) {
		s.doom(m)
	}
	for range allowed.Start {
		s.addMember(a)
	}
	if allowed.Start > 0 {
		s.want(a)
	}
	if allowed.Start+allowed.KillHealthy+allowed.KillUnhealthy > 0 {
		s.look(a)
	}
	if a.lock != nil {
		s.progress(a.lock)
	}
}

// oldVictims picks old instances to kill: those that are not healthy, and others
// by the app's kill selection.
func (s *Scheduler) oldVictims(a *app, unhealthy, healthy int) []*member {
	var sick, well []*member
	for _, m := range a.members {
		switch {
		case m.inst == nil || !a.isOld(m) || m.inst.Goal != GoalRunning || m.killing == m.inst.Incarnation:
		case s.healthy(m):
			well = append(well, m)
		default:
			sick = append(sick, m)
		}
	}
	byAge := func(x, y *member) int { return a.byAge(x.inst, y.inst) }
	slices.SortStableFunc(sick, byAge)
	slices.SortStableFunc(well, byAge)
	return append(sick[:min(unhealthy, len(sick))], well[:min(healthy, len(well))]...)
}

// healthy tells whether the instance runs and nothing says that it is not well.
// Where its version has health checks one of them must have said that it is.
func (s *Scheduler) healthy(m *member) bool {
	i := m.inst
	switch {
	case i.Condition != Running:
		return false
	case i.Healthy != nil:
		return *i.Healthy
	}
	return len(s.versionOf(m, i).HealthChecks) == 0
}

// arrived tells whether the instance has been healthy since it was started, and ready.
func (s *Scheduler) arrived(m *member) bool {
	switch {
	case m.inst.Condition.Terminal() || m.inst.Condition == Scheduled:
		m.hasArrived, m.wasWell = false, false
	case !m.hasArrived:
		m.wasWell = m.wasWell || s.healthy(m)
		m.hasArrived = m.wasWell && s.ready(m)
	}
	return m.hasArrived
}
