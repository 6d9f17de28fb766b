package scheduler

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pacer-run/pacer/runtime/spec"
)

func lowerState(s TaskState) string {
	return strings.ReplaceAll(strings.ToLower(strings.TrimPrefix(s.String(), "TASK_")), "_", "-")
}

// userActs creates, scales or deletes an app.
func (s *sim) userActs() {
	if s.down {
		return
	}
	ids := []string{"/a", "/b", "/c/d", "/e"}
	id := spec.PathID(ids[s.rand.IntN(len(ids))])
	force := ""
	if s.rand.IntN(2) == 0 {
		force = " force"
	}
	args := map[string]string{"force": strings.TrimSpace(force), "app": string(id), "id": string(id)}
	n := s.rand.IntN(4)
	args["instances"], args["to"] = fmt.Sprint(n), fmt.Sprint(n)
	def := s.s.tree.App(id)
	switch {
	case def == nil:
		s.create(args, n, force)
	case s.rand.IntN(4) == 0:
		s.logf("delete app=%s%s", id, force)
		c := s.change(args)
		c.Remove = []spec.PathID{id}
		s.command(c, func() { delete(s.wanted, id) })
	default:
		s.logf("scale app=%s to=%d%s", id, n, force)
		s.command(s.changeApp(args).(ChangeTree), func() { s.wanted[id] = n })
	}
}

func (s *sim) create(args map[string]string, n int, force string) {
	text := fmt.Sprintf("app id=%s instances=%d%s", args["id"], n, force)
	switch s.rand.IntN(4) {
	case 0:
		args["unreachable"] = "30s,60s"
		text += " unreachable=30s,60s"
	case 1:
		args["unreachable"] = "disabled"
		text += " unreachable=disabled"
	}
	ev := s.putApp(args).(ChangeTree)
	if s.rand.IntN(3) == 0 && n <= 3 {
		text += " unique"
		ev.Put[0].App.Constraints = []spec.Constraint{{Field: "hostname", Operator: "UNIQUE"}}
	}
	id := ev.Put[0].App.ID
	s.logf("%s", text)
	s.command(ev, func() { s.wanted[id] = n })
}

// command gives a command to the core; what it promised is remembered when the
// save of it succeeded.
func (s *sim) command(c ChangeTree, accepted func()) {
	s.s.Step(s.now, c)
	ok := false
	for _, r := range s.s.pending.replies {
		ok = ok || r.Request == c.Request && r.Err == nil
	}
	term := s.term
	s.step(Tick{})
	if ok && (term == s.term || s.recordedSince(c)) {
		accepted()
	}
}

// recordedSince tells whether a command of a term that ended was saved: the
// term may have ended after the save.
func (s *sim) recordedSince(c ChangeTree) bool {
	var rec appRecord
	for _, p := range c.Put {
		v, ok := s.records[appKey(p.App.ID)]
		var def versionRecord
		return ok && json.Unmarshal(v, &rec) == nil && !rec.Removed &&
			json.Unmarshal(s.records[versionKey(p.App.ID, rec.Version)], &def) == nil && def.Instances == p.App.Instances && def.Cmd == p.App.Cmd
	}
	for _, id := range c.Remove {
		v, ok := s.records[appKey(id)]
		return !ok || json.Unmarshal(v, &rec) == nil && rec.Removed
	}
	return true
}

// faultStrikes breaks something.
func (s *sim) faultStrikes() {
	m := s.mesos
	a := m.agents[s.rand.IntN(len(m.agents))]
	switch s.rand.IntN(7) {
	case 0:
		s.leaderDies()
	case 1:
		m.disconnect()
		s.logf("disconnected")
		s.step(Disconnected{})
		s.after(s.soon()*3, s.term, s.subscribe)
	case 2, 3:
		m.lose(a)
	case 4:
		m.find(a)
	case 5:
		m.failOver()
		s.logf("disconnected")
		s.step(Disconnected{})
		s.after(s.soon()*3, s.term, s.subscribe)
	case 6:
		for _, id := range m.offerIDs() {
			delete(m.offers, id)
			m.deliver("rescind "+id, Rescinded{OfferID: id})
		}
	}
}

// failOver puts another master in the place of this one: its agents come to it
// one by one, and until then it knows nothing of their tasks.
func (m *mesos) failOver() {
	m.disconnect()
	for _, a := range m.agents {
		if a.away || a.lost {
			continue
		}
		a.away = true
		m.sim.after(m.sim.soon()*50, 0, func() { m.comeBack(a) })
	}
}

func (m *mesos) comeBack(a *simAgent) {
	a.away = false
	for _, id := range m.taskIDs() {
		if t := m.tasks[id]; t.agent == a {
			m.flush(t)
		}
	}
}

