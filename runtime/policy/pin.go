package policy

import (
	"context"
	"fmt"

	"github.com/pacer-run/pacer/sdk"
)

// view is the policies as somebody sees them: those there are now or, of a Pinned,
// those there were.
type view struct {
	catalog *Catalog
	table   *table // nil: the one there is now
}

func (v view) now() *table {
	if v.table != nil {
		return v.table
	}
	return v.catalog.table.Load()
}

// Pinned is a catalog as it was at one moment: whatever takes the place of what
// meanwhile, the same name is the same version of the same module. It is used by one
// goroutine at a time.
type Pinned struct {
	view
	versions []*version
}

// Pin holds on to all that is there now, until Release. One match is made with it, so
// that no two of its apps are judged by different versions.
func (c *Catalog) Pin() *Pinned {
	for {
		t := c.table.Load()
		p := &Pinned{view: view{c, t}}
		if p.acquire() {
			return p
		}
		p.Release() // a version was closed: there is another table
	}
}

func (p *Pinned) acquire() bool {
	for _, v := range p.table.versions {
		if !v.acquire() {
			return false
		}
		p.versions = append(p.versions, v)
	}
	return true
}

// Release lets go of what was held.
func (p *Pinned) Release() {
	for _, v := range p.versions {
		v.release()
	}
	p.versions = nil
}

// Generation is the catalog's when it was pinned.
func (p *Pinned) Generation() uint64 { return p.table.generation }

// Prepare is that of the Catalog.
func (p *Pinned) Prepare(ctx context.Context, spec sdk.ConstraintSpec) (sdk.PreparedConstraint, error) {
	return p.prepare(ctx, spec)
}

// DecideFetch is that of the Catalog.
func (p *Pinned) DecideFetch(ctx context.Context, app sdk.AppFacts, uris []sdk.FetchURI) ([]sdk.FetchDecision, error) {
	return p.decideAll(ctx, app, uris)
}

// lookup finds who offers the name and pins it: the caller has to release it. A name
// that is not known yet may come with a module that is still loading: ctx says how
// long to wait for it.
func lookup[P any](ctx context.Context, v view, of func(*table) *offers[P], name string) (offer[P], error) {
	if found, ok := find(v, of, name); ok {
		return found, nil
	}
	select {
	case <-v.catalog.loaded:
	case <-ctx.Done():
		return offer[P]{}, fmt.Errorf("policy modules are still loading: %w", context.Cause(ctx))
	}
	if found, ok := find(v, of, name); ok {
		return found, nil
	}
	if _, ok := of(v.catalog.table.Load()).by[name]; ok { // it came just now
		return offer[P]{}, fmt.Errorf("policy modules are still loading: %w", context.DeadlineExceeded)
	}
	return offer[P]{}, unknown(v.catalog, of, name)
}

// find is lookup without patience. A version that is closed just now has a successor
// in the next table.
func find[P any](v view, of func(*table) *offers[P], name string) (offer[P], bool) {
	for {
		found, ok := of(v.now()).by[name]
		if !ok {
			return offer[P]{}, false
		}
		if found.version == nil {
			return found, true
		}
		if found.version.acquire() {
			found.epoch = found.version.epoch.Load()
			return found, true
		}
	}
}
