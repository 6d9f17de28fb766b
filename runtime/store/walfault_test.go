package store

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"go.etcd.io/bbolt"
)

// smallSide holds a few commits.
const smallSide = 4 * blockBytes

// crashed is what is known after a crash: the records are those of one of these.
type crashed struct{ sure, perhaps map[string]string }

// commitTo makes the n-th of a run of commits, of one block, of several, and of
// more than a side of the log holds.
func commitTo(ctx context.Context, term Term, round, n int, have map[string]string) (next map[string]string, err error) {
	next = maps.Clone(have)
	size := []int{10, 1000, 6000, 100, 30, 9000, 5 * smallSide / 4, 50}[n%8]
	var changes []Change
	for j := range 3 {
		key := fmt.Sprint("k", (n*5+j*7+round*3)%23)
		value := fmt.Sprint(round, ".", n, strings.Repeat("v", size/3))
		changes = append(changes, Change{key, []byte(value)})
		next[key] = value
	}
	gone := fmt.Sprint("k", (n*11+round)%23)
	changes = append(changes, Change{Key: gone})
	delete(next, gone)
	return next, term.Commit(ctx, changes)
}

// live is the life of one process: it opens what the one before has left, checks
// it, commits, and closes or dies.
func live(t *testing.T, path string, p *platter, round int, before crashed) (after crashed) {
	t.Helper()
	ctx := t.Context()
	s, err := openOn(path, p, smallSide)
	if err != nil {
		return before
	}
	defer s.crash()
	for range 2 { // terms
		term, err := s.Begin(ctx)
		if err != nil {
			return before
		}
		have := records(t, term)
		if !maps.Equal(have, before.sure) && !maps.Equal(have, before.perhaps) {
			t.Fatalf("keys %v, want those of %v or %v, or other values",
				slices.Sorted(maps.Keys(have)), slices.Sorted(maps.Keys(before.sure)), slices.Sorted(maps.Keys(before.perhaps)))
		}
		before = crashed{have, have}
		for n := range 13 {
			next, err := commitTo(ctx, term, round, n, before.sure)
			if err != nil {
				return crashed{before.sure, next}
			}
			before = crashed{next, next}
			s.quiesce() // so that the n-th operation is the same in each run
		}
	}
	_ = s.Close() // an error is that of a fault
	return before
}

// TestBoltLosesNothingWhereverItDies ends the process at each operation in turn,
// before and after it is done, and loses what was not synced in several ways.
func TestBoltLosesNothingWhereverItDies(t *testing.T) {
	for name, survives := range losses {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path, p := filepath.Join(t.TempDir(), "state.db"), &platter{}
			state, round := crashed{map[string]string{}, map[string]string{}}, 0
			for n, died := 0, true; died; n++ {
				for _, after := range []bool{false, true} {
					p.gate = &gate{left: n, after: after}
					state = live(t, path, p, round, state)
					died = p.dead
					p.cut(survives)
					if t.Failed() {
						t.Fatalf("after operation %d, done %v", n, after)
					}
					round++
				}
			}
			p.gate = &gate{left: -1}
			live(t, path, p, round, state)
			if p.count < 60 || round < 120 {
				t.Errorf("%d operations, %d rounds: the test tests nothing", p.count, round)
			}
		})
	}
}

// TestBoltSyncsOncePerCommit counts, folding in the background aside.
func TestBoltSyncsOncePerCommit(t *testing.T) {
	p := &platter{gate: &gate{left: -1}}
	s, err := openOn(filepath.Join(t.TempDir(), "state.db"), p, smallSide)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	term, have := begin(t, s), map[string]string{}
	before := p.syncs
	for n := range 6 {
		if have, err = commitTo(t.Context(), term, 0, n, have); err != nil {
			t.Fatal(err)
		}
	}
	s.quiesce()
	if got := len(s.log.pending()); got == 0 || got >= 6 || got != s.Stats().LogNodes {
		t.Errorf("%d commits are held in memory: %+v", got, s.Stats())
	}
	if got := p.syncs - before; got != 6 || s.Stats().Folds == 0 {
		t.Errorf("%d syncs in 6 commits, %d folds", got, s.Stats().Folds)
	}
}

