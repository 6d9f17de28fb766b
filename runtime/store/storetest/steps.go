package storetest

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pacer-run/pacer/runtime/store"
)

// Within bounds what a test waits for in all.
func Within(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// Begin begins a term or fails the test.
func Begin(t testing.TB, s store.Store) store.Term {
	t.Helper()
	term, err := s.Begin(Within(t))
	if err != nil {
		t.Fatal(err)
	}
	return term
}

// Load is all that a term loads; a record that is yielded twice fails the test.
func Load(t testing.TB, term store.Term) map[string]string {
	t.Helper()
	return collect(t, term.Load)
}

// Dump is all that a store dumps.
func Dump(t testing.TB, s store.Store) map[string]string {
	t.Helper()
	return collect(t, s.Dump)
}

func collect(t testing.TB, read func(context.Context, func(string, []byte) error) error) map[string]string {
	t.Helper()
	records := map[string]string{}
	err := read(Within(t), func(key string, value []byte) error {
		if _, twice := records[key]; twice {
			return fmt.Errorf("record %q is yielded twice", key)
		}
		if value == nil {
			return fmt.Errorf("record %q has a nil value", key)
		}
		records[key] = string(value)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return records
}

// Commit commits pairs of key and value; the value "-" removes.
func Commit(t testing.TB, term store.Term, pairs ...string) {
	t.Helper()
	if err := term.Commit(Within(t), Changes(pairs...)); err != nil {
		t.Fatal(err)
	}
}

// Changes makes changes of pairs of key and value; the value "-" removes.
func Changes(pairs ...string) []store.Change {
	var changes []store.Change
	for pair := range slices.Chunk(pairs, 2) {
		c := store.Change{Key: pair[0], Value: []byte(pair[1])}
		if pair[1] == "-" {
			c.Value = nil
		}
		changes = append(changes, c)
	}
	return changes
}

// Same fails the test unless the records are those wanted.
func Same(t interface {
	Helper()
	Fatalf(format string, args ...any)
}, want, got map[string]string,
) {
	t.Helper()
	if !maps.Equal(want, got) {
		if len(want)+len(got) > 50 {
			t.Fatalf("%d records, want %d, or some with other values", len(got), len(want))
		}
		t.Fatalf("records, -want +got:\n%s", cmp.Diff(want, got))
	}
}

func reopen(t testing.TB, b Backend, s store.Store) store.Store {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Open(t)
}
