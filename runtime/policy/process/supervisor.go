package process

import (
	"context"
	"errors"
	"log/slog"
	"reflect"
	"time"
)

// supervise keeps a process running until ctx ends, and ends the last one.
func (m *Module) supervise(ctx context.Context, r *run) {
	defer close(m.over)
	for backoff := m.limits.BackoffMin; ; backoff = min(2*backoff, m.limits.BackoffMax) {
		if r != nil {
			cause := m.watch(ctx, r)
			if ctx.Err() == nil {
				m.warn("the module's process ended", cause)
			}
			if time.Since(r.up) >= m.limits.BackoffMax {
				backoff = m.limits.BackoffMin
			}
			m.mu.Lock()
			m.set(nil, cause, time.Now().Add(backoff))
			m.mu.Unlock()
			r.end()
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(backoff):
		}
		r = m.restart(ctx, 2*backoff)
	}
}

// restart starts another process. When that fails it returns nil: the next one is
// tried after backoff.
func (m *Module) restart(ctx context.Context, backoff time.Duration) *run {
	r, err := m.launch(ctx)
	if err == nil {
		if err = m.meetAgain(ctx, r); err != nil {
			r.end()
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if err != nil {
		if ctx.Err() == nil {
			m.warn("the module could not be started again", err.Error())
		}
		m.set(nil, err.Error(), time.Now().Add(min(backoff, m.limits.BackoffMax)))
		return nil
	}
	m.starts++
	m.set(r, m.cause, m.next)
	return r
}

// meetAgain makes sure that the process is what those before it were.
func (m *Module) meetAgain(ctx context.Context, r *run) error {
	d, err := m.greet(ctx, r)
	if err == nil && !reflect.DeepEqual(d, m.description) {
		err = errors.New("it describes itself otherwise than before")
	}
	return err
}

// watch returns when the process has ended, which it sees to when it is not well, or
// when the module closes.
func (m *Module) watch(ctx context.Context, r *run) (cause string) {
	ticker := time.NewTicker(m.limits.PingEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return "the module is closed"
		case <-r.exited:
			return r.cause()
		case <-r.wake:
			m.forget(ctx, r)
		case <-ticker.C:
			if err := r.ping(ctx, m.limits.Ping); err != nil && ctx.Err() == nil {
				r.kill("it does not answer pings: " + line(err.Error()))
				<-r.exited
			}
		}
	}
}

// forget has the process forget what nobody uses any more. What it does not forget
// is a leak of its own, and ends with it.
func (m *Module) forget(ctx context.Context, r *run) {
	for _, handle := range r.unused() {
		if err := r.release(ctx, handle); err != nil && ctx.Err() == nil {
			m.warn("the module did not release what was prepared", err.Error())
			return
		}
	}
}

func (m *Module) warn(text, cause string) {
	m.journal.mu.Lock()
	log := m.journal.log
	m.journal.mu.Unlock()
	log.Warn(text, slog.String("cause", cause))
}
