package api

import (
	"net/http"
	"strings"

	"github.com/pacer-run/pacer/runtime/scheduler"
	"github.com/pacer-run/pacer/runtime/spec"
)

// listApps answers all apps that the query's filters let through.
func (s *server) listApps(core Core, w http.ResponseWriter, r *http.Request) error {
	if r.URL.RawQuery == "" {
		list := s.lists.of(core)
		if !s.tagged(w, r, "apps", "", s.ofList(), list) {
			length := len(`{"apps":[]}`) + list.size + max(0, len(list.of)-1)
			s.writeApps(w, `{"apps":[`, length, list.of, s.ofList())
		}
		return nil
	}
	keep, err := filterOf(r.URL.Query())
	if err != nil {
		return err
	}
	list, e := s.lists.of(core), s.ofList().with(r)
	if !s.tagged(w, r, "apps", "", e, list) {
		s.writeApps(w, `{"apps":[`, -1, keep.of(list.of), e)
	}
	return nil
}

// writeApps answers apps; head opens the object around their list. length is that
// of the whole, or -1.
func (s *server) writeApps(w http.ResponseWriter, head string, length int, list []*appText, e embeds) {
	s.buffers.answer(w, length, func(c *chunks) {
		c.b = append(c.b, head...)
		c.apps(list, e)
		c.b = append(c.b, "]}"...)
	})
}

// tagged gives a list of apps its tag, and answers when the client has it already.
// Lists that tell the time have none.
func (s *server) tagged(w http.ResponseWriter, r *http.Request, kind, name string, e embeds, list *appList) bool {
	return !e.taskStats && unchanged(w, r, s.lists.tagger.tag(kind, name, r, list.showing(e)))
}

// filter are the conditions of a query; an app has to meet all of them.
type filter struct {
	selectors []spec.Selector
	id, cmd   string // in lower case; "" for any
}

// filterOf reads the filters: parts of the id and of the command in any case,
// and label selectors.
func filterOf(query map[string][]string) (f filter, err error) {
	for _, text := range query["label"] {
		selector, err := spec.ParseSelector(text)
		if err != nil {
			return f, &problem{http.StatusUnprocessableEntity, err.Error()}
		}
		f.selectors = append(f.selectors, selector)
	}
	f.id = strings.ToLower(strings.Join(query["id"], ""))
	f.cmd = strings.ToLower(strings.Join(query["cmd"], ""))
	return f, nil
}

// of returns the apps that pass, in a list of its own unless all do.
func (f filter) of(list []*appText) []*appText {
	if len(f.selectors) == 0 && f.id == "" && f.cmd == "" {
		return list
	}
	var passed []*appText
	for _, t := range list {
		if f.passes(t.view.App) {
			passed = append(passed, t)
		}
	}
	return passed
}

func (f filter) passes(app *spec.App) bool {
	for _, selector := range f.selectors {
		if !selector.Matches(app.Labels) {
			return false
		}
	}
	return contains(string(app.ID), f.id) && contains(app.Cmd, f.cmd)
}

// contains looks for a part, which is in lower case, in any case.
func contains(text, part string) bool {
	return part == "" || strings.Contains(strings.ToLower(text), part)
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
		return s.readGroup(core, w, r, t)
	}
	v := viewOf(snapshot, t.id)
	switch {
	case v == nil:
		return &scheduler.NotFound{App: t.id}
	case t.part == "tasks":
		s.writeTasks(w, r, taskQuery{views: []*scheduler.AppView{v}})
		return nil
	}
	body := append(appendApp([]byte(`{"app":`), v, s.ofApp().with(r)), '}')
	writeBytes(w, http.StatusOK, body)
	return nil
}

// readGroup answers all apps below a group, or their tasks.
func (s *server) readGroup(core Core, w http.ResponseWriter, r *http.Request, t target) error {
	all := s.lists.of(core)
	list := all.below(t.id)
	if len(list) == 0 && t.id != spec.Root && all.tree.Group(t.id) == nil {
		return &scheduler.GroupNotFound{Group: t.id}
	}
	if t.part == "tasks" {
		var q taskQuery
		for _, text := range list {
			q.views = append(q.views, text.view)
		}
		s.writeTasks(w, r, q)
		return nil
	}
	e := s.ofApp().with(r)
	if !s.tagged(w, r, "apps", string(t.id), e, all) {
		s.writeApps(w, `{"*":[`, -1, list, e)
	}
	return nil
}
