package placement

import (
	"reflect"

	"github.com/pacer-run/pacer/runtime/spec"
	"github.com/pacer-run/pacer/sdk"
)

// memory is what is kept of app versions from match to match.
type memory struct {
	apps         map[*spec.App]*remembered
	requirements map[demand]*requirement
	sweepAt      int // how many apps there are when forgotten ones are dropped
}

// remembered is one app version.
type remembered struct {
	requirement *requirement
	rules       []pureRule
	turn        uint32 // the last match it was in
}

// pureRule is a rule and what is known of its verdicts, when they are pure.
type pureRule struct {
	prepared sdk.PreparedConstraint
	field    string
	column   *column
	verdicts []verdict // by slot of the column; shorter when values are new
	unknown  int       // how many of verdicts are
	hits     []int32   // the accepted slots, cut off beyond mostHits
}

// mostHits is how many accepted values make a rule narrow: it is then quicker to
// go to the offers that have them than to try all.
const mostHits = 32

// verdict is a pure rule's word on a value.
type verdict uint8

const (
	unknown verdict = iota
	refused
	accepted
)

// forgetAfter is for how many matches an app version or a field may stay away
// before what is remembered of it is dropped; one match in as many looks for
// such. leastSweep is how many versions make a match look earlier.
const (
	forgetAfter = 64
	leastSweep  = 1024
)

// newMemory makes one that remembers nothing.
func newMemory() memory {
	return memory{
		apps:         map[*spec.App]*remembered{},
		requirements: map[demand]*requirement{},
		sweepAt:      leastSweep,
	}
}

// recall returns what is remembered of the app, or a fresh start when it is new
// or its rules are others than last time.
func (m *memory) recall(app *spec.App, rules []Rule, terms *Terms, turn uint32) *remembered {
	known, ok := m.apps[app]
	if !ok {
		known = &remembered{requirement: m.requirement(app, terms)}
		m.apps[app] = known
	}
	known.turn = turn
	if !known.hasRules(rules) {
		known.rules = make([]pureRule, len(rules))
		for i, r := range rules {
			known.rules[i] = pureRule{prepared: r.Prepared, field: sdk.CanonicalField(r.Constraint.Field)}
		}
	}
	return known
}

// requirement returns the one that all apps with the same demand share. One that
// can never be met is not shared: its demand does not say what is wrong with it.
func (m *memory) requirement(app *spec.App, terms *Terms) *requirement {
	d, impossible := demandOf(app, terms)
	if impossible {
		return &requirement{demand: d, impossible: true}
	}
	r, ok := m.requirements[d]
	if !ok {
		r = &requirement{demand: d}
		m.requirements[d] = r
	}
	return r
}

// hasRules tells whether the verdicts remembered are those of these rules. A
// module may have been replaced since, under the same constraint.
func (k *remembered) hasRules(rules []Rule) bool {
	if len(k.rules) != len(rules) {
		return false
	}
	for i := range rules {
		if !same(k.rules[i].prepared, rules[i].Prepared) ||
			k.rules[i].field != sdk.CanonicalField(rules[i].Constraint.Field) {
			return false
		}
	}
	return true
}

// same tells whether a and b are one value. Values that cannot be compared never
// are: their verdicts are asked for in every match.
func same(a, b sdk.PreparedConstraint) bool {
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	return reflect.ValueOf(a).Comparable() && reflect.ValueOf(b).Comparable() && a == b
}

// follow moves the verdicts as the slots of their columns moved.
func (m *memory) follow(moved map[*column][]move) {
	if len(moved) == 0 {
		return
	}
	for _, known := range m.apps {
		for i := range known.rules {
			if moves := moved[known.rules[i].column]; len(moves) > 0 {
				known.rules[i].follow(moves)
			}
		}
	}
}

// follow moves the verdicts. A slot that got the value of a later one that was
// not asked about yet is unknown again.
func (r *pureRule) follow(moves []move) {
	for _, m := range moves {
		if int(m.to) >= len(r.verdicts) {
			continue
		}
		last := unknown
		if int(m.from) < len(r.verdicts) {
			last = r.verdicts[m.from]
			r.verdicts = r.verdicts[:m.from]
		}
		if m.from != m.to {
			r.verdicts[m.to] = last
		}
	}
	r.summarize()
}

// summarize works out what is kept beside the verdicts.
func (r *pureRule) summarize() {
	r.unknown, r.hits = 0, r.hits[:0]
	for slot, v := range r.verdicts {
		switch {
		case v == unknown:
			r.unknown++
		case v == accepted && len(r.hits) <= mostHits:
			r.hits = append(r.hits, int32(slot))
		}
	}
}

// narrow tells whether few of many values are accepted.
func (r *pureRule) narrow() bool {
	return len(r.hits) <= mostHits && 4*len(r.hits) < len(r.verdicts)
}

// sweep drops what has not been used for long, so that memory follows what is
// in use.
func (m *memory) sweep(turn uint32, r *roster) {
	if turn%forgetAfter != 0 && len(m.apps) < m.sweepAt {
		return
	}
	clear(m.requirements)
	for app, known := range m.apps {
		if turn-known.turn > forgetAfter {
			delete(m.apps, app)
			continue
		}
		if !known.requirement.impossible {
			m.requirements[known.requirement.demand] = known.requirement
		}
	}
	m.sweepAt = max(leastSweep, 2*len(m.apps))
	for field, c := range r.columns {
		if turn-c.turn > forgetAfter {
			delete(r.columns, field)
		}
	}
}
