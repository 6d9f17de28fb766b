// Package storetest is the behaviour that every store has, as a test suite.
package storetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pacer-run/pacer/runtime/store"
)

// Backend is one place to keep records in, empty at first.
type Backend interface {
	// Open opens the records for a next process. At most one store that Open gave
	// is open, unless Shared.
	Open(t testing.TB) store.Store
	// Shared says whether several stores may be open at a time.
	Shared() bool
}

// Run tests the stores of fresh backends.
func Run(t *testing.T, fresh func(t testing.TB) Backend) {
	for _, c := range []struct {
		name string
		test func(*testing.T, Backend)
	}{
		{"Commit", testCommit},
		{"EmptyAndNil", testEmptyAndNil},
		{"LastChangeWins", testLastChangeWins},
		{"Limits", testLimits},
		{"BinaryKeys", testBinaryKeys},
		{"Epochs", testEpochs},
		{"DeposedWriters", testDeposedWriters},
		{"Handover", testHandover},
		{"EndedContext", testEndedContext},
		{"Yield", testYield},
		{"ConcurrentCommits", testConcurrentCommits},
		{"LargeCommit", testLargeCommit},
		{"ManyRecords", testManyRecords},
		{"DumpWhileWriting", testDumpWhileWriting},
		{"Stats", testStats},
		{"Closed", testClosed},
		{"Model", testModel},
	} {
		t.Run(c.name, func(t *testing.T) { c.test(t, fresh(t)) })
	}
}

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
}, want, got map[string]string) {
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

func testCommit(t *testing.T, b Backend) {
	s := b.Open(t)
	Same(t, nil, Dump(t, s))
	term := Begin(t, s)
	Same(t, nil, Load(t, term))
	Commit(t, term, "a", "1", "b", "2", "c", "3")
	Commit(t, term, "a", "4", "b", "-", "never", "-")
	want := map[string]string{"a": "4", "c": "3"}
	Same(t, want, Load(t, term))
	Same(t, want, Dump(t, s))
	s = reopen(t, b, s)
	Same(t, want, Dump(t, s))
	term = Begin(t, s)
	Same(t, want, Load(t, term))
	Commit(t, term, "c", "-", "b", "5")
	s = reopen(t, b, s)
	Same(t, map[string]string{"a": "4", "b": "5"}, Load(t, Begin(t, s)))
}

func testEmptyAndNil(t *testing.T, b Backend) {
	s := b.Open(t)
	term := Begin(t, s)
	if err := term.Commit(Within(t), []store.Change{{Key: "empty", Value: []byte{}}, {Key: "gone", Value: []byte("x")}}); err != nil {
		t.Fatal(err)
	}
	if err := term.Commit(Within(t), []store.Change{{Key: "gone"}}); err != nil {
		t.Fatal(err)
	}
	if err := term.Commit(Within(t), nil); err != nil {
		t.Errorf("commit of nothing: %v", err)
	}
	want := map[string]string{"empty": ""}
	Same(t, want, Dump(t, s))
	Same(t, want, Load(t, Begin(t, reopen(t, b, s))))
}

func testLastChangeWins(t *testing.T, b Backend) {
	s := b.Open(t)
	term := Begin(t, s)
	Commit(t, term, "a", "1", "a", "-", "b", "-", "b", "2", "c", "3", "c", "4")
	Same(t, map[string]string{"b": "2", "c": "4"}, Load(t, term))
}

func testLimits(t *testing.T, b Backend) {
	s := b.Open(t)
	term := Begin(t, s)
	longest := strings.Repeat("k", store.MaxKeyBytes)
	biggest := bytes.Repeat([]byte("v"), store.MaxRecordBytes-store.MaxKeyBytes)
	for want, c := range map[string]store.Change{
		"key: expected at least": {Value: []byte("v")},
		"key of 1025 bytes":      {Key: longest + "k", Value: []byte("v")},
		"expected at most":       {Key: longest, Value: append(biggest, 'v')},
	} {
		err := term.Commit(Within(t), []store.Change{{Key: "fine", Value: []byte("v")}, c})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one that says %q", err, want)
		}
	}
	Same(t, nil, Load(t, term))
	if err := term.Commit(Within(t), []store.Change{{Key: longest, Value: biggest}}); err != nil {
		t.Fatal(err)
	}
	Same(t, map[string]string{longest: string(biggest)}, Dump(t, s))
	Same(t, map[string]string{longest: string(biggest)}, Load(t, Begin(t, reopen(t, b, s))))
}

func testBinaryKeys(t *testing.T, b Backend) {
	s := b.Open(t)
	term := Begin(t, s)
	want := map[string]string{}
	for _, key := range []string{"/a/b", "a/", "..", "\x00", "\xff\xfe", "é", " ", "a\nb", "/"} {
		Commit(t, term, key, "v"+key)
		want[key] = "v" + key
	}
	Same(t, want, Load(t, Begin(t, reopen(t, b, s))))
}

func testYield(t *testing.T, b Backend) {
	s := b.Open(t)
	term := Begin(t, s)
	Commit(t, term, "a", "1", "b", "2")
	stop := errors.New("stop")
	calls := 0
	for _, read := range []func(context.Context, func(string, []byte) error) error{term.Load, s.Dump} {
		if err := read(Within(t), func(string, []byte) error { calls++; return stop }); !errors.Is(err, stop) {
			t.Errorf("error %v, want that of yield", err)
		}
	}
	if calls != 2 {
		t.Errorf("yield was called %d times after its error", calls-2)
	}
	Same(t, map[string]string{"a": "1", "b": "2"}, Load(t, Begin(t, s)))
}

func testStats(t *testing.T, b Backend) {
	s := b.Open(t)
	term := Begin(t, s)
	Commit(t, term, "a", "12", "b", "-")
	Commit(t, term, "ccc", "")
	got := s.Stats()
	if got.Commits != 2 || got.Records != 3 || got.Bytes != 7 {
		t.Errorf("%+v, want 2 commits of 3 records with 7 bytes", got)
	}
}

func testClosed(t *testing.T, b Backend) {
	s := b.Open(t)
	term := Begin(t, s)
	Commit(t, term, "a", "1")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := term.Commit(Within(t), Changes("b", "2")); err == nil {
		t.Error("a commit after Close succeeded")
	}
	if _, err := s.Begin(Within(t)); err == nil {
		t.Error("a term began after Close")
	}
	if err := s.Dump(Within(t), func(string, []byte) error { return nil }); err == nil {
		t.Error("a dump after Close succeeded")
	}
	Same(t, map[string]string{"a": "1"}, Load(t, Begin(t, b.Open(t))))
}
