package store

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pacer-run/pacer/runtime/zookeeper"
	"github.com/pacer-run/pacer/runtime/zookeeper/zktest"
)

// faulty stands before a real server and lets its client die at one operation:
// before the server got it, or after it did and before the answer came. Whatever
// follows fails, as it does in a process that was killed.
type faulty struct {
	tree
	mu    sync.Mutex
	left  int  // operations until the fault; negative for none
	after bool // the operation of the fault is done
	dead  bool

	merges int // transactions that replaced segments by one
}

var errDead = errors.New("the process is dead")

func (f *faulty) gate(do func() error) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.dead {
		return errDead
	}
	if f.left != 0 {
		f.left--
		return do()
	}
	f.dead = true
	if f.after {
		_ = do()
	}
	return zookeeper.ErrLost
}

func (f *faulty) Set(ctx context.Context, path string, data []byte, version int32) (v int32, err error) {
	err = f.gate(func() error { v, err = f.tree.Set(ctx, path, data, version); return err })
	return v, err
}

func (f *faulty) Multi(ctx context.Context, ops ...zookeeper.Op) error {
	gone := 0
	for _, op := range ops {
		if o, ok := op.(zookeeper.DeleteOp); ok && strings.Contains(o.Path, "/segments/") {
			gone++
		}
	}
	return f.gate(func() error {
		if gone > 1 {
			f.merges++
		}
		return f.tree.Multi(ctx, ops...)
	})
}

func (f *faulty) Create(ctx context.Context, path string, data []byte) error {
	return f.gate(func() error { return f.tree.Create(ctx, path, data) })
}

func (f *faulty) Children(ctx context.Context, path string) (names []string, err error) {
	err = f.gate(func() error { names, err = f.tree.Children(ctx, path); return err })
	return names, err
}

func (f *faulty) Data(ctx context.Context, path string) (data []byte, stat zookeeper.Stat, err error) {
	err = f.gate(func() error { data, stat, err = f.tree.Data(ctx, path); return err })
	return data, stat, err
}

func connect(t *testing.T, url string) *zookeeper.Conn {
	t.Helper()
	u, err := zookeeper.ParseURL(url)
	if err != nil {
		t.Fatal(err)
	}
	c, err := zookeeper.Dial(u, zookeeper.Options{SessionTimeout: 20 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func within(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

func begin(t *testing.T, s Store) Term {
	t.Helper()
	term, err := s.Begin(within(t))
	if err != nil {
		t.Fatal(err)
	}
	return term
}

func records(t *testing.T, term Term) map[string]string {
	t.Helper()
	got := map[string]string{}
	if err := term.Load(within(t), func(key string, value []byte) error { got[key] = string(value); return nil }); err != nil {
		t.Fatal(err)
	}
	return got
}

// drive commits until the term ends, the work is done or a commit fails. It
// returns the records after the last commit that succeeded, and after the one
// that failed if one did.
func drive(ctx context.Context, s *ZooKeeper, round int, have map[string]string) (sure, perhaps map[string]string) {
	term, err := s.Begin(ctx)
	if err != nil {
		return have, have
	}
	sure = have
	for i := range 7 {
		next := maps.Clone(sure)
		var changes []Change
		for j := range 3 {
			key := fmt.Sprint("k", (i*31+j*17+round*7)%67)
			value := fmt.Sprint(round, ".", i, strings.Repeat("v", 20_000))
			if i == 5 {
				value += strings.Repeat("w", 200_000) // in two log nodes
			}
			changes = append(changes, Change{key, []byte(value)})
			next[key] = value
		}
		gone := fmt.Sprint("k", (i*13+round*5)%67)
		changes = append(changes, Change{Key: gone})
		delete(next, gone)
		if term.Commit(ctx, changes) != nil {
			return sure, next
		}
		sure = next
		s.folds.Wait() // so that the n-th operation is the same in each run
	}
	return sure, sure
}

// TestNothingIsLostWhereverTheLeaderDies kills the client at each operation in
// turn, before and after it is done, and looks at what the next one finds.
func TestNothingIsLostWhereverTheLeaderDies(t *testing.T) {
	server := SharedServer()
	server.Up(t)
	path := zktest.Path(t)
	conn := connect(t, server.URL(path))
	ctx := within(t)
	have := map[string]string{}
	folds, merges, round := uint64(0), 0, 0
	for n, died := 0, true; died; n++ {
		for _, after := range []bool{false, true} {
			f := &faulty{tree: conn, left: n, after: after}
			s := openTree(f, path)
			sure, perhaps := drive(ctx, s, round, have)
			died = f.dead
			folds, merges = folds+s.Stats().Folds, merges+f.merges
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			have = inspect(t, conn, path, sure, perhaps, fmt.Sprintf("operation %d, done %v", n, after))
			round++
		}
	}
	if folds == 0 || merges == 0 {
		t.Errorf("%d folds and %d merges of segments: the test tests nothing", folds, merges)
	}
	t.Logf("%d runs, %d folds, %d merges", round, folds, merges)
}

// inspect is what the next leader loads: all of the last commit or nothing of it.
func inspect(t *testing.T, conn *zookeeper.Conn, path string, sure, perhaps map[string]string, what string) map[string]string {
	t.Helper()
	s := openTree(conn, path)
	defer s.Close()
	term := begin(t, s)
	got := records(t, term)
	if !maps.Equal(got, sure) && !maps.Equal(got, perhaps) {
		t.Fatalf("%s: keys %v, want those of %v or %v, or other values", what,
			slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(sure)), slices.Sorted(maps.Keys(perhaps)))
	}
	dumped := map[string]string{}
	if err := s.Dump(within(t), func(key string, value []byte) error { dumped[key] = string(value); return nil }); err != nil {
		t.Fatal(what, err)
	}
	if !maps.Equal(got, dumped) {
		t.Fatalf("%s: dump and load differ", what)
	}
	// What nothing counts any more is gone, and what counts is there.
	m, _, err := s.readManifest(within(t))
	if err != nil {
		t.Fatal(what, err)
	}
	names, err := conn.Children(within(t), s.segmentsPath())
	if err != nil {
		t.Fatal(what, err)
	}
	if len(names) != len(m.segments) {
		t.Fatalf("%s: %d segments are stored, %d count", what, len(names), len(m.segments))
	}
	return got
}
