package storetest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"sync"
	"testing"

	"github.com/pacer-run/pacer/runtime/store"
)

func testEpochs(t *testing.T, b Backend) {
	s := b.Open(t)
	last := int64(0)
	for range 3 {
		for range 3 {
			term := Begin(t, s)
			if term.Epoch() <= last {
				t.Errorf("epoch %d after %d", term.Epoch(), last)
			}
			last = term.Epoch()
		}
		s = reopen(t, b, s)
	}
	old := Begin(t, s)
	Commit(t, old, "a", "old")
	term := Begin(t, s)
	for range 2 {
		if err := old.Commit(Within(t), Changes("a", "late", "b", "late")); !errors.Is(err, store.ErrDeposed) {
			t.Errorf("commit of a deposed term: %v", err)
		}
	}
	Same(t, map[string]string{"a": "old"}, Load(t, term))
	Commit(t, term, "a", "new")
	Same(t, map[string]string{"a": "new"}, Dump(t, s))
}

// testDeposedWriters lets a leader write on while others depose it: what it saw
// succeed is there, what it saw fail is not.
func testDeposedWriters(t *testing.T, b Backend) {
	s := b.Open(t)
	want := map[string]string{}
	var writers sync.WaitGroup
	for round := range 6 {
		term := Begin(t, s)
		Same(t, want, Load(t, term)) // the writer before has not been told yet
		started := make(chan struct{})
		next := make(chan map[string]string, 1)
		writers.Go(func() { next <- writeUntilDeposed(t, term, round, started) })
		<-started
		deposer := Begin(t, s)
		seen := Load(t, deposer)
		maps.Copy(want, <-next)
		Same(t, want, seen)
	}
	writers.Wait()
}

func writeUntilDeposed(t *testing.T, term store.Term, round int, started chan<- struct{}) map[string]string {
	done := map[string]string{}
	for i := 0; ; i++ {
		one, two := fmt.Sprintf("%d.%d.a", round, i), fmt.Sprintf("%d.%d.b", round, i)
		err := term.Commit(context.Background(), Changes(one, "v", two, "v"))
		if errors.Is(err, store.ErrDeposed) {
			return done
		}
		if err != nil {
			t.Errorf("commit: %v", err)
			return done
		}
		done[one], done[two] = "v", "v"
		if i == 3 {
			close(started)
		}
	}
}

// testHandover has two processes take turns where the backend allows two.
func testHandover(t *testing.T, b Backend) {
	one := b.Open(t)
	old := Begin(t, one)
	Commit(t, old, "a", "1")
	two := one
	if b.Shared() {
		two = b.Open(t)
	}
	term := Begin(t, two)
	Same(t, map[string]string{"a": "1"}, Load(t, term))
	Commit(t, term, "b", "2")
	if err := old.Commit(Within(t), Changes("a", "late")); !errors.Is(err, store.ErrDeposed) {
		t.Errorf("commit of the deposed process: %v", err)
	}
	want := map[string]string{"a": "1", "b": "2"}
	Same(t, want, Dump(t, one))
	again := Begin(t, one)
	Same(t, want, Load(t, again))
	Commit(t, again, "c", "3")
	if err := term.Commit(Within(t), Changes("d", "late")); !errors.Is(err, store.ErrDeposed) {
		t.Errorf("commit of the second process: %v", err)
	}
}

func testEndedContext(t *testing.T, b Backend) {
	s := b.Open(t)
	term := Begin(t, s)
	Commit(t, term, "a", "1")
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	if err := term.Commit(ended, Changes("b", "2")); err == nil {
		t.Error("a commit with an ended context succeeded")
	}
	if _, err := s.Begin(ended); err == nil {
		t.Error("a term began with an ended context")
	}
	// Whether b was saved is open; the next term is whole either way.
	records := Load(t, Begin(t, s))
	if records["a"] != "1" {
		t.Errorf("records %v", records)
	}
}

func testConcurrentCommits(t *testing.T, b Backend) {
	s := b.Open(t)
	term := Begin(t, s)
	want := map[string]string{}
	var group sync.WaitGroup
	for w := range 8 {
		for i := range 10 {
			want[fmt.Sprintf("%d.%d", w, i)] = "v"
		}
		group.Go(func() {
			for i := range 10 {
				if err := term.Commit(context.Background(), Changes(fmt.Sprintf("%d.%d", w, i), "v")); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	Same(t, want, Dump(t, s))
	Same(t, want, Load(t, Begin(t, reopen(t, b, s))))
}
