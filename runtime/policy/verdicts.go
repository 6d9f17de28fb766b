package policy

import (
	"maps"
	"sync"

	"github.com/pacer-run/pacer/sdk"
	"github.com/pacer-run/pacer/sdk/wire"
)

// verdicts are what is known of a constraint that is pure per value.
type verdicts struct {
	known  map[string]uint32
	absent *uint32
	reason string
}

// size counts the verdicts, that on agents without the field included.
func (v verdicts) size() int {
	if v.absent == nil {
		return 0 // it comes with every answer
	}
	return len(v.known) + 1
}

// keptVerdicts is how many verdicts are kept of constraints that are not prepared.
const keptVerdicts = 1 << 17

// verdictStore keeps verdicts while a constraint is prepared anew by the same bytes with
// the same settings, as a reload has it: a pure constraint answers the same then, and
// with onFailure: static an answer that was given holds even if the reloaded module
// fails. Those of other bytes, settings, arguments or variables are never used.
type verdictStore struct {
	mu     sync.Mutex
	by     map[string]verdicts
	order  []string // of their coming; the first is dropped first
	values int      // in all
}

// verdictKey is that of what v prepares for spec.
func verdictKey(v *version, spec sdk.ConstraintSpec) string {
	return string(wire.AppendSpec([]byte(v.content+"\x00"+v.config+"\x00"), spec))
}

// put keeps what is known, unless more is kept already. known is the store's then.
func (s *verdictStore) put(key string, v verdicts) {
	if v.size() == 0 || v.size() > keptVerdicts {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if before, ok := s.by[key]; ok && before.size() >= v.size() {
		return
	}
	s.drop(key)
	if s.by == nil {
		s.by = map[string]verdicts{}
	}
	s.by[key] = v
	s.order = append(s.order, key)
	for s.values += v.size(); s.values > keptVerdicts; {
		s.drop(s.order[0])
	}
}

// drop forgets one. The caller holds the lock.
func (s *verdictStore) drop(key string) {
	v, ok := s.by[key]
	if !ok {
		return
	}
	delete(s.by, key)
	s.values -= v.size()
	for i, other := range s.order {
		if other == key {
			s.order = append(s.order[:i], s.order[i+1:]...)
			return
		}
	}
}

// get is a copy of what is kept.
func (s *verdictStore) get(key string) verdicts {
	s.mu.Lock()
	defer s.mu.Unlock()
	v := s.by[key]
	v.known = maps.Clone(v.known)
	return v
}
