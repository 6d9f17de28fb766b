package scheduler

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pacer-run/pacer/runtime/deployment"
	"github.com/pacer-run/pacer/runtime/spec"
)

func lowerState(s TaskState) string {
	return strings.ReplaceAll(strings.ToLower(strings.TrimPrefix(s.String(), "TASK_")), "_", "-")
}

// userActs has a user do one thing.
func (s *sim) userActs() {
	if s.down {
		return
	}
	ids := []string{"/a", "/b", "/c/d", "/c/e", "/f"}
	id := spec.PathID(ids[s.rand.IntN(len(ids))])
	args := map[string]string{"app": string(id), "id": string(id)}
	force := ""
	if s.rand.IntN(2) == 0 {
		force, args["force"] = " force", "true"
	}
	n := s.rand.IntN(4)
	args["instances"], args["to"] = fmt.Sprint(n), fmt.Sprint(n)
	if s.s.tree.App(id) == nil {
		s.create(args, n, force)
		return
	}
	switch s.rand.IntN(9) {
	case 0:
		s.logf("delete app=%s%s", id, force)
		c := s.change(args)
		c.Remove = []spec.PathID{id}
		s.step(c)
	case 1, 2, 3:
		args["cmd"] = fmt.Sprintf("v%d", s.rand.IntN(1000))
		s.deadline(args, &force)
		s.logf("change app=%s cmd=%s to=%d%s", id, args["cmd"], n, force)
		s.step(s.changeApp(args))
	case 4:
		s.logf("restart-app app=%s%s", id, force)
		c := s.change(args)
		c.Restart = []spec.PathID{id}
		s.step(c)
	case 5:
		s.userKills(id, args, force)
	case 6:
		s.userCancels(force)
	default:
		s.logf("scale app=%s to=%d%s", id, n, force)
		s.step(s.changeApp(args))
	}
}

// deadline gives some deployments one.
func (s *sim) deadline(args map[string]string, text *string) {
	if s.rand.IntN(4) == 0 {
		args["timeout"] = "20s"
		*text += " timeout=20s"
		if s.rand.IntN(2) == 0 {
			args["rollback"] = "true"
			*text += " rollback"
		}
	}
}

// userKills ends one instance of an app in one of three ways.
func (s *sim) userKills(id spec.PathID, args map[string]string, force string) {
	for _, m := range s.s.apps[id].members {
		if m.inst == nil {
			continue
		}
		name := s.namesOf().Instance(id, m.inst.ID)
		switch s.rand.IntN(3) {
		case 0:
			s.logf("kill %s", name)
			s.step(KillInstances{Instances: []UUID{m.inst.ID}})
		case 1:
			s.logf("kill %s wipe", name)
			s.step(KillInstances{Instances: []UUID{m.inst.ID}, Wipe: true})
		case 2:
			s.logf("kill-scale %s%s", name, force)
			c := s.change(args)
			c.Kill = []UUID{m.inst.ID}
			s.step(c)
		}
		return
	}
}

func (s *sim) userCancels(force string) {
	if len(s.s.deployments) == 0 {
		return
	}
	r := s.s.deployments[s.rand.IntN(len(s.s.deployments))]
	s.logf("cancel %s%s", r.plan.ID, force)
	s.plans++
	s.step(CancelDeployment{ID: r.plan.ID, DeploymentID: fmt.Sprintf("d%d", s.plans), Force: force != ""})
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
	resident := s.rand.IntN(3) == 0
	if resident {
		args["resident"], args["unreachable"] = "data", "disabled"
		if n%2 == 1 {
			args["resident"] = "data,log"
		}
		text += " resident=(" + args["resident"] + ")"
	}
	args["min"], args["over"] = fmt.Sprint(float64(s.rand.IntN(5))/4), fmt.Sprint(float64(s.rand.IntN(5))/4)
	if resident {
		args["over"] = "0"
	}
	text += " min=" + args["min"] + " over=" + args["over"]
	if s.chance(0.3) {
		args["role"] = "dev"
		text += " role=dev"
	}
	if args["id"] == "/c/e" {
		args["needs"] = "/c/d,/a"
		text += " needs=/c/d,/a"
	}
	if s.rand.IntN(3) == 0 {
		args["labels"] = "PACER_UPGRADE_CANARY_BAKE:20s"
		text += " labels=" + args["labels"]
	}
	text += s.checksOf(args)
	ev := s.putApp(args).(ChangeTree)
	switch s.rand.IntN(6) {
	case 0, 1:
		if n <= 3 {
			text += " unique"
			ev.Put[0].App.Constraints = []spec.Constraint{{Field: "hostname", Operator: "UNIQUE"}}
		}
	case 2:
		text += " max-per=(rack,2)" // of which there are two
		ev.Put[0].App.Constraints = []spec.Constraint{{Field: "rack", Operator: "MAX_PER", Value: "2", HasValue: true}}
	}
	s.logf("%s", text)
	s.step(ev)
}

