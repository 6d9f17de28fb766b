package election_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pacer-run/pacer/runtime/election"
	"github.com/pacer-run/pacer/runtime/zookeeper"
	"github.com/pacer-run/pacer/runtime/zookeeper/zktest"
)

// contender is what both kinds of candidates have in common.
type contender interface {
	Run(ctx context.Context, lead func(context.Context) error) error
	Leader() (string, bool)
	Changed() <-chan struct{}
	Abdicate() bool
	Close()
}

var (
	_ contender = (*election.Candidate)(nil)
	_ contender = (*election.Always)(nil)
)

var server *zktest.Server

func TestMain(m *testing.M) { zktest.Main(m, func(s *zktest.Server) { server = s }) }

// world is one queue; leading counts who believes to lead.
type world struct {
	ctx     context.Context
	path    string
	leading atomic.Int32
}

func newWorld(t *testing.T) *world {
	server.Up(t)
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	t.Cleanup(cancel)
	return &world{ctx: ctx, path: zktest.Path(t)}
}

// process is one candidate that runs once.
type process struct {
	contender
	conn    *zookeeper.Conn
	elected chan struct{} // closed when it leads
	resign  chan error    // what lead is to return
	ended   chan error    // what Run returned
	cause   error         // of the end of lead's context; read after ended
}

