package scheduler

import (
	"cmp"
	"slices"

	"github.com/pacer-run/pacer/runtime/deployment"
	"github.com/pacer-run/pacer/runtime/spec"
)

// Outcome is how a deployment ended.
type Outcome uint8

const (
	Succeeded Outcome = iota
	Cancelled         // by another deployment, or by a user
	TimedOut
	RolledBack // by its strategy
)

// String returns the word of the API.
func (o Outcome) String() string {
	return [...]string{"succeeded", "cancelled", "timed out", "rolled back"}[o]
}

// EndedDeployment is a deployment that is over. It never changes.
type EndedDeployment struct {
	ID      string
	Version spec.Timestamp
	Apps    []spec.PathID
	Steps   []deployment.Step
	Current int // the step it was at; len(Steps) when it succeeded
	Terms   Terms
	Began   spec.Timestamp
	Ended   spec.Timestamp
	Outcome Outcome
	Reason  string // why it failed; "" when it succeeded
}

// maxEnded is how many deployments are kept after their end.
const maxEnded = 1000

// endedRecord is the durable form.
type endedRecord EndedDeployment

func endedRecordOf(e *EndedDeployment) endedRecord { return endedRecord(*e) }

// endedList holds deployments that are over, oldest first. The slice is shared
// with snapshots: what it shows is never changed.
type endedList struct {
	list []*EndedDeployment
	byID map[string]*EndedDeployment
}

func newEndedList() endedList { return endedList{byID: map[string]*EndedDeployment{}} }

func (l *endedList) find(id string) *EndedDeployment { return l.byID[id] }

// add appends one, in place where no snapshot can see it, and returns the id of
// one that is dropped for it, "" for none.
func (l *endedList) add(e *EndedDeployment) (dropped string) {
	l.list = append(l.list, e)
	l.byID[e.ID] = e
	if len(l.list) <= maxEnded {
		return ""
	}
	dropped = l.list[0].ID
	l.list = l.list[1:]
	delete(l.byID, dropped)
	return dropped
}

// sort orders what was read.
func (l *endedList) sort() {
	slices.SortFunc(l.list, func(x, y *EndedDeployment) int {
		return cmp.Or(cmp.Compare(x.Ended, y.Ended), cmp.Compare(x.Version, y.Version))
	})
}

// record keeps a deployment that is over.
func (s *Scheduler) record(r *running, outcome Outcome, reason string) {
	e := &EndedDeployment{
		ID: r.plan.ID, Version: r.plan.Version, Apps: r.plan.Apps(), Steps: r.plan.Steps, Current: r.current, Terms: r.terms,
		Began: r.began, Ended: s.now, Outcome: outcome, Reason: reason,
	}
	if dropped := s.ended.add(e); dropped != "" {
		s.dirty(endedKey(dropped))
	}
	s.dirty(endedKey(e.ID))
}
