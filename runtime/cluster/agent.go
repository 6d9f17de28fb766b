package cluster

import (
	"slices"
	"time"

	"github.com/mesos/mesos-go/api/v1/lib"
	"github.com/mesos/mesos-go/api/v1/lib/scheduler"

	"github.com/pacer-run/pacer/runtime/cluster/resource"
)

// agentState is what the master thinks of an agent.
type agentState int

const (
	agentActive       agentState = iota // connected
	agentDisconnected                   // the connection broke; pings may still bring it back
	agentUnreachable                    // given up, but may come back
	agentGone                           // removed for good by an operator
	agentRecovering                     // known from before a failover, not back yet
)

// String is the name of the state.
func (s agentState) String() string {
	return [...]string{"active", "disconnected", "unreachable", "gone", "recovering"}[s]
}

// taskKey names a task on an agent.
type taskKey struct{ framework, task string }

// agent is the master's record of an agent.
type agent struct {
	id    string
	state agentState
	host  *host // the agent itself; nil unless active
	spec  hostSpec
	since time.Time
	pid   string

	url        *mesos.URL
	domain     *mesos.DomainInfo
	attributes []mesos.Attribute

	total resource.Set
	free  resource.Set // neither offered nor used
	dirty bool         // on the list for the next allocation

	tasks   map[taskKey]*task
	offers  map[string]*offer
	inverse map[string]*inverse   // by framework
	plan    *mesos.Unavailability // of its maintenance; nil = none
	ping    *alarm                // gives a disconnected agent up
	lostAt  time.Time
}

// register takes an agent in, or back in, with the tasks it has. A new one gets its id here.
func (m *master) register(h *host) {
	if h.id == "" {
		h.adopt(m.newID("S", m.agentN))
		m.agentN++
	}
	a := m.agents[h.id]
	if a == nil {
		a = &agent{id: h.id, tasks: map[taskKey]*task{}, offers: map[string]*offer{}, inverse: map[string]*inverse{}}
		m.agents[h.id] = a
		m.fleet = append(m.fleet, a)
	}
	if a.state == agentGone {
		return
	}
	before := a.state
	a.ping.stop()
	a.state, a.host, a.since = agentActive, h, time.Now()
	a.spec, a.pid, a.url, a.domain, a.attributes = h.spec, h.pid, h.url, domain(h.spec.region, h.spec.zone), h.attributes
	h.master, h.agent, a.plan = m, a, m.upkeep.planOf(h)
	if before == agentDisconnected || before == agentUnreachable {
		h.endUncheckpointed()
	}
	m.adoptRuns(a, h, before)
	m.touch(a)
	for _, t := range a.sortedTasks() {
		if call := t.kill; call != nil {
			t.kill = nil
			h.kill(taskKey{t.framework.id, t.id}, call.KillPolicy)
		}
		h.resend(t.framework.id, t.id)
	}
	h.resendOperations("")
}

// adoptRuns makes the master's records those of the agent: what the agent has is true, what it lacks is gone.
func (m *master) adoptRuns(a *agent, h *host, before agentState) {
	a.total, a.free = h.total, h.total
	old := a.tasks
	a.tasks = map[taskKey]*task{}
	for _, r := range h.sortedRuns() {
		t := m.adoptRun(a, r)
		if t == nil {
			r.orphan()
			continue
		}
		if before == agentUnreachable {
			m.reregistered(t)
		}
	}
	for key, t := range old {
		if a.tasks[key] == nil {
			t.released = true
			m.forget(t)
			m.deliver(t.framework, m.masterStatus(t.id, a.id, t.framework.able.lost(mesos.TASK_GONE),
				mesos.REASON_RECONCILIATION, "Task is unknown to the agent"))
		}
	}
}

// adoptRun enters one task of an agent that registered; nil for one that must not live on: its framework is gone, or
// another agent has a task of that id by now.
func (m *master) adoptRun(a *agent, r *run) *task {
	id := r.framework.ID.Value
	f := m.frameworks[id]
	switch {
	case m.removed[id]:
		return nil
	case f == nil:
		f = m.admit(id, r.framework)
	}
	t := f.tasks[r.id()]
	switch {
	case t == nil:
		t = &task{id: r.id(), framework: f, info: r.task, role: r.role, resources: a.total.Own(r.resources)}
		if r.forwarded != nil {
			t.remember(r.forwarded)
		}
	case t.agent != a:
		return nil
	}
	t.agent, t.released = a, r.over
	delete(f.unreachable, t.id)
	m.keep(t)
	if !r.over {
		a.free = a.free.Minus(r.resources)
	}
	return t
}

