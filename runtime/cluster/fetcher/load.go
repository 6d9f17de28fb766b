package fetcher

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
)

// load brings a file in. It is moved to its name when it is whole, so that what has such a name is whole.
func (c *cache) load(ctx context.Context, e *entry, req request) {
	defer e.cancel()
	c.mu.Lock()
	c.named++
	name := strconv.FormatUint(c.named, 10)
	c.mu.Unlock()
	partial := filepath.Join(c.dir, partialFolder, name)
	err := c.transfer(ctx, req, func(b *blob) (io.WriteCloser, error) {
		e.size, e.perm = b.size, b.perm
		if !c.reserve(e, b.size) {
			return nil, errBypass
		}
		file, err := os.OpenFile(partial, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
		if err != nil {
			return nil, writeError{err}
		}
		return file, nil
	}, func(bytes, total int64) { c.report(e, bytes, total) })
	if err == nil {
		e.path = filepath.Join(c.dir, wholeFolder, name)
		if err = os.Rename(partial, e.path); err != nil {
			err = writeError{err}
		}
	}
	if err != nil {
		_ = os.Remove(partial) // it may not have come so far
	}
	c.settle(e, err)
}

// settle tells those who wait. A cache that cannot be written to is no reason for a task to fail.
func (c *cache) settle(e *entry, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if own := (writeError{}); errors.As(err, &own) {
		err = errBypass
	}
	if err != nil {
		c.used -= e.bytes
		c.forget(e)
		if c.ctx.Err() != nil {
			err = context.Cause(c.ctx)
		}
	} else if c.entries[e.key] != e { // given up at the last moment
		c.used -= e.bytes
		_ = os.Remove(e.path) // nobody knows it
	}
	e.err = err
	close(e.loaded)
}

// reserve makes room by evicting what was not used for the longest time, and is not used now. A negative size is unknown.
func (c *cache) reserve(e *entry, size int64) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if size < 0 || size > c.limit {
		return false
	}
	for c.used+size > c.limit {
		oldest := c.oldest()
		if oldest == nil {
			return false
		}
		if err := os.Remove(oldest.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return false
		}
		c.used -= oldest.bytes
		c.forget(oldest)
	}
	c.used += size
	e.bytes = size
	return true
}

// oldest is the next to be evicted; nil if all are in use. There are as many entries as files in a cache, so looking
// through them is nothing beside the transfer that asks for it.
func (c *cache) oldest() *entry {
	var oldest *entry
	for _, e := range c.entries {
		if e.pins == 0 && (oldest == nil || e.turn < oldest.turn) {
			oldest = e
		}
	}
	return oldest
}

// report passes progress on to all who wait.
func (c *cache) report(e *entry, bytes, total int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, report := range e.reports {
		report(bytes, total)
	}
}
