package store

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"sync"
)

// errClosed is what uses of a closed store fail with.
var errClosed = errors.New("the store is closed")

// Memory keeps records for as long as the process lives: the store of tests.
type Memory struct {
	counter counter

	mu      sync.Mutex
	epoch   int64
	records map[string][]byte
	closed  bool
}

// NewMemory is an empty store.
func NewMemory() *Memory { return &Memory{records: map[string][]byte{}} }

// Begin implements Store.
func (m *Memory) Begin(ctx context.Context) (Term, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.usable(ctx); err != nil {
		return nil, err
	}
	m.epoch++
	return &memoryTerm{store: m, epoch: m.epoch}, nil
}

func (m *Memory) usable(ctx context.Context) error {
	if m.closed {
		return errClosed
	}
	return context.Cause(ctx)
}

// Dump implements Store.
func (m *Memory) Dump(ctx context.Context, yield func(string, []byte) error) error {
	m.mu.Lock()
	records, err := maps.Clone(m.records), m.usable(ctx)
	m.mu.Unlock()
	if err != nil {
		return err
	}
	for key, value := range records {
		if err := yield(key, bytes.Clone(value)); err != nil {
			return err
		}
	}
	return nil
}

// Stats implements Store.
func (m *Memory) Stats() Stats { return m.counter.stats() }

// Close implements Store.
func (m *Memory) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closed = true
	return nil
}

// Reopen is the store as the next process would find it: with the records and
// the epoch, without the terms' right to write.
func (m *Memory) Reopen() *Memory {
	m.mu.Lock()
	defer m.mu.Unlock()
	return &Memory{records: maps.Clone(m.records), epoch: m.epoch}
}

type memoryTerm struct {
	store *Memory
	epoch int64
}

func (t *memoryTerm) Epoch() int64        { return t.epoch }
func (t *memoryTerm) MaxCommitBytes() int { return maxPart }

func (t *memoryTerm) Load(ctx context.Context, yield func(string, []byte) error) error {
	return t.store.Dump(ctx, yield)
}

func (t *memoryTerm) Commit(ctx context.Context, changes []Change) error {
	if err := check(changes); err != nil {
		return err
	}
	m := t.store
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.usable(ctx); err != nil {
		return err
	}
	if m.epoch != t.epoch {
		return over(t.epoch, ErrDeposed)
	}
	for _, c := range changes {
		if c.Value == nil {
			delete(m.records, c.Key)
		} else {
			m.records[c.Key] = append([]byte{}, c.Value...)
		}
	}
	m.counter.commit(changes)
	return nil
}
