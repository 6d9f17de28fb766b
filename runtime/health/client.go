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
// that are probed often. A kept connection takes a file descriptor and about 10 KB;
// a new one for each probe takes its time and, with TLS, the reckoning of both
// sides. But an instance that does not take connections any more is not well,
// whatever it says on an old one: so about once a minute there is a new one.
const (
	defaultConnections = 4096
	keepInterval       = 30 * time.Second // the longest interval with a kept connection
	keepTime           = time.Minute
)

// keepable tells whether the target is one whose connection is worth keeping.
func (p *probe) keepable() bool {
	return p.url != nil && p.Readiness == nil && p.Interval <= keepInterval
}

// renews tells whether the target's probe of that number is the last one on its
// connection.
func (p *probe) renews(number uint64) bool { return number%uint64(max(1, keepTime/p.Interval)) == 0 }

// probeContext is the key of the context of a probe within itself: a transport
// goes on to dial when the request is given up, and then waits for as long as the
// kernel does.
type probeContext struct{}

// client asks instances. It follows no redirect, uses no proxy, and believes any
// certificate: instances show ones of their own making, for names of their own.
type client struct {
	dial      func(ctx context.Context, network, address string) (net.Conn, error)
	transport *http.Transport
	header    http.Header // of every request
}

func newClient(c *Config, limit int) *client {
	dial := c.Dial
	if dial == nil {
		dial = (&net.Dialer{KeepAlive: -1}).DialContext
	}
	return &client{
		dial: dial,
		transport: &http.Transport{
			DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
				if own, ok := ctx.Value(probeContext{}).(context.Context); ok {
					ctx = own
				}
				return dial(ctx, network, address)
			},
			TLSHandshakeTimeout: DefaultTimeout,
			TLSClientConfig:     &tls.Config{InsecureSkipVerify: true, ClientSessionCache: tls.NewLRUClientSessionCache(defaultConnections)},
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

func (c *client) close() { c.transport.CloseIdleConnections() }
