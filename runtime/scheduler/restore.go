package scheduler

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/pacer-run/pacer/runtime/placement"
	"github.com/pacer-run/pacer/runtime/spec"
)

// Restore returns the core with the state that records hold. Their order does
// not matter. Deployments go on where they were; nothing is called before the
// first Subscribed. The error names the record that could not be read.
func Restore(cfg Config, now spec.Timestamp, records []Record) (*Scheduler, error) {
	s := New(cfg)
	s.now = now
	l := loader{s: s, agents: map[string]*placement.Agent{}, read: map[string]*placement.Agent{}}
	for _, pass := range []func(Record) error{l.definitions, l.rest} {
		for _, r := range records {
			if err := pass(r); err != nil {
				return nil, fmt.Errorf("record %s: %w", r.Key, err)
			}
		}
	}
	s.resume()
	return s, nil
}

// loader rebuilds the state in two passes: what is referred to, then the rest.
type loader struct {
	s      *Scheduler
	agents map[string]*placement.Agent // one value per agent, however many instances name it
	read   map[string]*placement.Agent // by the bytes of its record
}

func (l *loader) definitions(r Record) error {
	switch {
	case r.Key == frameworkKey:
		var f frameworkRecord
		if err := json.Unmarshal(r.Value, &f); err != nil {
			return err
		}
		if f.Format > recordFormat {
			return fmt.Errorf("format %d is newer than this version of Pacer, which reads up to %d", f.Format, recordFormat)
		}
		l.s.master.frameworkID = f.ID
	case strings.HasPrefix(r.Key, appPrefix+"/"):
		return l.app(r)
	}
	return nil
}

func (l *loader) app(r Record) error {
	var rec appRecord
	if err := json.Unmarshal(r.Value, &rec); err != nil {
		return err
	}
	def := spec.App(rec.App)
	a := &app{spec: &def, removed: rec.Removed, target: rec.Target}
	l.s.apps[def.ID] = a
	if !a.removed {
		l.s.ports.claim(a.spec)
	}
	l.s.lastVersion = max(l.s.lastVersion, def.Version)
	l.s.touch(a)
	return nil
}

func (l *loader) rest(r Record) error {
	switch {
	case strings.HasPrefix(r.Key, instancePrefix):
		return l.instance(r)
	case strings.HasPrefix(r.Key, deploymentPrefix):
		var rec deploymentRecord
		if err := json.Unmarshal(r.Value, &rec); err != nil {
			return err
		}
		// Busy until resume begins its step: not all of its apps are there yet.
		l.s.deployments = append(l.s.deployments, &running{plan: rec.Plan, current: rec.Current, busy: true})
	case strings.HasPrefix(r.Key, backoffPrefix+"/"):
		return l.backoff(r)
	case r.Key != frameworkKey && !strings.HasPrefix(r.Key, appPrefix+"/"):
		return fmt.Errorf("kind not known to this version of Pacer")
	}
	return nil
}

func (l *loader) backoff(r Record) error {
	var rec backoffRecord
	if err := json.Unmarshal(r.Value, &rec); err != nil {
		return err
	}
	if a := l.s.apps[spec.PathID(r.Key[len(backoffPrefix):])]; a != nil {
		a.backoff = backoff{delay: rec.Delay, since: rec.Until.Add(-rec.Delay), until: rec.Until}
		l.s.alarms.add(alarm{at: a.backoff.until, kind: alarmBackoff, app: a})
	}
	return nil
}

func (l *loader) instance(r Record) error {
	id, err := ParseUUID(r.Key[len(instancePrefix):])
	if err != nil {
		return err
	}
	rec, err := decodeInstance(r.Value)
	if err != nil {
		return err
	}
	agent, err := l.agent(rec.Agent)
	if err != nil {
		return fmt.Errorf("agent: %w", err)
	}
	a := l.s.apps[rec.App]
	if a == nil {
		return fmt.Errorf("its app %s has no record", rec.App)
	}
	if rec.Condition > Unknown || rec.Goal > GoalDecommissioned {
		return fmt.Errorf("condition %d or goal %d is not known to this version of Pacer", rec.Condition, rec.Goal)
	}
	m := &member{app: a, saved: true}
	l.s.members[id] = m
	a.members = append(a.members, m)
	l.s.put(m, &Instance{
		ID: id, App: a.spec.ID, Version: rec.Version, Incarnation: rec.Incarnation, Condition: rec.Condition,
		Goal: rec.Goal, Agent: agent, Ports: rec.Ports, Role: l.role(a, rec.Role), IPs: rec.IPs,
		Healthy: rec.Healthy, StagedAt: rec.StagedAt, StartedAt: rec.StartedAt, Since: rec.Since,
		UnreachableSince: rec.Unreachable,
	})
	return nil
}

// role returns the text, shared with the app's where it can be.
func (l *loader) role(a *app, role string) string {
	if role == a.spec.Role {
		return a.spec.Role
	}
	return role
}

// agent returns the one value for an agent. Records of an agent are mostly the
// same bytes, so that it is read once.
func (l *loader) agent(raw *json.RawMessage) (*placement.Agent, error) {
	if raw == nil {
		return nil, nil
	}
	if a := l.read[string(*raw)]; a != nil {
		return a, nil
	}
	a, err := decodeAgent(*raw)
	if err != nil {
		return nil, err
	}
	if same := l.agents[a.ID]; same != nil {
		a = same
	}
	l.agents[a.ID], l.read[string(*raw)] = a, a
	return a, nil
}

// resume sets the alarms that the state asks for, creates what was never
// launched anew, and lets the deployments go on.
func (s *Scheduler) resume() {
	slices.SortFunc(s.deployments, func(x, y *running) int {
		if c := int64(x.plan.Version) - int64(y.plan.Version); c != 0 {
			return int(min(max(c, -1), 1))
		}
		return strings.Compare(x.plan.ID, y.plan.ID)
	})
	for _, r := range s.deployments {
		for _, id := range r.plan.Apps() {
			if a := s.apps[id]; a != nil {
				a.lock = r
			}
		}
	}
	for _, a := range s.appsInOrder() {
		s.resumeApp(a)
	}
	for _, r := range slices.Clone(s.deployments) {
		s.beginStep(r)
		s.progress(r)
	}
}

func (s *Scheduler) resumeApp(a *app) {
	slices.SortFunc(a.members, func(x, y *member) int { return compareAge(x.inst, y.inst) })
	for _, m := range slices.Clone(a.members) {
		i := m.inst
		if i.Agent != nil {
			s.offers.know(i.Agent)
		}
		switch {
		case i.Goal == GoalDecommissioned && !i.mayExist():
			s.expunge(m)
		case i.Condition == Unreachable || i.Condition == UnreachableInactive:
			s.judgeUnreachable(m)
		case i.Condition == Provisioned || i.Condition == Staging || i.Condition == Starting:
			s.alarms.add(alarm{
				at: i.StagedAt.Add(s.cfg.ConfirmTimeout), kind: alarmOverdue, member: m, incarnation: i.Incarnation,
			})
		}
	}
	if a.removed && a.lock == nil {
		s.doomAll(a)
	}
	s.settle(a)
	s.want(a)
}

// compareAge orders by launch time, so that the order of creation survives.
func compareAge(x, y *Instance) int {
	if x.StagedAt != y.StagedAt {
		return int(min(max(int64(x.StagedAt)-int64(y.StagedAt), -1), 1))
	}
	return strings.Compare(string(x.ID[:]), string(y.ID[:]))
}
