package store

import (
	"context"
	"slices"

	"github.com/pacer-run/pacer/runtime/zookeeper"
)

// manySparse is how many segments may be less than half live. With it the
// segments hold at most about twice what is live in them, and a record is
// rewritten a few times in its life.
const manySparse = 8

// fold works until the log is short and the segments are dense. A failure ends
// the term, as that of a commit does: the transaction's outcome is unknown.
func (t *zkTerm) fold() {
	for {
		t.mu.Lock()
		if !t.due() {
			t.folding = false
			t.mu.Unlock()
			return
		}
		batch := t.batch()
		t.mu.Unlock()
		err := t.foldLog(t.store.ctx, batch)
		if err == nil {
			err = t.compact(t.store.ctx)
		}
		if err != nil {
			_ = t.fail(err)
			continue // not due any more
		}
		t.store.packed.Store(int64(len(t.manifest.segments)))
	}
}

// batch is the oldest part of the log that fits into one segment, or its oldest
// commit if that alone does not; mu is held.
func (t *zkTerm) batch() []entry {
	n, size, nodes := 0, 0, 0
	for _, e := range t.pending {
		if n > 0 && (size+len(e.changes) > segmentBytes || nodes+e.nodes() > foldNodes) {
			break
		}
		n, size, nodes = n+1, size+len(e.changes), nodes+e.nodes()
	}
	return slices.Clone(t.pending[:n])
}

// foldLog moves the commits of a batch into segments.
func (t *zkTerm) foldLog(ctx context.Context, batch []entry) error {
	changed, err := overlay(batch, t.store.logNode)
	if err != nil {
		return err
	}
	var p packer
	for _, key := range sortedKeys(changed) {
		if at, ok := t.index[key]; ok {
			at.segment.bury(int(at.ordinal), int(at.size))
		}
		if value := changed[key]; value != nil {
			p.add(key, value)
		} else {
			delete(t.index, key)
		}
	}
	t.manifest.folded = batch[len(batch)-1].last
	var gone []zookeeper.Op
	for n := batch[0].first; n <= t.manifest.folded; n++ {
		gone = append(gone, zookeeper.DeleteOp{Path: t.store.logNode(n)})
	}
	if err := t.flip(ctx, &p, gone); err != nil {
		return err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, e := range batch {
		t.bytes -= len(e.changes)
		t.nodes -= e.nodes()
	}
	t.pending = slices.Clone(t.pending[len(batch):])
	t.store.logged.Store(int64(t.nodes))
	t.ease()
	return nil
}

// compact packs the live records of sparse segments together.
func (t *zkTerm) compact(ctx context.Context) error {
	for {
		sparse := t.manifest.sparse()
		if len(sparse) < manySparse {
			return nil
		}
		n, size := 0, 0
		for n < len(sparse) && size+sparse[n].live <= segmentBytes {
			size += sparse[n].live
			n++
		}
		if err := t.merge(ctx, sparse[:n]); err != nil {
			return err
		}
	}
}

func (t *zkTerm) merge(ctx context.Context, victims []*segment) error {
	var p packer
	err := t.store.readSegments(ctx, victims, func(s *segment, data []byte) error {
		return readSegment(t.store.segmentNode(s.id), s, data, func(_ int, key, value []byte, _ int) error {
			p.add(string(key), value)
			return nil
		})
	})
	if err != nil {
		return err
	}
	for _, s := range victims {
		s.alive, s.live = 0, 0
	}
	return t.flip(ctx, &p, nil)
}

// flip makes new segments count, and with the same transaction removes what they
// replace: the log nodes of gone and the segments without live records.
func (t *zkTerm) flip(ctx context.Context, p *packer, gone []zookeeper.Op) error {
	p.finish(t.manifest.next)
	t.manifest.next += uint64(len(p.segments))
	for _, s := range t.manifest.drop() {
		gone = append(gone, zookeeper.DeleteOp{Path: t.store.segmentNode(s.id)})
	}
	for _, s := range p.segments {
		t.manifest.segments = append(t.manifest.segments, &s.segment)
	}
	head := t.manifest.encode()
	ops := append(gone, zookeeper.SetOp{Path: t.store.manifestPath(), Data: head, Version: zookeeper.AnyVersion})
	room := maxRequest - len(head) - len(gone)*(len(t.store.segmentNode(0))+24)
	for i, s := range p.segments {
		create := zookeeper.CreateOp{Path: t.store.segmentNode(s.id), Data: s.data}
		if i == len(p.segments)-1 && len(s.data) < room {
			ops = append(ops, create)
			continue
		}
		// Written ahead: it does not count until the manifest names it.
		if err := t.write(ctx, create); err != nil {
			return err
		}
	}
	if err := t.write(ctx, ops...); err != nil {
		return err
	}
	t.settle(p)
	return nil
}

// settle notes where records are now.
func (t *zkTerm) settle(p *packer) {
	for _, s := range p.segments {
		for i, key := range s.keys {
			t.index[key] = place{segment: &s.segment, ordinal: int32(i), size: s.sizes[i]}
		}
		t.store.counter.folded.Add(uint64(s.size))
		s.data, s.keys, s.sizes = nil, nil, nil
	}
	t.store.counter.folds.Add(1)
}

// sortedKeys makes what is written depend on nothing but what was committed.
func sortedKeys(m map[string][]byte) []string {
	keys := make([]string, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}
