package scheduler

import (
	"github.com/pacer-run/pacer/runtime/deployment"
	"github.com/pacer-run/pacer/runtime/spec"
)

// Probing says which checks of a task the leader makes from now on. It takes the
// place of what was said of the task before.
type Probing struct {
	Instance *Instance
	Version  *spec.App // that launched it
	// Health: those of its health checks that are not Mesos' to make.
	Health bool
	// Readiness: its readiness check.
	Readiness bool
}

// What a member's checks are, as they were last said to be.
const (
	probesHealth = 1 << iota
	probesReadiness
)

// probe tells the shell when other checks of a member's task are to be made than
// before.
func (s *Scheduler) probe(m *member, moved bool) {
	wanted := s.probesOf(m)
	if wanted == m.probing && !(moved && wanted != 0) {
		return
	}
	m.probing = wanted
	s.pending.probes = append(s.pending.probes, Probing{
		Instance: m.inst, Version: s.versionOf(m, m.inst), Health: wanted&probesHealth != 0, Readiness: wanted&probesReadiness != 0,
	})
}

// probesOf is what checks of a member's task are the leader's to make now.
func (s *Scheduler) probesOf(m *member) (wanted uint8) {
	if m.inst == nil || m.inst.Condition != Running {
		return 0
	}
	version := s.versionOf(m, m.inst)
	for i := range version.HealthChecks {
		if !version.HealthChecks[i].Protocol.ByMesos() {
			wanted |= probesHealth
		}
	}
	if s.wantsReadiness(m) {
		wanted |= probesReadiness
	}
	return wanted
}

// wantsReadiness tells whether a deployment waits for the instance to be ready.
func (s *Scheduler) wantsReadiness(m *member) bool {
	a := m.app
	if a.lock == nil || m.inst.Condition != Running || m.inst.Goal != GoalRunning || s.ready(m) {
		return false
	}
	return m.awaited || a.upgrade != nil && !a.isOld(m)
}

// ready tells whether the instance has said that it is ready, or is not asked.
func (s *Scheduler) ready(m *member) bool {
	if f := m.inst.Found; f != nil && f.Readiness != nil && f.Readiness.Ready {
		return true
	}
	return len(s.versionOf(m, m.inst).ReadinessChecks) == 0
}

// probeAll looks at all instances of an app: what its deployment waits for has
// changed.
func (s *Scheduler) probeAll(a *app) {
	for _, m := range a.members {
		if m.inst != nil {
			s.probe(m, false)
		}
	}
}

// forgetProbes drops what was said while the records were read, in their order:
// resumeApp says it in the order of the instances.
func (s *Scheduler) forgetProbes() {
	s.pending.probes = nil
	for _, m := range s.members {
		m.probing = 0
	}
}

// replaced ends what belongs to a member's task before it becomes another one, or
// goes away. It is called before the change.
func (s *Scheduler) replaced(m *member, next *Instance) {
	if m.inst == nil || next != nil && next.Incarnation == m.inst.Incarnation {
		return
	}
	if m.probing != 0 {
		m.probing = 0
		s.pending.probes = append(s.pending.probes, Probing{Instance: m.inst, Version: s.versionOf(m, m.inst)})
	}
	m.hasArrived, m.wasWell = false, false
}

// sameAddress tells whether probes of the instance go where they did.
func (i *Instance) sameAddress(o *Instance) bool {
	return len(i.IPs) == len(o.IPs) && (len(i.IPs) == 0 || i.IPs[0] == o.IPs[0])
}

// checksAdded tells that the health checks of a version come into force.
func (s *Scheduler) checksAdded(app *spec.App) {
	for i := range app.HealthChecks {
		s.notify(HealthCheckAdded{At: s.now, App: app, Check: &app.HealthChecks[i]})
	}
}

// checksRemoved tells that no instance of a version is left to be checked.
func (s *Scheduler) checksRemoved(app *spec.App) {
	for range app.HealthChecks {
		s.notify(HealthCheckRemoved{At: s.now, App: app.ID})
	}
}

// checksReplaced tells that an upgrade has replaced the version before.
func (s *Scheduler) checksReplaced(plan *deployment.Plan, id spec.PathID) {
	for _, ch := range plan.Changes {
		if ch.Before != nil && ch.Before.ID == id {
			s.checksRemoved(ch.Before)
		}
	}
}
