package scheduler

import (
	"fmt"
	"slices"
	"time"

	"github.com/pacer-run/pacer/plugins/health"
	"github.com/pacer-run/pacer/runtime/spec"
	"github.com/pacer-run/pacer/sdk"
)

// simHealth is what the simulation knows of the checks that are the leader's.
type simHealth struct {
	probing map[string]Probing
	row     map[string]int // failures in a row that the core heard of, by task
	sick    map[string]spec.Timestamp
	well    map[UUID]bool // has been found alive
	ready   map[UUID]bool
	wild    bool // a rule has said anything
}

func newSimHealth() simHealth {
	return simHealth{
		probing: map[string]Probing{}, row: map[string]int{}, sick: map[string]spec.Timestamp{}, well: map[UUID]bool{}, ready: map[UUID]bool{},
	}
}

// checksOf are checks for some of the apps that users create.
func (s *sim) checksOf(args map[string]string) (text string) {
	switch s.rand.IntN(6) {
	case 0:
		args["checks"] = "http"
	case 1:
		args["checks"] = "tcp,http"
	case 2:
		args["checks"] = "http,command"
	}
	if args["checks"] != "" {
		args["max"], args["grace"] = fmt.Sprint(s.rand.IntN(4)), "30s"
		text = fmt.Sprintf(" checks=(%s) max=%s grace=30s", args["checks"], args["max"])
	}
	if s.rand.IntN(4) == 0 {
		args["readiness"] = "true"
		text += " readiness"
	}
	return text
}

// takeProbes has tasks probed, or no more.
func (s *sim) takeProbes(list []Probing) {
	for _, p := range list {
		id := p.Instance.TaskID()
		_, before := s.health.probing[id]
		if !p.Health && !p.Readiness {
			delete(s.health.probing, id)
			continue
		}
		s.health.probing[id] = p
		if !before {
			s.after(s.soon()*5, s.term, func() { s.probeOnce(id) })
		}
	}
}

// leaderHealth has another leader's prober begin anew. What the one before heard last
// may not have been saved: failures are counted from what was.
func (s *sim) leaderHealth() {
	clear(s.health.probing)
	clear(s.health.row)
	for _, m := range s.s.members {
		if m.inst.Found == nil {
			continue
		}
		for i := range m.inst.Found.Health {
			s.health.row[fmt.Sprintf("%s %d", m.inst.TaskID(), i)] = int(m.inst.Found.Health[i].ConsecutiveFailures)
		}
	}
	s.takeProbes(s.probes)
}

// probeOnce makes one probe of each check of a task, and the next ones later.
func (s *sim) probeOnce(id string) {
	p, ok := s.health.probing[id]
	if !ok {
		return
	}
	if s.chance(0.02) {
		s.health.sick[id] = s.now.Add(time.Duration(s.rand.IntN(90)) * time.Second)
	}
	if p.Health {
		for i := range p.Version.HealthChecks {
			if !p.Version.HealthChecks[i].Protocol.ByMesos() {
				s.found(id, i, s.now >= s.health.sick[id] && !s.chance(0.1))
			}
		}
	}
	if p.Readiness {
		s.foundReady(id, !s.chance(0.5))
	}
	pause := 8 * time.Second
	if !s.faults {
		pause = 40 * time.Second
	}
	s.after(pause+s.soon(), s.term, func() { s.probeOnce(id) })
}

// found brings a result: late, twice, or never.
func (s *sim) found(id string, check int, alive bool) {
	deliver := func() {
		_, uuid, _, _ := ParseTaskID(id)
		mark := "-"
		if alive {
			mark = "+"
			s.health.well[uuid] = true
			s.markRan(uuid)
		}
		key := fmt.Sprintf("%s %d", id, check)
		s.health.row[key]++
		if alive {
			s.health.row[key] = 0
		}
		s.logf("probed %s%s check=%d", mark, s.namesOf().task(s.s, id), check)
		s.step(HealthObserved{Results: []HealthObservation{{
			TaskID: id, Check: check, HealthResult: sdk.HealthResult{AtMillis: int64(s.now), Alive: alive, Cause: "sick"},
		}}})
	}
	if !s.chance(0.03) {
		s.after(s.soon(), s.term, deliver)
	}
	if s.chance(0.03) {
		s.after(s.soon()*20, s.term, deliver)
	}
}

