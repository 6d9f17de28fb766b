package master

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/pacer-run/pacer/runtime/scheduler"
)

// Errors that end Run: no retry can mend them.
var (
	// ErrRemoved says that the framework was torn down, or did not come back in
	// time: its id is dead for good. Only an operator may decide to begin a new one.
	ErrRemoved = errors.New("master: the framework has been removed")
	// ErrFailedOver says that another process subscribed under the same framework
	// id. This one must step down.
	ErrFailedOver = errors.New("master: another scheduler has taken the framework over")
)

// Client holds the subscription of one framework, by three goroutines: one learns
// who leads, one subscribes and reads the stream, one sends calls. The last two meet
// only in the current subscription, so a slow answer never holds up an event.
// Its methods may be called from any goroutine.
type Client struct {
	cfg     Config
	http    *http.Transport
	encoder encoder // of the goroutine that sends
	leaders *leadership
	queue   *queue
	decoder *decoder // of the goroutine that holds the subscription

	// current is what calls are sent under, nil while there is none. It is set before
	// the core hears of the subscription, so that calls made in answer are taken, and
	// cleared before the core hears of its end.
	current atomic.Pointer[subscription]
	lastID  string // the framework's id that was last heard
}

// New returns a client that does nothing before Run. The error names every field
// of cfg that is wrong.
func New(cfg Config) (*Client, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	return &Client{
		cfg:     cfg,
		http:    newTransport(&cfg),
		leaders: newLeadership(),
		queue:   newQueue(),
		decoder: newDecoder(),
		encoder: encoder{about: &cfg.Framework},
	}, nil
}

// newTransport makes the connections: one is the stream's, another the calls'. It
// asks no proxy, masters are neighbours. There is no http.Client on top of it,
// since that fails on a Location that is not a URL, even if it is not to follow it.
func newTransport(cfg *Config) *http.Transport {
	dialer := net.Dialer{Timeout: 10 * time.Second, KeepAlive: 15 * time.Second}
	return &http.Transport{
		DialContext:           dialer.DialContext,
		TLSClientConfig:       cfg.TLS,
		TLSHandshakeTimeout:   10 * time.Second,
		ResponseHeaderTimeout: cfg.CallTimeout,
		MaxIdleConnsPerHost:   2,
		IdleConnTimeout:       2 * time.Minute,
		DisableCompression:    true,
	}
}

// Run keeps the framework subscribed until ctx ends, and then returns nil. It
// returns an error that wraps ErrRemoved or ErrFailedOver, or the detector's. It
// may be called once.
func (c *Client) Run(ctx context.Context) error {
	defer c.http.CloseIdleConnections()
	group, inner := errgroup.WithContext(ctx)
	group.Go(func() error {
		if err := c.cfg.Detector.Detect(inner, c.leaders.set); inner.Err() == nil {
			return fmt.Errorf("master: detecting the leader: %w", orEnded(err))
		}
		return nil
	})
	group.Go(func() error { c.deliverAll(inner); return nil })
	group.Go(func() error { return c.subscribeAgain(inner) })
	return group.Wait()
}

// orEnded names the fault of a detector that returned without any.
func orEnded(err error) error {
	if err == nil {
		return errors.New("the detector ended")
	}
	return err
}

// subscribeAgain holds one subscription after the other. It returns nil when ctx
// has ended. A change of leader ends every wait. Only a subscription that held for
// longer than the longest wait makes the next one short again: one that the master
// ends as soon as it has begun must not be tried at full speed for ever.
func (c *Client) subscribeAgain(ctx context.Context) error {
	pause := backoff{limits: c.cfg.Backoff, random: c.cfg.Random}
	for ctx.Err() == nil {
		leader, changed := c.leaders.now()
		if leader == "" {
			c.cfg.Log.Info("no leading master")
			await(ctx, changed, nil)
			continue
		}
		began := time.Now()
		err := c.hold(ctx, leader, changed)
		switch {
		case ctx.Err() != nil:
			return nil
		case final(err):
			return err
		case time.Since(began) > c.cfg.Backoff.Most:
			pause.reset()
		}
		wait := pause.wait()
		c.cfg.Log.Warn("subscription ended", "leader", leader, "cause", err, "retry_in", wait)
		timer := time.NewTimer(wait)
		await(ctx, changed, timer.C)
		timer.Stop()
	}
	return nil
}

// await returns when the leader has changed, the time has come or ctx has ended.
func await(ctx context.Context, changed <-chan struct{}, timer <-chan time.Time) {
	select {
	case <-ctx.Done():
	case <-changed:
	case <-timer:
	}
}

// tell hands an event to the core.
func (c *Client) tell(ev scheduler.Event) { c.cfg.Sink(ev) }
