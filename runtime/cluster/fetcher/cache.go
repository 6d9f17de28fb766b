package fetcher

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
)

// errBypass says that a file is not for the cache: its size is unknown, or there is no room for it.
var errBypass = errors.New("not cached")

var errClosed = errors.New("the fetcher was closed")

// transferFunc is Fetcher.transfer.
type transferFunc func(ctx context.Context, req request, create func(*blob) (io.WriteCloser, error), report func(bytes, total int64)) error

// cache keeps whole files by user, URI and what is expected of them. What it has counts as right until it is evicted: no server is asked again.
//
// Who comes first starts the transfer; who comes meanwhile waits for the same one. It belongs to none of them: it goes on
// while anybody waits. Files that somebody uses are not evicted, so when all are used a new one may find no room.
type cache struct {
	dir      string
	limit    int64
	transfer transferFunc

	ctx       context.Context //nolint:containedctx // of the transfers, which are nobody's else
	stop      context.CancelCauseFunc
	transfers sync.WaitGroup

	mu      sync.Mutex
	entries map[cacheKey]*entry
	used    int64  // bytes, those reserved by transfers included
	turn    uint64 // counts uses
	named   uint64 // counts files
	closed  bool
}

// cacheKey is what a file is kept under. What is pinned to a digest never takes other bytes, and who may have fewer bytes
// does not end the transfer of others.
type cacheKey struct {
	user, uri, sha256 string
	limit             int64
}

// entry is a file that is in the cache or on its way. The cache's lock guards all fields but path, size and perm, which
// do not change once loaded is closed.
type entry struct {
	key  cacheKey
	path string
	size int64
	perm fs.FileMode

	pins   int    // who waits for it or reads it
	turn   uint64 // when it was asked for last
	bytes  int64  // reserved
	loaded chan struct{}
	err    error // of the transfer; set before loaded is closed
	cancel context.CancelFunc

	reports map[int]func(bytes, total int64) // of those who wait
	joined  int
}

const (
	wholeFolder   = "whole"
	partialFolder = "partial"
)

// newCache empties its folders in dir, and touches nothing else there.
func newCache(dir string, limit int64, transfer transferFunc) (*cache, error) {
	for _, folder := range []string{wholeFolder, partialFolder} {
		path := filepath.Join(dir, folder)
		if err := os.RemoveAll(path); err != nil {
			return nil, fmt.Errorf("fetcher: empty the cache: %w", err)
		}
		if err := os.Mkdir(path, 0o700); err != nil {
			return nil, fmt.Errorf("fetcher: make the cache: %w", err)
		}
	}
	ctx, stop := context.WithCancelCause(context.Background())
	return &cache{dir: dir, limit: limit, transfer: transfer, ctx: ctx, stop: stop, entries: map[cacheKey]*entry{}}, nil
}

// acquire returns a whole file that stays until it is released. An error of errBypass means: transfer it yourself.
func (c *cache) acquire(ctx context.Context, req request, report func(bytes, total int64)) (*entry, error) {
	if c.limit < 0 {
		return nil, errBypass
	}
	e, seat := c.join(req, report)
	if e == nil {
		return nil, errClosed
	}
	select {
	case <-e.loaded:
	case <-ctx.Done():
		c.leave(e, seat)
		return nil, ctx.Err()
	}
	if e.err != nil {
		c.leave(e, seat)
		return nil, e.err
	}
	c.mu.Lock()
	delete(e.reports, seat)
	c.mu.Unlock()
	report(e.size, e.size)
	return e, nil
}

// join pins the entry of a request, and starts its transfer when it is the first. There is none after close.
func (c *cache) join(req request, report func(bytes, total int64)) (*entry, int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return nil, 0
	}
	key := cacheKey{req.user(), req.uri, req.sha256, req.limit}
	e := c.entries[key]
	if e == nil {
		e = &entry{key: key, loaded: make(chan struct{}), reports: map[int]func(bytes, total int64){}}
		var ctx context.Context
		ctx, e.cancel = context.WithCancel(c.ctx)
		c.entries[key] = e
		c.transfers.Go(func() { c.load(ctx, e, req) })
	}
	c.turn++
	e.turn = c.turn
	e.pins++
	e.joined++
	e.reports[e.joined] = report
	return e, e.joined
}

// leave gives up waiting. A transfer that nobody waits for is given up as well, and whoever asks next starts another.
func (c *cache) leave(e *entry, seat int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(e.reports, seat)
	if e.pins--; e.pins > 0 {
		return
	}
	select {
	case <-e.loaded:
	default:
		e.cancel()
		c.forget(e)
	}
}

// release is the end of acquire's promise.
func (c *cache) release(e *entry) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e.pins--
}

// forget takes an entry out of the books, unless another has its key already.
func (c *cache) forget(e *entry) {
	if c.entries[e.key] == e {
		delete(c.entries, e.key)
	}
}

// close ends all transfers.
func (c *cache) close() {
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	c.stop(errClosed)
	c.transfers.Wait()
}
