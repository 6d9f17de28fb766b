package process

import (
	"context"
	"encoding/hex"
	"os"
	"sync"
	"time"

	"github.com/pacer-run/pacer/runtime/policy/remote"
	"github.com/pacer-run/pacer/sdk"
	"github.com/pacer-run/pacer/sdk/wire"
)

// Module is a module that runs, a remote.Module.
type Module struct {
	limits      Limits
	command     []string
	settings    string
	env         []string
	folder      string
	files       []*private // the executable is the first
	journal     *journal
	description wire.Description
	stop        context.CancelFunc // of the supervisor
	over        chan struct{}      // closed when the supervisor has ended the last process

	mu      sync.Mutex
	current *run          // nil while there is none
	changed chan struct{} // closed when current, cause or next change, and replaced
	cause   string        // why there is no process
	next    time.Time     // when another one is tried
	starts  int           // after the first
	closed  bool
	calls   sync.WaitGroup // under way
	close   sync.Once
}

var _ remote.Module = (*Module)(nil)

// Description implements remote.Module. Its lists must not be changed.
func (m *Module) Description() wire.Description { return m.description }

// FuelUsed implements remote.Module: nothing is metered.
func (m *Module) FuelUsed() int64 { return 0 }

// SHA256 is the digest of the file that is run, in hexadecimal.
func (m *Module) SHA256() string { return hex.EncodeToString(m.files[0].digest) }

// State says how the module is.
func (m *Module) State() State {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := State{Restarts: m.starts, Cause: m.cause, Next: m.next}
	if m.current != nil {
		s.PID = m.current.cmd.Process.Pid
	}
	return s
}

// State is how a module is.
type State struct {
	PID      int       // of the process; 0 when there is none
	Restarts int       // since the module was started
	Cause    string    // of the latest end of a process; "" for none
	Next     time.Time // when another start is tried, or was
}

// Ping asks the process whether it is well, as the host does by itself from time to
// time. It is a call of go-plugin's own, with next to nothing in it: what a call takes
// besides its work.
func (m *Module) Ping(ctx context.Context) error {
	r, err := m.await(ctx, until(ctx, m.limits.Ping))
	if err != nil {
		return err
	}
	defer m.calls.Done()
	return r.ping(ctx, m.limits.Ping)
}

func (m *Module) label() string {
	if m.description.Version == "" {
		return m.description.Name
	}
	return m.description.Name + "@" + m.description.Version
}

// fault is the form in which callers see that the module failed.
func (m *Module) fault(cause string) error { return &sdk.Fault{Module: m.label(), Cause: cause} }

// trap is a fault of a process that ended, or did not answer in good order.
func (m *Module) trap(cause string) error {
	return &sdk.Fault{Module: m.label(), Cause: cause, Trap: true}
}

// Prepare implements remote.Module.
func (m *Module) Prepare(ctx context.Context, kind remote.Kind, spec []byte) (remote.Prepared, error) {
	p := &prepared{module: m, kind: kind, spec: spec}
	q, err := m.enter(ctx, kind)
	if err != nil {
		return nil, err
	}
	defer q.leave()
	if p.traits, err = p.introduce(q); err != nil {
		return nil, err
	}
	return p, nil
}

// Review implements remote.Module.
func (m *Module) Review(ctx context.Context, request []byte, take func(answer []byte) error) error {
	q, err := m.enter(ctx, remote.KindAdmission)
	if err != nil {
		return err
	}
	defer q.leave()
	_, method := methodsOf(remote.KindAdmission)
	// An app that was amended may be a good deal longer than it was.
	b, err := q.call(method, request, m.limits.reply(2*len(request), 1))
	if err != nil {
		return err
	}
	if err := take(b); err != nil {
		return m.trap(method + ": " + err.Error())
	}
	return nil
}

// enter begins a question: it waits for a process, if one is expected in the time
// that is given to questions of the kind.
func (m *Module) enter(ctx context.Context, kind remote.Kind) (*question, error) {
	q := &question{module: m, ctx: ctx, given: m.limits.Call[kind]}
	q.deadline = until(ctx, q.given)
	var err error
	if q.run, err = m.await(ctx, q.deadline); err != nil {
		return nil, err
	}
	return q, nil
}

// await waits for a process until the deadline and counts the call.
func (m *Module) await(ctx context.Context, deadline time.Time) (*run, error) {
	var late <-chan time.Time // only for those who wait
	for {
		m.mu.Lock()
		r, changed, cause, next := m.current, m.changed, m.cause, m.next
		switch {
		case m.closed:
			m.mu.Unlock()
			return nil, m.fault("the module is closed")
		case r != nil && !r.gone():
			m.calls.Add(1)
			m.mu.Unlock()
			return r, nil
		}
		m.mu.Unlock()
		if r == nil && next.After(deadline) {
			return nil, m.fault("it is down: " + cause)
		}
		if late == nil {
			late = time.After(time.Until(deadline))
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-late:
			if theirs(ctx, deadline) {
				return nil, context.DeadlineExceeded
			}
			return nil, m.fault("it is down: " + cause)
		}
	}
}

// set notes a change for those who wait for one. The caller holds the lock.
func (m *Module) set(current *run, cause string, next time.Time) {
	m.current, m.cause, m.next = current, cause, next
	close(m.changed)
	m.changed = make(chan struct{})
}

// Close implements remote.Module. Calls under way end at their deadlines, or when ctx
// does. It leaves neither processes nor files behind.
func (m *Module) Close(ctx context.Context) error {
	var err error
	m.close.Do(func() {
		m.mu.Lock()
		m.closed = true
		close(m.changed) // nobody waits any more
		m.changed = make(chan struct{})
		r := m.current
		m.mu.Unlock()
		over := context.AfterFunc(ctx, func() {
			if r != nil {
				r.kill("the module is closed")
			}
		})
		m.calls.Wait()
		m.stop()
		<-m.over
		over()
		err = os.RemoveAll(m.folder)
	})
	return err
}
