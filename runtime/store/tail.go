package store

import (
	"context"
	"encoding/binary"
	"fmt"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/pacer-run/pacer/runtime/zookeeper"
)

// window is how many nodes are read at once: enough to keep a server busy, few
// enough that the answers of a load do not pile up in memory.
const window = 8

// entry is one commit in the log. A large one is in several nodes, of which all
// but the last say that more follow.
type entry struct {
	first, last uint64
	changes     []byte // see appendChanges
	void        bool   // its last part was never written: it was not committed
}

func (e entry) nodes() int { return int(e.last - e.first + 1) }

// logNode is the content of one node of the log.
type logNode struct {
	epoch int64
	more  bool
	part  []byte
}

func encodeLogNode(n logNode) []byte {
	b := make([]byte, headBytes, headBytes+16+len(n.part))
	more := byte(0)
	if n.more {
		more = 1
	}
	b = binary.AppendUvarint(append(b, more), uint64(n.epoch))
	return seal(logMagic, append(b, n.part...))
}

func decodeLogNode(node string, data []byte) (logNode, error) {
	body, err := unseal(logMagic, node, data)
	if err != nil {
		return logNode{}, err
	}
	r := reader{rest: body}
	more := r.bytes(1)
	epoch := r.number()
	if r.err != nil {
		return logNode{}, corrupt(node, r.err)
	}
	return logNode{epoch: int64(epoch), more: more[0] != 0, part: r.rest}, nil
}

// readTail reads the part of the log that is not in segments.
func (z *ZooKeeper) readTail(ctx context.Context, folded uint64) ([]entry, error) {
	names, err := z.tree.Children(ctx, z.logPath())
	if err != nil {
		return nil, err
	}
	var numbers []uint64
	for _, name := range names {
		if n, ok := nodeNumber(name); ok && n > folded {
			numbers = append(numbers, n)
		}
	}
	slices.Sort(numbers)
	for i, n := range numbers {
		if want := folded + 1 + uint64(i); n != want {
			return nil, fmt.Errorf("store: %s: %w: it is missing, later ones are there", z.logNode(want), ErrCorrupt)
		}
	}
	nodes := make([]logNode, len(numbers))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(4 * window)
	for i, n := range numbers {
		group.Go(func() error {
			data, _, err := z.tree.Data(ctx, z.logNode(n))
			if err == nil {
				nodes[i], err = decodeLogNode(z.logNode(n), data)
			}
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	return assemble(nodes, folded+1), nil
}

// assemble puts the parts of large commits together. A commit whose parts stop
// was broken off: its term ended, so what follows is of a later epoch.
func assemble(nodes []logNode, first uint64) []entry {
	var entries []entry
	open := false
	for i, n := range nodes {
		number := first + uint64(i)
		if open && n.epoch != nodes[i-1].epoch {
			entries[len(entries)-1].void = true
			open = false
		}
		if !open {
			entries = append(entries, entry{first: number, last: number, changes: n.part})
		} else {
			e := &entries[len(entries)-1]
			e.changes, e.last = append(e.changes, n.part...), number
		}
		open = n.more
	}
	if open {
		entries[len(entries)-1].void = true
	}
	return entries
}

// overlay is what commits change in records that were stored before: a nil value
// removes. name is what a commit is called in errors.
func overlay(tail []entry, name func(number uint64) string) (map[string][]byte, error) {
	changed := map[string][]byte{}
	for _, e := range tail {
		if e.void {
			continue
		}
		if err := readChanges(e.changes, func(key string, value []byte) { changed[key] = value }); err != nil {
			return nil, corrupt(name(e.last), err)
		}
	}
	return changed, nil
}

// readSegments reads nodes in parallel and gives each to use, from one goroutine
// at a time, in no particular order.
func (z *ZooKeeper) readSegments(ctx context.Context, segments []*segment, use func(*segment, []byte) error) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(window)
	turn := make(chan struct{}, 1)
	for _, s := range segments {
		group.Go(func() error {
			data, _, err := z.tree.Data(ctx, z.segmentNode(s.id))
			if err != nil {
				return fmt.Errorf("store: segment: %w", err)
			}
			turn <- struct{}{}
			defer func() { <-turn }()
			if err := context.Cause(ctx); err != nil {
				return err
			}
			return use(s, data)
		})
	}
	return group.Wait()
}

func (z *ZooKeeper) readManifest(ctx context.Context) (*manifest, zookeeper.Stat, error) {
	data, stat, err := z.tree.Data(ctx, z.manifestPath())
	if err != nil {
		return nil, stat, err
	}
	m, err := decodeManifest(z.manifestPath(), data)
	return m, stat, err
}