func (m *mesos) offerIDs() []string {
	var ids []string
	for id := range m.offers {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}

// lose cuts an agent off: its offers are taken back, its tasks unreachable.
func (m *mesos) lose(a *simAgent) {
	if a.lost || a.away {
		return
	}
	a.lost = true
	for _, id := range m.offerIDs() {
		if m.offers[id].Agent == a.facts {
			delete(m.offers, id)
			m.deliver("rescind "+id, Rescinded{OfferID: id})
		}
	}
	for _, id := range m.taskIDs() {
		if t := m.tasks[id]; t.agent == a {
			m.answer(id, TaskUnreachable, "REASON_AGENT_REMOVED")
		}
	}
	m.deliver("agent-lost "+a.facts.ID, AgentLost{AgentID: a.facts.ID})
}

// find brings an agent back, with all that ran on.
func (m *mesos) find(a *simAgent) {
	if !a.lost {
		return
	}
	a.lost = false
	for _, id := range m.taskIDs() {
		if t := m.tasks[id]; t.agent == a {
			m.answer(id, t.reported, "REASON_AGENT_REREGISTERED")
			m.flush(t)
		}
	}
}

// healAll ends all faults.
func (m *mesos) healAll() {
	for _, a := range m.agents {
		m.find(a)
	}
	m.sim.after(5*time.Second, 0, func() { m.sim.subscribe() })
}

// checkStep holds after every step.
func (s *sim) checkStep(e *Effects) {
	for _, c := range e.Calls {
		switch c := c.(type) {
		case Accept:
			for _, t := range c.Tasks {
				s.checkSaved(t.ID, "launch")
			}
		case Acknowledge:
			s.checkAck(c)
		}
	}
	for _, a := range s.s.apps {
		s.checkApp(a)
	}
}

// checkSaved: no launch without a record of this very incarnation.
func (s *sim) checkSaved(taskID, what string) {
	_, id, n, _ := ParseTaskID(taskID)
	v, ok := s.records[instancePrefix+id.String()]
	if !ok || !strings.Contains(string(v), fmt.Sprintf(`"n":%d,`, n)) {
		panic(fmt.Sprintf("%s of %s without its record", what, taskID))
	}
}

// checkAck: what an acknowledgement confirms is durable.
func (s *sim) checkAck(c Acknowledge) {
	_, id, n, _ := ParseTaskID(c.TaskID)
	m := s.s.members[id]
	if m == nil || m.inst.Incarnation != n || m.inst.Condition < Running || m.inst.Condition == Killing {
		return
	}
	v := string(s.records[instancePrefix+id.String()])
	if !strings.Contains(v, fmt.Sprintf(`"c":%d,`, m.inst.Condition)) && !strings.Contains(v, fmt.Sprintf(`"c":%d}`, m.inst.Condition)) {
		panic(fmt.Sprintf("acknowledged %s before it was durable: %s, state %s", c.TaskID, v, m.inst.Condition))
	}
}

// checkApp: counts are right, the target is held, UNIQUE holds at every launch.
func (s *sim) checkApp(a *app) {
	var tally [2][Unknown + 1]int
	hosts := map[string]int{}
	for _, m := range a.members {
		if m.inst == nil {
			continue
		}
		tally[m.inst.Goal][m.inst.Condition]++
		if c := m.inst.Condition; c >= Provisioned && c <= Killing && m.inst.Version >= a.spec.LastConfigChangeAt {
			hosts[m.inst.Agent.Hostname]++
		}
	}
	if tally != a.tally {
		panic(fmt.Sprintf("%s: counts are wrong", a.spec.ID))
	}
	if !a.removed && a.upgrade == nil && a.held() != a.target {
		panic(fmt.Sprintf("%s: holds %d instead of %d", a.spec.ID, a.held(), a.target))
	}
	if len(a.spec.Constraints) == 0 {
		return
	}
	for _, m := range a.members {
		if i := m.inst; i != nil && i.Condition == Provisioned && i.StagedAt == s.now && hosts[i.Agent.Hostname] > 1 {
			panic(fmt.Sprintf("%s: UNIQUE broken on %s", a.spec.ID, i.Agent.Hostname))
		}
	}
}

// checkSingle: an instance never has two live tasks.
func (m *mesos) checkSingle(taskID string) {
	_, id, _, _ := ParseTaskID(taskID)
	for other, t := range m.tasks {
		_, o, _, _ := ParseTaskID(other)
		if o == id && other != taskID && !isTerminal(t.state) {
			panic("two tasks of one instance: " + other + " and " + taskID)
		}
	}
}

// checkRest: all is as the users were promised, and nothing is left over.
func (s *sim) checkRest() {
	running := map[spec.PathID]int{}
	for _, id := range s.mesos.taskIDs() {
		t := s.mesos.tasks[id]
		if isTerminal(t.state) {
			continue
		}
		_, uuid, n, _ := ParseTaskID(id)
		m := s.s.members[uuid]
		if m == nil || m.inst.Incarnation != n {
			panic("a task nobody knows is left: " + id)
		}
		running[m.inst.App]++
	}
	if len(s.s.deployments) > 0 && s.mesos.ample {
		panic("a deployment never ended:\n" + s.s.Text(s.namesOf()))
	}
	for id, n := range s.wanted {
		if running[id] > n || running[id] < n && s.mesos.ample {
			panic(fmt.Sprintf("%s: %d tasks run instead of %d\n%s", id, running[id], n, s.s.Text(s.namesOf())))
		}
		delete(running, id)
	}
	for id := range s.mesos.offers {
		if s.mesos.offeredAt[id] < s.now.Add(-10*time.Second) && s.s.offers.find(id) == nil {
			panic("an offer was neither used nor given back: " + id)
		}
	}
	if len(running) > 0 {
		panic(fmt.Sprintf("tasks of apps nobody wants: %v", running))
	}
}
