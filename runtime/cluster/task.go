package cluster

import (
	"maps"
	"slices"
	"time"

	"github.com/mesos/mesos-go/api/v1/lib"
	"github.com/mesos/mesos-go/api/v1/lib/scheduler"

	"github.com/pacer-run/pacer/runtime/cluster/resource"
)

// task is the master's record of a launched task. It goes when the terminal update was acknowledged.
type task struct {
	id        string
	framework *framework
	agent     *agent
	info      *mesos.TaskInfo
	role      string
	resources resource.Set

	history  []*mesos.TaskStatus  // states forwarded to the framework, latest last; empty while staging
	released bool                 // it has ended, and its resources are free again
	kill     *scheduler.Call_Kill // asked for while the agent was away; delivered when it is back
}

// maxHistory bounds the states kept of one task, maxEnded the finished tasks of one framework, for /state.
const (
	maxHistory = 16
	maxEnded   = 1000
)

// latest is the state last forwarded, nil while there is none.
func (t *task) latest() *mesos.TaskStatus {
	if len(t.history) == 0 {
		return nil
	}
	return t.history[len(t.history)-1]
}

// remember adds a state that was forwarded. Repetitions of an update are not new states.
func (t *task) remember(status *mesos.TaskStatus) {
	t.history = append(t.history, status)
	if len(t.history) > maxHistory {
		t.history = slices.Delete(t.history, 0, len(t.history)-maxHistory)
	}
}

// keep enters a task whose resources are taken already.
func (m *master) keep(t *task) {
	t.framework.tasks[t.id] = t
	t.agent.tasks[taskKey{t.framework.id, t.id}] = t
}

// release gives a task's resources back; it has ended, though its updates may not have got through.
func (m *master) release(t *task) {
	if !t.released {
		t.released = true
		m.recover(t.agent, t.resources)
	}
}

// forget drops the record of a task.
func (m *master) forget(t *task) {
	m.release(t)
	delete(t.framework.tasks, t.id)
	delete(t.agent.tasks, taskKey{t.framework.id, t.id})
	f := t.framework
	f.ended = append(f.ended, t)
	if len(f.ended) > maxEnded {
		f.ended = slices.Delete(f.ended, 0, len(f.ended)-maxEnded)
	}
}

// sortedTasks is the order of answers about many tasks.
func sortedTasks(in map[string]*task) []*task {
	out := make([]*task, 0, len(in))
	for _, id := range slices.Sorted(maps.Keys(in)) {
		out = append(out, in[id])
	}
	return out
}

// terminal tells whether a task in that state uses resources no more. TASK_UNREACHABLE is not one: it may come back.
func terminal(state mesos.TaskState) bool {
	switch state {
	case mesos.TASK_FINISHED, mesos.TASK_FAILED, mesos.TASK_KILLED, mesos.TASK_ERROR, mesos.TASK_LOST, mesos.TASK_DROPPED,
		mesos.TASK_GONE, mesos.TASK_GONE_BY_OPERATOR:
		return true
	default:
		return false
	}
}

// masterStatus is an update that the master makes itself: without uuid, not to be acknowledged.
func (m *master) masterStatus(task, agent string, state mesos.TaskState, reason mesos.TaskStatus_Reason, text string) *mesos.TaskStatus {
	now := seconds(time.Now())
	s := &mesos.TaskStatus{
		TaskID: mesos.TaskID{Value: task}, State: &state, Source: mesos.SOURCE_MASTER.Enum(), Reason: &reason, Timestamp: &now,
	}
	if text != "" {
		s.Message = &text
	}
	if agent != "" {
		s.AgentID = &mesos.AgentID{Value: agent}
	}
	return s
}

// deliver sends a status to the framework, past the faults that a test may have set.
func (m *master) deliver(f *framework, status *mesos.TaskStatus) {
	e := &scheduler.Event{Type: scheduler.Event_UPDATE, Update: &scheduler.Event_Update{Status: *status}}
	copies, delay := m.faults.takeStatus()
	for range copies {
		if delay > 0 {
			m.after(delay, func() { m.send(f, e) })
			continue
		}
		m.send(f, e)
	}
}

// forward passes an agent's update on. The agent repeats it until it is acknowledged, and says with it whether the task is
// over, though its end may have to wait for the acknowledgement of what came before.
func (m *master) forward(a *agent, key taskKey, status *mesos.TaskStatus, over bool) {
	f := m.frameworks[key.framework]
	if f == nil {
		return
	}
	if t := a.tasks[key]; t != nil {
		if over {
			m.release(t)
		}
		if last := t.latest(); last == nil || string(last.UUID) != string(status.UUID) {
			t.remember(status)
		}
	}
	m.deliver(f, status)
}

// acknowledge lets the agent go on to the task's next update; the end of a task is forgotten with its acknowledgement.
func (m *master) acknowledge(f *framework, call *scheduler.Call_Acknowledge) {
	a := m.agents[call.AgentID.Value]
	if a == nil || a.host == nil {
		return
	}
	key := taskKey{f.id, call.TaskID.Value}
	if last := a.host.acknowledge(key, call.UUID); last {
		if t := a.tasks[key]; t != nil {
			m.forget(t)
		}
	}
}

// kill asks the agent to end a task. One that is not known is answered as reconciliation answers it.
func (m *master) kill(f *framework, call *scheduler.Call_Kill) {
	t := f.tasks[call.TaskID.Value]
	switch {
	case t == nil:
		m.reconcileTask(f, call.TaskID.Value, call.GetAgentID().GetValue())
	case call.AgentID != nil && call.AgentID.Value != t.agent.id:
	case t.agent.host == nil:
		t.kill = call
	default:
		t.agent.host.kill(taskKey{f.id, t.id}, call.KillPolicy)
	}
}
