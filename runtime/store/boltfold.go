package store

import (
	"context"
	"encoding/binary"
	"fmt"

	"go.etcd.io/bbolt"
)

// position is what the bbolt file notes of its log.
type position struct {
	salt   uint64 // of the log
	folded uint64 // number of its last entry that is in the bbolt file
}

// storedPosition is nil when nothing in the log counts.
func storedPosition(meta *bbolt.Bucket) (*position, error) {
	data := meta.Get([]byte(logKey))
	if data == nil {
		return nil, nil
	}
	r := reader{rest: data}
	p := position{salt: r.number(), folded: r.number()}
	if r.err != nil || len(r.rest) > 0 {
		return nil, fmt.Errorf("%w: the position in the log has %d bytes", ErrCorrupt, len(data))
	}
	return &p, nil
}

func storedEpoch(meta *bbolt.Bucket) (int64, error) {
	data := meta.Get([]byte(epochKey))
	switch len(data) {
	case 0:
		return 0, nil
	case 8:
		return int64(binary.BigEndian.Uint64(data)), nil
	}
	return 0, fmt.Errorf("%w: the epoch has %d bytes", ErrCorrupt, len(data))
}

// upTo notes that entries up to the one of that number are folded.
func (b *Bolt) upTo(number uint64) func(meta *bbolt.Bucket) error {
	data := appendNumbers(nil, b.log.use.salt, number)
	return func(meta *bbolt.Bucket) error { return meta.Put([]byte(logKey), data) }
}

// forget notes that nothing in the log counts.
func forget(meta *bbolt.Bucket) error { return meta.Delete([]byte(logKey)) }

// fold puts commits into the bbolt file, and with the same transaction notes what
// that means for the log. It may be called without the turn.
func (b *Bolt) fold(entries []entry, note func(meta *bbolt.Bucket) error) error {
	changed, err := overlay(entries, b.entryName)
	if err != nil {
		return err
	}
	size := 0
	err = b.update(func(tx *bbolt.Tx) error {
		records := tx.Bucket([]byte(recordBucket))
		for _, key := range sortedKeys(changed) {
			value, err := changed[key], error(nil)
			if value == nil {
				err = records.Delete([]byte(key))
			} else {
				err = records.Put([]byte(key), value)
			}
			if err != nil {
				return fmt.Errorf("record %q: %w", key, err)
			}
			size += len(key) + len(value)
		}
		return note(tx.Bucket([]byte(metaBucket)))
	})
	if err != nil || len(entries) == 0 {
		return err
	}
	b.counter.folds.Add(1)
	b.counter.folded.Add(uint64(size))
	b.logged.Add(-int64(len(entries)))
	return nil
}

// swap goes on with the other side of the log, which is folded, and has the full
// one folded in the background.
func (b *Bolt) swap() {
	entries, done := b.log.swap(), make(chan error, 1)
	b.folding = done
	note := b.upTo(entries[len(entries)-1].last)
	go func() { done <- b.fold(entries, note) }()
}

// notice takes note of a fold that has ended.
func (b *Bolt) notice() {
	select {
	case err := <-b.folding:
		b.rested(err)
	default:
	}
}

// await waits for the fold under way, if there is one, or for the end of ctx, which
// is its error.
func (b *Bolt) await(ctx context.Context) error {
	if b.folding == nil {
		return context.Cause(ctx)
	}
	select {
	case err := <-b.folding:
		b.rested(err)
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// rested notes the outcome of the fold under way. Nobody knows of a failed one
// what is in the bbolt file; what is in the log stays there.
func (b *Bolt) rested(err error) {
	b.folding = nil
	if err == nil {
		b.log.entries[1-b.log.active] = nil
	} else if b.failed == nil {
		b.failed = err
	}
}
