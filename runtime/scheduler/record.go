package scheduler

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/pacer-run/pacer/runtime/deployment"
	"github.com/pacer-run/pacer/runtime/spec"
)

// Keys of records. What follows the prefix identifies the entity.
const (
	frameworkKey     = "framework"
	appPrefix        = "app"
	instancePrefix   = "instance/"
	deploymentPrefix = "deployment/"
	backoffPrefix    = "backoff"
)

func appKey(id spec.PathID) string     { return appPrefix + string(id) }
func backoffKey(id spec.PathID) string { return backoffPrefix + string(id) }
func instanceKey(id UUID) string       { return instancePrefix + string(id[:]) }
func deploymentKey(id string) string   { return deploymentPrefix + id }

// recordFormat is the version of the forms below; a leader refuses what a newer
// one has written.
const recordFormat = 1

type frameworkRecord struct {
	Format int    `json:"format"`
	ID     string `json:"id"`
}

// appRecord holds the definition and how many instances the deployment under
// way, if any, has asked for so far.
type appRecord struct {
	App     appFields `json:"app"`
	Removed bool      `json:"removed,omitempty"`
	Target  int       `json:"target"`
}

// appFields is spec.App without its methods: the record's form does not follow
// the API's.
type appFields spec.App

type deploymentRecord struct {
	Plan    *deployment.Plan `json:"plan"`
	Current int              `json:"current"`
}

type backoffRecord struct {
	Delay time.Duration  `json:"delay"` // nanoseconds
	Until spec.Timestamp `json:"until"`
}

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
	clear(s.agentText)
	s.pending.dirty = s.pending.dirty[:0]
	clear(s.pending.isDirty)
	return out
}

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
		if r := s.findDeployment(key[len(deploymentPrefix):]); r != nil {
			return mustJSON(deploymentRecord{Plan: r.plan, Current: r.current})
		}
	case strings.HasPrefix(key, backoffPrefix):
		if a := s.apps[spec.PathID(key[len(backoffPrefix):])]; a != nil && a.backoff.delay != 0 {
			return mustJSON(backoffRecord{Delay: a.backoff.delay, Until: a.backoff.until})
		}
	default:
		if a := s.apps[spec.PathID(key[len(appPrefix):])]; a != nil {
			return mustJSON(appRecord{App: appFields(*a.spec), Removed: a.removed, Target: a.target})
		}
	}
	return nil
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

// mustJSON encodes a record; its types cannot fail.
func mustJSON(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("scheduler: record %T: %v", v, err))
	}
	return b
}
