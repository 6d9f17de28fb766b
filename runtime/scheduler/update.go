package scheduler

import "strings"

// onStatus applies the status of one task. It is acknowledged in every case:
// the acknowledgement leaves after what it said is durable.
func (s *Scheduler) onStatus(st *Status) {
	if st.NeedsAck() {
		defer s.call(Acknowledge{TaskID: st.TaskID, AgentID: st.AgentID, UUID: st.UUID})
	}
	_, id, incarnation, err := ParseTaskID(st.TaskID)
	m := s.members[id]
	switch {
	case err != nil || m == nil:
		s.unknownTask(st)
	case m.inst.Incarnation != incarnation || !m.inst.launched():
		s.killStray(st)
	case m.inst.Condition.Terminal():
		// It was given up and waits for its next launch. Should it live after
		// all, it must not live beside its successor.
		s.killStray(st)
	default:
		s.applyStatus(m, st)
	}
}

// unknownTask ends a task that no instance stands for.
func (s *Scheduler) unknownTask(st *Status) {
	c := conditionOf(st)
	if !c.Terminal() && c != Unreachable {
		s.killStray(st)
		return
	}
	if name, err := ReadTaskID(st.TaskID); err == nil {
		s.notify(UnknownTerminated{At: s.now, InstanceID: name.InstanceID(), SafePath: name.SafePath, Condition: c})
	}
}

// killStray ends a task that lives although it should not.
func (s *Scheduler) killStray(st *Status) {
	if c := conditionOf(st); !c.Terminal() && c != Unreachable && c != Killing {
		s.kill(st.TaskID, st.AgentID)
	}
}

func (s *Scheduler) kill(taskID, agentID string) {
	s.counts.Kills++
	s.call(Kill{TaskID: taskID, AgentID: agentID})
}

// applyStatus moves an instance to what the status says.
func (s *Scheduler) applyStatus(m *member, st *Status) {
	s.rounds.heard(m.inst.ID)
	old := m.inst
	next := *old
	next.Condition = conditionOf(st)
	if next.Condition == Unreachable && old.Condition == UnreachableInactive {
		next.Condition = UnreachableInactive
	}
	version := s.versionOf(m, old)
	observed := s.observeStatus(version, &next, st)
	if next.IPs == nil && next.Condition == Running {
		next.IPs = foreignIPs(st.IPs, old)
	}
	told := next.CheckResult() != old.CheckResult()
	durable := !next.same(old) || observed >= 0
	if !durable && !told {
		return
	}
	if next.Condition != old.Condition {
		next.Since = s.now
	}
	if next.Condition == Running && next.StartedAt == 0 {
		next.StartedAt = s.now
	}
	next.UnreachableSince = s.unreachableSince(&next, st)
	s.put(m, &next)
	if observed >= 0 {
		s.toJudge(m, version, observed)
	}
	// What is on its way to run or to end need not be durable: a new leader asks
	// about it. Saving it would be a third write per launch.
	if c := next.Condition; durable && c != Staging && c != Starting && c != Killing {
		s.save(m)
	}
	s.notify(StatusApplied{
		At: s.now, Instance: &next, TaskID: st.TaskID, State: st.State, Message: st.Message, AgentID: st.AgentID,
	})
	if next.Condition != old.Condition {
		s.notify(InstanceChanged{At: s.now, Instance: &next})
	}
	if old.Condition >= Unreachable && next.Condition <= Starting {
		// Its alarm may have rung while nobody could reach it.
		due := max(s.now.Add(s.cfg.KillRetry), next.StagedAt.Add(s.cfg.LaunchTimeout))
		s.alarms.add(alarm{at: due, kind: alarmOverdue, member: m, incarnation: next.Incarnation})
	}
	if !sameHealth(next.Healthy, old.Healthy) {
		s.notify(HealthChanged{At: s.now, Instance: &next})
	}
	if next.Condition != old.Condition {
		s.conditionEntered(m, st)
	} else {
		s.welcome(m)
		s.settle(m.app)
	}
}

// welcome lets a deployment go on that waited for the member to be healthy.
func (s *Scheduler) welcome(m *member) {
	if s.arrived(m) && m.awaited {
		s.unawait(m)
	}
}

// conditionEntered does what follows from a new condition.
func (s *Scheduler) conditionEntered(m *member, st *Status) {
	a := m.app
	switch c := m.inst.Condition; {
	case c == Running:
		s.welcome(m)
		s.advanceBackoff(a)
		if m.inst.Goal != GoalRunning {
			s.killMember(m)
		}
	case c.Terminal():
		s.taskEnded(m, st)
	case c == Unreachable:
		s.judgeUnreachable(m)
	default:
		s.advanceBackoff(a)
	}
	s.settle(a)
}

