package master

import (
	"context"
	"sync"
)

// Detector tells where the leading master is.
type Detector interface {
	// Detect calls changed with the leader's address when it is known and at each
	// change, and with "" when there is no leader, until ctx ends. An address is
	// "host:port" or an http or https URL. Its error ends the client's Run, unless
	// ctx has ended.
	Detect(ctx context.Context, changed func(leader string)) error
}

// Fixed is the address of one master, which need not be the leader: a master that
// is not redirects to the one that is.
type Fixed string

// Detect announces the address once.
func (f Fixed) Detect(ctx context.Context, changed func(leader string)) error {
	changed(string(f))
	<-ctx.Done()
	return ctx.Err()
}

// leadership is what the detector said last.
type leadership struct {
	mu      sync.Mutex
	leader  string
	changed chan struct{} // closed at the next change
}

func newLeadership() *leadership { return &leadership{changed: make(chan struct{})} }

// set announces a leader. The same one again is no change.
func (l *leadership) set(leader string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if leader == l.leader {
		return
	}
	l.leader = leader
	close(l.changed)
	l.changed = make(chan struct{})
}

// now returns the leader, "" for none, and a channel that is closed when that is
// no longer true.
func (l *leadership) now() (string, <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.leader, l.changed
}
