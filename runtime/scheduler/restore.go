package scheduler

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/pacer-run/pacer/runtime/deployment"
	"github.com/pacer-run/pacer/runtime/placement"
	"github.com/pacer-run/pacer/runtime/spec"
)

// Restore returns the core with the state that records hold. Their order does
// not matter. Deployments go on where they were; nothing is called before the
// first Subscribed. The error names the record that could not be read.
func Restore(cfg Config, now spec.Timestamp, records []Record) (*Scheduler, error) {
	s := New(cfg)
	s.now = now
	l := loader{
		s: s, agents: map[string]*placement.Agent{}, read: map[string]*placement.Agent{},
		tree: spec.TreeChange{Apps: map[spec.PathID]*spec.App{}, Groups: map[spec.PathID]*spec.Group{}},
	}
	for _, pass := range []struct {
		read func(Record) error
		join func()
	}{{l.versions, s.definitions.order}, {l.definitions, l.plant}, {l.rest, s.resume}} {
		for _, r := range records {
			if err := pass.read(r); err != nil {
				return nil, fmt.Errorf("record %s: %w", r.Key, err)
			}
		}
		pass.join()
	}
	return s, nil
}

// loader rebuilds the state in passes: what is referred to comes before what
// refers to it.
type loader struct {
	s      *Scheduler
	agents map[string]*placement.Agent // one value per agent, however many instances name it
	read   map[string]*placement.Agent // by the bytes of its record
	tree   spec.TreeChange
}

// versions reads the versions of apps.
func (l *loader) versions(r Record) error {
	switch {
	case r.Key == frameworkKey:
		var f frameworkRecord
		if err := json.Unmarshal(r.Value, &f); err != nil {
			return err
		}
		if f.Format > recordFormat {
			return fmt.Errorf("format %d is newer than this version of Pacer, which reads %d", f.Format, recordFormat)
		}
		if f.Format < recordFormat {
			return fmt.Errorf("format %d is older than this version of Pacer, which reads %d", f.Format, recordFormat)
		}
		l.s.master.frameworkID = f.ID
	case strings.HasPrefix(r.Key, versionPrefix+"/"):
		var v versionRecord
		if err := json.Unmarshal(r.Value, &v); err != nil {
			return err
		}
		a := spec.App(v)
		l.s.definitions.byApp[a.ID] = append(l.s.definitions.byApp[a.ID], &definition{app: &a})
	}
	return nil
}

// plant makes the tree of the definitions that are in force.
func (l *loader) plant() {
	s := l.s
	slices.SortFunc(s.revisions, func(x, y *revision) int { return cmp.Compare(x.tree.Version, y.tree.Version) })
	if n := len(s.revisions); n > 0 {
		l.tree.Version = s.revisions[n-1].tree.Version
	}
	s.tree = s.tree.With(l.tree)
}

// definitions reads what is in force, and what was.
func (l *loader) definitions(r Record) error {
	switch {
	case strings.HasPrefix(r.Key, appPrefix+"/"):
		return l.app(r)
	case strings.HasPrefix(r.Key, groupPrefix+"/"):
		var rec groupRecord
		if err := json.Unmarshal(r.Value, &rec); err != nil {
			return err
		}
		id := spec.PathID(r.Key[len(groupPrefix):])
		l.tree.Groups[id] = &spec.Group{ID: id, Dependencies: rec.Dependencies, EnforceRole: rec.EnforceRole}
	case strings.HasPrefix(r.Key, revisionPrefix):
		return l.revision(r)
	}
	return nil
}

func (l *loader) app(r Record) error {
	var rec appRecord
	if err := json.Unmarshal(r.Value, &rec); err != nil {
		return err
	}
	id := spec.PathID(r.Key[len(appPrefix):])
	def := l.s.definitions.find(id, rec.Version)
	if def == nil {
		return fmt.Errorf("version %s of it has no record", rec.Version)
	}
	def.pins++
	a := &app{spec: def.app, uncovered: l.s.uncovered(def.app), removed: rec.Removed, target: rec.Target}
	l.s.apps[id] = a
	if !a.removed {
		l.s.ports.claim(a.spec)
		l.tree.Apps[id] = a.spec
	}
	l.s.touch(a)
	return nil
}

func (l *loader) revision(r Record) error {
	var rec revisionRecord
	if err := json.Unmarshal(r.Value, &rec); err != nil {
		return err
	}
	version, err := strconv.ParseInt(r.Key[len(revisionPrefix):], 10, 64)
	if err != nil {
		return err
	}
	changes, err := l.changes(rec.Apps)
	if err != nil {
		return err
	}
	l.s.revisions = append(l.s.revisions, &revision{
		tree: spec.Tree{Version: spec.Timestamp(version)}, changes: changes, groups: groupChanges(rec.Groups),
	})
	return nil
}

// changes finds the definitions that a record refers to, and pins them.
func (l *loader) changes(records []changeRecord) ([]deployment.Change, error) {
	out := make([]deployment.Change, len(records))
	for i, rec := range records {
		for _, side := range []struct {
			version spec.Timestamp
			app     **spec.App
		}{{rec.Before, &out[i].Before}, {rec.After, &out[i].After}} {
			if side.version == 0 {
				continue
			}
			def := l.s.definitions.find(rec.App, side.version)
			if def == nil {
				return nil, fmt.Errorf("version %s of %s has no record", side.version, rec.App)
			}
			def.pins++
			*side.app = def.app
		}
	}
	return out, nil
}

