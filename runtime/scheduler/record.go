package scheduler

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/pacer-run/pacer/runtime/deployment"
	"github.com/pacer-run/pacer/runtime/placement"
	"github.com/pacer-run/pacer/runtime/spec"
)

// Keys of records. What follows the prefix identifies the entity.
const (
	frameworkKey     = "framework"
	appPrefix        = "app"
	versionPrefix    = "version"
	groupPrefix      = "group"
	revisionPrefix   = "revision/"
	instancePrefix   = "instance/"
	deploymentPrefix = "deployment/"
	endedPrefix      = "ended/"
	backoffPrefix    = "backoff"
	failurePrefix    = "failure"
	releasePrefix    = "release/"
)

func appKey(id spec.PathID) string     { return appPrefix + string(id) }
func groupKey(id spec.PathID) string   { return groupPrefix + string(id) }
func backoffKey(id spec.PathID) string { return backoffPrefix + string(id) }
func failureKey(id spec.PathID) string { return failurePrefix + string(id) }
func instanceKey(id UUID) string       { return instancePrefix + string(id[:]) }
func deploymentKey(id string) string   { return deploymentPrefix + id }
func endedKey(id string) string        { return endedPrefix + id }

// versionKey joins the path and the version, in milliseconds, with a character
// that no path has.
func versionKey(id spec.PathID, version spec.Timestamp) string {
	return versionPrefix + string(id) + "@" + strconv.FormatInt(int64(version), 10)
}

func revisionKey(version spec.Timestamp) string {
	return revisionPrefix + strconv.FormatInt(int64(version), 10)
}

// recordFormat is the version of the forms below; a leader refuses what a newer
// one has written.
const recordFormat = 2

type frameworkRecord struct {
	Format int    `json:"format"`
	ID     string `json:"id"`
}

// appRecord says which version is in force and how many instances the deployment
// under way, if any, has asked for so far.
type appRecord struct {
	Version spec.Timestamp `json:"version"`
	Removed bool           `json:"removed,omitempty"`
	Target  int            `json:"target"`
}

// versionRecord is one definition. It is spec.App without its methods: the form
// does not follow the API's.
type versionRecord spec.App

type groupRecord struct {
	Dependencies []spec.PathID `json:"dependencies,omitempty"`
	EnforceRole  bool          `json:"enforceRole,omitempty"`
}

// changeRecord is one app in a revision or a plan, by its versions; 0 means that
// it is not there.
type changeRecord struct {
	App    spec.PathID    `json:"app"`
	Before spec.Timestamp `json:"before,omitempty"`
	After  spec.Timestamp `json:"after,omitempty"`
}

type groupChangeRecord struct {
	Before *spec.Group `json:"before,omitempty"`
	After  *spec.Group `json:"after,omitempty"`
}

type revisionRecord struct {
	Apps   []changeRecord      `json:"apps,omitempty"`
	Groups []groupChangeRecord `json:"groups,omitempty"`
}

type deploymentRecord struct {
	Version  spec.Timestamp                `json:"version"`
	Steps    []deployment.Step             `json:"steps"`
	Apps     []changeRecord                `json:"apps"`
	Groups   []groupChangeRecord           `json:"groups,omitempty"`
	Current  int                           `json:"current"`
	Began    spec.Timestamp                `json:"began"`
	Terms    Terms                         `json:"terms"`
	Kill     map[spec.PathID][]string      `json:"kill,omitempty"`
	Upgrades map[spec.PathID]upgradeRecord `json:"upgrades,omitempty"`
	Undoes   bool                          `json:"undoes,omitempty"`
}

// upgradeRecord is what an upgrade under way must not forget.
type upgradeRecord struct {
	Began  spec.Timestamp `json:"began"`
	Memory []byte         `json:"memory,omitempty"`
	Paused string         `json:"paused,omitempty"` // why; "" when it goes on
	// Watched: the strategy is asked although it is paused.
	Watched    bool   `json:"watched,omitempty"`
	Promotions uint32 `json:"promotions,omitempty"`
}

type backoffRecord struct {
	Delay time.Duration  `json:"delay"` // nanoseconds
	Until spec.Timestamp `json:"until"`
}

type failureRecord TaskFailure

// dirty marks a record as changed. It is encoded when the batch ends: a record
// that changes often in a batch is written once.
func (s *Scheduler) dirty(key string) {
	if !s.pending.isDirty[key] {
		s.pending.isDirty[key] = true
		s.pending.dirty = append(s.pending.dirty, key)
	}
}

// drainRecords encodes every record that changed.
func (s *Scheduler) drainRecords() []Record {
	if len(s.pending.dirty) == 0 {
		return nil
	}
	out := make([]Record, 0, len(s.pending.dirty))
	for _, key := range s.pending.dirty {
		out = append(out, Record{Key: TextKey(key), Value: s.encode(key)})
	}
	// A map that was once large costs as much to clear, whatever is in it: after a
	// large batch the next ones must not pay for its size.
	if len(out) > keptBatch {
		s.agentText, s.pending.isDirty, s.pending.dirty = map[*placement.Agent][]byte{}, map[string]bool{}, nil
	} else {
		clear(s.agentText)
		clear(s.pending.isDirty)
		s.pending.dirty = s.pending.dirty[:0]
	}
	return out
}

// keptBatch is the size of a batch up to which its memory is used again.
const keptBatch = 128

// TextKey turns the key used inside into the one that is stored: the bytes of a
// UUID become its text.
func TextKey(key string) string {
	if id, ok := strings.CutPrefix(key, instancePrefix); ok {
		var u UUID
		copy(u[:], id)
		return instancePrefix + u.String()
	}
	return key
}

