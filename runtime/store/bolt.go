package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

const (
	recordBucket = "records"
	metaBucket   = "meta"
	epochKey     = "epoch"
	// logKey is there while commits may be in the log: its salt, and the number of
	// the last entry that is folded.
	logKey = "log"

	// walSuffix follows the bbolt file's path in that of the log.
	walSuffix = ".wal"

	// lockWait is how long to wait for a file that another process has open: long
	// enough for one that is just ending.
	lockWait = time.Second
)

// Bolt keeps records in a bbolt file and a log beside it, for one process at a
// time. A commit is an entry of the log, which costs one sync where a transaction
// of bbolt costs two. When a side of the log is full, its entries are folded into
// the bbolt file in one transaction in the background, while commits go on in the
// other side. Opening folds what the process before has left, and so does Close,
// after which the bbolt file is complete by itself.
//
// turn is held by whoever uses the fields below it. Folding in the background is
// the exception: it works on entries that nobody changes any more, and its end is
// noted by the next holder.
type Bolt struct {
	db      *bbolt.DB
	update  func(func(*bbolt.Tx) error) error // of db
	medium  medium
	name    string // of the log
	side    int64  // bytes of a side of the log
	counter counter
	logged  atomic.Int64 // commits not folded

	turn    chan struct{}
	closed  bool
	failed  error      // first failure of a write: no term of this Store goes on or begins
	epoch   int64      // of the last term
	log     *wal       // nil before the first term
	folding chan error // gets the outcome of the fold under way; nil without one
}

// OpenBolt opens the file at path, making it (readable by its owner only) and the
// folders above it where they are missing. The log is at path with ".wal" after
// it. ErrLocked if another process keeps the file open for more than a second.
func OpenBolt(path string) (*Bolt, error) {
	return openBolt(path, func(b *Bolt) { b.update = b.db.Update })
}

// openBolt lets adapt replace what the store works with.
func openBolt(path string, adapt func(*Bolt)) (*Bolt, error) {
	db, err := openDB(path)
	if err != nil {
		return nil, err
	}
	name := path + walSuffix
	b := &Bolt{db: db, medium: disk(name), name: name, side: sideBytes, turn: make(chan struct{}, 1)}
	adapt(b)
	if err := b.recover(); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return b, nil
}

func openDB(path string) (*bbolt.DB, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{Timeout: lockWait, FreelistType: bbolt.FreelistMapType})
	switch {
	case errors.Is(err, bolterrors.ErrTimeout):
		return nil, fmt.Errorf("store %s: %w: is another pacer running on this folder?", path, ErrLocked)
	case errors.Is(err, bolterrors.ErrInvalid), errors.Is(err, bolterrors.ErrChecksum), errors.Is(err, bolterrors.ErrVersionMismatch):
		return nil, fmt.Errorf("store %s: %w: %w", path, ErrCorrupt, err)
	case err != nil:
		return nil, fmt.Errorf("store %s: %w", path, err)
	}
	err = db.Update(func(tx *bbolt.Tx) error {
		for _, name := range []string{recordBucket, metaBucket} {
			if _, err := tx.CreateBucketIfNotExists([]byte(name)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("store %s: %w", path, err), db.Close())
	}
	return db, nil
}

// recover folds what the process before has left in the log. Nobody knows yet
// whether the last of it is durable; in the bbolt file it is.
func (b *Bolt) recover() error {
	var pos *position
	var epoch int64
	err := b.db.View(func(tx *bbolt.Tx) (err error) {
		meta := tx.Bucket([]byte(metaBucket))
		if pos, err = storedPosition(meta); err == nil && pos != nil {
			epoch, err = storedEpoch(meta)
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("store: %w", err)
	}
	if pos == nil {
		return nil
	}
	entries, err := b.left(walReader{b.name, use{pos.salt, epoch}}, pos.folded)
	if err != nil {
		return err
	}
	b.logged.Store(int64(len(entries)))
	if err := b.fold(entries, forget); err != nil {
		return fmt.Errorf("store: fold %s: %w", b.name, err)
	}
	return nil
}

// left reads the log. An empty file is how an operator says that a log is lost.
func (b *Bolt) left(r walReader, folded uint64) ([]entry, error) {
	data, err := b.medium.Read()
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, corrupt(b.name, errors.New("the file is missing, and the latest commits with it: "+
			"put it back, or an empty file in its place to go on without them"))
	case err != nil:
		return nil, fmt.Errorf("store: %w", err)
	case len(data) == 0:
		return nil, nil
	}
	return r.read(data, folded)
}

// take waits for the turn; the caller gives it back with <-b.turn.
func (b *Bolt) take(ctx context.Context) error {
	select {
	case b.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Dump implements Store.
func (b *Bolt) Dump(ctx context.Context, yield func(string, []byte) error) error {
	tx, changed, err := b.capture(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	err = tx.Bucket([]byte(recordBucket)).ForEach(func(key, value []byte) error {
		if err := context.Cause(ctx); err != nil {
			return err
		}
		if _, later := changed[string(key)]; later {
			return nil
		}
		return yield(string(key), value)
	})
	if err != nil {
		return err
	}
	return yieldOverlay(changed, yield)
}

// capture is the state of one moment: a fold that ends in between changes in the
// bbolt file nothing but what the overlay has as well.
func (b *Bolt) capture(ctx context.Context) (tx *bbolt.Tx, changed map[string][]byte, err error) {
	if err := b.take(ctx); err != nil {
		return nil, nil, err
	}
	defer func() { <-b.turn }()
	if b.closed {
		return nil, nil, errClosed
	}
	if b.log != nil {
		if changed, err = overlay(b.log.pending(), b.entryName); err != nil {
			return nil, nil, err
		}
	}
	tx, err = b.db.Begin(false)
	return tx, changed, err
}

func (b *Bolt) entryName(number uint64) string { return fmt.Sprintf("%s: entry %d", b.name, number) }

// Stats implements Store.
func (b *Bolt) Stats() Stats {
	s := b.counter.stats()
	s.LogNodes = int(b.logged.Load())
	return s
}

// Close implements Store. It waits for loads and commits under way, and folds
// unless a write failed: then the next process finds out what the log holds.
func (b *Bolt) Close() error {
	b.turn <- struct{}{}
	defer func() { <-b.turn }()
	if b.closed {
		return nil
	}
	_ = b.await(context.Background())
	b.closed = true
	var err error
	if b.log != nil {
		if b.failed == nil {
			err = b.fold(b.log.pending(), forget)
		}
		err = errors.Join(err, b.log.file.Close())
	}
	if err = errors.Join(err, b.db.Close()); err != nil {
		return fmt.Errorf("store: close: %w", err)
	}
	return nil
}
