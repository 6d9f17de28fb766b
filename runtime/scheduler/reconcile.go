package scheduler

import "github.com/pacer-run/pacer/runtime/spec"

// rounds asks the master about every task until each was heard of: after a
// failover silence means nothing, so one question is not enough.
type rounds struct {
	unheard map[UUID]bool // nil values are never stored
	attempt int
	dueAt   spec.Timestamp
	fresh   bool // the next round asks about all tasks
}

// reconcileBatch bounds the tasks of one RECONCILE call: the master answers each
// with an update of its own.
const reconcileBatch = 1000

func newRounds() rounds { return rounds{unheard: map[UUID]bool{}} }

// begin starts anew with all tasks.
func (r *rounds) begin() {
	r.attempt, r.fresh, r.dueAt = 0, true, 0
}

// heard takes an instance off the list.
func (r *rounds) heard(id UUID) { delete(r.unheard, id) }

// reconcileRound asks about all tasks, or those that were not heard of yet.
func (s *Scheduler) reconcileRound() {
	r := &s.rounds
	if !s.master.subscribed || s.now < r.dueAt {
		return
	}
	if r.fresh || len(r.unheard) == 0 {
		r.fresh, r.attempt = false, 0
		s.expectAll()
	}
	s.askUnheard()
	if r.attempt == 0 {
		s.call(Reconcile{})
	}
	pause := s.cfg.ReconcileEvery
	if len(r.unheard) > 0 {
		pause = min(s.cfg.ReconcileRound<<min(r.attempt, 3), pause)
	}
	r.attempt++
	r.dueAt = s.now.Add(pause)
	s.alarms.add(alarm{at: r.dueAt, kind: alarmReconcile})
}

// expectAll puts every task that may exist on the list.
func (s *Scheduler) expectAll() {
	clear(s.rounds.unheard)
	for id, m := range s.members {
		if m.inst.mayExist() {
			s.rounds.unheard[id] = true
		}
	}
}

// mayExist tells whether an agent may hold the task.
func (i *Instance) mayExist() bool {
	return i.launched() && !i.Condition.Terminal()
}

// askUnheard sends the list, in the order of apps and creation.
func (s *Scheduler) askUnheard() {
	if len(s.rounds.unheard) == 0 {
		return
	}
	var batch []TaskRef
	for _, a := range s.appsInOrder() {
		for _, m := range a.members {
			if m.inst == nil || !s.rounds.unheard[m.inst.ID] {
				continue
			}
			batch = append(batch, TaskRef{TaskID: m.inst.TaskID(), AgentID: m.inst.Agent.ID})
			if len(batch) == reconcileBatch {
				s.call(Reconcile{Tasks: batch})
				batch = nil
			}
		}
	}
	if len(batch) > 0 {
		s.call(Reconcile{Tasks: batch})
	}
}

// doubt asks about a task whose launch may not have arrived.
func (s *Scheduler) doubt(taskID string) {
	_, id, incarnation, err := ParseTaskID(taskID)
	m := s.members[id]
	if err != nil || m == nil || m.inst.Incarnation != incarnation || !m.inst.mayExist() {
		return
	}
	s.rounds.unheard[id] = true
	s.rounds.attempt = max(s.rounds.attempt, 1)
	soon := s.now.Add(s.cfg.ReconcileRound / 15)
	if s.rounds.dueAt > soon {
		s.rounds.dueAt = soon
		s.alarms.add(alarm{at: soon, kind: alarmReconcile})
	}
}
