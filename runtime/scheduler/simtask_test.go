package scheduler

import (
	"fmt"
	"time"
)

// live lets a task start, run, and sometimes end by itself.
func (m *mesos) live(t *simTask) {
	s := m.sim
	s.after(s.soon(), 0, func() { m.become(t, TaskStarting) })
	if s.chance(0.02) {
		return // it hangs in STARTING
	}
	s.after(s.soon()+400*time.Millisecond, 0, func() { m.become(t, TaskRunning) })
	if t.checked {
		m.beChecked(t)
	}
	if s.chance(0.3) {
		end := []TaskState{TaskFailed, TaskFinished, TaskFailed, TaskGone}[s.rand.IntN(4)]
		s.after(time.Second+time.Duration(s.rand.IntN(100))*time.Second, 0, func() { m.become(t, end) })
	}
}

// beChecked has a task found healthy, and sometimes sick for a while, or before.
func (m *mesos) beChecked(t *simTask) {
	found := func(after time.Duration, healthy bool) {
		m.sim.after(after, 0, func() {
			if t.state == TaskRunning {
				t.healthy = &healthy
				m.tell(t)
			}
		})
	}
	first := time.Second + m.sim.soon()
	if m.sim.chance(0.2) {
		found(first, false)
		first += 20 * time.Second
	}
	found(first, true)
	if m.sim.chance(0.2) {
		sick := first + time.Duration(m.sim.rand.IntN(60))*time.Second
		found(sick, false)
		found(sick+10*time.Second, true)
	}
}

func isTerminal(t TaskState) bool {
	st := Status{State: t}
	return conditionOf(&st).Terminal()
}

// become is a new state on the agent: an update that wants an acknowledgement.
func (m *mesos) become(t *simTask, state TaskState) {
	if isTerminal(t.state) || t.state == TaskKilling && !isTerminal(state) {
		return
	}
	t.state = state
	m.tell(t)
}

// tell puts the state of a task into its queue.
func (m *mesos) tell(t *simTask) {
	if t.state == TaskRunning && (!t.checked || t.healthy != nil && *t.healthy) {
		_, id, _, _ := ParseTaskID(t.id)
		m.sim.health.well[id] = m.sim.health.well[id] || t.checked
		m.sim.markRan(id)
	}
	m.uuidSeq++
	u := simUpdate{state: t.state, healthy: t.healthy, uuid: [16]byte{0xff, byte(m.uuidSeq >> 16), byte(m.uuidSeq >> 8), byte(m.uuidSeq)}}
	t.queue = append(t.queue, u)
	if len(t.queue) == 1 {
		m.flush(t)
	}
}

// flush sends the head of a task's queue, and again until it is acknowledged.
func (m *mesos) flush(t *simTask) {
	if len(t.queue) == 0 || t.agent.lost || t.agent.away || !m.connected {
		return
	}
	u, stream := t.queue[0], m.stream
	t.reported = u.state
	if !m.sim.chance(0.03) {
		m.update(t, u)
	}
	if m.sim.chance(0.03) {
		m.update(t, u)
	}
	m.sim.after(10*time.Second, 0, func() {
		if stream == m.stream && len(t.queue) > 0 && t.queue[0] == u {
			m.flush(t)
		}
	})
}

func (m *mesos) update(t *simTask, u simUpdate) {
	st := Status{TaskID: t.id, AgentID: t.agent.facts.ID, State: u.state, UUID: u.uuid, Healthy: u.healthy}
	m.deliver(m.statusText(&st), StatusUpdate{Status: st})
}

func (m *mesos) statusText(st *Status) string {
	name := m.sim.namesOf().task(m.sim.s, st.TaskID)
	text := fmt.Sprintf("status %s %s agent=%s", name, lowerState(st.State), st.AgentID)
	if !st.NeedsAck() {
		text += " nouuid"
	}
	if st.Healthy != nil {
		text += map[bool]string{true: " healthy=yes", false: " healthy=no"}[*st.Healthy]
	}
	if st.Reason != "" {
		text += " reason=" + st.Reason
	}
	return text
}

// answer is an update made by the master: it wants no acknowledgement.
func (m *mesos) answer(taskID string, state TaskState, reason string) {
	st := Status{TaskID: taskID, State: state, Reason: reason}
	if t := m.tasks[taskID]; t != nil {
		st.AgentID, st.Healthy = t.agent.facts.ID, t.healthy
	}
	if !m.sim.chance(0.05) {
		m.deliver(m.statusText(&st), StatusUpdate{Status: st})
	}
}

func (m *mesos) kill(c Kill) {
	t := m.tasks[c.TaskID]
	switch {
	case m.goneAgents[c.AgentID]:
		m.answer(c.TaskID, TaskGoneByOperator, "REASON_RECONCILIATION")
	case t == nil:
		m.answer(c.TaskID, TaskUnknown, "REASON_RECONCILIATION")
	case t.agent.lost:
		m.answer(c.TaskID, TaskUnreachable, "REASON_RECONCILIATION")
	case isTerminal(t.state) || t.agent.away:
	default:
		m.become(t, TaskKilling)
		m.sim.after(m.sim.soon(), 0, func() { m.become(t, TaskKilled) })
	}
}

func (m *mesos) acknowledge(c Acknowledge) {
	t := m.tasks[c.TaskID]
	if t == nil || t.agent.lost || t.agent.away || len(t.queue) == 0 || t.queue[0].uuid != c.UUID {
		return
	}
	done := t.queue[0].state
	t.queue = t.queue[1:]
	if isTerminal(done) {
		delete(m.tasks, t.id)
		return
	}
	m.flush(t)
}

// reconcile answers as a master does: with the state it last forwarded.
func (m *mesos) reconcile(c Reconcile) {
	if len(c.Tasks) == 0 {
		for _, id := range m.taskIDs() {
			if t := m.tasks[id]; !t.agent.lost && !t.agent.away {
				m.answer(id, t.reported, "REASON_RECONCILIATION")
			}
		}
		return
	}
	for _, ref := range c.Tasks {
		t, a := m.tasks[ref.TaskID], m.agent(ref.AgentID)
		switch {
		case m.goneAgents[ref.AgentID]:
			m.answer(ref.TaskID, TaskGoneByOperator, "REASON_RECONCILIATION")
		case a != nil && a.away, t != nil && t.agent.away:
			// Silence: the master waits for the agent to register again.
		case t != nil && !t.agent.lost:
			m.answer(ref.TaskID, t.reported, "REASON_RECONCILIATION")
		case a != nil && a.lost:
			m.answer(ref.TaskID, TaskUnreachable, "REASON_RECONCILIATION")
		default:
			m.answer(ref.TaskID, TaskGone, "REASON_RECONCILIATION")
		}
	}
}
