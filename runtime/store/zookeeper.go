package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"

	"github.com/pacer-run/pacer/runtime/zookeeper"
)

// tree is what the store needs of a ZooKeeper connection.
type tree interface {
	EnsurePath(ctx context.Context, path string) error
	Create(ctx context.Context, path string, data []byte) error
	Data(ctx context.Context, path string) ([]byte, zookeeper.Stat, error)
	Stat(ctx context.Context, path string) (zookeeper.Stat, error)
	Children(ctx context.Context, path string) ([]string, error)
	Set(ctx context.Context, path string, data []byte, version int32) (int32, error)
	Multi(ctx context.Context, ops ...zookeeper.Op) error
	Sync(ctx context.Context, path string) error
}

// ZooKeeper keeps records below a path of an ensemble:
//
//	epoch      number of the last term; its version guards every write
//	manifest   which segments count, and the last log node that is in them
//	log/N      one commit (or a part of a large one), N in hexadecimal, no gaps
//	segments/N up to 128 KiB of records, packed
//
// A commit appends one log node. In the background the leader folds the oldest
// log nodes into segments, and sparse segments into one: the new segment, the
// manifest that counts it and the removal of what it replaces are one
// transaction, so there is no moment at which a record is in neither or both.
type ZooKeeper struct {
	tree    tree
	path    string
	counter counter

	ctx    context.Context //nolint:containedctx // the life of folding, which no caller waits for; ends with Close
	cancel context.CancelFunc
	folds  sync.WaitGroup
	logged atomic.Int64 // log nodes not folded, of the latest term
	packed atomic.Int64 // live segments, of the latest term
}

// OpenZooKeeper keeps records below path, which is made by the first term. The
// connection stays the caller's; it is closed after the store.
func OpenZooKeeper(conn *zookeeper.Conn, path string) *ZooKeeper { return openTree(conn, path) }

func openTree(t tree, path string) *ZooKeeper {
	ctx, cancel := context.WithCancel(context.Background())
	return &ZooKeeper{tree: t, path: path, ctx: ctx, cancel: cancel}
}

func (z *ZooKeeper) epochPath() string       { return zookeeper.Join(z.path, "epoch") }
func (z *ZooKeeper) manifestPath() string    { return zookeeper.Join(z.path, "manifest") }
func (z *ZooKeeper) logPath() string         { return zookeeper.Join(z.path, "log") }
func (z *ZooKeeper) segmentsPath() string    { return zookeeper.Join(z.path, "segments") }
func (z *ZooKeeper) logNode(n uint64) string { return zookeeper.Join(z.logPath(), nodeName(n)) }
func (z *ZooKeeper) segmentNode(id uint64) string {
	return zookeeper.Join(z.segmentsPath(), nodeName(id))
}

func nodeName(n uint64) string { return fmt.Sprintf("%016x", n) }

func nodeNumber(name string) (uint64, bool) {
	n, err := strconv.ParseUint(name, 16, 64)
	return n, err == nil && nodeName(n) == name
}

// Begin implements Store.
func (z *ZooKeeper) Begin(ctx context.Context) (Term, error) {
	if err := context.Cause(z.ctx); err != nil {
		return nil, errClosed
	}
	if err := z.prepare(ctx); err != nil {
		return nil, fmt.Errorf("store: prepare %s: %w", z.path, err)
	}
	for {
		epoch, version, err := z.claim(ctx)
		switch {
		case err == nil:
			return newTerm(z, epoch, version), nil
		// Somebody else claimed one, or the answer was lost: claim a later one.
		case errors.Is(err, zookeeper.ErrBadVersion), errors.Is(err, zookeeper.ErrLost) && ctx.Err() == nil:
		default:
			return nil, fmt.Errorf("store: begin a term: %w", err)
		}
	}
}

// prepare makes the nodes that every state has.
func (z *ZooKeeper) prepare(ctx context.Context) error {
	if _, err := z.tree.Stat(ctx, z.manifestPath()); err == nil {
		return nil // made last
	}
	if err := z.tree.EnsurePath(ctx, z.path); err != nil {
		return err
	}
	if err := z.checkOwn(ctx); err != nil {
		return err
	}
	for _, path := range []string{z.epochPath(), z.logPath(), z.segmentsPath(), z.manifestPath()} {
		if err := z.tree.Create(ctx, path, nil); err != nil && !errors.Is(err, zookeeper.ErrNodeExists) {
			return err
		}
	}
	return nil
}

// checkOwn refuses a path at which somebody else keeps nodes: Marathon's are at the
// same place by default, and both would take the other's for damage.
func (z *ZooKeeper) checkOwn(ctx context.Context) error {
	names, err := z.tree.Children(ctx, z.path)
	if err != nil {
		return err
	}
	slices.Sort(names)
	for _, name := range names {
		if !slices.Contains([]string{"epoch", "log", "segments", "manifest"}, name) { // another server may be at it as well
			return fmt.Errorf("%w: it holds the node %q; Pacer's state needs a path of its own", ErrForeign, name)
		}
	}
	return nil
}

func (z *ZooKeeper) claim(ctx context.Context) (epoch int64, version int32, err error) {
	data, stat, err := z.tree.Data(ctx, z.epochPath())
	if err != nil {
		return 0, 0, err
	}
	if len(data) > 0 {
		if epoch, err = strconv.ParseInt(string(data), 10, 64); err != nil {
			return 0, 0, corrupt(z.epochPath(), err)
		}
	}
	epoch++
	version, err = z.tree.Set(ctx, z.epochPath(), strconv.AppendInt(nil, epoch, 10), stat.Version)
	return epoch, version, err
}

// Stats implements Store.
func (z *ZooKeeper) Stats() Stats {
	s := z.counter.stats()
	s.LogNodes, s.Segments = int(z.logged.Load()), int(z.packed.Load())
	return s
}

// Close implements Store. It breaks off folding, which loses nothing.
func (z *ZooKeeper) Close() error {
	z.cancel()
	z.folds.Wait()
	return nil
}
