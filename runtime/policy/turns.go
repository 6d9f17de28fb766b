package policy

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// serially calls f while it holds loads, with a context that ends with the catalog.
func (c *Catalog) serially(ctx context.Context, f func(ctx context.Context) error) error {
	ctx, cancel := c.bound(ctx)
	defer cancel()
	if !c.insistOnLoads(ctx) {
		if c.ctx.Err() != nil {
			return errEnding
		}
		return fmt.Errorf("waiting for another module to be loaded: %w", context.Cause(ctx))
	}
	defer func() { <-c.loads }()
	return f(ctx)
}

// acquireLoads waits for its turn to load; false when ctx ends, or the catalog has.
func (c *Catalog) acquireLoads(ctx context.Context) bool {
	select {
	case c.loads <- struct{}{}:
		return true
	case <-ctx.Done():
	case <-c.ctx.Done():
	}
	return false
}

// changePatience is how long a change that somebody asks for waits for what is loaded
// because files have changed.
const changePatience = 500 * time.Millisecond

// errGivenWay is why a Look ended early.
var errGivenWay = errors.New("given up for another change of the modules; it is tried again")

// insistOnLoads is acquireLoads for such a change, a rollback, and what was chosen
// before. It has a Look that is under way end: that may wait for a registry that does
// not answer, while somebody wants a module out of use. What it did not get to is done
// by the next Look.
func (c *Catalog) insistOnLoads(ctx context.Context) bool {
	ticker := time.NewTicker(changePatience)
	defer ticker.Stop()
	for {
		select {
		case c.loads <- struct{}{}:
			return true
		case <-ticker.C:
			c.mu.RLock()
			if c.giveWay != nil {
				c.giveWay()
			}
			c.mu.RUnlock()
		case <-ctx.Done():
			return false
		case <-c.ctx.Done():
			return false
		}
	}
}
