package election

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/pacer-run/pacer/runtime/zookeeper"
)

const (
	// folder is where candidates queue, below the path of the whole.
	folder = "leader"
	prefix = "candidate_"
	// again is the pause after a failure that is not one of the connection, and
	// the time allowed for leaving the queue.
	again = time.Second
)

// Candidate stands for leadership in ZooKeeper, and follows who leads whether it
// stands or not. Its methods may be called by several goroutines, Run by one at a
// time.
type Candidate struct {
	conn    *zookeeper.Conn
	queue   string
	address string
	log     *slog.Logger
	office  office
	leader  *notice
	left    chan struct{}       // holds a token unless the seat of the Run before is still there
	leaving chan zookeeper.Seat // holds the one that is

	cancel context.CancelFunc
	tasks  sync.WaitGroup
}

// NewCandidate begins to follow who leads below path; address (host:port) is what
// the others are told when this process does, and differs from theirs. A nil log
// discards. The caller closes it before the connection.
func NewCandidate(conn *zookeeper.Conn, path, address string, log *slog.Logger) *Candidate {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	ctx, cancel := context.WithCancel(context.Background())
	c := &Candidate{
		conn: conn, queue: zookeeper.Join(path, folder), address: address, log: log,
		leader: newNotice(""), left: make(chan struct{}, 1), leaving: make(chan zookeeper.Seat, 1), cancel: cancel,
	}
	c.left <- struct{}{}
	c.tasks.Go(func() { c.follow(ctx) })
	c.tasks.Go(func() { c.sweep(ctx) })
	return c
}

// Run queues, waits until it is this process' turn, and calls lead, once. The
// context of lead ends with ErrLost as its cause as soon as leadership is in
// doubt, and with ErrAbdicated by Abdicate; lead is expected to return then, and
// only when it has does Run leave the queue and return. The error is lead's, with
// the cause if leadership ended first; or that of ctx; or zookeeper.ErrClosed.
// While the process waits for its turn, lost sessions are replaced.
func (c *Candidate) Run(ctx context.Context, lead func(context.Context) error) error {
	select {
	case <-c.left:
		c.left <- struct{}{}
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	for {
		seat, err := c.await(ctx)
		if err == nil {
			defer c.leave(seat)
			c.log.Info("elected leader", "node", seat.Path(), "address", c.address)
			return c.office.hold(ctx, lead, func(ctx context.Context, end context.CancelCauseFunc) {
				go c.guard(ctx, end, seat)
			})
		}
		if ctx.Err() != nil {
			c.leave(seat)
			return context.Cause(ctx)
		}
		if errors.Is(err, zookeeper.ErrClosed) {
			return err
		}
		c.log.Warn("standing for leadership failed, trying again", "queue", c.queue, "error", err)
		if !errors.Is(err, zookeeper.ErrLost) && !errors.Is(err, zookeeper.ErrExpired) {
			pause(ctx, again)
		}
	}
}

// await takes a seat in the queue and returns it when nobody is ahead. With an
// error it returns the seat too, if it had one.
func (c *Candidate) await(ctx context.Context) (seat zookeeper.Seat, err error) {
	if err := c.conn.EnsurePath(ctx, c.queue); err != nil {
		return seat, err
	}
	for {
		// Each time round, as the session may have ended: it finds the seat that
		// the session has.
		next, err := c.conn.TakeSeat(ctx, c.queue, prefix, []byte(c.address))
		if err != nil {
			return seat, err
		}
		seat = next
		names, err := c.conn.Children(ctx, c.queue)
		if err != nil {
			return seat, err
		}
		ahead, seated := seat.Ahead(names, prefix)
		if seated && ahead == "" {
			return seat, nil
		}
		if !seated {
			continue
		}
		// Only the next one ahead is watched: when a leader goes, one candidate
		// wakes up and not all of them.
		exists, gone, err := c.conn.WatchExists(ctx, zookeeper.Join(c.queue, ahead))
		if err != nil {
			return seat, err
		}
		if !exists {
			continue
		}
		select {
		case <-gone:
		case <-seat.Session.Suspended():
		case <-ctx.Done():
			return seat, context.Cause(ctx)
		}
	}
}

// guard ends the leadership, of which ctx is, when the connection is lost or the seat taken away.
func (c *Candidate) guard(ctx context.Context, end context.CancelCauseFunc, seat zookeeper.Seat) {
	for ctx.Err() == nil {
		exists, changed, err := c.conn.WatchExists(ctx, seat.Path())
		if err != nil || !exists {
			end(ErrLost)
			return
		}
		select {
		case <-seat.Session.Suspended():
			end(ErrLost)
		case <-changed:
		case <-ctx.Done():
		}
	}
}

// leave removes the seat. Without a connection it returns before that is done, and
// goes on in the background: the end of the session removes the seat too, but a
// session that the connection comes back to does not end, and nobody else would
// be elected.
func (c *Candidate) leave(seat zookeeper.Seat) {
	if seat.Name == "" {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), again)
	defer cancel()
	err := c.remove(ctx, seat)
	if err == nil || errors.Is(err, zookeeper.ErrClosed) {
		return
	}
	c.log.Warn("the seat in the queue stays until there is a connection or the session ends", "node", seat.Path(), "error", err)
	<-c.left
	c.leaving <- seat
}

// sweep removes the seats that leave could not.
func (c *Candidate) sweep(ctx context.Context) {
	for {
		select {
		case seat := <-c.leaving:
			c.removeAtLast(ctx, seat)
			c.left <- struct{}{}
		case <-ctx.Done():
			return
		}
	}
}

// removeAtLast tries until the seat is gone or nothing can be done any more.
func (c *Candidate) removeAtLast(ctx context.Context, seat zookeeper.Seat) {
	for ctx.Err() == nil {
		_, err := c.conn.Session(ctx)
		if err == nil {
			err = c.remove(ctx, seat)
		}
		if err == nil || errors.Is(err, zookeeper.ErrClosed) {
			return
		}
		if !errors.Is(err, zookeeper.ErrLost) {
			pause(ctx, again)
		}
	}
}

// remove makes sure that there is no such seat.
func (c *Candidate) remove(ctx context.Context, seat zookeeper.Seat) error {
	err := c.conn.Delete(ctx, seat.Path(), zookeeper.AnyVersion)
	if errors.Is(err, zookeeper.ErrNoNode) {
		return nil
	}
	return err
}

// Leader is the address of the process that leads. False when none does, or when
// ZooKeeper cannot be reached, which ends leaderships.
func (c *Candidate) Leader() (address string, ok bool) {
	address, _ = c.leader.read()
	return address, address != ""
}

// Changed is closed when Leader answers otherwise.
func (c *Candidate) Changed() <-chan struct{} {
	_, changed := c.leader.read()
	return changed
}

// Abdicate ends this process' leadership; false if it does not lead. It returns
// before lead does.
func (c *Candidate) Abdicate() bool { return c.office.abdicate() }

// Close ends following. It does not end Run.
func (c *Candidate) Close() {
	c.cancel()
	c.tasks.Wait()
}

func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
