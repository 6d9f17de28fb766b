package zookeeper

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
)

// Registration announces masters of a Mesos-compatible cluster where schedulers
// look for them, in the manner of Mesos' own masters.
type Registration struct {
	conn *Conn
	path string
	log  *slog.Logger

	ctx    context.Context //nolint:containedctx // the life of all that is announced here, until Close
	cancel context.CancelFunc
	tasks  sync.WaitGroup

	mu   sync.Mutex
	seat Seat // the current announcement; zero while there is none
}

// NewRegistration announces in path, which is made where it is missing. A nil
// log discards. The caller closes it before the Conn.
func NewRegistration(conn *Conn, path string, log *slog.Logger) *Registration {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	ctx, cancel := context.WithCancel(context.Background())
	return &Registration{conn: conn, path: path, log: log, ctx: ctx, cancel: cancel}
}

// Register announces a master by its MasterInfo as JSON and returns once it can
// be found. The announcement is made anew when a session expires, and withdrawn
// when ctx ends or the Registration is closed. To announce another master the
// caller first ends the context of the one before.
func (r *Registration) Register(ctx context.Context, masterInfo []byte) error {
	if _, err := parseMaster(masterInfo); err != nil {
		return fmt.Errorf("announce: %w", err)
	}
	seat, err := r.announce(ctx, masterInfo)
	if err != nil {
		return fmt.Errorf("announce the master in %s: %w", r.path, err)
	}
	standing, stop := context.WithCancel(ctx)
	context.AfterFunc(r.ctx, stop)
	r.tasks.Go(func() {
		defer stop()
		r.keep(standing, seat, masterInfo)
	})
	return nil
}

func (r *Registration) announce(ctx context.Context, masterInfo []byte) (Seat, error) {
	if err := r.conn.EnsurePath(ctx, r.path); err != nil {
		return Seat{}, err
	}
	seat, err := r.conn.TakeSeat(ctx, r.path, masterPrefix, masterInfo)
	if err != nil {
		return Seat{}, err
	}
	r.mu.Lock()
	r.seat = seat
	r.mu.Unlock()
	return seat, nil
}

// keep looks after the announcement: each end of a connection may have been the
// end of the session, and TakeSeat finds the node if it was not.
func (r *Registration) keep(ctx context.Context, seat Seat, masterInfo []byte) {
	defer func() { r.withdraw(seat) }()
	for {
		select {
		case <-ctx.Done():
			return
		case <-seat.Session.Suspended():
		}
		next, err := r.announce(ctx, masterInfo)
		switch {
		case err == nil:
			seat = next
		case ctx.Err() != nil || errors.Is(err, ErrClosed):
			return
		default:
			r.log.Error("announcing the master failed", "path", r.path, "error", err)
			if !pause(ctx, readAgain) {
				return
			}
		}
	}
}

// withdraw removes the node, if it can: the end of the session does it otherwise.
func (r *Registration) withdraw(seat Seat) {
	r.mu.Lock()
	if r.seat == seat {
		r.seat = Seat{}
	}
	r.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), readAgain)
	defer cancel()
	err := r.conn.Delete(ctx, seat.Path(), AnyVersion)
	if err != nil && !errors.Is(err, ErrNoNode) && !errors.Is(err, ErrClosed) {
		r.log.Warn("the master's announcement stays until its session ends", "node", seat.Path(), "error", err)
	}
}

// Lead waits until the announced master is the leading one: nobody who announced
// earlier is left.
func (r *Registration) Lead(ctx context.Context) error {
	for {
		names, watch, err := r.conn.WatchChildren(ctx, r.path)
		if err != nil && !errors.Is(err, ErrNoNode) && !errors.Is(err, ErrLost) && !errors.Is(err, ErrExpired) {
			return err
		}
		r.mu.Lock()
		seat := r.seat
		r.mu.Unlock()
		if ahead, seated := seat.Ahead(names, masterPrefix); seated && ahead == "" {
			return nil
		}
		if err != nil {
			if !pause(ctx, readAgain) {
				return context.Cause(ctx)
			}
			continue
		}
		select {
		case <-watch:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// Close withdraws what is announced and waits until that is done or has failed.
func (r *Registration) Close() {
	r.cancel()
	r.tasks.Wait()
}
