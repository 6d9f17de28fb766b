package policy_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/pacer-run/pacer/runtime/policy"
	"github.com/pacer-run/pacer/sdk"
)

// One match asks one version of a module, whatever is reloaded meanwhile; and what
// nobody holds on to any more is closed.
func TestPinned(t *testing.T) {
	w := newWorld(t, offering("1", 1, "NEAR"))
	pinned := w.Pin()
	for version := uint32(2); version <= 4; version++ { // the first one is not even kept to go back to
		w.loader.put("a", fmt.Sprint("digest-", version), offering(fmt.Sprint(version), version, "NEAR"))
		if err := w.Reload(t.Context(), "m"); err != nil {
			t.Fatal(err)
		}
	}
	ask := func(p *policy.Pinned) uint32 {
		c, err := p.Prepare(t.Context(), sdk.ConstraintSpec{Field: "f", Operator: "NEAR", App: sdk.AppFacts{ID: "/web"}})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		return quota(t, c)
	}
	for range 2 {
		if q := ask(pinned); q != 1 {
			t.Errorf("quota %d, want that of the version that was pinned", q)
		}
	}
	if now := w.Generation(); pinned.Generation() == now {
		t.Errorf("generation %d is that of now", now)
	}
	pinned.Release()
	next := w.Pin()
	if q := ask(next); q != 4 || next.Generation() != w.Generation() {
		t.Errorf("quota %d in the next match, want 4", q)
	}
	next.Release()
	if err := w.Catalog.Close(t.Context()); err != nil {
		t.Error(err)
	}
	if n := len(w.loader.open()); n != 0 {
		t.Errorf("%d modules are open", n)
	}
}

// Matches and reloads at the same time: within one match never two answers.
func TestPinnedWhileReloading(t *testing.T) {
	w := newWorld(t, offering("0", 1, "NEAR"))
	var reloads sync.WaitGroup
	done := make(chan struct{})
	reloads.Go(func() {
		defer close(done)
		for version := range 100 {
			w.loader.put("a", fmt.Sprint("digest-", version), offering(fmt.Sprint(version), uint32(version)+2, "NEAR"))
			if err := w.Reload(t.Context(), "m"); err != nil {
				t.Error(err)
			}
		}
	})
	defer reloads.Wait()
	for ended := false; !ended; {
		select {
		case <-done:
			ended = true // and one more match
		default:
		}
		oneAnswer(t, w)
	}
}

// oneAnswer is a match of several apps.
func oneAnswer(t *testing.T, w *world) {
	t.Helper()
	pinned := w.Pin()
	defer pinned.Release()
	answers := map[uint32]bool{}
	for app := range 5 {
		p, err := pinned.Prepare(t.Context(), sdk.ConstraintSpec{Field: "f", Operator: "NEAR", App: sdk.AppFacts{ID: fmt.Sprint("/", app)}})
		if err != nil {
			t.Fatal(err)
		}
		answers[quota(t, p)] = true
		p.Close()
	}
	if len(answers) != 1 {
		t.Errorf("one match has the answers of several versions: %v", answers)
	}
}
