package cluster

import (
	"github.com/mesos/mesos-go/api/v1/lib"
	"github.com/mesos/mesos-go/api/v1/lib/scheduler"
)

// reconcile answers with the master's knowledge: of the tasks named, in their order, or of all when none is named.
func (m *master) reconcile(f *framework, call *scheduler.Call_Reconcile) {
	for i := range call.Tasks {
		m.reconcileTask(f, call.Tasks[i].TaskID.Value, call.Tasks[i].GetAgentID().GetValue())
	}
	if len(call.Tasks) == 0 {
		for _, t := range sortedTasks(f.tasks) {
			m.deliver(f, m.latestStatus(t))
		}
	}
}

// latestStatus is the answer for a task that the master knows. A wrong agent id in the question does no harm.
func (m *master) latestStatus(t *task) *mesos.TaskStatus {
	s := m.masterStatus(t.id, t.agent.id, mesos.TASK_STAGING, mesos.REASON_RECONCILIATION, "Reconciliation: Latest task state")
	if last := t.latest(); last != nil {
		s.State = last.State
		s.Healthy, s.CheckStatus, s.ContainerStatus = last.Healthy, last.CheckStatus, last.ContainerStatus
	}
	return s
}

// reconcileTask answers for one task; agent may be empty. While agents are still to come back after a failover, nothing
// is said about tasks that may be theirs.
func (m *master) reconcileTask(f *framework, id, agent string) {
	answer := func(state mesos.TaskState, text string) *mesos.TaskStatus {
		return m.masterStatus(id, agent, f.able.lost(state), mesos.REASON_RECONCILIATION, "Reconciliation: "+text)
	}
	if t := f.tasks[id]; t != nil {
		m.deliver(f, m.latestStatus(t))
		return
	}
	a := m.agents[agent]
	switch {
	case a != nil && a.state == agentRecovering, agent == "" && m.recovering():
	case a == nil:
		m.deliver(f, answer(mesos.TASK_UNKNOWN, "Task is unknown"))
	case a.state == agentUnreachable:
		s := answer(mesos.TASK_UNREACHABLE, "Task is unreachable")
		s.UnreachableTime = &mesos.TimeInfo{Nanoseconds: a.lostAt.UnixNano()}
		m.deliver(f, s)
	case a.state == agentGone:
		m.deliver(f, answer(mesos.TASK_GONE_BY_OPERATOR, "Task is gone"))
	default:
		m.deliver(f, answer(mesos.TASK_GONE, "Task is unknown to the agent"))
	}
}

// recovering tells whether agents known from before the failover are still to come back.
func (m *master) recovering() bool {
	for _, a := range m.fleet {
		if a.state == agentRecovering {
			return true
		}
	}
	return false
}
