package election

import (
	"context"
	"errors"

	"github.com/pacer-run/pacer/runtime/zookeeper"
)

// follow keeps the leader's address up to date until ctx ends.
func (c *Candidate) follow(ctx context.Context) {
	for ctx.Err() == nil {
		session, err := c.conn.Session(ctx)
		if err != nil {
			break
		}
		address, changed, err := c.read(ctx)
		if err != nil {
			c.leader.set("")
			if errors.Is(err, zookeeper.ErrClosed) {
				return
			}
			if !errors.Is(err, zookeeper.ErrLost) && !errors.Is(err, zookeeper.ErrExpired) {
				c.log.Warn("the leader cannot be read", "queue", c.queue, "error", err)
				pause(ctx, again)
			}
			continue
		}
		c.leader.set(address)
		select {
		case <-changed:
		case <-session.Suspended():
			c.leader.set("")
		case <-ctx.Done():
		}
	}
	c.leader.set("")
}

// read is the address of the first in the queue, "" if it is empty, with a watch
// for when that may have changed.
func (c *Candidate) read(ctx context.Context) (string, zookeeper.Watch, error) {
	for {
		names, changed, err := c.conn.WatchChildren(ctx, c.queue)
		if errors.Is(err, zookeeper.ErrNoNode) {
			exists, changed, err := c.conn.WatchExists(ctx, c.queue)
			if err == nil && exists {
				continue
			}
			return "", changed, err
		}
		if err != nil {
			return "", nil, err
		}
		first := first(names)
		if first == "" {
			return "", changed, nil
		}
		data, _, err := c.conn.Data(ctx, zookeeper.Join(c.queue, first))
		if errors.Is(err, zookeeper.ErrNoNode) {
			continue
		}
		return string(data), changed, err
	}
}

func first(names []string) string {
	best, lowest := "", int64(0)
	for _, name := range names {
		if n, ok := zookeeper.SeatNumber(name, prefix); ok && (best == "" || n < lowest) {
			best, lowest = name, n
		}
	}
	return best
}
