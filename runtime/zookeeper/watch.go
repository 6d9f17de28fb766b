package zookeeper

import (
	"context"

	"github.com/go-zookeeper/zk"
)

// Watch is closed when what was read may have changed, when the session expired
// or when the connection was closed: in each case the reader reads again. A
// reconnection within the session keeps it.
type Watch <-chan struct{}

// watchOf follows a library's watch to its end, whatever the end is.
func watchOf(events <-chan zk.Event) Watch {
	done := make(chan struct{})
	go func() {
		<-events
		close(done)
	}()
	return done
}

// WatchChildren is Children with a watch for names that come and go.
func (c *Conn) WatchChildren(ctx context.Context, path string) ([]string, Watch, error) {
	type result struct {
		names []string
		watch Watch
	}
	r, err := call(ctx, c, "watch children of", path, func(z *zk.Conn) (result, error) {
		names, _, events, err := z.ChildrenW(path)
		if err != nil {
			return result{}, err
		}
		return result{names, watchOf(events)}, nil
	})
	return r.names, r.watch, err
}

// WatchExists says whether there is a node, with a watch for its coming, its
// going and, while it exists, its data.
func (c *Conn) WatchExists(ctx context.Context, path string) (bool, Watch, error) {
	type result struct {
		exists bool
		watch  Watch
	}
	r, err := call(ctx, c, "watch", path, func(z *zk.Conn) (result, error) {
		exists, _, events, err := z.ExistsW(path)
		if err != nil {
			return result{}, err
		}
		return result{exists, watchOf(events)}, nil
	})
	return r.exists, r.watch, err
}
