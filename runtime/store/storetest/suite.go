// Package storetest is the behaviour that every store has, as a test suite.
package storetest

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"

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