func groupChanges(records []groupChangeRecord) []deployment.GroupChange {
	out := make([]deployment.GroupChange, len(records))
	for i, rec := range records {
		out[i] = deployment.GroupChange(rec)
	}
	return out
}

func (l *loader) rest(r Record) error {
	switch {
	case strings.HasPrefix(r.Key, instancePrefix):
		return l.instance(r)
	case strings.HasPrefix(r.Key, deploymentPrefix):
		return l.deployment(r)
	case strings.HasPrefix(r.Key, endedPrefix):
		var rec endedRecord
		if err := json.Unmarshal(r.Value, &rec); err != nil {
			return err
		}
		l.s.ended.add((*EndedDeployment)(&rec))
	case strings.HasPrefix(r.Key, backoffPrefix+"/"):
		return l.backoff(r)
	case strings.HasPrefix(r.Key, releasePrefix):
		return l.release(r)
	case strings.HasPrefix(r.Key, failurePrefix+"/"):
		return l.failure(r)
	case r.Key != frameworkKey && !strings.HasPrefix(r.Key, appPrefix+"/") && !strings.HasPrefix(r.Key, versionPrefix+"/") &&
		!strings.HasPrefix(r.Key, groupPrefix+"/") && !strings.HasPrefix(r.Key, revisionPrefix):
		return fmt.Errorf("kind not known to this version of Pacer")
	}
	return nil
}

func (l *loader) deployment(r Record) error {
	var rec deploymentRecord
	if err := json.Unmarshal(r.Value, &rec); err != nil {
		return err
	}
	changes, err := l.changes(rec.Apps)
	if err != nil {
		return err
	}
	// Busy until resume begins its step: not all of its apps are there yet.
	d := &running{
		plan: &deployment.Plan{
			ID: r.Key[len(deploymentPrefix):], Version: rec.Version, Steps: rec.Steps, Changes: changes, Groups: groupChanges(rec.Groups),
		},
		terms: rec.Terms, undoes: rec.Undoes, began: rec.Began, current: rec.Current, kill: map[spec.PathID][]UUID{}, busy: true,
	}
	for app, ids := range rec.Kill {
		for _, text := range ids {
			id, err := ParseUUID(text)
			if err != nil {
				return err
			}
			d.kill[app] = append(d.kill[app], id)
		}
	}
	for app, u := range rec.Upgrades {
		if a := l.s.apps[app]; a != nil {
			a.upgrade = &upgrade{began: u.Began, memory: u.Memory, paused: u.Paused, watched: u.Watched, promotions: u.Promotions}
		}
	}
	l.s.deployments = append(l.s.deployments, d)
	return nil
}

func (l *loader) failure(r Record) error {
	var rec failureRecord
	if err := json.Unmarshal(r.Value, &rec); err != nil {
		return err
	}
	if a := l.s.apps[spec.PathID(r.Key[len(failurePrefix):])]; a != nil {
		a.lastFailure = (*TaskFailure)(&rec)
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
	found, err := decodeFindings(rec.Found)
	if err != nil {
		return fmt.Errorf("findings: %w", err)
	}
	if rec.Condition > Unknown || rec.Goal > GoalStopped {
		return fmt.Errorf("condition %d or goal %d is not known to this version of Pacer", rec.Condition, rec.Goal)
	}
	held, err := decodeReservation(rec.Reservation)
	if err == nil && held != nil && agent == nil {
		err = errors.New("reservation: expected an agent, found none")
	}
	if err != nil {
		return err
	}
	m := &member{app: a, saved: true}
	l.s.members[id] = m
	a.members = append(a.members, m)
	l.s.put(m, &Instance{
		ID: id, App: a.spec.ID, Version: rec.Version, Incarnation: rec.Incarnation, Condition: rec.Condition,
		Goal: rec.Goal, Agent: agent, Ports: rec.Ports, Role: l.role(a, rec.Role), IPs: rec.IPs,
		Healthy: rec.Healthy, StagedAt: rec.StagedAt, StartedAt: rec.StartedAt, Since: rec.Since,
		UnreachableSince: rec.Unreachable, Found: found, Reservation: held,
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
	s.forgetProbes()
	s.rebuildRevisions()
	s.ended.sort()
	restored := s.deployments
	s.deployments = nil
	slices.SortFunc(restored, func(x, y *running) int {
		return cmp.Or(cmp.Compare(x.plan.Version, y.plan.Version), strings.Compare(x.plan.ID, y.plan.ID))
	})
	for _, r := range restored {
		s.enlist(r)
	}
	for _, a := range s.appsInOrder() {
		s.resumeApp(a)
	}
	s.sightings.know(s.offers.agents())
	for _, r := range restored {
		s.goOn(r)
	}
}

func (s *Scheduler) resumeApp(a *app) {
	s.addRole(a.spec.Role)
	slices.SortFunc(a.members, func(x, y *member) int { return compareAge(x.inst, y.inst) })
	for _, m := range slices.Clone(a.members) {
		i := m.inst
		if i.Agent != nil {
			s.offers.know(i.Agent)
		}
		if i.Reservation != nil && i.Reservation.Deadline != 0 {
			s.alarms.add(alarm{at: i.Reservation.Deadline, kind: alarmReservation, member: m})
		}
		s.probe(m, false)
		s.judgeAgain(m)
		s.addRole(i.Role)
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
