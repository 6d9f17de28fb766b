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
	return w.runWith(t, name, url, time.Second)
}

// runWith is run with the timeout of the session.
func (w *world) runWith(t *testing.T, name, url string, session time.Duration) *process {
	t.Helper()
	u, err := zookeeper.ParseURL(url)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := zookeeper.Dial(u, zookeeper.Options{SessionTimeout: session})
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
