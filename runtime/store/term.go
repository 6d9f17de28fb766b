package store

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/pacer-run/pacer/runtime/zookeeper"
)

const (
	// The log is folded when it is worth a segment, or has enough nodes to make
	// reading it slow.
	foldBytes = segmentBytes
	foldNodes = 512
	// Commits wait for folding from here on, so that the log's list of children
	// stays far below 1 MiB and a load after a failover short.
	fullBytes = 16 * foldBytes
	fullNodes = 8 * foldNodes
)

// zkTerm is a term in ZooKeeper.
//
// turn is held while a commit, a load or the taking of a decision to fold is
// under way, so that commits are one after the other. mu guards what commits and
// folding share. The manifest and the index belong to Load before the first
// commit and to folding, of which there is one at a time, afterwards.
type zkTerm struct {
	store   *ZooKeeper
	epoch   int64
	version int32 // of the epoch node
	turn    chan struct{}
	loaded  bool   // held by turn
	next    uint64 // number of the next log node; held by turn

	mu      sync.Mutex
	failed  error
	pending []entry // in the log and not in segments, oldest first
	bytes   int     // of pending
	nodes   int
	folding bool
	eased   chan struct{} // closed and replaced when folding got on or failed

	manifest *manifest
	index    map[string]place // of every folded live record
}

func newTerm(z *ZooKeeper, epoch int64, version int32) *zkTerm {
	return &zkTerm{store: z, epoch: epoch, version: version, turn: make(chan struct{}, 1), eased: make(chan struct{})}
}

func (t *zkTerm) Epoch() int64        { return t.epoch }
func (t *zkTerm) MaxCommitBytes() int { return maxPart }

// take waits for the turn; the caller gives it back with <-t.turn.
func (t *zkTerm) take(ctx context.Context) error {
	select {
	case t.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// fail ends the term for the reason of its first failure.
func (t *zkTerm) fail(cause error) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.failed == nil {
		t.failed = cause
	}
	t.ease()
	return over(t.epoch, t.failed)
}

// ease wakes commits that wait for room in the log; mu is held.
func (t *zkTerm) ease() {
	close(t.eased)
	t.eased = make(chan struct{})
}

func (t *zkTerm) failure() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.store.ctx.Err() != nil {
		return errClosed
	}
	if t.failed != nil {
		return over(t.epoch, t.failed)
	}
	return nil
}

// write does ops in one transaction that the epoch guards.
func (t *zkTerm) write(ctx context.Context, ops ...zookeeper.Op) error {
	guard := zookeeper.CheckOp{Path: t.store.epochPath(), Version: t.version}
	err := t.store.tree.Multi(ctx, append([]zookeeper.Op{guard}, ops...)...)
	var refused *zookeeper.MultiError
	if errors.As(err, &refused) && refused.Index == 0 {
		return fmt.Errorf("%w: %w", ErrDeposed, err)
	}
	return err
}

// Commit implements Term.
func (t *zkTerm) Commit(ctx context.Context, changes []Change) error {
	if err := check(changes); err != nil {
		return err
	}
	if err := t.take(ctx); err != nil {
		return err
	}
	defer func() { <-t.turn }()
	if !t.loaded {
		if err := t.load(ctx, func(string, []byte) error { return nil }); err != nil {
			return err
		}
	}
	if err := t.room(ctx); err != nil || len(changes) == 0 {
		return err
	}
	e, err := t.append(ctx, changes)
	if err != nil {
		return t.fail(err)
	}
	t.store.counter.commit(changes)
	t.queue(e)
	return nil
}

// append writes the log nodes of one commit. Only with the last does it count.
func (t *zkTerm) append(ctx context.Context, changes []Change) (entry, error) {
	body := appendChanges(make([]byte, 0, sizeOf(changes)), changes)
	e := entry{first: t.next, changes: body}
	for rest, more := body, true; more; t.next++ {
		part := rest[:min(len(rest), maxPart)]
		rest = rest[len(part):]
		more = len(rest) > 0
		data := encodeLogNode(logNode{epoch: t.epoch, more: more, part: part})
		if err := t.write(ctx, zookeeper.CreateOp{Path: t.store.logNode(t.next), Data: data}); err != nil {
			return entry{}, err
		}
		e.last = t.next
	}
	return e, nil
}

// room waits while the log is full, and fails when the term is over.
func (t *zkTerm) room(ctx context.Context) error {
	for {
		if err := t.failure(); err != nil {
			return err
		}
		t.mu.Lock()
		full, eased := t.nodes >= fullNodes || t.bytes >= fullBytes, t.eased
		t.mu.Unlock()
		if !full {
			return nil
		}
		select {
		case <-eased:
		case <-t.store.ctx.Done():
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// queue hands commits to folding, and starts it if there is enough to do.
func (t *zkTerm) queue(entries ...entry) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, e := range entries {
		t.pending = append(t.pending, e)
		t.bytes += len(e.changes)
		t.nodes += e.nodes()
	}
	t.store.logged.Store(int64(t.nodes))
	if !t.folding && t.due() && t.store.ctx.Err() == nil {
		t.folding = true
		t.store.folds.Go(t.fold)
	}
}

// due says whether the log is worth folding; mu is held.
func (t *zkTerm) due() bool {
	return t.failed == nil && (t.nodes >= foldNodes || t.bytes >= foldBytes)
}
