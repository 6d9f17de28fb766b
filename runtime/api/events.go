package api

import (
	"slices"
	"sync"
	"time"

	"github.com/pacer-run/pacer/runtime/scheduler"
	"github.com/pacer-run/pacer/runtime/spec"
)

// DefaultOutstanding is how many events a client of the stream may lag behind.
const DefaultOutstanding = 1024

// Events hands what happens to the clients of the event stream: each event is
// encoded once, for all of them. Its methods may be called by any goroutine, and
// none waits for a client.
type Events struct {
	now         func() time.Time
	outstanding int

	mu      sync.Mutex
	streams []*stream
	slow    uint64 // clients that were disconnected because they were
	// held has, for each deployment whose answer is being written, the events
	// that wait for it.
	held map[string][]frame
}

// frame is one event as it goes over the wire.
type frame struct {
	name string
	text []byte
}

// NewEvents returns a hub without clients. A client for which outstanding events
// wait when more happens is disconnected; 0 means DefaultOutstanding. now nil
// means time.Now.
func NewEvents(outstanding int, now func() time.Time) *Events {
	if outstanding == 0 {
		outstanding = DefaultOutstanding
	}
	if now == nil {
		now = time.Now
	}
	return &Events{now: now, outstanding: outstanding, held: map[string][]frame{}}
}

// Publish hands out the events of one batch, in order. The end of a deployment
// waits until the client that began it has its answer.
func (e *Events) Publish(notices []scheduler.Notice) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.streams) == 0 && len(e.held) == 0 {
		return
	}
	now := spec.TimestampOf(e.now())
	batch := make([]frame, 0, len(notices))
	for _, n := range notices {
		f := frameOf(eventOf(n, now))
		if end, ok := n.(scheduler.DeploymentEnded); ok {
			if waiting, ok := e.held[end.Plan.ID]; ok {
				e.held[end.Plan.ID] = append(waiting, f)
				continue
			}
		}
		batch = append(batch, f)
	}
	e.send(batch...)
}

// publish hands out one event of the API itself.
func (e *Events) publish(name string, body func(head) any) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.publishLocked(name, body)
}

// publishLocked is publish for a caller that holds mu.
func (e *Events) publishLocked(name string, body func(head) any) {
	if len(e.streams) > 0 {
		e.send(frameOf(name, body(headOf(name, spec.TimestampOf(e.now())))))
	}
}

// hold keeps the end of a deployment back until the answer is called.
func (e *Events) hold(deployment string) (release func()) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.held[deployment] = nil
	return func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		e.send(e.held[deployment]...)
		delete(e.held, deployment)
	}
}

// send queues what happened at once for every stream that wants it. The caller
// holds mu.
func (e *Events) send(batch ...frame) {
	for _, s := range e.streams {
		s.push(batch, e.outstanding)
	}
}

// attach adds a client. Its own attachment is the first event it sees.
func (e *Events) attach(address string, only []string) *stream {
	s := newStream(address, only)
	e.add(s, "event_stream_attached", func(h head) any { return streamChanged{h, address} })
	return s
}

// add adds a stream and tells all, itself included.
func (e *Events) add(s *stream, event string, body func(head) any) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.streams = append(e.streams, s)
	e.publishLocked(event, body)
}

// detach removes a client and tells the others.
func (e *Events) detach(s *stream) {
	e.remove(s, "event_stream_detached", func(h head) any { return streamChanged{h, s.address} })
}

// remove removes a stream and tells the others.
func (e *Events) remove(s *stream, event string, body func(head) any) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if s.wasSlow() {
		e.slow++
	}
	e.streams = slices.DeleteFunc(e.streams, func(other *stream) bool { return other == s })
	e.publishLocked(event, body)
}

// Disconnect ends all streams, as the end of leadership must: what happens next
// is told by another node.
func (e *Events) Disconnect() {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, s := range e.streams {
		s.end()
	}
}

// Clients returns how many clients are attached.
func (e *Events) Clients() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.streams)
}

// SlowClients returns how many clients were disconnected so far because they did
// not keep up.
func (e *Events) SlowClients() uint64 {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.slow
}

// frameOf frames an event. Lines end with CR LF: one known client does not
// dispatch on a bare LF.
func frameOf(name string, body any) frame {
	text := append([]byte("event: "+name+"\r\ndata: "), encodeJSON(body)...)
	return frame{name, append(text, "\r\n\r\n"...)}
}
