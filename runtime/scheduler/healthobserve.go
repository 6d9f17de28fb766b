package scheduler

import (
	"slices"

	"github.com/pacer-run/pacer/runtime/spec"
	"github.com/pacer-run/pacer/sdk"
)

// onHealthObserved takes in what the leader's probes found.
func (s *Scheduler) onHealthObserved(e HealthObserved) {
	for i := range e.Results {
		r := &e.Results[i]
		m := s.probed(r.TaskID)
		if m == nil {
			continue
		}
		version := s.versionOf(m, m.inst)
		if r.Check < 0 || r.Check >= len(version.HealthChecks) || version.HealthChecks[r.Check].Protocol.ByMesos() {
			continue
		}
		s.observe(m, version, r.Check, &r.HealthResult)
	}
}

// probed returns the member whose task has the id, nil unless it has a task that may
// live.
func (s *Scheduler) probed(taskID string) *member {
	_, id, incarnation, err := ParseTaskID(taskID)
	m := s.members[id]
	if err != nil || m == nil || m.inst.Incarnation != incarnation || !m.inst.launched() || m.inst.Condition.Terminal() {
		return nil
	}
	return m
}

// observe adds one result of a check to its record, if it counts. A record is saved
// when it says something new; of successes after successes only the time is, and
// that is not worth a write for each.
func (s *Scheduler) observe(m *member, version *spec.App, check int, result *sdk.HealthResult) {
	next := *m.inst
	next.Found = next.findings(version)
	of, facts := &next.Found.Health[check], healthCheckOf(&version.HealthChecks[check])
	if !facts.Counts(&of.HealthRecord, result, next.Condition == Running, int64(next.Since)) {
		return
	}
	told := !result.Alive || of.FirstSuccess == 0 || of.ConsecutiveFailures > 0
	of.HealthRecord = of.Add(*result)
	s.put(m, &next)
	if told {
		s.save(m)
	}
	if !result.Alive && !facts.ByMesos {
		s.notify(HealthCheckFailed{At: s.now, Instance: &next, Check: &version.HealthChecks[check]})
	}
	if of.State != sdk.Healthy || of.Failures(sdk.MaxRecentResults) > 0 {
		s.toJudge(m, version, check)
	}
}

// observeStatus takes what a status says of the checks that Mesos makes into next, and
// tells which health check has another result; -1 for none. A status tells how
// things are, not what was found just now, so one that says the same again is no
// other result; but of failures Mesos tells each. It sees to the grace period itself.
func (s *Scheduler) observeStatus(version *spec.App, next *Instance, st *Status) int {
	if st.Check != nil && *st.Check != next.CheckResult() {
		next.Found = next.findings(version)
		next.Found.Check = *st.Check
	}
	i := slices.IndexFunc(version.HealthChecks, func(c spec.HealthCheck) bool { return c.Protocol.ByMesos() })
	switch {
	case st.Healthy == nil || len(version.HealthChecks) > 0 && next.Condition != Running:
		return -1
	case len(version.HealthChecks) == 0:
		next.Healthy = st.Healthy
		return -1
	case i < 0:
		return -1
	}
	found := next.findings(version)
	record := &found.Health[i].HealthRecord
	again := !*st.Healthy && st.NeedsAck() && st.Reason == "REASON_TASK_HEALTH_CHECK_STATUS_UPDATED"
	if record.Results > 0 && record.Alive() == *st.Healthy && !again {
		return -1
	}
	result := sdk.HealthResult{AtMillis: int64(s.now), Alive: *st.Healthy}
	if !result.Alive {
		result.Cause = st.Message
	}
	*record = record.Add(result)
	next.Found = found
	return i
}

// onReadinessObserved takes in whether instances are ready.
func (s *Scheduler) onReadinessObserved(e ReadinessObserved) {
	var touched []*app
	for i := range e.Results {
		r := &e.Results[i]
		m := s.probed(r.TaskID)
		if m == nil || !s.wantsReadiness(m) {
			continue
		}
		version := s.versionOf(m, m.inst)
		next := *m.inst
		next.Found = next.findings(version)
		next.Found.Readiness = &Readiness{Name: version.ReadinessChecks[0].Name, Ready: r.Ready, Response: r.Response}
		s.put(m, &next)
		if r.Ready {
			touched = appendApp(touched, m.app)
			s.welcome(m)
		}
	}
	for _, a := range touched {
		s.settle(a)
	}
}

func appendApp(list []*app, a *app) []*app {
	if slices.Contains(list, a) {
		return list
	}
	return append(list, a)
}