// taskEnded counts the end, and forgets the instance or gives it another chance.
func (s *Scheduler) taskEnded(m *member, st *Status) {
	a, inst := m.app, m.inst
	s.counts.Finished++
	if isFailure(st, inst.Condition) {
		s.counts.Failed++
		a.lastFailure = &TaskFailure{
			TaskID: st.TaskID, Host: inst.Agent.Hostname, AgentID: inst.Agent.ID, Message: st.Message,
			State: st.State.String(), At: s.now, Version: inst.Version,
		}
		s.dirty(failureKey(a.spec.ID))
	}
	if inst.Reservation != nil && st.State == TaskGoneByOperator {
		s.loseReservation(m)
	}
	if inst.Goal == GoalDecommissioned && m.inst != nil {
		s.expunge(m)
	}
	if inst.Goal != GoalRunning {
		if a.spec.Resident() {
			s.preferStopped(a)
		}
		return
	}
	// An instance of an earlier configuration says nothing of those that replace it.
	if delays(st, inst.Condition) && !(a.upgrade != nil && a.isOld(m)) {
		s.delayLaunch(a)
	}
	s.want(a)
}

// same tells whether nothing changed that a record has.
func (i *Instance) same(o *Instance) bool {
	return i.Condition == o.Condition && sameHealth(i.Healthy, o.Healthy) && len(i.IPs) == len(o.IPs)
}

func sameHealth(a, b *bool) bool {
	return a == b || a != nil && b != nil && *a == *b
}

// foreignIPs returns the addresses unless they are just the agent's own.
func foreignIPs(ips []string, i *Instance) []string {
	if len(ips) == 1 && i.Agent != nil && ips[0] == i.Agent.IP {
		return nil
	}
	return ips
}

// conditionOf maps Mesos' states. A lost task is only reported by old masters,
// or when its agent was taken out of the cluster.
func conditionOf(st *Status) Condition {
	switch st.State {
	case TaskStaging:
		return Staging
	case TaskStarting:
		return Starting
	case TaskRunning:
		return Running
	case TaskKilling:
		return Killing
	case TaskFinished:
		return Finished
	case TaskFailed:
		return Failed
	case TaskKilled:
		return Killed
	case TaskError:
		return Errored
	case TaskDropped:
		return Dropped
	case TaskUnreachable:
		return Unreachable
	case TaskGone, TaskGoneByOperator:
		return Gone
	case TaskLost:
		return lostCondition(st)
	case TaskUnknown:
		return Unknown
	}
	return Unknown
}

func lostCondition(st *Status) Condition {
	switch {
	case strings.HasPrefix(st.Message, "Reconciliation: Task is unknown to the"), st.Reason == "REASON_TASK_UNKNOWN":
		return Unknown
	case st.Reason == "REASON_RECONCILIATION", isAgentLoss(st.Reason):
		return Unreachable
	}
	return Gone
}

// isAgentLoss recognises the reasons under both of Mesos' names for an agent.
func isAgentLoss(reason string) bool {
	switch reason {
	case "REASON_AGENT_REMOVED", "REASON_AGENT_DISCONNECTED", "REASON_AGENT_REMOVED_BY_OPERATOR",
		"REASON_SLAVE_REMOVED", "REASON_SLAVE_DISCONNECTED", "REASON_SLAVE_REMOVED_BY_OPERATOR":
		return true
	}
	return false
}

// isFailure tells whether the end is shown as the app's last failure.
func isFailure(st *Status, c Condition) bool {
	return c == Failed || c == Errored || c == Dropped && st.Reason != "REASON_INVALID_OFFERS"
}

// delays tells whether the end delays the next launch. What the app cannot help
// does not: an agent's loss, an operator's kill, an offer that was gone, a launch
// that never arrived.
func delays(st *Status, c Condition) bool {
	switch st.Reason {
	case "REASON_INVALID_OFFERS", "REASON_RECONCILIATION", "REASON_AGENT_DRAINING", "REASON_SLAVE_DRAINING":
		return c == Finished || c == Failed || c == Errored
	}
	switch c {
	case Failed, Errored, Finished, Dropped:
		return true
	case Gone:
		return st.State != TaskGoneByOperator && !isAgentLoss(st.Reason)
	default:
		return false
	}
}