// encode returns the record's value, nil when the entity is gone.
func (s *Scheduler) encode(key string) []byte {
	switch {
	case key == frameworkKey:
		return mustJSON(frameworkRecord{Format: recordFormat, ID: s.master.frameworkID})
	case strings.HasPrefix(key, instancePrefix):
		return s.encodeInstance(key)
	case strings.HasPrefix(key, deploymentPrefix):
		return s.encodeDeployment(key[len(deploymentPrefix):])
	case strings.HasPrefix(key, releasePrefix):
		id, _ := releaseID(key)
		if r, owed := s.releases[id]; owed {
			return mustJSON(r)
		}
	case strings.HasPrefix(key, endedPrefix):
		if e := s.ended.find(key[len(endedPrefix):]); e != nil {
			return mustJSON(endedRecordOf(e))
		}
	case strings.HasPrefix(key, backoffPrefix+"/"):
		if a := s.apps[spec.PathID(key[len(backoffPrefix):])]; a != nil && a.backoff.delay != 0 {
			return mustJSON(backoffRecord{Delay: a.backoff.delay, Until: a.backoff.until})
		}
	case strings.HasPrefix(key, failurePrefix+"/"):
		if a := s.apps[spec.PathID(key[len(failurePrefix):])]; a != nil && a.lastFailure != nil {
			return mustJSON(failureRecord(*a.lastFailure))
		}
	case strings.HasPrefix(key, appPrefix+"/"):
		if a := s.apps[spec.PathID(key[len(appPrefix):])]; a != nil {
			return mustJSON(appRecord{Version: a.spec.Version, Removed: a.removed, Target: a.target})
		}
	default:
		return s.encodeTree(key)
	}
	return nil
}

// encodeTree encodes the records of definitions.
func (s *Scheduler) encodeTree(key string) []byte {
	switch {
	case strings.HasPrefix(key, versionPrefix+"/"):
		id, version := splitVersion(key)
		if def := s.definitions.find(id, version); def != nil {
			return mustJSON(versionRecord(*def.app))
		}
	case strings.HasPrefix(key, groupPrefix+"/"):
		if g := s.tree.Group(spec.PathID(key[len(groupPrefix):])); g != nil {
			return mustJSON(groupRecord{Dependencies: g.Dependencies, EnforceRole: g.EnforceRole})
		}
	case strings.HasPrefix(key, revisionPrefix):
		version, _ := strconv.ParseInt(key[len(revisionPrefix):], 10, 64)
		if r := s.findRevision(spec.Timestamp(version)); r != nil {
			return mustJSON(revisionRecord{Apps: changeRecords(r.changes), Groups: groupChangeRecords(r.groups)})
		}
	}
	return nil
}

// splitVersion undoes versionKey; a version of 0 is of no definition.
func splitVersion(key string) (spec.PathID, spec.Timestamp) {
	path, digits, _ := strings.Cut(key[len(versionPrefix):], "@")
	version, _ := strconv.ParseInt(digits, 10, 64)
	return spec.PathID(path), spec.Timestamp(version)
}

func changeRecords(changes []deployment.Change) []changeRecord {
	out := make([]changeRecord, len(changes))
	for i, ch := range changes {
		out[i].App = ch.App()
		if ch.Before != nil {
			out[i].Before = ch.Before.Version
		}
		if ch.After != nil {
			out[i].After = ch.After.Version
		}
	}
	return out
}

func groupChangeRecords(changes []deployment.GroupChange) []groupChangeRecord {
	out := make([]groupChangeRecord, len(changes))
	for i, g := range changes {
		out[i] = groupChangeRecord(g)
	}
	return out
}

func (s *Scheduler) encodeDeployment(id string) []byte {
	r := s.findDeployment(id)
	if r == nil {
		return nil
	}
	record := deploymentRecord{
		Version: r.plan.Version, Steps: r.plan.Steps, Apps: changeRecords(r.plan.Changes), Groups: groupChangeRecords(r.plan.Groups),
		Current: r.current, Began: r.began, Terms: r.terms, Undoes: r.undoes, Kill: map[spec.PathID][]string{}, Upgrades: map[spec.PathID]upgradeRecord{},
	}
	for app, ids := range r.kill {
		for _, id := range ids {
			record.Kill[app] = append(record.Kill[app], id.String())
		}
	}
	for _, app := range r.plan.Apps() {
		if a := s.apps[app]; a != nil && a.lock == r && a.upgrade != nil {
			u := a.upgrade
			record.Upgrades[app] = upgradeRecord{
				Began: u.began, Memory: u.memory, Paused: u.paused, Watched: u.watched, Promotions: u.promotions,
			}
		}
	}
	return mustJSON(record)
}

func (s *Scheduler) encodeInstance(key string) []byte {
	var id UUID
	copy(id[:], key[len(instancePrefix):])
	m := s.members[id]
	if m == nil {
		return nil
	}
	var agent []byte
	if a := m.inst.Agent; a != nil {
		if agent = s.agentText[a]; agent == nil {
			agent = encodeAgent(a)
			s.agentText[a] = agent
		}
	}
	return appendInstance(make([]byte, 0, 160+len(agent)), m.inst, agent)
}

// versionSlack is what the core may add to a definition: versions and ports.
const versionSlack = 1 << 10

// RecordBytes is the most that the record of a definition takes, in bytes.
func RecordBytes(a *spec.App) int {
	return len(versionKey(a.ID, a.Version)) + len(mustJSON(versionRecord(*a))) + versionSlack
}

// mustJSON encodes a record; its types cannot fail.
func mustJSON(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("scheduler: record %T: %v", v, err))
	}
	return b
}
