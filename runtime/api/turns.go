package api

import (
	"context"
	"net/http"

	"golang.org/x/sync/semaphore"

	"github.com/pacer-run/pacer/runtime/scheduler"
)

// everyTurn is more than there are requests at a time.
const everyTurn = 1 << 30

// turns keep changes that are reviewed from outdating one another for ever. Each is
// first reviewed beside others; one that was outdated by the time the core saw it is
// reviewed again while nobody else's may pass. nil is for changes that nobody reviews.
type turns struct{ all *semaphore.Weighted }

func newTurns(admit Admission) turns {
	if admit == nil {
		return turns{}
	}
	return turns{semaphore.NewWeighted(everyTurn)}
}

// take waits for a turn, beside others or alone. end must be called after it. The error
// is ctx's.
func (t turns) take(ctx context.Context, alone bool) (end func(), err error) {
	if t.all == nil {
		return func() {}, nil
	}
	n := int64(1)
	if alone {
		n = everyTurn
	}
	if err := t.all.Acquire(ctx, n); err != nil {
		return nil, err
	}
	return func() { t.all.Release(n) }, nil
}

// turn is take for a request, which waits no longer than for a command.
func (s *server) turn(r *http.Request, alone bool) (end func(), err error) {
	ctx, cancel := context.WithTimeout(r.Context(), s.CommandTimeout)
	defer cancel()
	if end, err = s.turns.take(ctx, alone); err != nil {
		return nil, &outage{err}
	}
	return end, nil
}

// reviewedCommand has a command carried out that is no change by itself but stands for
// one, which is reviewed and cannot be amended. standsFor says which; ok is false when
// there is nothing to review. The command is told what the review was made against.
func (s *server) reviewedCommand(
	core Core, w http.ResponseWriter, r *http.Request,
	standsFor func(*scheduler.Snapshot) (change scheduler.ChangeTree, ok bool),
	form func(*scheduler.Reviewed, scheduler.RequestID, string) scheduler.Event,
) (reply scheduler.Reply, done func(), err error) {
	for attempt := 0; ; attempt++ {
		var notes []note
		reply, notes, done, err = s.reviewCommand(core, r, standsFor, form)
		if attempt == staleRetries || !isStale(err) {
			warn(w, notes)
			return reply, done, err
		}
		done()
	}
}

func (s *server) reviewCommand(
	core Core, r *http.Request, standsFor func(*scheduler.Snapshot) (scheduler.ChangeTree, bool),
	form func(*scheduler.Reviewed, scheduler.RequestID, string) scheduler.Event,
) (reply scheduler.Reply, notes []note, done func(), err error) {
	done = func() {}
	end, err := s.turn(r, true)
	if err != nil {
		return reply, nil, done, err
	}
	defer end()
	var reviewed *scheduler.Reviewed
	snapshot := core.Snapshot()
	if change, ok := standsFor(snapshot); ok && s.Admit != nil {
		if change, notes, err = s.reviewAs(r, snapshot, change, true); err != nil {
			return reply, notes, done, err
		}
		reviewed = change.Reviewed
	}
	reply, done, err = s.command(r, core, func(request scheduler.RequestID, deployment string) scheduler.Event {
		return form(reviewed, request, deployment)
	})
	return reply, notes, done, err
}
