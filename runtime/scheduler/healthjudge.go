package scheduler

import (
	"slices"
	"time"

	"github.com/pacer-run/pacer/runtime/spec"
	"github.com/pacer-run/pacer/sdk"
)

// judging is what the health rule of one app version is asked. There is one question
// out at a time; what comes up meanwhile is asked together when the answer is there.
type judging struct {
	version *spec.App
	due     []judged
	waits   map[judged]bool // those in due
	out     []judged        // what the question that is out is about
	asked   uint64          // number of the question that is out; 0: none
	cause   string          // why the rule gave no answer the last time; "" when it did
	failed  *sdk.Fault      // whose fault that is, where it is known
	standIn bool            // another rule answered then
	retry   spec.Timestamp  // not asked before
	// outdated: the question that is out is put to a rule that was replaced meanwhile.
	outdated bool
	queued   bool // in pending.judging
}

// judged is one check of one task.
type judged struct {
	member      *member
	incarnation uint32
	check       int
}

const (
	// healthRetry is when a rule that failed is asked again.
	healthRetry = 10 * time.Second
	// healthForget is how long a rule that failed, and about which nothing is left to
	// ask, is shown with its cause. The checks of what runs come more often than that.
	healthForget = 5 * time.Minute
	// maxHistories bounds a question: what its answer changes has to fit into one
	// transaction of the store.
	maxHistories = 256
)

// toJudge has the rule asked about a check at the end of the batch.
func (s *Scheduler) toJudge(m *member, version *spec.App, check int) {
	a := m.app
	i := slices.IndexFunc(a.judging, func(j *judging) bool { return j.version == version })
	if i < 0 {
		i = len(a.judging)
		a.judging = append(a.judging, &judging{version: version, waits: map[judged]bool{}})
	}
	j, x := a.judging[i], judged{m, m.inst.Incarnation, check}
	if !j.waits[x] {
		j.waits[x] = true
		j.due = append(j.due, x)
	}
	s.queueJudging(j)
}

func (s *Scheduler) queueJudging(j *judging) {
	if !j.queued {
		j.queued = true
		s.pending.judging = append(s.pending.judging, j)
	}
}

// judgeAgain has the rule look at everything that is not well, or was not: a leader
// before may have been gone before its answer came.
func (s *Scheduler) judgeAgain(m *member) {
	if m.inst.Found == nil || m.inst.Condition.Terminal() {
		return
	}
	version := s.versionOf(m, m.inst)
	if len(version.HealthChecks) != len(m.inst.Found.Health) {
		return
	}
	for i := range m.inst.Found.Health {
		h := &m.inst.Found.Health[i]
		if h.Results > 0 && (h.State != sdk.Healthy || h.Failures(sdk.MaxRecentResults) > 0) {
			s.toJudge(m, version, i)
		}
	}
}

// there tells whether the task that is judged is there still.
func (x *judged) there() bool {
	i := x.member.inst
	return i != nil && i.Incarnation == x.incarnation && !i.Condition.Terminal() && i.Found != nil && x.check < len(i.Found.Health)
}

// serveJudging asks the rules of all versions about which something is new.
func (s *Scheduler) serveJudging() []HealthAsk {
	var asks []HealthAsk
	for _, j := range s.pending.judging {
		j.queued = false
		if j.asked != 0 || s.now < j.retry {
			continue // asked when the answer is there, or later
		}
		ask := HealthAsk{App: j.version}
		n := 0
		for ; n < len(j.due) && len(ask.Histories) < maxHistories; n++ {
			x := j.due[n]
			delete(j.waits, x)
			if x.there() {
				j.out = append(j.out, x)
				ask.Histories = append(ask.Histories, s.historyOf(&x))
			}
		}
		if j.due = j.due[n:]; len(ask.Histories) > 0 {
			s.questions++
			ask.Number, j.asked = s.questions, s.questions
			asks = append(asks, ask)
		} else if a := s.apps[j.version.ID]; a != nil {
			a.dropJudging(j)
			s.touch(a)
		}
	}
	s.pending.judging = nil
	return asks
}

func (s *Scheduler) historyOf(x *judged) sdk.HealthHistory {
	i := x.member.inst
	h := sdk.HealthHistory{Check: uint32(x.check), HealthRecord: i.Found.Health[x.check].HealthRecord}
	if i.StartedAt != 0 {
		h.AgeMillis = uint64(max(0, s.now-i.StartedAt))
	}
	return h
}

