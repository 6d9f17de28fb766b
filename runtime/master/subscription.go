package master

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/pacer-run/pacer/runtime/scheduler"
)

const (
	// silentIntervals is how many heartbeats may fail to come before a stream is
	// taken for dead.
	silentIntervals = 5
	// maxHops bounds redirects: masters that have lost their leader may send a
	// scheduler round in circles.
	maxHops = 5
	// streamHeader ties the calls to the subscription.
	streamHeader = "Mesos-Stream-Id"
	// lastWords is how long a stream is still read after a call found that it is no
	// longer good. It may yet say why: a scheduler that another one has replaced
	// must learn of that, or the two take the framework from each other for ever.
	lastWords = 500 * time.Millisecond
	mediaType = "application/x-protobuf"
)

// Causes for which a subscription is dropped from this side.
var (
	errLeaderChanged = errors.New("another master leads")
	errSilent        = errors.New("the master was silent for five heartbeats")
)

// subscription is one stream of events and what calls need to belong to it. It is
// complete, and changes no more but for lost, once it is the current one.
type subscription struct {
	ctx       context.Context         //nolint:containedctx // the stream's own life, which its calls share; ends with it
	drop      context.CancelCauseFunc // ends it
	endpoint  endpoint                // of the leader, after redirects
	streamID  string
	framework string
	lost      atomic.Bool // no call is sent any more
}

// lose gives the subscription up for what the answer to a call said.
func (s *subscription) lose(cause error) {
	if s.lost.CompareAndSwap(false, true) {
		timer := time.AfterFunc(lastWords, func() { s.drop(cause) })
		context.AfterFunc(s.ctx, func() { timer.Stop() })
	}
}

// hold subscribes at the leader and reads the stream to its end. The error says
// why it ended: what ended it from this side if anything did, since the fault of
// the read that this interrupts means nothing. Final errors go before both.
func (c *Client) hold(ctx context.Context, leader string, changed <-chan struct{}) error {
	ctx, drop := context.WithCancelCause(ctx)
	defer drop(nil)
	go func() {
		select {
		case <-changed:
			drop(errLeaderChanged)
		case <-ctx.Done():
		}
	}()
	at, err := endpointAt(leader)
	if err != nil {
		return err
	}
	sub := &subscription{ctx: ctx, drop: drop, endpoint: at}
	silence := newSilence(func() { drop(errSilent) })
	silence.begin(silentIntervals * defaultHeartbeat)
	body, err := c.open(sub)
	silence.end()
	if err == nil {
		defer body.Close()
		silence.body = body
		err = c.read(sub, silence)
	}
	if cause := context.Cause(ctx); cause != nil && !final(err) {
		err = cause
	}
	if c.current.CompareAndSwap(sub, nil) {
		c.tell(scheduler.Disconnected{Cause: err.Error()})
	}
	return err
}

// final tells the errors after which there is no other subscription.
func final(err error) bool { return errors.Is(err, ErrRemoved) || errors.Is(err, ErrFailedOver) }

// open sends SUBSCRIBE, to other masters as far as the first one redirects, and
// returns the stream. All later calls go where the stream came from.
func (c *Client) open(sub *subscription) (io.ReadCloser, error) {
	id := c.cfg.FrameworkID()
	if id == "" {
		id = c.lastID // heard, but perhaps not saved yet
	}
	body, err := subscribe(c.cfg.Framework.in(c.cfg.Roles()), id, c.cfg.SuppressedRoles()).Marshal()
	if err != nil {
		return nil, fmt.Errorf("subscribe: encoding: %w", err)
	}
	for range maxHops + 1 {
		resp, err := c.post(sub.ctx, sub, body)
		if err != nil {
			return nil, fmt.Errorf("subscribe: %w", err)
		}
		if resp.StatusCode == http.StatusOK {
			return resp.Body, sub.take(resp)
		}
		why := refusal(resp)
		if !redirects(resp.StatusCode) {
			return nil, fmt.Errorf("subscribe: %s answered %s", sub.endpoint.host, why)
		}
		if sub.endpoint, err = sub.endpoint.redirected(resp.Header.Get("Location")); err != nil {
			return nil, fmt.Errorf("subscribe: %w", err)
		}
	}
	return nil, fmt.Errorf("subscribe: more than %d redirects, the last one to %s", maxHops, sub.endpoint.host)
}

// take checks the head of a stream. A wrong one is closed.
func (s *subscription) take(resp *http.Response) error {
	s.streamID = resp.Header.Get(streamHeader)
	kind := resp.Header.Get("Content-Type")
	if s.streamID != "" && kind == mediaType {
		return nil
	}
	resp.Body.Close()
	return fmt.Errorf("subscribe: %s answered Content-Type %q and %s %q, expected %q and an id",
		s.endpoint.host, kind, streamHeader, s.streamID, mediaType)
}

// redirects tells whether a status sends the client elsewhere.
func redirects(status int) bool {
	switch status {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		return true
	}
	return false
}

// read takes events off the stream until it ends; the error says why. The first
// event has to be SUBSCRIBED, or the ERROR that refuses.
func (c *Client) read(sub *subscription, stream *silence) error {
	in := newRecords(stream, maxRecord)
	for {
		said, err := c.nextNews(in)
		switch {
		case err != nil:
			return fmt.Errorf("event stream of %s: %w", sub.endpoint.host, err)
		case said.fault != "":
			return verdict(said.fault)
		case said.remark != "":
			c.cfg.Log.Info(said.remark)
		}
		if first, ok := said.event.(scheduler.Subscribed); ok {
			stream.limit = silentIntervals * said.heartbeat
			c.subscribed(sub, &first)
		}
		if said.event == nil {
			continue
		}
		if c.current.Load() != sub {
			return fmt.Errorf("event stream of %s: found %T, expected SUBSCRIBED first", sub.endpoint.host, said.event)
		}
		c.tell(said.event)
	}
}

func (c *Client) nextNews(in *records) (news, error) {
	record, err := in.next()
	if err != nil {
		return news{}, err
	}
	return c.decoder.record(record)
}

// subscribed makes sub the one that calls are sent under.
func (c *Client) subscribed(sub *subscription, ev *scheduler.Subscribed) {
	sub.framework, c.lastID = ev.FrameworkID, ev.FrameworkID
	c.current.Store(sub)
	c.cfg.Log.Info("subscribed", "master", sub.endpoint.host, "framework", ev.FrameworkID)
}

// verdict tells the ERROR events that end the framework from those that end the
// subscription. Masters tell them apart by their text alone.
func verdict(fault string) error {
	switch {
	case strings.Contains(fault, "Framework has been removed"):
		return fmt.Errorf("%w: %s", ErrRemoved, fault)
	case strings.Contains(fault, "Framework failed over"):
		return fmt.Errorf("%w: %s", ErrFailedOver, fault)
	}
	return errors.New(fault)
}

// silence watches a stream: when a read takes longer than limit, the stream is
// taken for dead. Any byte counts as life. The time in which nobody reads does
// not count: then it is the core that is slow.
type silence struct {
	body  io.Reader
	limit time.Duration
	timer *time.Timer
}

func newSilence(dead func()) *silence {
	s := &silence{timer: time.AfterFunc(time.Hour, dead)}
	s.timer.Stop()
	return s
}

func (s *silence) begin(limit time.Duration) {
	s.limit = limit
	s.timer.Reset(limit)
}

func (s *silence) end() { s.timer.Stop() }

// Read implements io.Reader.
func (s *silence) Read(p []byte) (int, error) {
	s.timer.Reset(s.limit)
	defer s.timer.Stop()
	return s.body.Read(p)
}
