package store

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"fmt"

	"go.etcd.io/bbolt"
)

type boltTerm struct {
	store *Bolt
	epoch int64
}

// Begin implements Store. The new term begins with an empty log.
func (b *Bolt) Begin(ctx context.Context) (Term, error) {
	if err := b.take(ctx); err != nil {
		return nil, err
	}
	defer func() { <-b.turn }()
	err := b.await(ctx)
	switch {
	case b.closed:
		err = errClosed
	case b.failed != nil:
		err = fmt.Errorf("the store has to be opened again: %w", b.failed)
	case err == nil:
		err = b.begin()
	}
	if err != nil {
		return nil, fmt.Errorf("store: begin a term: %w", err)
	}
	return &boltTerm{store: b, epoch: b.epoch}, nil
}

func (b *Bolt) begin() error {
	if b.log == nil {
		var salt [8]byte
		rand.Read(salt[:]) // it never fails
		log, err := openWAL(b.medium, b.side, binary.BigEndian.Uint64(salt[:]))
		if err != nil {
			return fmt.Errorf("log %s: %w", b.name, err)
		}
		b.log = log
	}
	var epoch int64
	err := b.fold(b.log.pending(), func(meta *bbolt.Bucket) (err error) {
		if epoch, err = storedEpoch(meta); err != nil {
			return err
		}
		epoch++
		if err := meta.Put([]byte(epochKey), binary.BigEndian.AppendUint64(nil, uint64(epoch))); err != nil {
			return err
		}
		return b.upTo(b.log.next - 1)(meta)
	})
	if err != nil {
		b.failed = err // the bbolt file may be in the new term already
		return err
	}
	b.log.empty(b.log.next)
	b.epoch, b.log.use.epoch = epoch, epoch
	return nil
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
	b := t.store
	if err := b.take(ctx); err != nil {
		return err
	}
	defer func() { <-b.turn }()
	b.notice()
	switch {
	case b.closed:
		return errClosed
	case b.epoch != t.epoch:
		// The file is locked: nobody but this Store can have begun a later term.
		return over(t.epoch, ErrDeposed)
	case b.failed != nil:
		return over(t.epoch, b.failed)
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case len(changes) == 0:
		return nil
	}
	err := b.commit(ctx, changes)
	switch {
	case b.failed != nil:
		// A disk that failed once may fail to keep what it reports as kept: no second try.
		return over(t.epoch, b.failed)
	case err == nil:
		b.counter.commit(changes)
	}
	return err
}

// commit appends to the log. It waits when both sides are full, which bounds the
// memory of what is not folded. Its error says that nothing was written.
func (b *Bolt) commit(ctx context.Context, changes []Change) error {
	e, block := b.log.encode(changes)
	large := int64(len(block)) > b.side
	if large || !b.log.fits(block) {
		if err := b.await(ctx); err != nil || b.failed != nil {
			return err
		}
	}
	b.logged.Add(1)
	if large {
		b.bypass(e)
		return nil
	}
	if !b.log.fits(block) {
		b.swap()
	}
	b.failed = b.log.append(e, block)
	return nil
}

// bypass folds an entry that no side of the log can hold together with all before
// it, without writing it to the log.
func (b *Bolt) bypass(e entry) {
	if b.failed = b.fold(append(b.log.pending(), e), b.upTo(e.last)); b.failed == nil {
		b.log.empty(e.last + 1)
	}
}
