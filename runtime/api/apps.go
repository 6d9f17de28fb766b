package api

import (
	"net/http"
	"strings"

	"github.com/pacer-run/pacer/runtime/scheduler"
	"github.com/pacer-run/pacer/runtime/spec"
)

// listApps answers all apps that the query's filters let through.
func (s *server) listApps(core Core, w http.ResponseWriter, r *http.Request) error {
	query := r.URL.Query()
	if len(query) == 0 {
		s.list.serve(w, r, core.Snapshot())
		return nil
	}
	keep, err := filterOf(query)
	if err != nil {
		return err
	}
	writeBytes(w, http.StatusOK, appendViews([]byte(`{"apps":[`), core.Snapshot(), spec.Root, s.ofList().with(r), keep))
	return nil
}

// filterOf reads the filters: parts of the id and of the command in any case,
// and label selectors.
func filterOf(query map[string][]string) (func(*spec.App) bool, error) {
	var selectors []spec.Selector
	for _, text := range query["label"] {
		selector, err := spec.ParseSelector(text)
		if err != nil {
			return nil, &problem{http.StatusUnprocessableEntity, err.Error()}
		}
		selectors = append(selectors, selector)
	}
	part := func(name string) string {
		return strings.ToLower(strings.Join(query[name], ""))
	}
	id, cmd := part("id"), part("cmd")
	return func(app *spec.App) bool {
		for _, selector := range selectors {
			if !selector.Matches(app.Labels) {
				return false
			}
		}
		return strings.Contains(strings.ToLower(string(app.ID)), id) && strings.Contains(strings.ToLower(app.Cmd), cmd)
	}, nil
}

// appendViews appends the apps below a group and closes the list and the object
// around it.
func appendViews(b []byte, snapshot *scheduler.Snapshot, group spec.PathID, e embeds, keep func(*spec.App) bool) []byte {
	first := true
	for v := range viewsBelow(snapshot, group) {
		if !keep(v.App) {
			continue
		}
		if !first {
			b = append(b, ',')
		}
		first = false
		b = appendApp(b, v, e)
	}
	return append(b, "]}"...)
}

// viewsBelow yields the apps of a group at any depth, in the order of their ids.
func viewsBelow(snapshot *scheduler.Snapshot, group spec.PathID) func(func(*scheduler.AppView) bool) {
	return func(yield func(*scheduler.AppView) bool) {
		prefix := "/"
		if group != spec.Root {
			prefix = string(group) + "/"
		}
		snapshot.Apps.Root().WalkPrefix([]byte(prefix), func(_ []byte, v *scheduler.AppView) bool {
			return !v.Removed && !yield(v)
		})
	}
}

// viewOf returns an app that is defined; nil when it is not, or not any more.
func viewOf(snapshot *scheduler.Snapshot, id spec.PathID) *scheduler.AppView {
	v, ok := snapshot.Apps.Get([]byte(id))
	if !ok || v.Removed {
		return nil
	}
	return v
}

// readApp answers everything that is read below /v2/apps/.
func (s *server) readApp(core Core, w http.ResponseWriter, r *http.Request) error {
	t, err := appTarget(r)
	snapshot := core.Snapshot()
	if !t.isApp(snapshot) && err != nil {
		return err
	}
	switch {
	case t.part == "versions" && !t.wildcard:
		return readVersions(snapshot, w, t)
	case t.item != "" || t.part == "restart" || t.part == "versions":
		return errUnknownURI
	case t.wildcard:
		return s.readGroup(snapshot, w, r, t)
	}
	v := viewOf(snapshot, t.id)
	switch {
	case v == nil:
		return &scheduler.NotFound{App: t.id}
	case t.part == "tasks":
		return writeTasks(w, r, []*scheduler.AppView{v}, tasksOf(v))
	}
	body := append(appendApp([]byte(`{"app":`), v, s.ofApp().with(r)), '}')
	writeBytes(w, http.StatusOK, body)
	return nil
}

// readGroup answers all apps below a group, or their tasks.
func (s *server) readGroup(snapshot *scheduler.Snapshot, w http.ResponseWriter, r *http.Request, t target) error {
	views, tasks := []*scheduler.AppView{}, []task{}
	for v := range viewsBelow(snapshot, t.id) {
		views, tasks = append(views, v), append(tasks, tasksOf(v)...)
	}
	if len(views) == 0 && t.id != spec.Root && snapshot.Tree.Group(t.id) == nil {
		return &scheduler.GroupNotFound{Group: t.id}
	}
	if t.part == "tasks" {
		return writeTasks(w, r, views, tasks)
	}
	all := func(*spec.App) bool { return true }
	writeBytes(w, http.StatusOK, appendViews([]byte(`{"*":[`), snapshot, t.id, s.ofApp().with(r), all))
	return nil
}
