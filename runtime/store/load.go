package store

import (
	"context"
	"fmt"
	"slices"

	"github.com/pacer-run/pacer/runtime/zookeeper"
)

// Load implements Term.
func (t *zkTerm) Load(ctx context.Context, yield func(key string, value []byte) error) error {
	if err := t.take(ctx); err != nil {
		return err
	}
	defer func() { <-t.turn }()
	if err := t.failure(); err != nil {
		return err
	}
	if t.loaded {
		// Folding is at work on what this would build.
		return t.store.Dump(ctx, yield)
	}
	return t.load(ctx, yield)
}

// load reads the state, gives it to yield, and builds what folding needs. The
// epoch was claimed before, so nobody writes meanwhile.
func (t *zkTerm) load(ctx context.Context, yield func(string, []byte) error) error {
	z := t.store
	m, _, err := z.readManifest(ctx)
	if err != nil {
		return t.unread(err)
	}
	tail, err := z.readTail(ctx, m.folded)
	if err != nil {
		return t.unread(err)
	}
	changed, err := overlay(tail, z.logNode)
	if err != nil {
		return err
	}
	index := map[string]place{}
	err = z.readSegments(ctx, m.segments, func(s *segment, data []byte) error {
		return readSegment(z.segmentNode(s.id), s, data, func(i int, bytes, value []byte, size int) error {
			key := string(bytes)
			if other, twice := index[key]; twice {
				return corrupt(z.segmentNode(s.id), fmt.Errorf("record %q is also in %s", key, z.segmentNode(other.segment.id)))
			}
			index[key] = place{segment: s, ordinal: int32(i), size: int32(size)}
			if _, later := changed[key]; later {
				return nil
			}
			return yield(key, value)
		})
	})
	if err != nil {
		return t.unread(err)
	}
	if err := yieldOverlay(changed, yield); err != nil {
		return err
	}
	return t.adopt(ctx, m, index, tail)
}

// adopt begins to work with what was loaded.
func (t *zkTerm) adopt(ctx context.Context, m *manifest, index map[string]place, tail []entry) error {
	if err := t.sweep(ctx, m); err != nil {
		return t.unread(err)
	}
	t.manifest, t.index, t.loaded = m, index, true
	t.next = m.folded + 1
	if len(tail) > 0 {
		t.next = tail[len(tail)-1].last + 1
	}
	t.store.packed.Store(int64(len(m.segments)))
	t.queue(tail...)
	return nil
}

// sweep removes segments that a fold wrote ahead and never came to count.
func (t *zkTerm) sweep(ctx context.Context, m *manifest) error {
	names, err := t.store.tree.Children(ctx, t.store.segmentsPath())
	if err != nil {
		return err
	}
	for _, name := range names {
		id, ok := nodeNumber(name)
		if !ok || slices.ContainsFunc(m.segments, func(s *segment) bool { return s.id == id }) {
			continue
		}
		if err := t.write(ctx, zookeeper.DeleteOp{Path: t.store.segmentNode(id)}); err != nil {
			return err
		}
	}
	return nil
}

// unread wraps the failure of a load. The term goes on: a load changes nothing
// that a later one could miss.
func (t *zkTerm) unread(err error) error {
	return fmt.Errorf("store: load %s: %w", t.store.path, err)
}