func (s *sim) foundReady(id string, ready bool) {
	s.after(s.soon(), s.term, func() {
		_, uuid, _, _ := ParseTaskID(id)
		text := " no"
		if ready {
			text = ""
			s.health.ready[uuid] = true
			s.markRan(uuid)
		}
		s.logf("readied %s%s", s.namesOf().task(s.s, id), text)
		s.step(ReadinessObserved{Results: []ReadinessObservation{{TaskID: id, Ready: ready}}})
	})
}

// markRan notes an instance that has been all that its version's checks want.
func (s *sim) markRan(id UUID) {
	m := s.s.members[id]
	if m == nil {
		return
	}
	version := s.s.versionOf(m, m.inst)
	if (len(version.HealthChecks) == 0 || s.health.well[id]) && (len(version.ReadinessChecks) == 0 || s.health.ready[id]) {
		s.mesos.ran[id] = true
	}
}

// answerHealth has a rule answer, late; it may fail, or say anything.
func (s *sim) answerHealth(ask HealthAsk) {
	s.after(s.soon(), s.term, func() {
		e := HealthJudged{Number: ask.Number, App: ask.App.ID}
		var err error
		if e.Verdicts, err = verdictsOf(health.Consecutive{}, &ask); err != nil {
			panic(err)
		}
		switch {
		case s.chance(0.05):
			e.Verdicts, e.Fault = nil, "out of fuel"
		case !slices.ContainsFunc(HealthChecksOf(ask.App), func(c sdk.HealthCheck) bool { return c.ByMesos }) && s.chance(0.02):
			// Of a check that it makes, Mesos would not tell again that all is well.
			s.health.wild = true
			for i := range e.Verdicts {
				e.Verdicts[i] = sdk.HealthVerdict{State: sdk.Unhealthy, Replace: true, Reason: "wild"}
			}
		}
		s.logf("judged %s # %v %s", ask.App.ID, e.Verdicts, e.Fault)
		s.step(e)
	})
}

// checkHealthKills: nothing is killed for its health beyond the envelope, nor before
// it has failed as often as its user bears.
func (s *sim) checkHealthKills(e *Effects) {
	for _, n := range e.Notices {
		k, ok := n.(UnhealthyKilled)
		if !ok {
			continue
		}
		i := k.Instance
		version := s.s.apps[i.App].spec
		if def := s.s.definitions.find(i.App, i.Version); def != nil {
			version = def.app
		}
		if i.Goal != GoalRunning || i.Condition != Running {
			panic(fmt.Sprintf("%s was killed for its health in the condition %s, goal %s", i.TaskID(), i.Condition, i.Goal))
		}
		if !slices.ContainsFunc(e.Calls, func(c Call) bool { kill, ok := c.(Kill); return ok && kill.TaskID == i.TaskID() }) {
			panic(i.TaskID() + " was said to be killed, and was not")
		}
		due := false
		for c := range version.HealthChecks {
			check := &version.HealthChecks[c]
			row := s.health.row[fmt.Sprintf("%s %d", i.TaskID(), c)]
			due = due || !check.Protocol.ByMesos() && check.MaxConsecutiveFailures > 0 && (s.health.wild || row >= check.MaxConsecutiveFailures)
		}
		if !due {
			panic(fmt.Sprintf("%s was killed for its health before it was due", i.TaskID()))
		}
	}
}

// checkHealthRest: when all is well, everything that is checked is known to be.
func (s *sim) checkHealthRest() {
	for _, a := range s.s.apps {
		for _, m := range a.members {
			if m.inst == nil || m.inst.Condition != Running || len(s.s.versionOf(m, m.inst).HealthChecks) == 0 {
				continue
			}
			if m.inst.Healthy == nil || !*m.inst.Healthy {
				panic(fmt.Sprintf("%s is well, and taken for %s: %+v", m.inst.TaskID(), healthText(m.inst.Healthy), m.inst.Found))
			}
		}
		if slices.ContainsFunc(a.judging, func(j *judging) bool { return j.asked == 0 }) {
			panic(fmt.Sprintf("%s: questions to its health rule are left", a.spec.ID))
		}
	}
}
