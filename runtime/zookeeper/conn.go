package zookeeper

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/go-zookeeper/zk"
)

// DefaultSessionTimeout is how long servers keep the session of a silent client.
// It is that of Mesos masters.
const DefaultSessionTimeout = 10 * time.Second

// Options of a connection. The zero value is usable.
type Options struct {
	// SessionTimeout is what is asked of the servers, which bound it by their own
	// limits (2 to 20 of their ticks). Zero means DefaultSessionTimeout.
	SessionTimeout time.Duration
	// Log gets changes of the connection. Nil discards them.
	Log *slog.Logger
}

// Conn is a connection to an ensemble. It reconnects for ever, with a new session
// if the old one expired, until Close. Its methods may be called by any number of
// goroutines; each waits for a connection as long as its context allows, and a
// method whose context ends first leaves a write's outcome unknown.
type Conn struct {
	zk       *zk.Conn
	url      URL
	sessions *sessions
	ready    chan struct{} // closed once credentials, if any, are known to the servers
	closed   chan struct{}
	close    sync.Once
}

// Dial begins to connect to url's servers and returns at once; Await says when
// there is a connection. The caller closes the Conn.
func Dial(url URL, o Options) (*Conn, error) {
	if len(url.servers) == 0 {
		return nil, errors.New("zookeeper: no servers: the URL is empty")
	}
	timeout := o.SessionTimeout
	if timeout <= 0 {
		timeout = DefaultSessionTimeout
	}
	log := o.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	c := &Conn{url: url, sessions: newSessions(), ready: make(chan struct{}), closed: make(chan struct{})}
	// The library begins to connect before it returns what the callback asks for
	// the session's id: the first callback has to wait for it.
	made := make(chan struct{})
	c.sessions.id = func() int64 { <-made; return c.zk.SessionID() }
	client, _, err := zk.Connect(url.servers, timeout,
		zk.WithHostProvider(&hosts{}), zk.WithDialer(dialer(timeout)), zk.WithEventCallback(c.sessions.observe),
		zk.WithLogger(logger{log}), zk.WithLogInfo(false))
	if err != nil {
		return nil, fmt.Errorf("zookeeper: %w", err)
	}
	c.zk = client
	close(made)
	go c.authenticate(log)
	return c, nil
}

// authenticate sends the credentials until they have arrived. From then on the
// library repeats them at each reconnection.
func (c *Conn) authenticate(log *slog.Logger) {
	defer close(c.ready)
	for c.url.Secured() {
		err := c.zk.AddAuth("digest", []byte(c.url.credentials))
		if err == nil {
			return
		}
		select {
		case <-c.closed:
			return
		case <-time.After(100 * time.Millisecond):
			log.Warn("zookeeper: sending credentials failed, trying again", "error", err)
		}
	}
}

// Close ends the session: its ephemeral nodes vanish at once if a server can be
// reached. It returns within about two seconds.
func (c *Conn) Close() {
	c.close.Do(func() {
		close(c.closed)
		c.sessions.end()
		c.zk.Close()
	})
}

// Session is the current session; it waits for one while there is none.
func (c *Conn) Session(ctx context.Context) (*Session, error) {
	s, err := c.sessions.await(ctx, c.closed)
	if err != nil {
		return nil, fmt.Errorf("zookeeper %s: no session: %w", strings.Join(c.url.servers, ","), err)
	}
	return s, nil
}

// Await waits until there is a session and the credentials have been sent. The
// error is the context's, with the servers' names, or ErrClosed.
func (c *Conn) Await(ctx context.Context) error {
	if _, err := c.Session(ctx); err != nil {
		return err
	}
	select {
	case <-c.ready:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("zookeeper: credentials not sent: %w", context.Cause(ctx))
	}
}

// URL is what the connection was made for.
func (c *Conn) URL() URL { return c.url }

// acl is that of nodes which hold state: everything for the creator and reading
// for the rest of the world, or everything for everybody without credentials.
func (c *Conn) acl() []zk.ACL {
	if !c.url.Secured() {
		return zk.WorldACL(zk.PermAll)
	}
	return append(zk.AuthACL(zk.PermAll), zk.WorldACL(zk.PermRead)...)
}

// parentACL is that of the nodes above, where other users may have theirs too.
func (c *Conn) parentACL() []zk.ACL {
	if !c.url.Secured() {
		return zk.WorldACL(zk.PermAll)
	}
	return append(zk.AuthACL(zk.PermAll), zk.WorldACL(zk.PermRead|zk.PermCreate)...)
}

// logger gives the library's lines to slog.
type logger struct{ log *slog.Logger }

// Printf logs one of the library's lines; none contains credentials.
func (l logger) Printf(format string, args ...any) {
	l.log.Debug("zookeeper client: " + strings.TrimSpace(fmt.Sprintf(format, args...)))
}
