package scheduler

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pacer-run/pacer/runtime/placement"
	"github.com/pacer-run/pacer/runtime/spec"
)

// mesos is a model of a master and its agents, as one framework sees them.
type mesos struct {
	sim        *sim
	agents     []*simAgent
	tasks      map[string]*simTask
	offers     map[string]*placement.Offer // outstanding
	connected  bool
	roles      map[string]bool // of the framework: offers are wanted
	ample      bool
	pools      int // ACCEPTs of several offers that were carried out
	stream     int // counts subscriptions: what was under way on an older one is lost
	offerSeq   int
	agentSeq   int
	offeredAt  map[string]spec.Timestamp
	uuidSeq    uint32
	goneAgents map[string]bool // that an operator gave up
	ran        map[UUID]bool   // instances whose task has ever run, and was healthy where it is checked
}

type simAgent struct {
	facts    *placement.Agent
	cpus     placement.Milli
	lost     bool                  // cut off from the master; its tasks run on
	lostAt   spec.Timestamp        // when that was last
	away     bool                  // has not registered with a new master yet: the master says nothing of it
	refused  map[string]simRefusal // by role
	holdings []*simHolding
}

// simRefusal is how much of an agent was refused, and until when.
type simRefusal struct {
	until spec.Timestamp
	cpus  placement.Milli
	held  []*simHolding
}

// simTask is a task as the agent knows it.
type simTask struct {
	id       string
	agent    *simAgent
	cpus     placement.Milli
	state    TaskState
	queue    []simUpdate // not acknowledged yet, in order
	reported TaskState   // as the master last forwarded it
	checked  bool        // Mesos runs a health check
	healthy  *bool       // as it was last found
	holding  *simHolding // that it runs on; nil: unreserved resources
}

type simUpdate struct {
	state   TaskState
	uuid    [16]byte
	healthy *bool
}

func newMesos(s *sim) *mesos {
	m := &mesos{sim: s, tasks: map[string]*simTask{}, offers: map[string]*placement.Offer{}, offeredAt: map[string]spec.Timestamp{}, ran: map[UUID]bool{}, goneAgents: map[string]bool{}}
	cpus := 2.0
	if m.ample = s.rand.IntN(3) > 0; m.ample {
		cpus = 16 // every agent has room for all that users ask for
	}
	for i := range 3 + s.rand.IntN(3) {
		m.agents = append(m.agents, &simAgent{
			cpus:    placement.MilliOf(cpus + float64(s.rand.IntN(4))),
			refused: map[string]simRefusal{},
			facts: &placement.Agent{
				ID: fmt.Sprintf("a%d", i+1), Hostname: fmt.Sprintf("host-a%d", i+1),
				Attributes: []placement.Attribute{{Name: "rack", Value: fmt.Sprintf("r%d", i%2)}},
			},
		})
	}
	m.allocateLoop()
	return m
}

// allocateLoop offers what is free once a second.
func (m *mesos) allocateLoop() {
	m.allocate()
	m.sim.after(time.Second, 0, m.allocateLoop)
}

// deliver brings an event to the core unless the stream was cut before.
func (m *mesos) deliver(text string, ev Event) {
	stream := m.stream
	m.sim.after(m.sim.soon(), m.sim.term, func() {
		if m.connected && stream == m.stream {
			m.sim.logf("%s", text)
			m.sim.step(ev)
		}
	})
}

func (m *mesos) free(a *simAgent) placement.Milli {
	free := a.cpus
	for _, h := range a.holdings {
		free -= h.cpus
	}
	for _, t := range m.tasks {
		if t.agent == a && !isTerminal(t.state) && t.holding == nil {
			free -= t.cpus
		}
	}
	for _, o := range m.offers {
		if o.Agent == a.facts {
			free -= o.Shares[0].Scalars[placement.CPUs]
		}
	}
	return free
}

func (m *mesos) allocate() {
	if !m.connected {
		return
	}
	for _, a := range m.agents {
		free := m.free(a)
		role, wanted := m.role(a, free)
		held := m.idle(a, role)
		if free <= 0 && len(held) == 0 || a.lost || a.away || !wanted {
			continue
		}
		for free > 0 || len(held) > 0 {
			part := free
			if free > 0 && m.sim.chance(0.3) { // as if it had become free bit by bit
				part = min(free, placement.Milli(100*(1+m.sim.rand.IntN(20))))
			}
			m.offer(a, role, part, held)
			free, held = free-part, nil
		}
	}
}

// role chooses who is offered what is free of an agent.
func (m *mesos) role(a *simAgent, free placement.Milli) (role string, wanted bool) {
	var roles []string
	for role, wants := range m.roles {
		if r := a.refused[role]; wants && (m.sim.now >= r.until || free > r.cpus || !r.covers(m.idle(a, role))) {
			roles = append(roles, role)
		}
	}
	if len(roles) == 0 {
		return "", false
	}
	slices.Sort(roles)
	return roles[m.sim.rand.IntN(len(roles))], true
}

// offer offers a part of an agent, with what it keeps for instances of the role.
func (m *mesos) offer(a *simAgent, role string, cpus placement.Milli, held []*simHolding) {
	m.offerSeq++
	o := &placement.Offer{ID: fmt.Sprintf("o%d", m.offerSeq), Role: role, Agent: a.facts}
	o.Shares = []placement.Share{{}}
	o.Shares[0].Scalars[placement.CPUs] = cpus
	o.Shares[0].Scalars[placement.Mem] = 1 << 40
	o.Shares[0].Scalars[placement.Disk] = 1 << 40
	var text strings.Builder
	text.WriteString("offers " + o.ID + "@" + a.facts.ID)
	for _, h := range held {
		text.WriteString(h.putInto(o, m.sim))
	}
	m.offers[o.ID], m.offeredAt[o.ID] = o, m.sim.now
	m.deliver(text.String(), Offers{Offers: []*placement.Offer{o}})
}

