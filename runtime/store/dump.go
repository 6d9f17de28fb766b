package store

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/pacer-run/pacer/runtime/zookeeper"
)

// image is the state of one moment, read while a leader may go on writing.
type image struct {
	manifest *manifest
	changed  map[string][]byte
	data     map[uint64][]byte // of segments, by number
}

// Dump implements Store. It holds the packed state in memory. A path at which no
// term ever began has no records.
func (z *ZooKeeper) Dump(ctx context.Context, yield func(key string, value []byte) error) error {
	if z.ctx.Err() != nil {
		return errClosed
	}
	if err := z.tree.Sync(ctx, z.path); err != nil {
		return err
	}
	// Segments never change: what one attempt has read serves the next, which so
	// catches up even with a busy leader.
	read := map[uint64][]byte{}
	for {
		img, version, err := z.capture(ctx, read)
		switch {
		case err == nil:
			// Nothing was folded meanwhile if the manifest is still the same: the
			// segments and the log then belong together.
			after, err := z.tree.Stat(ctx, z.manifestPath())
			if err != nil {
				return err
			}
			if after.Version == version {
				return z.yield(img, yield)
			}
		case errors.Is(err, zookeeper.ErrNoNode):
			// A fold took nodes away that the manifest read before still named;
			// without a manifest there is nothing to dump.
			if after, err := z.tree.Stat(ctx, z.manifestPath()); errors.Is(err, zookeeper.ErrNoNode) {
				return nil
			} else if err == nil && after.Version == version {
				return fmt.Errorf("store: %w: a node that %s names is missing", ErrCorrupt, z.manifestPath())
			}
		default:
			return err
		}
		if err := context.Cause(ctx); err != nil {
			return err
		}
	}
}

// capture reads everything; version is the manifest's, also when an error comes
// after it.
func (z *ZooKeeper) capture(ctx context.Context, read map[uint64][]byte) (img image, version int32, err error) {
	m, stat, err := z.readManifest(ctx)
	if err != nil {
		return image{}, stat.Version, err
	}
	img = image{manifest: m, data: read}
	missing := slices.DeleteFunc(slices.Clone(m.segments), func(s *segment) bool { return read[s.id] != nil })
	tail, err := z.readTail(ctx, m.folded)
	if err == nil {
		img.changed, err = overlay(tail, z.logNode)
	}
	if err == nil {
		err = z.readSegments(ctx, missing, func(s *segment, data []byte) error {
			img.data[s.id] = data
			return nil
		})
	}
	if errors.Is(err, ErrCorrupt) && !z.unchanged(ctx, stat.Version) {
		// The log lost its oldest nodes to a fold between two reads.
		return img, stat.Version, zookeeper.ErrNoNode
	}
	return img, stat.Version, err
}

func (z *ZooKeeper) unchanged(ctx context.Context, version int32) bool {
	stat, err := z.tree.Stat(ctx, z.manifestPath())
	return err == nil && stat.Version == version
}

func (z *ZooKeeper) yield(img image, yield func(string, []byte) error) error {
	for _, s := range img.manifest.segments {
		err := readSegment(z.segmentNode(s.id), s, img.data[s.id], func(_ int, key, value []byte, _ int) error {
			if _, ok := img.changed[string(key)]; ok {
				return nil
			}
			return yield(string(key), value)
		})
		if err != nil {
			return err
		}
	}
	return yieldOverlay(img.changed, yield)
}

func yieldOverlay(changed map[string][]byte, yield func(string, []byte) error) error {
	for key, value := range changed {
		if value == nil {
			continue
		}
		if err := yield(key, value); err != nil {
			return err
		}
	}
	return nil
}
