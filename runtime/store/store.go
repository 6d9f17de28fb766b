// Package store keeps records durably: keys and values whose meaning it does not
// know. There is one behaviour and three places to keep records in: memory (for
// tests), a bbolt file with a log beside it (one machine) and ZooKeeper (several
// machines, of which one at a time may write).
//
// Writing is bound to a term. Each term has an epoch greater than any before it,
// and every commit is checked against the epoch in one step with being saved, so
// that a leader which does not know yet that it was deposed cannot write.
package store

import (
	"context"
	"errors"
	"fmt"
)

// Limits that hold for every backend, so that what works in one works in all.
const (
	// MaxKeyBytes bounds a record's key.
	MaxKeyBytes = 1 << 10
	// MaxRecordBytes bounds a record's key and value together. ZooKeeper takes no
	// node of more than 1 MiB.
	MaxRecordBytes = 900 << 10
)

// Errors of terms, found with errors.Is.
var (
	// ErrDeposed: a later term has begun. Nothing of the commit was saved.
	ErrDeposed = errors.New("deposed: a later term has begun")
	// ErrOver: an earlier commit of the term failed, and with it the term.
	ErrOver = errors.New("the term is over")
	// ErrLocked: another process has the file open.
	ErrLocked = errors.New("another process holds the file")
	// ErrCorrupt: what is stored is not what was written. The error names the place.
	ErrCorrupt = errors.New("corrupt")
	// ErrForeign says that what is stored there is not of this store.
	ErrForeign = errors.New("the state of another program")
)

// Change is the new durable form of one record. A nil Value removes the record;
// an empty one that is not nil keeps it.
type Change struct {
	Key   string
	Value []byte
}

// Store opens terms.
type Store interface {
	// Begin claims a new epoch, greater than any before it, and fences every
	// earlier term: their commits fail with ErrDeposed.
	Begin(ctx context.Context) (Term, error)
	// Dump calls yield for every live record like Term.Load, as of one moment,
	// without beginning a term: the leader, if there is one, is not disturbed.
	Dump(ctx context.Context, yield func(key string, value []byte) error) error
	// Stats counts what the terms of this Store have written.
	Stats() Stats
	// Close gives back what the store holds. Commits of its terms fail afterwards.
	Close() error
}

// Term is the right to write until a later term begins. Its methods may be called
// by several goroutines; commits are done one after the other.
type Term interface {
	// Epoch is the term's number, from 1.
	Epoch() int64
	// Load calls yield for every live record, once, in no particular order, and
	// ends with yield's first error. The key may be kept; the value is only valid
	// during the call. yield must not use the Term. A caller that needs records
	// loads before its first commit.
	Load(ctx context.Context, yield func(key string, value []byte) error) error
	// Commit saves all changes or none; of two changes of one key the later wins.
	// When it returns nil they are durable. The caller does not alter values
	// afterwards. A change that breaks the limits is refused and the term goes on.
	// After any other error the outcome may be unknown: the caller gives the term
	// up, and the next one loads all of the changes or none.
	Commit(ctx context.Context, changes []Change) error
	// MaxCommitBytes is the size, keys and values together, up to which a commit
	// costs one round trip. Larger ones are as atomic but slower.
	MaxCommitBytes() int
}

// Stats counts since the store was opened, over all its terms.
type Stats struct {
	Commits uint64 // that succeeded
	Records uint64 // changes in them
	Bytes   uint64 // keys and values in them

	// The following concern stores with a log.

	Folds    uint64 // times that the log was folded into segments or the bbolt file, or segments into one
	Folded   uint64 // bytes of segments, or of keys and values in the bbolt file, written by that
	LogNodes int    // log nodes, or entries, not folded yet
	Segments int    // live segments; ZooKeeper only
}

// check refuses changes that no backend would take.
func check(changes []Change) error {
	for i, c := range changes {
		switch {
		case c.Key == "":
			return fmt.Errorf("store: change %d: key: expected at least one byte", i)
		case len(c.Key) > MaxKeyBytes:
			return fmt.Errorf("store: change %d: key of %d bytes: expected at most %d", i, len(c.Key), MaxKeyBytes)
		case len(c.Key)+len(c.Value) > MaxRecordBytes:
			return fmt.Errorf("store: record %q has %d bytes: expected at most %d", c.Key, len(c.Key)+len(c.Value), MaxRecordBytes)
		}
	}
	return nil
}

// over says why a term ended: cause is its first error.
func over(epoch int64, cause error) error {
	if errors.Is(cause, ErrDeposed) {
		return fmt.Errorf("store: term %d: %w", epoch, ErrDeposed)
	}
	return fmt.Errorf("store: %w: term %d failed: %w", ErrOver, epoch, cause)
}
