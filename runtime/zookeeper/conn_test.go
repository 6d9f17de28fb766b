package zookeeper_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pacer-run/pacer/runtime/zookeeper"
	"github.com/pacer-run/pacer/runtime/zookeeper/zktest"
)

func TestNodes(t *testing.T) {
	server.Up(t)
	ctx, root := within(t), zktest.Path(t)
	c := dial(t, server.URL(root), 0)
	must(t, c.EnsurePath(ctx, root+"/a/b"))
	must(t, c.EnsurePath(ctx, root+"/a/b"))
	must(t, c.Create(ctx, root+"/n", []byte("one")))
	if err := c.Create(ctx, root+"/n", nil); !errors.Is(err, zookeeper.ErrNodeExists) {
		t.Errorf("second create: %v", err)
	}
	version, err := c.Set(ctx, root+"/n", []byte("two"), 0)
	must(t, err)
	if _, err := c.Set(ctx, root+"/n", nil, 0); !errors.Is(err, zookeeper.ErrBadVersion) {
		t.Errorf("set of an old version: %v", err)
	}
	data, stat, err := c.Data(ctx, root+"/n")
	must(t, err)
	if string(data) != "two" || stat.Version != version {
		t.Errorf("read %q of version %d, want two of %d", data, stat.Version, version)
	}
	if err := c.Delete(ctx, root+"/a", zookeeper.AnyVersion); !errors.Is(err, zookeeper.ErrNotEmpty) {
		t.Errorf("delete of a parent: %v", err)
	}
	must(t, c.Delete(ctx, root+"/n", version))
	if _, _, err := c.Data(ctx, root+"/n"); !errors.Is(err, zookeeper.ErrNoNode) {
		t.Errorf("read of a deleted node: %v", err)
	}
	must(t, c.Sync(ctx, root))
}

func TestMultiDoesAllOrNothing(t *testing.T) {
	server.Up(t)
	ctx, root := within(t), zktest.Path(t)
	c := dial(t, server.URL(root), 0)
	must(t, c.EnsurePath(ctx, root))
	must(t, c.Multi(ctx, zookeeper.CheckOp{Path: root, Version: 0},
		zookeeper.CreateOp{Path: root + "/a", Data: []byte("1")},
		zookeeper.SetOp{Path: root + "/a", Data: []byte("2"), Version: 0}))
	err := c.Multi(ctx, zookeeper.CreateOp{Path: root + "/b"}, zookeeper.DeleteOp{Path: root + "/a"},
		zookeeper.CheckOp{Path: root, Version: 9}, zookeeper.DeleteOp{Path: root + "/none"})
	var refused *zookeeper.MultiError
	if !errors.As(err, &refused) || refused.Index != 2 || !errors.Is(err, zookeeper.ErrBadVersion) {
		t.Errorf("error %v, want operation 2 refused for its version", err)
	}
	names, err := c.Children(ctx, root)
	must(t, err)
	if diff := cmp.Diff([]string{"a"}, names); diff != "" {
		t.Errorf("children: %s", diff)
	}
}

func TestCredentialsGuardNodes(t *testing.T) {
	server.Up(t)
	ctx, root := within(t), zktest.Path(t)
	address := server.Address()
	owner := dial(t, "zk://me:secret@"+address+root, 0)
	must(t, owner.EnsurePath(ctx, root))
	must(t, owner.Create(ctx, root+"/n", []byte("x")))
	stranger := dial(t, "zk://other:secret@"+address+root, 0)
	if data, _, err := stranger.Data(ctx, root+"/n"); err != nil || string(data) != "x" {
		t.Errorf("the world reads %q, %v", data, err)
	}
	if _, err := stranger.Set(ctx, root+"/n", nil, zookeeper.AnyVersion); !errors.Is(err, zookeeper.ErrNoAuth) {
		t.Errorf("a stranger's set: %v", err)
	}
	must(t, stranger.Create(ctx, root+"/theirs", nil))
	must(t, server.Restart())
	// A call may fall into the restart; afterwards the credentials must be back.
	for {
		_, err := owner.Set(ctx, root+"/n", []byte("y"), zookeeper.AnyVersion)
		if err == nil {
			break
		}
		if !errors.Is(err, zookeeper.ErrLost) {
			t.Fatal(err)
		}
	}
}

func TestExpiryEndsWatchesAndEphemeralNodes(t *testing.T) {
	server.Up(t)
	ctx, root := within(t), zktest.Path(t)
	c, proxy := proxied(t, root, time.Second)
	must(t, c.EnsurePath(ctx, root))
	seat, err := c.TakeSeat(ctx, root, "n_", []byte("x"))
	must(t, err)
	_, watch, err := c.WatchChildren(ctx, root)
	must(t, err)
	proxy.Cut()
	<-seat.Session.Suspended()
	gone(ctx, t, seat.Path())
	proxy.Mend()
	next, err := c.TakeSeat(ctx, root, "n_", []byte("x"))
	must(t, err)
	if next.Session.ID() == seat.Session.ID() || next.Number <= seat.Number {
		t.Errorf("the seat after the expiry is %+v", next)
	}
	select {
	case <-watch:
	case <-ctx.Done():
		t.Error("the watch did not end with the session")
	}
}

func TestTakeSeatFindsTheSeatThatTheSessionHas(t *testing.T) {
	server.Up(t)
	ctx, root := within(t), zktest.Path(t)
	c := dial(t, server.URL(root), 0)
	must(t, c.EnsurePath(ctx, root))
	one, err := c.TakeSeat(ctx, root, "n_", []byte("x"))
	must(t, err)
	again, err := c.TakeSeat(ctx, root, "n_", []byte("x"))
	must(t, err)
	other, err := c.TakeSeat(ctx, root, "n_", []byte("y"))
	must(t, err)
	if again.Name != one.Name || other.Number <= one.Number {
		t.Errorf("seats %s, %s, %s", one.Name, again.Name, other.Name)
	}
	if ahead, seated := other.Ahead([]string{other.Name, one.Name, "log_replicas"}, "n_"); ahead != one.Name || !seated {
		t.Errorf("ahead of the second seat: %q, %v", ahead, seated)
	}
}

func TestCallsHonourTheirContext(t *testing.T) {
	server.Up(t)
	c := dial(t, server.URL("/"), 40*time.Second)
	must(t, c.Await(within(t)))
	must(t, server.Pause())
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := c.Children(ctx, "/"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a call to a frozen server: %v", err)
	}
	must(t, server.Resume())
	if _, err := c.Children(within(t), "/"); err != nil {
		t.Errorf("after the server went on: %v", err)
	}
}

func TestAClosedConnectionSaysSo(t *testing.T) {
	server.Up(t)
	c := dial(t, server.URL("/"), 0)
	must(t, c.Await(within(t)))
	s, err := c.Session(within(t))
	must(t, err)
	c.Close()
	<-s.Suspended()
	if _, err := c.Children(within(t), "/"); !errors.Is(err, zookeeper.ErrClosed) {
		t.Errorf("a call after Close: %v", err)
	}
	if _, err := c.Session(within(t)); !errors.Is(err, zookeeper.ErrClosed) {
		t.Errorf("a session after Close: %v", err)
	}
}

func TestAwaitNamesServersThatDoNotAnswer(t *testing.T) {
	c := dial(t, "zk://127.0.0.1:1/", 0)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := c.Await(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("await: %v", err)
	}
}
