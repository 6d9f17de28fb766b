package store

import (
	"errors"
	"io/fs"
	"slices"
	"sync"

	"go.etcd.io/bbolt"
)

// gate counts operations and lets the process die at one of them: before it is
// done, or after that and before anybody is told. Whatever follows fails.
type gate struct {
	mu    sync.Mutex
	left  int // operations until the fault; negative for none
	after bool
	dead  bool
	count int
}

var errFault = errors.New("the disk failed")

func (g *gate) pass(do func() error) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.dead {
		return errDead
	}
	g.count++
	if g.left != 0 {
		g.left--
		return do()
	}
	g.dead = true
	if g.after {
		_ = do()
	}
	return errFault
}

// platter is a medium that can lose power.
type platter struct {
	*gate
	durable []byte
	cache   []byte   // what reading shows; nil when there is no file
	loose   []scrawl // what was written since the last sync
	syncs   int
}

type scrawl struct {
	at   int64
	data []byte
}

// sector is what a disk writes in one piece.
const sector = 512

func (p *platter) Read() ([]byte, error) {
	if p.cache == nil {
		return nil, fs.ErrNotExist
	}
	return slices.Clone(p.cache), nil
}

func (p *platter) Open(size int64) (logFile, error) {
	return p, p.pass(func() error {
		if int64(len(p.cache)) != size {
			p.cache, p.durable, p.loose = make([]byte, size), make([]byte, size), nil
		}
		return nil
	})
}

func (p *platter) WriteAt(b []byte, at int64) (int, error) {
	return len(b), p.pass(func() error {
		if at < 0 || at%sector != 0 || at+int64(len(b)) > int64(len(p.cache)) {
			panic("a write beyond the end of the log")
		}
		copy(p.cache[at:], b)
		p.loose = append(p.loose, scrawl{at, slices.Clone(b)})
		return nil
	})
}

func (p *platter) Sync() error {
	return p.pass(func() error {
		p.syncs++
		copy(p.durable, p.cache)
		p.loose = nil
		return nil
	})
}

func (p *platter) Close() error { return nil }

// cut is the loss of power: of what was not synced those sectors survive, counted
// from the first one that was written, of which survives is true.
func (p *platter) cut(survives func(i, of int) bool) {
	for _, w := range p.loose {
		of := len(w.data) / sector
		for i := range of {
			if survives(i, of) {
				copy(p.durable[w.at+int64(i)*sector:], w.data[i*sector:(i+1)*sector])
			}
		}
	}
	p.cache, p.loose = slices.Clone(p.durable), nil
}

// losses are ways in which a write can arrive in part.
var losses = map[string]func(i, of int) bool{
	"nothing arrives":       func(int, int) bool { return false },
	"all of it arrives":     func(int, int) bool { return true },
	"the first sector does": func(i, _ int) bool { return i == 0 },
	"all but the first do":  func(i, _ int) bool { return i > 0 },
	"all but the last do":   func(i, of int) bool { return i < of-1 },
	"every other does":      func(i, _ int) bool { return i%2 == 0 },
	"the first block does":  func(i, _ int) bool { return i < blockBytes/sector },
}

// openOn opens a store whose log is on the platter and has small sides, and whose
// transactions pass the gate as well. bbolt's own way through a loss of power is
// not what is tested.
func openOn(path string, p *platter, side int64) (*Bolt, error) {
	return openBolt(path, func(b *Bolt) {
		b.db.NoSync = true
		b.medium, b.side = p, side
		b.update = func(do func(*bbolt.Tx) error) error {
			return p.pass(func() error { return b.db.Update(do) })
		}
	})
}

// quiesce waits until nothing is folded in the background.
func (b *Bolt) quiesce() {
	b.turn <- struct{}{}
	defer func() { <-b.turn }()
	if b.folding != nil {
		b.rested(<-b.folding)
	}
}

// crash ends the store as the end of its process does.
func (b *Bolt) crash() {
	b.quiesce()
	_ = b.db.Close()
}
