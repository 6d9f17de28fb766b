package api

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"

	"github.com/go-chi/chi/v5"

	"github.com/pacer-run/pacer/runtime/scheduler"
	"github.com/pacer-run/pacer/runtime/spec"
)

// derivation makes the change that a request asks for out of what is there.
type derivation func(*scheduler.Snapshot) (scheduler.ChangeTree, error)

// committed is a change that was carried out, or what came of it.
type committed struct {
	reply  scheduler.Reply
	change scheduler.ChangeTree // as it was reviewed
	notes  []note               // of those who reviewed it
	done   func()               // to be called when the answer is written; never nil
}

// commit derives a change from the snapshot, has it reviewed and carried out; anew when
// it was outdated by the time the core saw it. What there is to say of the review is in
// the headers then, whatever the error.
func (s *server) commit(core Core, w http.ResponseWriter, r *http.Request, derive derivation) (committed, error) {
	for attempt := 0; ; attempt++ {
		c, final, err := s.attempt(core, r, derive, attempt > 0)
		if final || attempt == staleRetries || !outdated(err) {
			warn(w, c.notes)
			return c, err
		}
		c.done()
	}
}

// attempt is one try of commit; alone keeps all others from theirs if they are
// reviewed. final says that the core has not seen the change.
func (s *server) attempt(core Core, r *http.Request, derive derivation, alone bool) (c committed, final bool, err error) {
	c.done = func() {}
	end, err := s.turn(r, alone)
	if err != nil {
		return c, true, err
	}
	defer end()
	snapshot := core.Snapshot()
	if c.change, err = derive(snapshot); err != nil {
		return c, true, err
	}
	if c.change, c.notes, err = s.review(r, snapshot, c.change); err != nil {
		return c, true, err
	}
	c.reply, c.done, err = s.carryOut(r, core, c.change)
	return c, false, err
}

// putting derives new definitions from updates.
func (s *server) putting(r *http.Request, updates []*spec.Update) derivation {
	return func(snapshot *scheduler.Snapshot) (change scheduler.ChangeTree, err error) {
		change.Force = flag(r, "force", false)
		if change.Put, err = s.deriveAll(r, snapshot, updates); err == nil {
			change.Terms, err = termsOf(r, appsOf(change.Put)...)
		}
		return change, err
	}
}

// created tells whether a change brings new apps.
func created(change scheduler.ChangeTree) bool {
	return slices.ContainsFunc(change.Put, func(p scheduler.PutApp) bool { return p.Base == 0 })
}

// deriveAll makes the definitions that updates ask for. The faults of a list
// come all at once, each below its item: "/(1)/cpus".
func (s *server) deriveAll(r *http.Request, snapshot *scheduler.Snapshot, updates []*spec.Update) ([]scheduler.PutApp, error) {
	all := &spec.Faults{Message: spec.MessageInvalidObject}
	var put []scheduler.PutApp
	for i, u := range updates {
		p, err := s.derive(r, snapshot, u)
		var faults *spec.Faults
		switch {
		case errors.As(err, &faults) && len(updates) > 1:
			all.Merge("/("+strconv.Itoa(i)+")", faults)
		case err != nil:
			return nil, err
		}
		put = append(put, p)
	}
	return put, all.Err()
}

// outdated tells whether a change was refused because of somebody else's.
func outdated(err error) bool {
	var (
		stale    *scheduler.Stale
		exists   *scheduler.Exists
		notFound *scheduler.NotFound
		noGroup  *scheduler.GroupNotFound
	)
	return errors.As(err, &stale) || errors.As(err, &exists) || errors.As(err, &notFound) || errors.As(err, &noGroup)
}

// isStale tells whether a command was refused because of what it was derived from.
func isStale(err error) bool {
	var stale *scheduler.Stale
	return errors.As(err, &stale)
}

// derive makes the definition that an update of one app asks for.
func (s *server) derive(r *http.Request, snapshot *scheduler.Snapshot, u *spec.Update) (scheduler.PutApp, error) {
	v := viewOf(snapshot, *u.ID)
	roles := snapshot.Tree.Roles(*u.ID, s.Settings)
	if u.Rollback {
		return s.rollback(r, roles, u, v)
	}
	var current *spec.App
	if v != nil {
		current = v.App
	}
	var app *spec.App
	missing := current == nil && r.Method == http.MethodPatch
	switch {
	case current != nil && formOf(r) == spec.Partial:
		app = u.Apply(current, s.Settings)
	case missing && chi.URLParam(r, "*") == "": // in a list
		return scheduler.PutApp{}, &scheduler.NotFound{App: *u.ID}
	default:
		app = u.App(*u.ID, roles.Default, s.Settings)
	}
	if err := s.validate(r, roles, u, app, current); err != nil {
		return scheduler.PutApp{}, err
	}
	if missing { // the API looks at the definition first
		return scheduler.PutApp{}, &scheduler.NotFound{App: *u.ID}
	}
	p := scheduler.PutApp{App: app}
	if current != nil {
		p.Base = current.Version
	}
	return p, nil
}

func appsOf(put []scheduler.PutApp) []*spec.App {
	apps := make([]*spec.App, len(put))
	for i, p := range put {
		apps[i] = p.App
	}
	return apps
}

// carryOut has the core carry a change out, as planned when the query has the token
// of a plan; see command. When as many as may are waiting the change is refused.
func (s *server) carryOut(r *http.Request, core Core, change scheduler.ChangeTree) (scheduler.Reply, func(), error) {
	basis, err := tokenOf(r)
	if err != nil {
		return scheduler.Reply{}, func() {}, err
	}
	change.Basis = basis
	defer s.changes.Add(-1)
	if n := s.changes.Add(1); s.MaxChanges > 0 && n > int64(s.MaxChanges) {
		text := "GroupManager queue may not exceed " + strconv.Itoa(s.MaxChanges) + " entries"
		return scheduler.Reply{}, func() {}, &problem{http.StatusServiceUnavailable, text}
	}
	return s.command(r, core, func(request scheduler.RequestID, deployment string) scheduler.Event {
		change.Request, change.DeploymentID = request, deployment
		return change
	})
}

// command has the core carry a command out. The events that end its deployment
// wait until done is called: clients learn the deployment's id from the answer
// and look for its end in the stream. done is never nil and may be called twice.
func (s *server) command(
	r *http.Request, core Core, form func(scheduler.RequestID, string) scheduler.Event,
) (scheduler.Reply, func(), error) {
	ctx, cancel := context.WithTimeout(r.Context(), s.CommandTimeout)
	defer cancel()
	done := func() {}
	reply, err := core.Do(ctx, func(request scheduler.RequestID, deployment string) scheduler.Event {
		done = s.Events.hold(deployment)
		return form(request, deployment)
	})
	if err != nil {
		return reply, done, &outage{err}
	}
	return reply, done, reply.Err
}
