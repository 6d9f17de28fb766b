package zookeeper_test

import (
	"context"
	"testing"
	"time"

	"github.com/pacer-run/pacer/runtime/zookeeper"
	"github.com/pacer-run/pacer/runtime/zookeeper/zktest"
)

var server *zktest.Server

func TestMain(m *testing.M) { zktest.Main(m, func(s *zktest.Server) { server = s }) }

// within bounds what a test may wait for in all.
func within(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func dial(t *testing.T, text string, timeout time.Duration) *zookeeper.Conn {
	t.Helper()
	u, err := zookeeper.ParseURL(text)
	if err != nil {
		t.Fatal(err)
	}
	c, err := zookeeper.Dial(u, zookeeper.Options{SessionTimeout: timeout})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func proxied(t *testing.T, path string, timeout time.Duration) (*zookeeper.Conn, *zktest.Proxy) {
	t.Helper()
	p, err := zktest.NewProxy(server)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return dial(t, p.URL(path), timeout), p
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// gone waits until a node has vanished, as seen by another client.
func gone(ctx context.Context, t *testing.T, path string) {
	t.Helper()
	c := dial(t, server.URL("/"), 0)
	for {
		exists, watch, err := c.WatchExists(ctx, path)
		must(t, err)
		if !exists {
			return
		}
		select {
		case <-watch:
		case <-ctx.Done():
			t.Fatalf("%s is still there", path)
		}
	}
}