func (m *mesos) subscribe() {
	m.stream++
	m.connected = true
	m.subscribeTo(m.sim.s.Roles(), nil)
	clear(m.offers)
	for _, id := range m.taskIDs() { // agents resend what was not acknowledged
		m.flush(m.tasks[id])
	}
}

func (m *mesos) disconnect() {
	m.connected = false
	m.stream++
	clear(m.offers)
}

// send carries a call to the master. Calls stay in order; with the stream they
// get lost, and sometimes nobody knows.
func (m *mesos) send(c Call) {
	if !m.connected {
		m.sim.after(m.sim.soon(), m.sim.term, func() { m.sim.step(CallFailed{Call: c, Cause: "not subscribed"}) })
		return
	}
	stream, lost := m.stream, m.sim.chance(0.02)
	unsure := lost || m.sim.chance(0.01)
	m.sim.after(50*time.Millisecond, 0, func() {
		if stream == m.stream && !lost {
			m.receive(c)
		}
	})
	if unsure {
		m.sim.after(200*time.Millisecond, m.sim.term, func() { m.sim.step(CallFailed{Call: c, Cause: "timeout"}) })
	}
}

func (m *mesos) receive(c Call) {
	switch c := c.(type) {
	case Accept:
		m.accept(c)
	case Decline:
		for _, id := range c.OfferIDs {
			if o := m.offers[id]; o != nil {
				a := m.agent(o.Agent.ID)
				a.refused[o.Role] = simRefusal{m.sim.now.Add(c.Refuse), o.Shares[0].Scalars[placement.CPUs], a.offered(o)}
				delete(m.offers, id)
			}
		}
	case Revive:
		for _, role := range c.Roles {
			if m.knows(role) {
				m.want(role)
			}
		}
		m.allocate()
	case Suppress:
		for _, role := range c.Roles {
			if m.knows(role) {
				m.roles[role] = false
			}
		}
	case UpdateRoles:
		m.subscribeTo(c.Roles, c.Suppressed)
		m.allocate()
	case Kill:
		m.kill(c)
	case Acknowledge:
		m.acknowledge(c)
	case Reconcile:
		m.reconcile(c)
	}
}

// subscribeTo is a new set of roles.
func (m *mesos) subscribeTo(roles, suppressed []string) {
	m.roles = map[string]bool{}
	for _, role := range roles {
		m.roles[role] = false
		if !slices.Contains(suppressed, role) {
			m.want(role)
		}
	}
}

// want lets a role have offers, whatever was refused.
func (m *mesos) want(role string) {
	m.roles[role] = true
	for _, a := range m.agents {
		delete(a.refused, role)
	}
}

// knows tells whether the framework has the role. What it says of others, because
// the call that told of them got lost, is passed over.
func (m *mesos) knows(role string) bool {
	_, ok := m.roles[role]
	return ok
}

func (m *mesos) agent(id string) *simAgent {
	i := slices.IndexFunc(m.agents, func(a *simAgent) bool { return a.facts.ID == id })
	if i < 0 {
		return nil
	}
	return m.agents[i]
}

func (m *mesos) taskIDs() []string {
	ids := make([]string, 0, len(m.tasks))
	for id := range m.tasks {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}

// accept launches, and checks what must hold when the master hears of a task.
func (m *mesos) accept(c Accept) {
	left, valid := m.collect(c.Offer)
	if valid {
		left -= m.operate(&c, c.Offer, left)
	}
	for _, task := range c.Tasks {
		if m.tasks[task.ID] != nil {
			panic("task id launched twice: " + task.ID)
		}
		if a := m.agent(c.Offer.Agent.ID); !valid || a.lost || a.away {
			m.answer(task.ID, TaskDropped, "REASON_INVALID_OFFERS")
			continue
		}
		if task.App.Role != c.Offer.Role {
			panic(task.ID + " was launched in the role " + c.Offer.Role)
		}
		need := placement.MilliOf(task.App.CPUs)
		holding := m.holdingOf(&task, c.Offer)
		if holding != nil {
			need = 0
		}
		if left -= need; left < 0 {
			panic("offer " + c.Offer.ID + " exceeded")
		}
		t := &simTask{
			id: task.ID, agent: m.agent(c.Offer.Agent.ID), cpus: need, state: TaskStaging, reported: TaskStaging,
			holding: holding,
			checked: slices.ContainsFunc(task.App.HealthChecks, func(c spec.HealthCheck) bool { return c.Protocol.ByMesos() }),
		}
		m.tasks[task.ID] = t
		if holding != nil {
			holding.used = t
		}
		m.checkSingle(task.ID)
		m.live(t)
	}
}

// collect takes the offers that a call names. One that is gone makes the call
// invalid, and the others are gone with it.
func (m *mesos) collect(o *placement.Offer) (cpus placement.Milli, valid bool) {
	valid = true
	for _, id := range o.IDs() {
		part := m.offers[id]
		if delete(m.offers, id); part == nil {
			valid = false
			continue
		}
		cpus += part.Shares[0].Scalars[placement.CPUs]
	}
	if valid && len(o.IDs()) > 1 {
		m.pools++
	}
	return cpus, valid
}

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