// failing is a medium whose next sync fails.
type failing struct {
	*platter
	fail bool
}

func (f *failing) Open(size int64) (logFile, error) {
	_, err := f.platter.Open(size)
	return f, err
}

func (f *failing) Sync() error {
	if f.fail {
		return errFault
	}
	return f.platter.Sync()
}

// TestBoltAfterAFailedSync: nobody knows what a disk has that failed once. The
// term is over, and so is the Store; the next one has all of the commit or nothing.
func TestBoltAfterAFailedSync(t *testing.T) {
	for name, survives := range losses {
		t.Run(name, func(t *testing.T) {
			path, f := filepath.Join(t.TempDir(), "state.db"), &failing{platter: &platter{gate: &gate{left: -1}}}
			s, err := openOn(path, f.platter, smallSide)
			if err != nil {
				t.Fatal(err)
			}
			s.medium = f
			term := begin(t, s)
			sure, err := commitTo(t.Context(), term, 0, 0, map[string]string{})
			if err != nil {
				t.Fatal(err)
			}
			f.fail = true
			perhaps, err := commitTo(t.Context(), term, 0, 2, sure)
			if !errors.Is(err, ErrOver) || !errors.Is(err, errFault) {
				t.Errorf("commit: %v", err)
			}
			f.fail = false
			if _, err := commitTo(t.Context(), term, 0, 3, sure); !errors.Is(err, ErrOver) || !errors.Is(err, errFault) {
				t.Errorf("commit of a term that is over: %v", err)
			}
			if _, err := s.Begin(t.Context()); !errors.Is(err, errFault) {
				t.Errorf("a term of a store that failed: %v", err)
			}
			if got := records(t, term); !maps.Equal(got, sure) {
				t.Errorf("records %v, want %v", got, sure)
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			f.cut(survives)
			live(t, path, f.platter, 1, crashed{sure, perhaps})
		})
	}
}

// TestBoltCommitsWaitForFolding fills both sides while folding is held up.
func TestBoltCommitsWaitForFolding(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, held, release := &platter{gate: &gate{left: -1}}, 0, make(chan error)
		path := filepath.Join(t.TempDir(), "state.db")
		s, err := openOn(path, p, smallSide)
		if err != nil {
			t.Fatal(err)
		}
		term := begin(t, s)
		update := s.update
		s.update = func(do func(*bbolt.Tx) error) error {
			held++
			if err := <-release; err != nil {
				return err
			}
			return update(do)
		}
		ctx, cancel := context.WithCancel(t.Context())
		have, waiting := map[string]string{}, make(chan error, 1)
		put := func(ctx context.Context, i int) error {
			return term.Commit(ctx, []Change{{fmt.Sprint(i), []byte("v")}})
		}
		const room = 2 * smallSide / blockBytes
		for i := range room {
			have[fmt.Sprint(i)] = "v"
			if err := put(ctx, i); err != nil {
				t.Fatal(err)
			}
		}
		go func() { waiting <- put(ctx, room) }()
		synctest.Wait()
		if s.Stats().LogNodes != room || len(waiting) > 0 || held != 1 {
			t.Fatalf("%d commits in the log, %d folds under way: want %d and 1", s.Stats().LogNodes, held, room)
		}
		cancel()
		if err := <-waiting; !errors.Is(err, context.Canceled) {
			t.Errorf("a commit that waited until its context ended: %v", err)
		}
		// That was no failure: the term goes on, and so do the numbers of entries.
		go func() { waiting <- put(t.Context(), room+1) }()
		release <- nil
		if err := <-waiting; err != nil {
			t.Fatal(err)
		}
		have[fmt.Sprint(room+1)] = "v"
		release <- errFault // the fold that this commit began
		synctest.Wait()
		if err := put(t.Context(), room+2); !errors.Is(err, ErrOver) || !errors.Is(err, errFault) {
			t.Errorf("commit after a fold that failed: %v", err)
		}
		if got := records(t, term); !maps.Equal(got, have) {
			t.Errorf("records %v, want %v", got, have)
		}
		if err := s.Close(); err != nil { // does not fold
			t.Fatal(err)
		}
		live(t, path, p, 1, crashed{have, have})
	})
}
