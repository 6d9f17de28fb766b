package health

import (
	"cmp"
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"time"
)

// Connections are kept between the probes of a target where that pays: for those
// that are probed often. A kept connection takes a file descriptor and about 16 KB;
// a new one for each probe takes its time and, with TLS, the reckoning of both
// sides. But an instance that does not take connections any more is not well,
// whatever it says on an old one: so about once a minute there is a new one.
const (
	defaultConnections = 4096
	keepInterval       = 30 * time.Second // the longest interval with a kept connection
	keepTime           = time.Minute
	maxSessions        = 16384 // of TLS, each of an address
)

// keepable tells whether the target is one whose connection is worth keeping.
func (p *probe) keepable() bool {
	return p.url != nil && p.Readiness == nil && p.Interval <= keepInterval
}

// renews tells whether the target's probe of that number is the last one on its
// connection.
func (p *probe) renews(number uint64) bool { return number%uint64(max(1, keepTime/p.Interval)) == 0 }

// probeContext is the key of the context of a probe within itself.
type probeContext struct{}

// dialer opens a connection.
type dialer func(ctx context.Context, network, address string) (net.Conn, error)

// client asks instances. It follows no redirect, uses no proxy, and believes any
// certificate: instances show ones of their own making, for names of their own.
type client struct {
	dial      dialer
	stop      func() // ends what may go on beside probes
	transport *http.Transport
	header    http.Header // of every request
}

func newClient(c *Config, limit int) *client {
	dial, stop := dialer(c.Dial), func() {}
	if dial == nil {
		r, end := newResolver()
		dial, stop = r.dial, end
	}
	sessions := tls.NewLRUClientSessionCache(maxSessions)
	return &client{
		dial: dial, stop: stop,
		transport: &http.Transport{
			DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
				return dial(own(ctx), network, address)
			},
			DialTLSContext: func(ctx context.Context, network, address string) (net.Conn, error) {
				return secure(own(ctx), dial, network, address, sessions)
			},
			// The schedule sees to how many are kept. All of them may be of one address.
			MaxIdleConns: 0, MaxIdleConnsPerHost: limit,
			IdleConnTimeout:        keepInterval + 5*time.Second,
			DisableCompression:     true,
			MaxResponseHeaderBytes: 64 << 10,
			ReadBufferSize:         1 << 10,
			WriteBufferSize:        1 << 10,
		},
		header: http.Header{"User-Agent": {cmp.Or(c.UserAgent, "Pacer")}, "Accept": {"*/*"}},
	}
}

func (c *client) close() {
	c.stop()
	c.transport.CloseIdleConnections()
}

// own is the context of the probe for which there is to be a connection. What the
// transport hands on does not end when the probe is given up.
func own(ctx context.Context) context.Context {
	if probe, ok := ctx.Value(probeContext{}).(context.Context); ok {
		return probe
	}
	return ctx
}

// secure opens a TLS connection, and takes up the session of an earlier one to the
// same address if it can: that spares both sides most of the reckoning.
func secure(ctx context.Context, dial dialer, network, address string, sessions tls.ClientSessionCache) (net.Conn, error) {
	conn, err := dial(ctx, network, address)
	if err != nil {
		return nil, err
	}
	host, _, _ := net.SplitHostPort(address)
	secured := tls.Client(conn, &tls.Config{
		ServerName: host, InsecureSkipVerify: true, ClientSessionCache: addressed{sessions, address},
		// Nothing here is a secret, so keys need not last: the hybrid ones cost a fifth more.
		CurvePreferences: []tls.CurveID{tls.X25519, tls.CurveP256, tls.CurveP384, tls.CurveP521},
	})
	if err := secured.HandshakeContext(ctx); err != nil {
		conn.Close()
		return nil, err
	}
	return secured, nil
}

// addressed is the session of one address. By itself a client would have one for
// all that listens on a host.
type addressed struct {
	all     tls.ClientSessionCache
	address string
}

// Get finds the session whatever the key.
func (a addressed) Get(string) (*tls.ClientSessionState, bool) { return a.all.Get(a.address) }

// Put keeps it whatever the key.
func (a addressed) Put(_ string, state *tls.ClientSessionState) { a.all.Put(a.address, state) }
