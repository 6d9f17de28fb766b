package api

import (
	"errors"
	"net/http"
	"os"
	"slices"
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
	// maxWrite bounds the copy that each client has of what is on its way, in bytes.
	maxWrite = 64 << 10
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
	slow   bool // why it is closed
}

// newStream returns a stream that wants the types; all for none.
func newStream(address string, only []string) *stream {
	return &stream{address: address, only: only, wake: make(chan struct{}, 1), over: make(chan struct{})}
}

// push queues what the client wants of a batch. When limit frames wait already the
// stream ends instead. What waits is counted before the batch and not after it:
// one event of the core may bring thousands, and they make nobody slow.
func (s *stream) push(batch []frame, limit int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	waiting := len(s.queue)
	for _, f := range batch {
		switch {
		case s.closed, len(s.only) > 0 && !slices.Contains(s.only, f.name):
		case waiting >= limit:
			s.endLocked(true)
		default:
			s.queue = append(s.queue, f.text)
		}
	}
	if len(s.queue) > 0 {
		s.signal()
	}
}

// signal wakes the stream's goroutine.
func (s *stream) signal() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// end makes the stream's request return. It may be called more than once.
func (s *stream) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.endLocked(false)
}

// fellBehind is end for a client that did not take what was written.
func (s *stream) fellBehind() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.endLocked(true)
}

func (s *stream) endLocked(slow bool) {
	if !s.closed {
		s.closed, s.slow = true, slow
		close(s.over)
	}
}

// wasSlow tells whether the stream ended because its client did not keep up.
func (s *stream) wasSlow() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.slow
}

// take returns what is queued as one text, so that a burst is one write, up to
// maxWrite and at least one frame.
func (s *stream) take(buffer []byte) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for n < len(s.queue) && (n == 0 || len(buffer)+len(s.queue[n]) <= maxWrite) {
		buffer = append(buffer, s.queue[n]...)
		n++
	}
	s.queue = slices.Delete(s.queue, 0, n)
	if len(s.queue) > 0 {
		s.signal()
	}
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
	if client.wasSlow() {
		s.Log.Info("a client of the event stream did not keep up and was disconnected", "client", client.address)
	}
	return nil
}

// serve writes what is queued, and the heartbeat when nothing was for a while.
func (s *stream) serve(w http.ResponseWriter, r *http.Request) {
	control := http.NewResponseController(w)
	go func() { // a write that blocks must not outlive the stream
		select {
		case <-s.over:
			control.SetWriteDeadline(time.Now()) //nolint:errcheck // then the write's own timeout ends it
		case <-r.Context().Done():
		}
	}()
	timer := time.NewTimer(heartbeat)
	defer timer.Stop()
	var buffer []byte // at first nothing but the head: a client that waits for it need not wait for an event
	for s.write(w, control, buffer) {
		buffer = buffer[:0]
		timer.Reset(heartbeat)
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
	}
}

// write sends a text off; false says that the stream is over.
func (s *stream) write(w http.ResponseWriter, control *http.ResponseController, text []byte) bool {
	control.SetWriteDeadline(time.Now().Add(writeTimeout)) //nolint:errcheck // not every connection has one
	select {
	case <-s.over: // before its end set a deadline of its own, which is not in force any more
		return false
	default:
	}
	_, err := w.Write(text)
	if err == nil {
		err = control.Flush()
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		s.fellBehind()
	}
	return err == nil
}

// announce tells the stream that a definition was accepted over the API.
func (s *server) announce(r *http.Request, app *spec.App) {
	s.Events.publish("api_post_event", func(h head) any {
		return apiPost{h, clientIP(r), r.URL.RequestURI(), app}
	})
}
