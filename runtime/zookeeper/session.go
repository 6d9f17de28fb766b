package zookeeper

import (
	"context"
	"sync"

	"github.com/go-zookeeper/zk"
)

// Session is one stretch of being connected. When the connection breaks it is
// suspended for good; a reconnection is another Session, with the same ID if the
// servers kept the session and its ephemeral nodes, with another if they did not.
type Session struct {
	id        int64
	suspended chan struct{}
}

// ID identifies the session to the servers: ephemeral nodes carry it as owner.
func (s *Session) ID() int64 { return s.id }

// Suspended is closed when the connection is lost, or found silent for two
// thirds of the session timeout. From then on nothing that rests on the
// session's ephemeral nodes may be believed: the servers are going to remove
// them unless this client comes back in time.
func (s *Session) Suspended() <-chan struct{} { return s.suspended }

// sessions follows the library's state through its callback: its channel drops
// what does not fit into six places. The callback must not block.
type sessions struct {
	mu      sync.Mutex
	current *Session      // nil while there is none
	changed chan struct{} // closed and replaced when current changes
	id      func() int64
}

func newSessions() *sessions { return &sessions{changed: make(chan struct{})} }

func (s *sessions) observe(ev zk.Event) {
	if ev.Type != zk.EventSession {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch ev.State {
	case zk.StateHasSession:
		s.replace(&Session{id: s.id(), suspended: make(chan struct{})})
	case zk.StateDisconnected, zk.StateExpired, zk.StateConnecting, zk.StateAuthFailed:
		s.replace(nil)
	default: // the others come on the way to one of these
	}
}

func (s *sessions) replace(next *Session) {
	if s.current == next {
		return
	}
	if s.current != nil {
		close(s.current.suspended)
	}
	s.current = next
	close(s.changed)
	s.changed = make(chan struct{})
}

// end suspends what there is: the connection is being closed.
func (s *sessions) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.replace(nil)
}

// await returns the session there is, or waits for one.
func (s *sessions) await(ctx context.Context, closed <-chan struct{}) (*Session, error) {
	for {
		s.mu.Lock()
		current, changed := s.current, s.changed
		s.mu.Unlock()
		if current != nil {
			return current, nil
		}
		select {
		case <-changed:
		case <-closed:
			return nil, ErrClosed
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}
