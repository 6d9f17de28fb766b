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
