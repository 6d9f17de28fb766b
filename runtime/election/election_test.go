package election_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/pacer-run/pacer/runtime/election"
	"github.com/pacer-run/pacer/runtime/zookeeper"
	"github.com/pacer-run/pacer/runtime/zookeeper/zktest"
)

var (
	_ contender = (*election.Candidate)(nil)
	_ contender = (*election.Always)(nil)
)

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

// The servers keep the session of a leader that comes back soon, and its seat. It
// has stepped down all the same, so the seat must go.
func TestALeaderThatComesBackInItsSessionLeavesTheQueue(t *testing.T) {
	w := newWorld(t)
	proxy, err := zktest.NewProxy(server)
	if err != nil {
		t.Fatal(err)
	}
	defer proxy.Close()
	a := w.runWith(t, "a:1", proxy.URL(w.path), time.Minute) // longer than the test has time
	w.await(t, "a leads", a.elected)
	b := w.run(t, "b:1", server.URL(w.path))
	w.awaitSeats(t, b, 2)
	proxy.Cut()
	w.awaitEnd(t, a, election.ErrLost)
	proxy.Mend()
	w.await(t, "b leads", b.elected)
	w.start(a)
	w.awaitSeats(t, b, 2)
	b.resign <- nil
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
