package api

import (
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/pacer-run/pacer/runtime/spec"
)

const (
	// heartbeat is below the 10 s that clients count on and the 15 s after which
	// they take the stream for dead.
	heartbeat = 8 * time.Second
	// writeTimeout is how long a client may take no bytes at all.
	writeTimeout = 30 * time.Second
)

// stream is one client of the event stream: a queue between those who publish
// and the request's own goroutine, which writes.
type stream struct {
	address string
	only    []string      // event types it wants; empty for all
	wake    chan struct{} // has room for one: something is queued
	over    chan struct{} // closed: the stream must end

	mu     sync.Mutex
	queue  [][]byte
	closed bool
}

// push queues a frame, or ends the stream when too many wait.
func (s *stream) push(text []byte, limit int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.queue) >= limit {
		s.endLocked()
		return
	}
	s.queue = append(s.queue, text)
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// end makes the stream's request return. It may be called more than once.
func (s *stream) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.endLocked()
}

func (s *stream) endLocked() {
	if !s.closed {
		s.closed = true
		close(s.over)
	}
}

// take returns all that is queued as one text, so that a burst is one write.
func (s *stream) take(buffer []byte) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, text := range s.queue {
		buffer = append(buffer, text...)
	}
	clear(s.queue)
	s.queue = s.queue[:0]
	return buffer
}

// events serves the event stream until the client goes, lags too far behind or
// the term ends.
func (s *server) events(core Core, w http.ResponseWriter, r *http.Request) error {
	if accept := strings.Join(r.Header.Values("Accept"), ","); accept != "" && quality(accept, "text/event-stream") == 0 {
		return errMethod
	}
	h := w.Header()
	h.Set("Content-Type", "text/event-stream;charset=utf-8")
	h.Set("Connection", "close")
	h.Set("Transfer-Encoding", "identity") // not chunked: some clients read the raw bytes
	w.WriteHeader(http.StatusOK)
	if r.Method == http.MethodHead {
		return nil
	}
	client := s.Events.attach(clientIP(r), r.URL.Query()["event_type"])
	defer s.Events.detach(client)
	if s.Node.Core() != core { // the term ended before Disconnect could know of this client
		return nil
	}
	client.serve(w, r)
	return nil
}

// serve writes what is queued, and the heartbeat when nothing was for a while.
func (s *stream) serve(w http.ResponseWriter, r *http.Request) {
	control := http.NewResponseController(w)
	if control.Flush() != nil { // a client that waits for the head need not wait for an event
		return
	}
	go func() { // a write that blocks must not outlive the stream
		select {
		case <-s.over:
			control.SetWriteDeadline(time.Now()) //nolint:errcheck // then the write's own timeout ends it
		case <-r.Context().Done():
		}
	}()
	timer := time.NewTimer(heartbeat)
	defer timer.Stop()
	var buffer []byte
	for {
		buffer = buffer[:0]
		select {
		case <-r.Context().Done():
			return
		case <-s.over:
			return
		case <-s.wake:
			buffer = s.take(buffer)
		case <-timer.C:
			buffer = append(buffer, "\r\n"...)
		}
		control.SetWriteDeadline(time.Now().Add(writeTimeout)) //nolint:errcheck // not every connection has one
		if _, err := w.Write(buffer); err != nil {
			return
		}
		if control.Flush() != nil {
			return
		}
		timer.Reset(heartbeat)
	}
}

// announce tells the stream that a definition was accepted over the API.
func (s *server) announce(r *http.Request, app *spec.App) {
	s.Events.publish("api_post_event", func(h head) any {
		return apiPost{h, clientIP(r), r.URL.RequestURI(), app}
	})
}
