package store

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

const (
	recordBucket = "records"
	metaBucket   = "meta"
	epochKey     = "epoch"

	// lockWait is how long to wait for a file that another process has open: long
	// enough for one that is just ending.
	lockWait = time.Second
)

// Bolt keeps records in a bbolt file, for one process at a time.
type Bolt struct {
	db      *bbolt.DB
	counter counter
}

// OpenBolt opens the file at path, making it (readable by its owner only) and the
// folders above it where they are missing. ErrLocked if another process keeps it
// open for more than a second.
func OpenBolt(path string) (*Bolt, error) {
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
	return &Bolt{db: db}, nil
}

// Begin implements Store.
func (b *Bolt) Begin(ctx context.Context) (Term, error) {
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	var epoch int64
	err := b.db.Update(func(tx *bbolt.Tx) error {
		var err error
		if epoch, err = storedEpoch(tx); err != nil {
			return err
		}
		epoch++
		return tx.Bucket([]byte(metaBucket)).Put([]byte(epochKey), binary.BigEndian.AppendUint64(nil, uint64(epoch)))
	})
	if err != nil {
		return nil, fmt.Errorf("store: begin a term: %w", err)
	}
	return &boltTerm{store: b, epoch: epoch}, nil
}

func storedEpoch(tx *bbolt.Tx) (int64, error) {
	data := tx.Bucket([]byte(metaBucket)).Get([]byte(epochKey))
	switch len(data) {
	case 0:
		return 0, nil
	case 8:
		return int64(binary.BigEndian.Uint64(data)), nil
	}
	return 0, fmt.Errorf("%w: the epoch has %d bytes", ErrCorrupt, len(data))
}

// Dump implements Store.
func (b *Bolt) Dump(ctx context.Context, yield func(string, []byte) error) error {
	return b.db.View(func(tx *bbolt.Tx) error {
		return tx.Bucket([]byte(recordBucket)).ForEach(func(key, value []byte) error {
			if err := context.Cause(ctx); err != nil {
				return err
			}
			return yield(string(key), value)
		})
	})
}

// Stats implements Store.
func (b *Bolt) Stats() Stats { return b.counter.stats() }

// Close implements Store. It waits for loads and commits under way.
func (b *Bolt) Close() error { return b.db.Close() }

type boltTerm struct {
	store *Bolt
	epoch int64

	mu     sync.Mutex
	failed error // first failure of a commit
}

func (t *boltTerm) Epoch() int64        { return t.epoch }
func (t *boltTerm) MaxCommitBytes() int { return maxPart }

func (t *boltTerm) Load(ctx context.Context, yield func(string, []byte) error) error {
	return t.store.Dump(ctx, yield)
}

func (t *boltTerm) Commit(ctx context.Context, changes []Change) error {
	if err := check(changes); err != nil {
		return err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.failed != nil {
		return over(t.epoch, t.failed)
	}
	if err := context.Cause(ctx); err != nil {
		return err
	}
	// A disk that failed once may fail to keep what it reports as kept: no second try.
	if t.failed = t.store.db.Update(func(tx *bbolt.Tx) error { return t.apply(tx, changes) }); t.failed != nil {
		return over(t.epoch, t.failed)
	}
	t.store.counter.commit(changes)
	return nil
}

func (t *boltTerm) apply(tx *bbolt.Tx, changes []Change) error {
	if epoch, err := storedEpoch(tx); err != nil || epoch != t.epoch {
		return errors.Join(err, ErrDeposed)
	}
	records := tx.Bucket([]byte(recordBucket))
	for _, c := range changes {
		var err error
		if c.Value == nil {
			err = records.Delete([]byte(c.Key))
		} else {
			err = records.Put([]byte(c.Key), c.Value)
		}
		if err != nil {
			return fmt.Errorf("record %q: %w", c.Key, err)
		}
	}
	return nil
}
