package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.etcd.io/bbolt"
)

// abandoned is a state whose process died with commits 3 to 8 in the log: its
// sides hold four blocks each, and the first two commits are folded.
func abandoned(t *testing.T, path string) (have map[string]string) {
	t.Helper()
	s := openSmall(t, path)
	term := begin(t, s)
	have = map[string]string{}
	commit := func(n int) {
		key := fmt.Sprint("k", n)
		have[key] = strings.Repeat(key, 100)
		if err := term.Commit(within(t), []Change{{key, []byte(have[key])}}); err != nil {
			t.Fatal(err)
		}
	}
	commit(1)
	commit(2)
	term = begin(t, s) // folds
	for n := 3; n <= 8; n++ {
		commit(n)
	}
	s.crash()
	if got := s.Stats(); got.LogNodes != 2 || got.Folds != 2 {
		t.Fatalf("%+v: want two folds, and two commits in the log", got)
	}
	return have
}

// openSmall opens a state with a real log of small sides.
func openSmall(t *testing.T, path string) *Bolt {
	t.Helper()
	s, err := openBolt(path, func(b *Bolt) { b.side, b.update = smallSide, b.db.Update })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// dumped is what the state at path holds for the next process.
func dumped(t *testing.T, path string) (map[string]string, error) {
	t.Helper()
	s, err := OpenBolt(path)
	if err != nil {
		return nil, err
	}
	got := map[string]string{}
	err = s.Dump(within(t), func(key string, value []byte) error { got[key] = string(value); return nil })
	return got, errors.Join(err, s.Close())
}

// TestALostLogIsNoticed: the commits in it were acknowledged.
func TestALostLogIsNoticed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	have := abandoned(t, path)
	data, err := os.ReadFile(path + walSuffix)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(path + walSuffix); err != nil {
		t.Fatal(err)
	}
	if _, err := dumped(t, path); !errors.Is(err, ErrCorrupt) || !strings.Contains(fmt.Sprint(err), path+walSuffix) {
		t.Errorf("without the log: %v", err)
	}
	// The refusal has changed nothing, and has not kept the file locked.
	if err := os.WriteFile(path+walSuffix, data, 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := dumped(t, path); err != nil || !maps.Equal(got, have) {
		t.Errorf("with the log put back: %d records, want %d, %v", len(got), len(have), err)
	}
}

func TestAnEmptyFileGivesALostLogUp(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	have := abandoned(t, path)
	if err := os.Truncate(path+walSuffix, 0); err != nil {
		t.Fatal(err)
	}
	delete(have, "k7")
	delete(have, "k8")
	if got, err := dumped(t, path); err != nil || !maps.Equal(got, have) {
		t.Errorf("%d records, want the %d that were folded, %v", len(got), len(have), err)
	}
	if err := begin(t, openSmall(t, path)).Commit(within(t), []Change{{"k9", []byte("v")}}); err != nil {
		t.Error(err)
	}
}

// TestALogLeftBehindDoesNotCount: the state is a new one, or one put back from a
// copy that was made after an orderly end.
func TestALogLeftBehindDoesNotCount(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	abandoned(t, path)
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	s := openSmall(t, path)
	term := begin(t, s)
	// As the first entry of the log that was left, so that its second would follow.
	if err := term.Commit(within(t), []Change{{"k1", []byte(strings.Repeat("k1", 100))}}); err != nil {
		t.Fatal(err)
	}
	s.crash()
	if got, err := dumped(t, path); err != nil || len(got) != 1 {
		t.Errorf("%d records of another state, %v", len(got), err)
	}
}

// TestAnOrderlyEndLeavesTheStateInOneFile, in the form from before there were logs.
func TestAnOrderlyEndLeavesTheStateInOneFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	have := abandoned(t, path)
	s := openSmall(t, path)
	term := begin(t, s)
	have["late"] = "1"
	if err := term.Commit(within(t), []Change{{"late", []byte("1")}}); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(path + walSuffix); err != nil {
		t.Fatal(err)
	}
	meta, got := contents(t, path)
	if len(meta) != 1 || len(meta[epochKey]) != 8 || !maps.Equal(got, have) {
		t.Errorf("meta %q and %d records, want an epoch and %d", meta, len(got), len(have))
	}
	// And such a file opens as it is.
	if got, err := dumped(t, path); err != nil || !maps.Equal(got, have) {
		t.Errorf("%d records, want %d, %v", len(got), len(have), err)
	}
	if _, err := os.Stat(path + walSuffix); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("reading has made a log: %v", err)
	}
	if got := begin(t, openSmall(t, path)).Epoch(); got != term.Epoch()+1 {
		t.Errorf("epoch %d after %d", got, term.Epoch())
	}
}

// contents are the two buckets, read without the store.
func contents(t *testing.T, path string) (meta, records map[string]string) {
	t.Helper()
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	meta, records = map[string]string{}, map[string]string{}
	err = db.View(func(tx *bbolt.Tx) error {
		for name, into := range map[string]map[string]string{metaBucket: meta, recordBucket: records} {
			if err := tx.Bucket([]byte(name)).ForEach(func(k, v []byte) error { into[string(k)] = string(v); return nil }); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return meta, records
}

// TestALogOfAnotherSizeIsMadeAnew, smaller or larger, private, and of zeros.
func TestALogOfAnotherSizeIsMadeAnew(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	for _, size := range []int{0, 100, 3 << 20} {
		if err := os.WriteFile(path, bytes.Repeat([]byte("x"), size), 0o600); err != nil {
			t.Fatal(err)
		}
		file, err := disk(path).Open(1<<20 + 7)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := file.WriteAt([]byte("one"), 0); err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(file.Sync(), file.Close()); err != nil {
			t.Fatal(err)
		}
		want := append([]byte("one"), make([]byte, 1<<20+4)...)
		if got, err := disk(path).Read(); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%d bytes after %d, or others than zeros, %v", len(got), size, err)
		}
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if _, err := disk(filepath.Join(path, "x")).Open(1); err == nil {
		t.Error("a log below a file was opened")
	}
}

// TestATermThatFailsToBeginEndsTheOneBefore: the bbolt file may be in the new term
// already, and what the old one would write would not count.
func TestATermThatFailsToBeginEndsTheOneBefore(t *testing.T) {
	for _, after := range []bool{false, true} {
		path := filepath.Join(t.TempDir(), "state.db")
		s := openSmall(t, path)
		term := begin(t, s)
		if err := term.Commit(within(t), []Change{{"a", []byte("1")}}); err != nil {
			t.Fatal(err)
		}
		s.update = func(do func(*bbolt.Tx) error) error {
			if after {
				_ = s.db.Update(do)
			}
			return errFault
		}
		if _, err := s.Begin(within(t)); !errors.Is(err, errFault) {
			t.Errorf("begin: %v", err)
		}
		if err := term.Commit(context.Background(), []Change{{"b", []byte("2")}}); !errors.Is(err, ErrOver) {
			t.Errorf("commit of the term before: %v", err)
		}
		s.crash()
		if got, err := dumped(t, path); err != nil || len(got) != 1 || got["a"] != "1" {
			t.Errorf("records %v, %v", got, err)
		}
	}
}
