// Package election decides which of several processes leads. Candidates queue in
// ZooKeeper; the one that came first leads until its session ends, is in doubt,
// or it steps down. A process that is alone uses Always.
//
// A process that is frozen or cut off may believe in its leadership for a moment
// longer than the others do. What it must not do in that moment is guarded by the
// epoch of its term in the store, not here.
package election

import (
	"context"
	"errors"
	"fmt"
	"sync"
)

// Why a leadership ended; causes of the context that lead gets.
var (
	// ErrLost: the connection to ZooKeeper is lost or the candidate's node gone.
	ErrLost = errors.New("leadership lost")
	// ErrAbdicated: Abdicate was called.
	ErrAbdicated = errors.New("leadership abdicated")
)

// office knows how to end the leadership there is; it is shared by both kinds of candidates.
type office struct {
	mu      sync.Mutex
	current context.CancelCauseFunc // nil while this process does not lead
}

// hold runs lead as long as leadership lasts, and says why it ended: lead's own
// error, and the cause if leadership ended first.
func (o *office) hold(ctx context.Context, lead func(context.Context) error, begun func(context.Context, context.CancelCauseFunc)) error {
	leading, end := context.WithCancelCause(ctx)
	defer end(nil)
	o.set(end)
	defer o.set(nil)
	begun(leading, end)
	err := lead(leading)
	cause := context.Cause(leading)
	if !errors.Is(cause, ErrLost) && !errors.Is(cause, ErrAbdicated) {
		return err
	}
	if err == nil || errors.Is(err, context.Canceled) || errors.Is(err, cause) {
		return fmt.Errorf("election: %w", cause)
	}
	return fmt.Errorf("election: %w: %w", cause, err)
}

func (o *office) set(end context.CancelCauseFunc) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.current = end
}

// abdicate ends the leadership, if there is one.
func (o *office) abdicate() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.current == nil {
		return false
	}
	o.current(ErrAbdicated)
	return true
}

// notice is a value that readers can wait for to change.
type notice struct {
	mu      sync.Mutex
	value   string
	changed chan struct{}
}

func newNotice(value string) *notice { return &notice{value: value, changed: make(chan struct{})} }

func (n *notice) set(value string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.value != value {
		n.value = value
		close(n.changed)
		n.changed = make(chan struct{})
	}
}

func (n *notice) read() (string, <-chan struct{}) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.value, n.changed
}

// Always is the candidate of a process that has no rivals. Its methods may be
// called by several goroutines.
type Always struct {
	office office
	leader *notice
	addr   string
}

// NewAlways is a candidate with that address (host:port).
func NewAlways(address string) *Always { return &Always{leader: newNotice(""), addr: address} }

// Run leads at once, until lead returns; see Candidate.Run.
func (a *Always) Run(ctx context.Context, lead func(context.Context) error) error {
	defer a.leader.set("")
	return a.office.hold(ctx, lead, func(context.Context, context.CancelCauseFunc) { a.leader.set(a.addr) })
}

// Leader is the process itself, while it leads.
func (a *Always) Leader() (address string, ok bool) {
	address, _ = a.leader.read()
	return address, address != ""
}

// Changed is closed when Leader answers otherwise.
func (a *Always) Changed() <-chan struct{} {
	_, changed := a.leader.read()
	return changed
}

// Abdicate ends the leadership; false if there is none.
func (a *Always) Abdicate() bool { return a.office.abdicate() }

// Close does nothing; it is there for Always to stand in for a Candidate.
func (a *Always) Close() {}
