package api

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"

	"github.com/pacer-run/pacer/runtime/scheduler"
	"github.com/pacer-run/pacer/runtime/spec"
	"github.com/pacer-run/pacer/sdk"
)

// Admission is asked about every change of an app or group before it is accepted; it
// is Catalog.Admit of package policy. take is called with each amendment, and by which
// policy, and answers in which form it is accepted; its error is a fault of that policy.
// The text of an error is shown to the user. It is called by many goroutines.
type Admission func(
	ctx context.Context, r sdk.AdmissionRequest, take func(policy string, amended []byte) ([]byte, error),
) (sdk.AdmissionReview, error)

// admission is one change under review.
type admission struct {
	*server
	r        *http.Request // its context ends with the time for a command
	snapshot *scheduler.Snapshot
	change   scheduler.ChangeTree
	fixed    bool      // nothing of the change can be amended
	after    spec.Tree // with all of it
	totals   map[spec.PathID]*share
	notes    []note
	// unamendable says which amendment was not possible; nil for none.
	unamendable error
}

// review has a change reviewed against a snapshot, app by app, and returns it as the
// policies have amended it, with what they have to say. The core refuses it when there
// is another tree by then. Without policies it is the change, and nothing is done.
func (s *server) review(r *http.Request, snapshot *scheduler.Snapshot, change scheduler.ChangeTree) (scheduler.ChangeTree, []note, error) {
	return s.reviewAs(r, snapshot, change, false)
}

func (s *server) reviewAs(
	r *http.Request, snapshot *scheduler.Snapshot, change scheduler.ChangeTree, fixed bool,
) (scheduler.ChangeTree, []note, error) {
	if s.Admit == nil {
		return change, nil, nil
	}
	ctx, cancel := context.WithTimeout(r.Context(), s.CommandTimeout)
	defer cancel()
	kept := keptAfter(snapshot, change.Kill)
	change.Reviewed = &scheduler.Reviewed{Tree: snapshot.Tree.Version, Kept: kept}
	a := &admission{server: s, r: r.WithContext(ctx), snapshot: snapshot, change: change, fixed: fixed}
	a.foresee()
	err := a.reviewAll()
	return a.change, a.notes, err
}

// foresee works out the tree as it is to become.
func (a *admission) foresee() {
	tree := a.snapshot.Tree
	change := treeChangeOf(a.change)
	for id, instances := range a.change.Reviewed.Kept {
		scaled := *tree.App(id)
		scaled.Instances = instances
		change.Apps[id] = &scaled
	}
	change.Version = tree.Version
	a.after, a.totals = tree.With(tree.Complete(change, a.Settings)), map[spec.PathID]*share{}
}

// reviewAll reviews the group that the change is about, and then each of its apps.
func (a *admission) reviewAll() error {
	if a.change.Members != "" {
		if err := a.reviewGroup(a.change.Members); err != nil {
			return err
		}
	}
	amended := len(a.notes)
	for i := range a.change.Put {
		if err := a.reviewPut(i); err != nil {
			return err
		}
	}
	for _, id := range a.change.Remove {
		if err := a.reviewApp(id, nil, nil); err != nil {
			return err
		}
	}
	if err := a.reviewRestarts(); err != nil {
		return err
	}
	for _, id := range slices.Sorted(maps.Keys(a.change.Reviewed.Kept)) {
		if err := a.reviewApp(id, a.after.App(id), a.refuse(id)); err != nil {
			return err
		}
	}
	if a.fixed || len(a.change.Put) == 0 || !slices.ContainsFunc(a.notes[amended:], func(n note) bool { return n.code == noteAmended }) {
		return nil
	}
	var err error
	a.change.Terms, err = termsOf(a.r, appsOf(a.change.Put)...)
	return err
}

// subject is an app or a group as policies are asked about it.
type subject struct {
	kind     sdk.AdmissionSubject
	id       spec.PathID
	place    string // in the body of the request; "" for the whole
	old, new []byte
	own      share // of what new asks for
	take     func(policy string, amended []byte) ([]byte, error)
}

// ask has the policies review a subject. The error is the answer to the user.
func (a *admission) ask(x subject) error {
	request := sdk.AdmissionRequest{
		Verb: verbOf(x), Subject: x.kind, ID: string(x.id), Old: x.old, New: x.new, User: a.user(),
		Force: flag(a.r, "force", false), NowMillis: a.Now().UnixMilli(), Above: a.above(x),
	}
	review, err := a.Admit(a.r.Context(), request, x.take)
	a.admissions.reviews.Add(1)
	for _, text := range review.Warnings {
		a.notes = append(a.notes, note{x.id, noteWarning, text})
	}
	over := a.r.Context().Err()
	switch {
	case err != nil && errors.Is(over, context.Canceled): // the client went away
		return &outage{over}
	case err != nil:
		if over != nil {
			err = fmt.Errorf("the change was not reviewed within %s: %w", a.CommandTimeout, err)
		}
		a.admissions.faults.Add(1)
		a.Log.Warn("change refused: it could not be reviewed", a.who(request, "error", err)...)
		return spec.NewFault(placeOf(x.place, "/"), err.Error())
	case review.Denied:
		a.admissions.denied.Add(1)
		a.Log.Info("change denied", a.who(request, "reason", review.Reason, "path", review.Path)...)
		if review.Path == "" {
			return &problem{http.StatusForbidden, string(x.id) + ": " + review.Reason}
		}
		return spec.NewFault(placeOf(x.place, review.Path), review.Reason)
	case a.unamendable != nil:
		a.admissions.denied.Add(1)
		a.Log.Info("change denied", a.who(request, "reason", a.unamendable.Error())...)
	}
	return a.unamendable
}

// who says for the log who wants what.
func (a *admission) who(r sdk.AdmissionRequest, more ...any) []any {
	return append([]any{
		r.Subject.String(), r.ID, "verb", r.Verb.String(), "user", r.User, "address", clientIP(a.r), "planned", a.change.Rehearse,
	}, more...)
}

// user is who sends the request, if that is certain.
func (a *admission) user() string {
	if a.HTTP.User == "" {
		return ""
	}
	return authorOf(a.r).User
}

func verbOf(x subject) sdk.AdmissionVerb {
	switch {
	case x.old == nil:
		return sdk.AdmissionCreate
	case x.new == nil:
		return sdk.AdmissionDelete
	}
	return sdk.AdmissionUpdate
}

// placeOf is a path within a part of the body.
func placeOf(place, path string) string {
	if place != "" && path == "/" {
		return place
	}
	return place + path
}
