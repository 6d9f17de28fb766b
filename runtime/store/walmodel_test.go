package store

import (
	"bufio"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// OpenSmallBolt opens a store whose log is full after a few commits, so that all
// tests of the behaviour meet folds, and commits that no side can hold.
func OpenSmallBolt(path string) (*Bolt, error) {
	return openBolt(path, func(b *Bolt) { b.side, b.update = 16*blockBytes, b.db.Update })
}

// machine is a store on a disk that loses power, beside what it should hold.
type machine struct {
	t     *testing.T
	path  string
	disk  *platter
	store *Bolt
	term  Term
	have  map[string]string
}

func (m *machine) start(r *rapid.T, candidates ...map[string]string) {
	m.disk.gate = &gate{left: -1}
	s, err := openOn(m.path, m.disk, smallSide)
	if err != nil {
		r.Fatal(err)
	}
	m.store, m.term = s, begin(m.t, s)
	m.have = records(m.t, m.term)
	if !slices.ContainsFunc(candidates, func(c map[string]string) bool { return maps.Equal(c, m.have) }) {
		r.Fatalf("records %v, want one of %v", m.have, candidates)
	}
}

// change draws a commit and the records after it.
func (m *machine) change(r *rapid.T) (changes []Change, next map[string]string) {
	next = maps.Clone(m.have)
	size := rapid.SampledFrom([]int{0, 100, blockBytes - 40, 2 * blockBytes, smallSide - 50, 2 * smallSide}).Draw(r, "size")
	for i := range rapid.IntRange(1, 3).Draw(r, "changes") {
		key := rapid.SampledFrom([]string{"a", "b", "c", "d", "e"}).Draw(r, "key")
		c := Change{Key: key}
		if delete(next, key); i == 0 || rapid.Bool().Draw(r, "set") {
			next[key] = strings.Repeat(rapid.SampledFrom([]string{"u", "v", "w"}).Draw(r, "value"), size)
			c.Value = []byte(next[key])
		}
		changes = append(changes, c)
	}
	return changes, next
}

func (m *machine) commit(r *rapid.T) {
	changes, next := m.change(r)
	if err := m.term.Commit(m.t.Context(), changes); err != nil {
		r.Fatal(err)
	}
	m.have = next
}

// die lets the machine lose power within one of the next commits, or between two.
func (m *machine) die(r *rapid.T) {
	m.disk.mu.Lock()
	m.disk.left, m.disk.after = rapid.IntRange(0, 6).Draw(r, "operations"), rapid.Bool().Draw(r, "done")
	m.disk.mu.Unlock()
	sure, perhaps := m.have, m.have
	for range 4 {
		changes, next := m.change(r)
		if perhaps = next; m.term.Commit(m.t.Context(), changes) != nil {
			break
		}
		m.have, sure = next, next
	}
	m.store.crash()
	survivors := rapid.Uint64().Draw(r, "survivors")
	m.disk.cut(func(i, _ int) bool { return survivors>>(i%64)&1 != 0 })
	m.start(r, sure, perhaps)
}

// TestBoltModel compares the store with a map under random commits, terms, ends and
// losses of power, while folding goes on in the background.
func TestBoltModel(t *testing.T) {
	runs := 0
	rapid.Check(t, func(r *rapid.T) {
		runs++
		m := &machine{t: t, path: filepath.Join(t.TempDir(), strconv.Itoa(runs)), disk: &platter{}}
		m.start(r, map[string]string{})
		defer func() { m.store.crash() }()
		r.Repeat(map[string]func(*rapid.T){
			"commit":      m.commit,
			"commit more": m.commit,
			"quiesce":     func(*rapid.T) { m.store.quiesce() },
			"lose power":  m.die,
			"kill": func(r *rapid.T) {
				m.store.crash()
				m.start(r, m.have)
			},
			"close": func(r *rapid.T) {
				if err := m.store.Close(); err != nil {
					r.Fatal(err)
				}
				m.start(r, m.have)
			},
			"begin": func(r *rapid.T) {
				m.term = begin(m.t, m.store)
				if got := records(m.t, m.term); !maps.Equal(got, m.have) {
					r.Fatalf("records %v, want %v", got, m.have)
				}
			},
		})
	})
}

// victim is the variable that makes a test binary the process to be killed.
const victim = "PACER_TEST_VICTIM"

// TestVictim commits numbers until it is killed, and prints each that is saved.
func TestVictim(t *testing.T) {
	path := os.Getenv(victim)
	if path == "" {
		return // the other process of TestKilledProcess
	}
	s, err := OpenSmallBolt(path)
	if err != nil {
		t.Fatal(err)
	}
	term := begin(t, s)
	for n := len(records(t, term)) / 2; ; n++ {
		one, two := Change{fmt.Sprint("a", n), []byte("v")}, Change{fmt.Sprint("b", n), []byte("v")}
		if err := term.Commit(t.Context(), []Change{one, two}); err != nil {
			t.Fatal(err)
		}
		fmt.Println("saved", n)
	}
}

// TestKilledProcess kills a real process, on a real disk, wherever it is.
func TestKilledProcess(t *testing.T) {
	path, saved := filepath.Join(t.TempDir(), "state.db"), 0
	for round := range 4 {
		cmd := exec.Command(os.Args[0], "-test.run=^TestVictim$", "-test.timeout=2m")
		cmd.Env = append(os.Environ(), victim+"="+path)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines, enough := bufio.NewScanner(out), saved+10+13*round
		for lines.Scan() {
			text, ok := strings.CutPrefix(lines.Text(), "saved ")
			if n, err := strconv.Atoi(text); !ok || err != nil {
				t.Errorf("round %d: %s", round, lines.Text())
			} else if saved = n + 1; saved == enough {
				_ = cmd.Process.Kill() // what it printed until then is still read
			}
		}
		if err := cmd.Wait(); err == nil || saved < enough {
			t.Fatalf("round %d: the process ended by itself, %v", round, err)
		}
		got, err := dumped(t, path)
		if n := len(got) / 2; err != nil || n < saved || n > saved+1 || got[fmt.Sprint("a", n-1)]+got[fmt.Sprint("b", n-1)] != "vv" {
			t.Fatalf("round %d: %d records after %d commits, %v", round, len(got), saved, err)
		}
		saved = len(got) / 2
	}
}
