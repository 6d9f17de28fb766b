package storetest

import (
	"context"
	"fmt"
	"maps"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"github.com/pacer-run/pacer/runtime/store"
)

// testLargeCommit saves several times what one request to a server may hold.
func testLargeCommit(t *testing.T, b Backend) {
	s := b.Open(t)
	term := Begin(t, s)
	Commit(t, term, "k0", "old", "other", "x")
	value := strings.Repeat("v", 10_000)
	want := map[string]string{"other": "x"}
	var changes []store.Change
	for i := 0; i*len(value) < 3*term.MaxCommitBytes(); i++ {
		key := fmt.Sprintf("k%d", i)
		changes = append(changes, store.Change{Key: key, Value: []byte(value)})
		want[key] = value
	}
	if err := term.Commit(Within(t), changes); err != nil {
		t.Fatal(err)
	}
	Same(t, want, Dump(t, s))
	Commit(t, term, "k0", "new", "k1", "-")
	want["k0"] = "new"
	delete(want, "k1")
	Same(t, want, Load(t, Begin(t, reopen(t, b, s))))
}

// testManyRecords writes the same records over and over, so that what is stored
// would grow if nothing were ever cleared.
func testManyRecords(t *testing.T, b Backend) {
	s := b.Open(t)
	term := Begin(t, s)
	value := strings.Repeat("v", 900)
	want := map[string]string{}
	const records, batch = 3000, 300
	for i := 0; i < 5*records; i += batch {
		var changes []store.Change
		for j := i; j < i+batch; j++ {
			key, v := fmt.Sprintf("r%d", j*7919%records), fmt.Sprint(j, value)
			changes = append(changes, store.Change{Key: key, Value: []byte(v)})
			want[key] = v
			if j%11 == 0 {
				changes = append(changes, store.Change{Key: key})
				delete(want, key)
			}
		}
		if err := term.Commit(Within(t), changes); err != nil {
			t.Fatal(err)
		}
	}
	Same(t, want, Dump(t, s))
	s = reopen(t, b, s)
	Same(t, want, Load(t, Begin(t, s)))
}

// testDumpWhileWriting: each commit sets two records to the same value; no dump
// shows two values.
func testDumpWhileWriting(t *testing.T, b Backend) {
	s := b.Open(t)
	term := Begin(t, s)
	padding := strings.Repeat("p", 20_000)
	Commit(t, term, "a", "0", "b", "0")
	reader := s
	if b.Shared() {
		reader = b.Open(t)
	}
	var writer sync.WaitGroup
	stop := make(chan struct{})
	writer.Go(func() {
		for i := 1; ; i++ {
			select {
			case <-stop:
				return
			default:
			}
			v := fmt.Sprint(i)
			if err := term.Commit(context.Background(), Changes("a", v, "pad", padding, "b", v)); err != nil {
				t.Error(err)
				return
			}
		}
	})
	for range 10 {
		got := Dump(t, reader)
		if got["a"] == "" || got["a"] != got["b"] {
			t.Errorf("a is %q and b %q in one dump", got["a"], got["b"])
		}
	}
	close(stop)
	writer.Wait()
}

// testModel compares the store with a map under random commits, terms, reopenings
// and sizes.
func testModel(t *testing.T, b Backend) {
	// Each run goes on from the records that the run before has left.
	rapid.Check(t, func(r *rapid.T) {
		s := b.Open(t)
		defer func() {
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		}()
		term := Begin(t, s)
		want := Load(t, term)
		key := rapid.SampledFrom([]string{"a", "b", "c", "d/e", "f", "g", "h"})
		size := rapid.SampledFrom([]int{0, 1, 100, 40_000, 300_000})
		r.Repeat(map[string]func(*rapid.T){
			"commit": func(r *rapid.T) {
				for range rapid.IntRange(1, 4).Draw(r, "commits") {
					changes, model := draw(r, key, size, want)
					if err := term.Commit(Within(t), changes); err != nil {
						r.Fatal(err)
					}
					want = model
				}
			},
			"begin": func(r *rapid.T) {
				term = Begin(t, s)
				Same(r, want, Load(t, term))
			},
			"begin without load": func(*rapid.T) { term = Begin(t, s) },
			"reopen": func(r *rapid.T) {
				s = reopen(t, b, s)
				term = Begin(t, s)
			},
			"dump": func(r *rapid.T) { Same(r, want, Dump(t, s)) },
		})
	})
}

// draw is a commit and the records after it.
func draw(r *rapid.T, key *rapid.Generator[string], size *rapid.Generator[int], have map[string]string) ([]store.Change, map[string]string) {
	model := maps.Clone(have)
	var changes []store.Change
	for range rapid.IntRange(1, 5).Draw(r, "changes") {
		k := key.Draw(r, "key")
		if rapid.IntRange(0, 3).Draw(r, "kind") == 0 {
			changes = append(changes, store.Change{Key: k})
			delete(model, k)
			continue
		}
		n := size.Draw(r, "size")
		v := strings.Repeat(string(rune('a'+n%26)), n) + fmt.Sprint(rapid.Byte().Draw(r, "value"))
		changes = append(changes, store.Change{Key: k, Value: []byte(v)})
		model[k] = v
	}
	return changes, model
}
