package fetcher

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"
)

// Fetcher is shared by all tasks of a machine. Its methods may be called at any time by anybody.
type Fetcher struct {
	cfg     Config
	sources *sources
	cache   *cache
}

// Owner is the account that a sandbox belongs to. Only root can fetch for another account than its own.
type Owner struct {
	User   string
	UID    uint32
	GID    uint32
	Groups []uint32 // further groups
}

// Progress is what a caller hears of a transfer.
type Progress struct {
	Item  int    // its place in the list
	URI   string // redacted
	Bytes int64  // arrived so far
	Total int64  // -1 = unknown
	Done  bool   // the file is in the sandbox, and unpacked if it had to be
}

// New makes a fetcher with an empty cache.
func New(cfg Config) (*Fetcher, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	f := &Fetcher{cfg: cfg}
	if f.sources, err = newSources(cfg); err != nil {
		return nil, err
	}
	f.cache, err = newCache(cfg.CacheDir, cfg.CacheBytes, f.transfer)
	return f, err
}

// Close ends the transfers under way into the cache, whose callers get an error, and waits for their end. The files of
// the cache stay until the next fetcher of the folder.
func (f *Fetcher) Close() {
	f.cache.close()
	f.sources.close()
}

// Fetch puts the items into the folder sandbox. It returns an *Error that names the item for which it failed, unless the
// sandbox itself is at fault. After a failure or the end of ctx no part of a file is left in the sandbox, but whole files
// and parts of an archive may be. Equal items are fetched once. The owner is nil for the account of this process; progress
// may be nil, and is never called twice at a time.
func (f *Fetcher) Fetch(ctx context.Context, sandbox string, owner *Owner, items []Item, progress func(Progress)) error {
	for _, item := range items {
		if err := item.Check(); err != nil {
			return &Error{Redacted(item.URI), err}
		}
	}
	b, err := openBox(sandbox, owner)
	if err != nil {
		return err
	}
	defer b.close()
	j := &job{f: f, box: b, owner: owner, items: items, contents: make([]*content, len(items)), progress: progress}
	defer j.release()
	if err := j.collect(ctx); err != nil {
		return err
	}
	for n, item := range items {
		if j.contents[n] == nil {
			continue // the same as one before
		}
		if err := j.place(ctx, item, j.contents[n]); err != nil {
			return &Error{Redacted(item.URI), causeOf(ctx, err)}
		}
		j.tell(Progress{Item: n, Bytes: j.contents[n].size, Total: j.contents[n].size, Done: true})
	}
	return nil
}

// job is one call of Fetch.
type job struct {
	f        *Fetcher
	box      *box
	owner    *Owner
	items    []Item
	contents []*content // nil until they are there, and for repeated items

	mu       sync.Mutex
	progress func(Progress)
}

// collect gets the contents of all items, some at a time. One failure ends the others.
func (j *job) collect(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(j.f.cfg.Parallel)
	for n, item := range j.items {
		if slices.Contains(j.items[:n], item) {
			continue
		}
		group.Go(func() error {
			got, err := j.obtain(ctx, item, func(bytes, total int64) {
				j.tell(Progress{Item: n, Bytes: bytes, Total: total})
			})
			if err != nil {
				return &Error{Redacted(item.URI), causeOf(ctx, err)}
			}
			j.contents[n] = got
			return nil
		})
	}
	return group.Wait()
}

// obtain takes an item from the cache, or transfers it into the sandbox under a name that nobody looks for.
func (j *job) obtain(ctx context.Context, item Item, report func(bytes, total int64)) (*content, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	req := request{uri: item.URI, owner: j.owner, sha256: item.SHA256, limit: j.f.cfg.Limits.within(item.Limits).Download}
	if item.Cache {
		e, err := j.f.cache.acquire(ctx, req, report)
		if err == nil {
			return &content{entry: e, size: e.size, perm: e.perm}, nil
		}
		if !errors.Is(err, errBypass) {
			return nil, err
		}
	}
	got := &content{temp: j.box.tempName()}
	err := j.f.transfer(ctx, req, func(b *blob) (io.WriteCloser, error) {
		got.perm = b.perm
		return j.box.create(got.temp, 0o600)
	}, func(bytes, total int64) {
		got.size = bytes
		report(bytes, total)
	})
	return got, err
}

// tell passes progress on.
func (j *job) tell(p Progress) {
	if j.progress == nil {
		return
	}
	p.URI = Redacted(j.items[p.Item].URI)
	j.mu.Lock()
	defer j.mu.Unlock()
	j.progress(p)
}

// release gives the entries of the cache back. Temporary files go with the box.
func (j *job) release() {
	for _, c := range j.contents {
		if c != nil && c.entry != nil {
			j.f.cache.release(c.entry)
		}
	}
}

// causeOf is why ctx ended if it did: what failed then failed for that reason.
func causeOf(ctx context.Context, err error) error {
	if ctx.Err() == nil {
		return err
	}
	return fmt.Errorf("stopped: %w", context.Cause(ctx))
}
