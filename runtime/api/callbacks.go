package api

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/pacer-run/pacer/runtime/spec"
)

const (
	maxCallbacks    = 100
	callbackTimeout = 5 * time.Second // for one event
)

// callbacks are clients that have events sent to them, a request for each. They
// are known to this leader only: the next one does not call them before they ask
// for it again.
type callbacks struct {
	events *Events
	client *http.Client
	log    *slog.Logger

	mu    sync.Mutex
	known map[string]*stream // by their URLs
}

// routeCallbacks registers the endpoint of callbacks. While they are off it says
// what has taken their place.
func (s *server) routeCallbacks(r chi.Router) {
	const path = "/v2/eventSubscriptions"
	if !s.Callbacks {
		r.HandleFunc(path, func(w http.ResponseWriter, _ *http.Request) { writeError(w, errCallbacks) })
		return
	}
	c := &callbacks{
		events: s.Events, log: s.Log, known: map[string]*stream{},
		client: &http.Client{
			Timeout:       callbackTimeout,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
	s.route(r, http.MethodGet, path, c.list)
	s.route(r, http.MethodPost, path, func(core Core, w http.ResponseWriter, r *http.Request) error {
		return c.subscribe(w, r, func() bool { return s.Node.Core() == core })
	})
	s.route(r, http.MethodDelete, path, c.unsubscribe)
}

// list answers the URLs that are called.
func (c *callbacks) list(_ Core, w http.ResponseWriter, _ *http.Request) error {
	c.mu.Lock()
	urls := slices.Sorted(maps.Keys(c.known))
	c.mu.Unlock()
	if urls == nil {
		urls = []string{}
	}
	writeJSON(w, http.StatusOK, map[string][]string{"callbackUrls": urls})
	return nil
}

// subscribe has events sent to a URL from now on. leads tells whether the term in
// which the request came still lasts.
func (c *callbacks) subscribe(w http.ResponseWriter, r *http.Request, leads func() bool) error {
	to, err := callbackOf(r)
	if err != nil {
		return err
	}
	body := func(h head) any { return subscription{h, clientIP(r), to} }
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.known[to] == nil {
		if len(c.known) >= maxCallbacks {
			return &problem{http.StatusUnprocessableEntity, fmt.Sprintf("there are %d callbacks already, which is the limit", maxCallbacks)}
		}
		s := newStream(clientIP(r), nil)
		c.known[to] = s
		c.events.add(s, "subscribe_event", body)
		if !leads() { // Disconnect may not have known of it
			s.end()
		}
		go c.deliver(to, s)
	}
	c.answer(w, "subscribe_event", body)
	return nil
}

// unsubscribe ends what subscribe began. One that is not there is none to end.
func (c *callbacks) unsubscribe(_ Core, w http.ResponseWriter, r *http.Request) error {
	to, err := callbackOf(r)
	if err != nil {
		return err
	}
	body := func(h head) any { return subscription{h, clientIP(r), to} }
	c.mu.Lock()
	defer c.mu.Unlock()
	if s := c.known[to]; s != nil {
		delete(c.known, to)
		s.end()
		c.events.remove(s, "unsubscribe_event", body)
	}
	c.answer(w, "unsubscribe_event", body)
	return nil
}

// answer shows the event that a change is told by.
func (c *callbacks) answer(w http.ResponseWriter, event string, body func(head) any) {
	writeJSON(w, http.StatusOK, body(headOf(event, spec.TimestampOf(c.events.now()))))
}

// callbackOf reads the URL that a request is about.
func callbackOf(r *http.Request) (string, error) {
	text := r.URL.Query().Get("callbackUrl")
	to, err := url.Parse(text)
	if err != nil || to.Host == "" || to.Scheme != "http" && to.Scheme != "https" || len(text) > 2048 {
		return "", &problem{http.StatusUnprocessableEntity, "query parameter callbackUrl: expected an http or https URL"}
	}
	return text, nil
}

// redacted is a URL without its password.
func redacted(text string) string {
	to, err := url.Parse(text)
	if err != nil { // callbackOf has looked
		return ""
	}
	return to.Redacted()
}

// deliver sends events to a URL until its stream ends.
func (c *callbacks) deliver(to string, s *stream) {
	defer c.forget(to, s)
	for {
		select {
		case <-s.over:
			return
		case <-s.wake:
		}
		for frame := range bytes.SplitSeq(s.take(nil), []byte("\r\n\r\n")) {
			_, body, ok := bytes.Cut(frame, []byte("\r\ndata: "))
			if !ok {
				continue
			}
			if err := c.post(to, s, body); err != nil {
				c.log.Warn("an event did not reach a callback", "url", redacted(to), "error", err)
			}
		}
	}
}

// post sends one event. It is tried once: who cannot be reached misses it.
func (c *callbacks) post(to string, s *stream, body []byte) error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() { // the end of the stream ends the request, too
		select {
		case <-s.over:
			cancel()
		case <-ctx.Done():
		}
	}()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, to, bytes.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/json")
	answer, err := c.client.Do(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	io.CopyN(io.Discard, answer.Body, 4096) //nolint:errcheck // so that the connection can be used again
	if answer.StatusCode >= 300 {
		return fmt.Errorf("status %d", answer.StatusCode)
	}
	return nil
}

// forget drops a callback whose stream has ended by itself: the term is over, or
// too much waits for it.
func (c *callbacks) forget(to string, s *stream) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.known[to] != s {
		return
	}
	delete(c.known, to)
	c.events.remove(s, "unsubscribe_event", func(h head) any { return subscription{h, s.address, to} })
	if s.wasSlow() {
		c.log.Warn("a callback did not keep up and is not called any more", "url", redacted(to))
	}
}
