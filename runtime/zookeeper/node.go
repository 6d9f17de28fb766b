package zookeeper

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/go-zookeeper/zk"
)

// AnyVersion as an expected version matches every version.
const AnyVersion int32 = -1

// Stat is what ZooKeeper knows of a node besides its data.
type Stat struct {
	Version  int32 // rises with each Set
	Created  int64 // transaction that made the node; never used for another
	Owner    int64 // session that an ephemeral node belongs to, else 0
	Children int32
}

func statOf(s *zk.Stat) Stat {
	if s == nil {
		return Stat{}
	}
	return Stat{Version: s.Version, Created: s.Czxid, Owner: s.EphemeralOwner, Children: s.NumChildren}
}

// call runs one of the library's calls, which know no context, in a goroutine of
// its own. When ctx ends first the call goes on unobserved.
func call[T any](ctx context.Context, c *Conn, what, path string, do func(*zk.Conn) (T, error)) (T, error) {
	type answer struct {
		value T
		err   error
	}
	var none T
	if ctx.Err() != nil {
		return none, fmt.Errorf("zookeeper: %s %s: %w", what, path, context.Cause(ctx))
	}
	select {
	case <-c.ready:
	case <-ctx.Done():
		return none, fmt.Errorf("zookeeper: %s %s: %w", what, path, context.Cause(ctx))
	}
	answers := make(chan answer, 1)
	go func() {
		value, err := do(c.zk)
		answers <- answer{value, err}
	}()
	var err error
	select {
	case a := <-answers:
		if a.err == nil {
			return a.value, nil
		}
		if err = translate(a.err); c.isClosed() {
			err = ErrClosed
		}
	case <-c.closed:
		err = ErrClosed
	case <-ctx.Done():
		err = context.Cause(ctx)
	}
	return none, fmt.Errorf("zookeeper: %s %s: %w", what, path, err)
}

func (c *Conn) isClosed() bool {
	select {
	case <-c.closed:
		return true
	default:
		return false
	}
}

// Create makes a persistent node. ErrNodeExists if there is one, ErrNoNode if
// there is no parent.
func (c *Conn) Create(ctx context.Context, path string, data []byte) error {
	_, err := call(ctx, c, "create", path, func(z *zk.Conn) (string, error) {
		return z.Create(path, data, zk.FlagPersistent, c.acl())
	})
	return err
}

// EnsurePath makes the node at path and those above it where they are missing.
func (c *Conn) EnsurePath(ctx context.Context, path string) error {
	if path == "/" {
		return nil
	}
	_, err := c.Stat(ctx, path)
	if err == nil || !errors.Is(err, ErrNoNode) {
		return err
	}
	if slash := strings.LastIndexByte(path, '/'); slash > 0 {
		if err := c.EnsurePath(ctx, path[:slash]); err != nil {
			return err
		}
	}
	_, err = call(ctx, c, "create", path, func(z *zk.Conn) (string, error) {
		return z.Create(path, nil, zk.FlagPersistent, c.parentACL())
	})
	if errors.Is(err, ErrNodeExists) {
		return nil
	}
	return err
}

// Stat describes a node. ErrNoNode if there is none.
func (c *Conn) Stat(ctx context.Context, path string) (Stat, error) {
	return call(ctx, c, "stat", path, func(z *zk.Conn) (Stat, error) {
		exists, stat, err := z.Exists(path)
		if err == nil && !exists {
			err = zk.ErrNoNode
		}
		return statOf(stat), err
	})
}

// Data reads a node. The bytes are the caller's.
func (c *Conn) Data(ctx context.Context, path string) ([]byte, Stat, error) {
	type result struct {
		data []byte
		stat Stat
	}
	r, err := call(ctx, c, "get", path, func(z *zk.Conn) (result, error) {
		data, stat, err := z.Get(path)
		return result{data, statOf(stat)}, err
	})
	return r.data, r.stat, err
}

// Children are the names below a node, in no order.
func (c *Conn) Children(ctx context.Context, path string) ([]string, error) {
	return call(ctx, c, "children of", path, func(z *zk.Conn) ([]string, error) {
		names, _, err := z.Children(path)
		return names, err
	})
}

// Set replaces the data of a node whose version is the given one (ErrBadVersion
// otherwise, unless AnyVersion), and returns the node's new version.
func (c *Conn) Set(ctx context.Context, path string, data []byte, version int32) (int32, error) {
	return call(ctx, c, "set", path, func(z *zk.Conn) (int32, error) {
		stat, err := z.Set(path, data, version)
		return statOf(stat).Version, err
	})
}

// Delete removes a node without children whose version is the given one.
func (c *Conn) Delete(ctx context.Context, path string, version int32) error {
	_, err := call(ctx, c, "delete", path, func(z *zk.Conn) (struct{}, error) {
		return struct{}{}, z.Delete(path, version)
	})
	return err
}

// Sync makes the server that this client is connected to catch up with the
// ensemble's leader, so that reads after it see every write made before it.
func (c *Conn) Sync(ctx context.Context, path string) error {
	_, err := call(ctx, c, "sync", path, func(z *zk.Conn) (string, error) { return z.Sync(path) })
	return err
}
