//go:build !race

// A client that comes back with watches to its session sets them again, for which
// go-zookeeper/zk 1.0.4 reads a field (lastZxid in sendSetWatches) that another of
// its goroutines writes by then. The race is the library's and does no harm on
// 64-bit machines; under the race detector it would fail these tests now and then.
// They run without it, see the Makefile.

package zookeeper_test

import (
	"testing"
	"time"

	"github.com/pacer-run/pacer/runtime/zookeeper"
	"github.com/pacer-run/pacer/runtime/zookeeper/zktest"
)

func TestSessionSurvivesARestartOfTheServer(t *testing.T) {
	server.Up(t)
	ctx, root := within(t), zktest.Path(t)
	c := dial(t, server.URL(root), 40*time.Second)
	must(t, c.EnsurePath(ctx, root))
	before, err := c.Session(ctx)
	must(t, err)
	_, watch, err := c.WatchChildren(ctx, root)
	must(t, err)
	must(t, server.Restart())
	<-before.Suspended()
	after, err := c.Session(ctx)
	must(t, err)
	if after.ID() != before.ID() {
		t.Errorf("session %x became %x", before.ID(), after.ID())
	}
	must(t, c.Create(ctx, root+"/n", nil))
	select {
	case <-watch:
	case <-ctx.Done():
		t.Error("the watch set before the restart did not fire")
	}
}

func TestRegistrationComesBackAfterExpiryAndRestart(t *testing.T) {
	server.Up(t)
	ctx, root := within(t), zktest.Path(t)
	leaders := follow(ctx, t, dial(t, server.URL(root), 0), root)
	expect(ctx, t, leaders, "")
	c, proxy := proxied(t, root, time.Second)
	r := zookeeper.NewRegistration(c, root, nil)
	defer r.Close()
	must(t, r.Register(ctx, []byte(byPID)))
	expect(ctx, t, leaders, "10.0.0.2:5051")
	proxy.Cut()
	expect(ctx, t, leaders, "")
	proxy.Mend()
	expect(ctx, t, leaders, "10.0.0.2:5051")
	must(t, server.Restart())
	must(t, r.Lead(ctx))
}