func (w *world) run(t *testing.T, name, url string) *process {
	t.Helper()
	u, err := zookeeper.ParseURL(url)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := zookeeper.Dial(u, zookeeper.Options{SessionTimeout: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	p := &process{contender: election.NewCandidate(conn, w.path, name, nil), conn: conn}
	w.start(p)
	t.Cleanup(func() { p.Close(); conn.Close() })
	return p
}

func (w *world) start(p *process) {
	p.elected, p.resign, p.ended = make(chan struct{}), make(chan error, 1), make(chan error, 1)
	go func() {
		p.ended <- p.Run(w.ctx, func(ctx context.Context) error {
			w.leading.Add(1)
			defer w.leading.Add(-1)
			close(p.elected)
			select {
			case <-ctx.Done():
				p.cause = context.Cause(ctx)
				return ctx.Err()
			case err := <-p.resign:
				return err
			}
		})
	}()
}

func (w *world) await(t *testing.T, what string, done <-chan struct{}) {
	t.Helper()
	select {
	case <-done:
	case <-w.ctx.Done():
		t.Fatalf("waited in vain: %s", what)
	}
}

func (w *world) awaitEnd(t *testing.T, p *process, want error) {
	t.Helper()
	select {
	case err := <-p.ended:
		if !errors.Is(err, want) {
			t.Fatalf("Run returned %v, want %v", err, want)
		}
	case <-w.ctx.Done():
		t.Fatal("Run does not return")
	}
}

// awaitLeader waits until the process knows of that leader; "" for none.
func (w *world) awaitLeader(t *testing.T, p contender, want string) {
	t.Helper()
	for {
		changed := p.Changed()
		if got, ok := p.Leader(); got == want && ok == (want != "") {
			return
		}
		w.await(t, "leader "+want, changed)
	}
}

func TestFirstLeadsThenTheNext(t *testing.T) {
	w := newWorld(t)
	url := server.URL(w.path)
	a := w.run(t, "a:1", url)
	w.await(t, "a leads", a.elected)
	b := w.run(t, "b:1", url)
	w.awaitLeader(t, b, "a:1")
	w.awaitSeats(t, b, 2)
	c := w.run(t, "c:1", url)
	w.awaitSeats(t, c, 3)
	for _, p := range []*process{a, b, c} {
		w.awaitLeader(t, p, "a:1")
	}
	// The middle one goes: nothing changes for the last.
	if b.Abdicate() {
		t.Error("a process that does not lead abdicated")
	}
	stop := errors.New("stop")
	a.resign <- stop
	w.awaitEnd(t, a, stop)
	w.await(t, "b leads", b.elected)
	w.awaitLeader(t, a, "b:1")
	if !b.Abdicate() {
		t.Error("the leader did not abdicate")
	}
	w.awaitEnd(t, b, election.ErrAbdicated)
	w.await(t, "c leads", c.elected)
	w.awaitLeader(t, a, "c:1")
	c.resign <- nil
	w.awaitEnd(t, c, nil)
	w.awaitLeader(t, a, "")
	w.start(a)
	w.await(t, "a leads again", a.elected)
	w.awaitLeader(t, c, "a:1")
}

// awaitSeats waits until so many candidates queue.
func (w *world) awaitSeats(t *testing.T, p *process, want int) {
	t.Helper()
	for {
		names, changed, err := p.conn.WatchChildren(w.ctx, w.path+"/leader")
		if err != nil {
			t.Fatal(err)
		}
		if len(names) == want {
			return
		}
		w.await(t, fmt.Sprint(want, " seats"), changed)
	}
}

func TestAMiddleCandidateGoes(t *testing.T) {
	w := newWorld(t)
	url := server.URL(w.path)
	a := w.run(t, "a:1", url)
	w.await(t, "a leads", a.elected)
	b := w.run(t, "b:1", url)
	w.awaitSeats(t, a, 2)
	c := w.run(t, "c:1", url)
	w.awaitSeats(t, a, 3)
	b.Close()
	b.conn.Close()
	w.awaitEnd(t, b, zookeeper.ErrClosed)
	w.awaitSeats(t, a, 2)
	select {
	case <-c.elected:
		t.Fatal("c leads beside a")
	default:
	}
	a.conn.Close() // like the end of the process
	w.awaitEnd(t, a, election.ErrLost)
	w.await(t, "c leads", c.elected)
	w.awaitLeader(t, c, "c:1")
}

func TestACutOffLeaderStepsDownBeforeTheNextLeads(t *testing.T) {
	w := newWorld(t)
	proxy, err := zktest.NewProxy(server)
	if err != nil {
		t.Fatal(err)
	}
	defer proxy.Close()
	a := w.run(t, "a:1", proxy.URL(w.path))
	w.await(t, "a leads", a.elected)
	b := w.run(t, "b:1", server.URL(w.path))
	w.awaitLeader(t, b, "a:1")
	proxy.Cut()
	w.awaitEnd(t, a, election.ErrLost)
	if !errors.Is(a.cause, election.ErrLost) {
		t.Errorf("the context of lead ended by %v", a.cause)
	}
	w.awaitLeader(t, a, "")
	w.await(t, "b leads", b.elected)
	if n := w.leading.Load(); n != 1 {
		t.Errorf("%d lead", n)
	}
	w.awaitLeader(t, b, "b:1")
	proxy.Mend()
	w.awaitLeader(t, a, "b:1")
	w.start(a)
	w.awaitSeats(t, b, 2)
	b.Abdicate()
	w.await(t, "a leads again", a.elected)
}

func TestAFrozenServerEndsLeadership(t *testing.T) {
	w := newWorld(t)
	a := w.run(t, "a:1", server.URL(w.path))
	w.await(t, "a leads", a.elected)
	if err := server.Pause(); err != nil {
		t.Fatal(err)
	}
	w.awaitEnd(t, a, election.ErrLost)
	w.awaitLeader(t, a, "")
	if err := server.Resume(); err != nil {
		t.Fatal(err)
	}
	w.start(a)
	w.await(t, "a leads again", a.elected)
}

func TestOneLeaderAfterARestartOfTheServer(t *testing.T) {
	w := newWorld(t)
	url := server.URL(w.path)
	a := w.run(t, "a:1", url)
	w.await(t, "a leads", a.elected)
	b := w.run(t, "b:1", url)
	w.awaitSeats(t, a, 2)
	if err := server.Restart(); err != nil {
		t.Fatal(err)
	}
	w.awaitEnd(t, a, election.ErrLost)
	w.await(t, "b leads", b.elected)
	w.awaitLeader(t, a, "b:1")
	if n := w.leading.Load(); n != 1 {
		t.Errorf("%d lead", n)
	}
}

func TestARemovedSeatEndsLeadership(t *testing.T) {
	w := newWorld(t)
	a := w.run(t, "a:1", server.URL(w.path))
	w.await(t, "a leads", a.elected)
	names, err := a.conn.Children(w.ctx, w.path+"/leader")
	if err != nil || len(names) != 1 {
		t.Fatal(names, err)
	}
	if err := a.conn.Delete(w.ctx, w.path+"/leader/"+names[0], zookeeper.AnyVersion); err != nil {
		t.Fatal(err)
	}
	w.awaitEnd(t, a, election.ErrLost)
}

func TestAnEndedContextLeavesTheQueue(t *testing.T) {
	w := newWorld(t)
	a := w.run(t, "a:1", server.URL(w.path))
	w.await(t, "a leads", a.elected)
	b := w.run(t, "b:1", server.URL(w.path))
	w.awaitSeats(t, a, 2)
	b.resign <- nil
	a.resign <- nil
	w.awaitEnd(t, a, nil)
	w.awaitEnd(t, b, nil)
	ctx, cancel := context.WithCancel(w.ctx)
	sub := &world{ctx: ctx, path: w.path}
	sub.start(a)
	w.await(t, "a leads again", a.elected)
	sub.start(b)
	w.awaitSeats(t, a, 2)
	cancel()
	w.awaitEnd(t, b, context.Canceled)
	w.awaitEnd(t, a, context.Canceled)
	w.awaitSeats(t, a, 0)
}

func TestAlways(t *testing.T) {
	w := &world{ctx: t.Context()}
	p := &process{contender: election.NewAlways("me:1")}
	defer p.Close()
	if _, ok := p.Leader(); ok || p.Abdicate() {
		t.Error("there is a leader before Run")
	}
	w.start(p)
	w.await(t, "it leads", p.elected)
	w.awaitLeader(t, p, "me:1")
	if !p.Abdicate() {
		t.Error("it did not abdicate")
	}
	w.awaitEnd(t, p, election.ErrAbdicated)
	w.awaitLeader(t, p, "")
	failure := errors.New("failure")
	w.start(p)
	p.resign <- failure
	w.awaitEnd(t, p, failure)
}
