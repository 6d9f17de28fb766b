package wasm

import (
	"testing"

	"github.com/pacer-run/pacer/runtime/policy/remote"
)

// Many specs that ended at once do not use up what a new one has to be prepared with: those
// that do not fit are left for later.
func TestManyRetired(t *testing.T) {
	const many = 100_000
	limits := tight()
	limits.PrepareFuel = 100_000
	m, err := load(t, fixture(t, "zoo"), limits)
	if err != nil {
		t.Fatal(err)
	}
	var in *instance
	if err := m.pool.with(t.Context(), func(it *instance) error { in = it; return nil }); err != nil {
		t.Fatal(err)
	}
	for range many {
		in.retire(remote.KindConstraint, 0)
	}
	left := many
	for range 20 {
		prepare(t, m, "ZOO", "z").Close()
		now := len(in.retired) // the one just closed is among them
		if now >= left && now > 1 {
			t.Fatalf("%d are left of %d", now, left)
		}
		left = now
	}
}
