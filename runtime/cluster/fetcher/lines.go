package fetcher

import (
	"context"
	"net"
	"sync"
)

// lines are the connections of one transfer by a library that would go on reading when the context ends: that closes them.
type lines struct {
	ctx context.Context //nolint:containedctx // it lives as long as one transfer

	mu    sync.Mutex
	conns []net.Conn
	stops []func() bool
}

// dial also obeys a context of the library's own.
func (l *lines) dial(ctx context.Context, network, address string) (net.Conn, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(l.ctx, cancel)()
	conn, err := new(net.Dialer).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.conns = append(l.conns, conn)
	l.stops = append(l.stops, context.AfterFunc(l.ctx, func() { _ = conn.Close() }))
	return conn, nil
}

// Close closes them all.
func (l *lines) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for n, conn := range l.conns {
		l.stops[n]()
		_ = conn.Close() // nothing was written that could be lost
	}
	return nil
}