// reregistered tells the framework that a task thought unreachable is there.
func (m *master) reregistered(t *task) {
	s := m.latestStatus(t)
	text := "Unreachable agent re-reregistered" // with the slip of the real one's text
	s.Reason, s.Message = mesos.REASON_AGENT_REREGISTERED.Enum(), &text
	m.deliver(t.framework, s)
}

// disconnect is the moment the connection to an agent breaks: offers go, tasks stay, and the pings begin to count.
func (m *master) disconnect(a *agent) {
	if a.state != agentActive {
		return
	}
	a.state = agentDisconnected
	a.host.master, a.host.agent, a.host = nil, nil, nil
	m.rescindAll(a)
	m.forgetInverse(a)
	for _, t := range a.sortedTasks() {
		if !t.framework.info.GetCheckpoint() {
			m.endTask(t, mesos.TASK_LOST, mesos.REASON_AGENT_DISCONNECTED, "Agent "+a.spec.hostname+" disconnected")
		}
	}
	a.ping = m.after(m.cfg.AgentPingTimeout, func() { m.giveUp(a) })
}

// giveUp declares an agent unreachable.
func (m *master) giveUp(a *agent) {
	a.state, a.lostAt = agentUnreachable, time.Now()
	for _, t := range a.sortedTasks() {
		f := t.framework
		s := m.masterStatus(t.id, a.id, f.able.lost(mesos.TASK_UNREACHABLE), mesos.REASON_AGENT_REMOVED, "health check timed out")
		s.UnreachableTime = &mesos.TimeInfo{Nanoseconds: a.lostAt.UnixNano()}
		t.kill, t.released = nil, true // a kill asked for is forgotten, as by a real master
		delete(f.tasks, t.id)
		f.unreachable[t.id] = t
		m.deliver(f, s)
	}
	a.tasks = map[taskKey]*task{}
	m.failure(a)
}

// removeGone takes an agent out for good, by an operator's word. Its tasks are ended with it.
func (m *master) removeGone(a *agent) {
	if a.host != nil {
		a.host.master, a.host.agent, a.host = nil, nil, nil
	}
	a.ping.stop()
	m.rescindAll(a)
	m.forgetInverse(a)
	for _, t := range a.sortedTasks() {
		state, reason := mesos.TASK_GONE_BY_OPERATOR, mesos.REASON_AGENT_REMOVED_BY_OPERATOR
		if !t.framework.able.partitionAware {
			state, reason = mesos.TASK_LOST, mesos.REASON_AGENT_REMOVED
		}
		m.endTask(t, state, reason, "Agent has been marked gone")
	}
	a.state = agentGone
	m.failure(a)
}

// endTask declares a task ended on the master's own account.
func (m *master) endTask(t *task, state mesos.TaskState, reason mesos.TaskStatus_Reason, text string) {
	m.deliver(t.framework, m.masterStatus(t.id, t.agent.id, state, reason, text))
	m.forget(t)
}

// rescindAll takes back every offer of an agent that cannot be used any more, in the order of their ids so that runs with
// the same calls look the same.
func (m *master) rescindAll(a *agent) {
	for _, o := range a.sortedOffers() {
		m.rescind(o)
	}
}

// failure tells every subscribed framework that the agent is no more.
func (m *master) failure(a *agent) {
	for _, f := range m.order {
		m.send(f, &scheduler.Event{Type: scheduler.Event_FAILURE, Failure: &scheduler.Event_Failure{AgentID: &mesos.AgentID{Value: a.id}}})
	}
}

// sortedTasks is the order in which an agent's tasks are told of: maps would make every run of a test another one.
func (a *agent) sortedTasks() []*task {
	out := make([]*task, 0, len(a.tasks))
	for _, t := range a.tasks {
		out = append(out, t)
	}
	slices.SortFunc(out, func(x, y *task) int { return compareText(x.framework.id, x.id, y.framework.id, y.id) })
	return out
}

func (a *agent) sortedOffers() []*offer {
	out := make([]*offer, 0, len(a.offers))
	for _, o := range a.offers {
		out = append(out, o)
	}
	slices.SortFunc(out, func(x, y *offer) int { return compareText(x.id, "", y.id, "") })
	return out
}

// expect enters an agent that is known from before a failover. Until it registers, or its time to do so is over, nothing
// is said about its tasks.
func (m *master) expect(id string, spec hostSpec) {
	a := &agent{id: id, state: agentRecovering, spec: spec, tasks: map[taskKey]*task{}, offers: map[string]*offer{}, inverse: map[string]*inverse{}}
	a.ping = m.after(m.cfg.AgentReregisterTimeout, func() { m.giveUp(a) })
	m.agents[id] = a
	m.fleet = append(m.fleet, a)
}