// onHealthJudged does what the envelope allows of a rule's verdicts.
func (s *Scheduler) onHealthJudged(e HealthJudged) {
	a := s.apps[e.App]
	if a == nil {
		return
	}
	at := slices.IndexFunc(a.judging, func(j *judging) bool { return j.asked == e.Number })
	if at < 0 || e.Number == 0 {
		return // of an earlier app of that name
	}
	j := a.judging[at]
	out := j.out
	outdated := j.outdated && e.Fault != ""
	j.out, j.asked, j.outdated = nil, 0, false
	if outdated {
		s.judgeLater(a, j, out)
		j.retry = 0
		s.queueJudging(j)
		return
	}
	if standIn := e.Fault != "" && len(e.Verdicts) == len(out); j.cause != e.Fault || j.standIn != standIn {
		j.cause, j.failed, j.standIn = e.Fault, e.Failed, standIn
		s.touch(a)
	}
	if len(e.Verdicts) != len(out) {
		s.judgeLater(a, j, out)
		return
	}
	for i := range out {
		if out[i].there() {
			s.apply(&out[i], &e.Verdicts[i])
		}
	}
	switch {
	case len(j.due) > 0:
		s.queueJudging(j)
	case j.cause == "":
		a.dropJudging(j)
	default: // it is kept for its cause, which is looked at again
		s.alarms.add(alarm{at: s.now.Add(healthForget), kind: alarmHealth, app: a})
	}
	s.settle(a)
}

// dropJudging forgets a version about which nothing is left to ask.
func (a *app) dropJudging(j *judging) {
	a.judging = slices.DeleteFunc(a.judging, func(x *judging) bool { return x == j })
}

// healthFault is why a rule gave no answer, "" when all did, and whose fault that is,
// where it is known.
func (a *app) healthFault() (cause string, failed *sdk.Fault) {
	for _, j := range a.judging {
		if j.cause != "" {
			return j.cause, j.failed
		}
	}
	return "", nil
}

// hasStandIn tells whether another rule judges in place of one that fails.
func (a *app) hasStandIn() bool {
	return slices.ContainsFunc(a.judging, func(j *judging) bool { return j.standIn })
}

// judgeLater asks a rule again that gave no answer.
func (s *Scheduler) judgeLater(a *app, j *judging, out []judged) {
	for _, x := range out {
		if !j.waits[x] && x.there() {
			j.waits[x] = true
			j.due = append(j.due, x)
		}
	}
	j.retry = s.now.Add(healthRetry)
	s.alarms.add(alarm{at: j.retry, kind: alarmHealth, app: a})
}

// healthAlarm asks those rules of an app again whose time has come.
func (s *Scheduler) healthAlarm(a *app) {
	for _, j := range a.judging {
		s.queueJudging(j)
	}
}

// apply makes a verdict the state of a check, and that of all checks the health of
// the instance.
func (s *Scheduler) apply(x *judged, v *sdk.HealthVerdict) {
	m, check := x.member, x.check
	version := s.versionOf(m, m.inst)
	if check >= len(version.HealthChecks) {
		return
	}
	old := m.inst
	before := &old.Found.Health[check]
	if before.State != v.State || before.Reason != v.Reason {
		next := *old
		next.Found = next.findings(version)
		next.Found.Health[check].State, next.Found.Health[check].Reason = v.State, v.Reason
		next.Healthy = next.Found.overall()
		s.put(m, &next)
		if before.State != v.State || !sameHealth(next.Healthy, old.Healthy) {
			s.save(m)
		}
		s.tellHealth(old, &next, &version.HealthChecks[check], before.State, v.State)
		s.welcome(m)
	}
	if v.Replace {
		s.replaceUnhealthy(m, version, check, v.Reason)
	}
}

// tellHealth tells what became different for others.
func (s *Scheduler) tellHealth(old, next *Instance, check *spec.HealthCheck, before, now sdk.HealthState) {
	if alive := now == sdk.Healthy; alive != (before == sdk.Healthy) && !check.Protocol.ByMesos() {
		s.notify(AliveChanged{At: s.now, Instance: next, Alive: alive})
	}
	if !sameHealth(next.Healthy, old.Healthy) {
		s.notify(HealthChanged{At: s.now, Instance: next})
	}
}

// replaceUnhealthy kills an instance that a rule wants replaced, if that may be: it
// has to run and to be wanted, and the user has to have asked for it. One that has
// been alive since the rule was asked is spared: the rule is asked about that next.
// While no master is there to be told it is for the next failure to have it killed.
func (s *Scheduler) replaceUnhealthy(m *member, version *spec.App, check int, reason string) {
	i, c := m.inst, &version.HealthChecks[check]
	switch {
	case i.Goal != GoalRunning, i.Condition != Running, m.killing == i.Incarnation, !s.master.subscribed:
		return
	case c.MaxConsecutiveFailures <= 0, c.Protocol.ByMesos(), i.Found.Health[check].Alive():
		return
	}
	a := m.app
	a.lastFailure = &TaskFailure{
		TaskID: i.TaskID(), Host: i.Agent.Hostname, AgentID: i.Agent.ID, State: TaskKilled.String(), At: s.now, Version: i.Version,
		Message: "Task was killed since health check failed. Reason: " + reason,
	}
	s.dirty(failureKey(a.spec.ID))
	s.notify(UnhealthyKilled{At: s.now, Instance: i, Reason: reason})
	m.killing = i.Incarnation
	s.killMember(m)
	s.touch(a)
}