// healthyNow are the healthy instances of apps that are being upgraded.
func (s *sim) healthyNow() map[UUID]bool {
	healthy := map[UUID]bool{}
	for _, a := range s.s.apps {
		if a.upgrade == nil {
			continue
		}
		for _, m := range a.members {
			if m.inst != nil && m.inst.Goal == GoalRunning && s.s.healthy(m) {
				healthy[m.inst.ID] = true
			}
		}
	}
	return healthy
}

// checkUpgrades: an upgrade kills nothing that its capacity needs, and starts
// nothing that it has no room for.
func (s *sim) checkUpgrades(before map[UUID]bool) {
	for _, a := range s.s.apps {
		if a.upgrade == nil {
			continue
		}
		healthy, killed, total, begun := 0, 0, 0, false
		for _, m := range a.members {
			if m.inst == nil {
				continue
			}
			if m.inst.Condition != UnreachableInactive && !m.inst.dormant() {
				total++
			}
			begun = begun || m.inst.Incarnation == 0 && m.inst.Since == s.now
			switch {
			case m.inst.Goal == GoalRunning && s.s.healthy(m):
				healthy++
			case m.inst.Goal == GoalDecommissioned && m.inst.Condition == Running && before[m.inst.ID]:
				killed++
			}
		}
		e := deployment.EnvelopeOf(a.spec)
		if killed > 0 && healthy < e.MinHealthy && a.upgrade.began != s.now {
			panic(fmt.Sprintf("%s: %d healthy left after a kill, %d must be", a.spec.ID, healthy, e.MinHealthy))
		}
		if begun && total > e.MaxTotal && a.upgrade.began != s.now {
			panic(fmt.Sprintf("%s: %d instances after a start, %d may be\n%s", a.spec.ID, total, e.MaxTotal, s.s.Text(s.namesOf())))
		}
	}
}

// faultStrikes breaks something.
func (s *sim) faultStrikes() {
	m := s.mesos
	a := m.agents[s.rand.IntN(len(m.agents))]
	switch s.rand.IntN(8) {
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
	case 7:
		m.giveUp(a)
	case 6:
		for _, id := range m.offerIDs() {
			if s.chance(0.3) {
				continue // perhaps another one of the same agent
			}
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
	a.lost, a.lostAt = true, m.sim.now
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
	// A stream keeps its order: no offer of an agent that is back comes before the word
	// that it was lost.
	if told := a.lostAt.Add(latest); m.sim.now < told {
		m.sim.after(told.Time().Sub(m.sim.now.Time()), 0, func() { m.find(a) })
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

// checkApp: counts are right, the target is held, constraints hold at every launch.
func (s *sim) checkApp(a *app) {
	var tally [3][Unknown + 1]int
	hosts, racks := map[string]int{}, map[string]int{}
	for _, m := range a.members {
		if m.inst == nil {
			continue
		}
		tally[m.inst.Goal][m.inst.Condition]++
		if c := m.inst.Condition; c >= Provisioned && c <= Killing && m.inst.Version >= a.spec.LastConfigChangeAt {
			hosts[m.inst.Agent.Hostname]++
			racks[m.inst.Agent.Attributes[0].Value]++
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
		i := m.inst
		if i == nil || i.Condition != Provisioned || i.StagedAt != s.now {
			continue
		}
		switch a.spec.Constraints[0].Operator {
		case "UNIQUE":
			if hosts[i.Agent.Hostname] > 1 {
				panic(fmt.Sprintf("%s: UNIQUE broken on %s", a.spec.ID, i.Agent.Hostname))
			}
		case "MAX_PER":
			if rack := i.Agent.Attributes[0].Value; racks[rack] > 2 {
				panic(fmt.Sprintf("%s: MAX_PER broken on %s", a.spec.ID, rack))
			}
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
		a := s.s.apps[id]
		upgrading := a != nil && a.upgrade != nil // its new ones may be beside the old, and wait for places
		if running[id] > n && !upgrading || running[id] < n && s.mesos.ample {
			panic(fmt.Sprintf("%s: %d tasks run instead of %d\n%s", id, running[id], n, s.s.Text(s.namesOf())))
		}
		delete(running, id)
	}
	for id := range s.mesos.offers {
		if s.mesos.offeredAt[id] < s.now.Add(-10*time.Second) && s.s.offers.find(id) == nil {
			panic("an offer was neither used nor given back: " + id)
		}
	}
	s.checkHoldings()
	if len(running) > 0 {
		panic(fmt.Sprintf("tasks of apps nobody wants: %v", running))
	}
}
