package policy

import (
	"strconv"
	"testing"
)

// The store keeps what is known most of, and a bounded number of verdicts.
func TestVerdictStore(t *testing.T) {
	known := func(n int) verdicts {
		v := verdicts{known: map[string]uint32{}}
		if n == 0 {
			return v
		}
		v.absent = new(uint32)
		for i := range n - 1 {
			v.known[strconv.Itoa(i)] = 1
		}
		return v
	}
	var s verdictStore
	s.put("none", known(0))
	s.put("all", known(keptVerdicts+1))
	s.put("a", known(2))
	s.put("a", known(1))
	if len(s.by) != 1 || s.values != 2 || len(s.get("a").known) != 1 || s.get("b").known != nil {
		t.Errorf("%d kept, %d values", len(s.by), s.values)
	}
	s.get("a").known["x"] = 1 // a copy
	s.put("a", known(3))
	s.put("b", known(keptVerdicts-3))
	if len(s.by) != 2 || s.values != keptVerdicts || len(s.get("a").known) != 2 {
		t.Errorf("%d kept, %d values", len(s.by), s.values)
	}
	s.put("c", known(1))
	if len(s.by) != 2 || s.values != keptVerdicts-2 || len(s.order) != 2 || s.get("a").known != nil {
		t.Errorf("%d kept, %d values", len(s.by), s.values)
	}
}
