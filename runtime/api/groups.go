package api

import (
	"net/http"
	"slices"
	"strings"

	"github.com/go-chi/chi/v5"

	"github.com/pacer-run/pacer/runtime/scheduler"
	"github.com/pacer-run/pacer/runtime/spec"
)

// routeGroups registers /v2/groups. Like apps', their ids have slashes.
func (s *server) routeGroups(r chi.Router) {
	for _, pattern := range []string{"/v2/groups", "/v2/groups/*"} {
		s.route(r, http.MethodGet, pattern, s.readGroups)
		s.route(r, http.MethodPost, pattern, s.createGroup)
		s.route(r, http.MethodPut, pattern, s.changeGroup)
		s.route(r, http.MethodPatch, pattern, s.enforceRole)
		s.route(r, http.MethodDelete, pattern, s.deleteGroup)
	}
}

// groupSegments are the names below /v2/groups in a URL.
func groupSegments(r *http.Request) []string {
	return strings.FieldsFunc(chi.URLParam(r, "*"), func(c rune) bool { return c == '/' })
}

// urlGroup is the group that the whole URL names.
func urlGroup(r *http.Request) (spec.PathID, error) {
	return groupID(groupSegments(r))
}

func groupID(segments []string) (spec.PathID, error) {
	return spec.ParsePathID(strings.Join(segments, "/"), spec.Root)
}

// groupTarget takes the URL of a read apart: words of the API may end it. A group
// named "apps" is read with a word after it, as in the API ever since.
func groupTarget(r *http.Request) (t target, err error) {
	segments := groupSegments(r)
	if n := len(segments); n > 0 && (segments[n-1] == "apps" || segments[n-1] == "versions") {
		t.part, segments = segments[n-1], segments[:n-1]
	} else if n > 1 && segments[n-2] == "versions" {
		t.part, t.item, segments = segments[n-2], segments[n-1], segments[:n-2]
	}
	t.id, err = groupID(segments)
	return t, err
}

// readGroups answers everything that is read at and below /v2/groups.
func (s *server) readGroups(core Core, w http.ResponseWriter, r *http.Request) error {
	t, err := groupTarget(r)
	if err != nil {
		return err
	}
	switch {
	case t.part == "apps":
		s.readMembers(core, w, r, t.id)
		return nil
	case t.item != "":
		return s.readGroupVersion(core.Snapshot(), w, r, t)
	case t.part == "versions":
		return readGroupVersions(core.Snapshot(), w, t.id)
	}
	list, e := s.lists.of(core), s.ofMember().with(r)
	if list.tree.Group(t.id) == nil {
		return &scheduler.GroupNotFound{Group: t.id}
	}
	if !e.taskStats && unchanged(w, r, s.lists.tagger.tag("group", string(t.id), r, list.generations.tree, list.showing(e))) {
		return nil
	}
	info := newGroupInfo(list.tree, t.id, groupEmbedsOf(r), e)
	info.addApps(list.below(t.id))
	s.buffers.answer(w, -1, func(c *chunks) { info.write(c, t.id) })
	return nil
}

// ofMember returns what the apps of groups have without being asked for: nothing.
func (s *server) ofMember() embeds {
	e := embeds{now: spec.TimestampOf(s.Now())}
	if core := s.Node.Core(); core != nil {
		e.under = core.Snapshot().Deployments
	}
	return e
}

// readMembers answers all apps below a group: none for a group that is not there.
func (s *server) readMembers(core Core, w http.ResponseWriter, r *http.Request, group spec.PathID) {
	list, e := s.lists.of(core), s.ofMember().with(r)
	if s.tagged(w, r, "members", string(group), e, list) {
		return
	}
	s.buffers.answer(w, -1, func(c *chunks) {
		c.b = append(c.b, '[')
		c.apps(list.below(group), e)
		c.b = append(c.b, ']')
	})
}

// readGroupVersions answers the versions in which the group was there, newest first.
func readGroupVersions(snapshot *scheduler.Snapshot, w http.ResponseWriter, id spec.PathID) error {
	if snapshot.Tree.Group(id) == nil {
		return &scheduler.GroupNotFound{Group: id}
	}
	versions := slices.DeleteFunc(snapshot.RevisionVersions(), func(v spec.Timestamp) bool {
		tree, ok := snapshot.Revision(v)
		return !ok || tree.Group(id) == nil
	})
	list := make([]string, len(versions))
	for i, v := range versions {
		list[i] = v.String()
	}
	writeJSON(w, http.StatusOK, list)
	return nil
}

// readGroupVersion answers the group as it was. Its apps had no tasks then that
// anybody remembers: they are shown as they were defined.
func (s *server) readGroupVersion(snapshot *scheduler.Snapshot, w http.ResponseWriter, r *http.Request, t target) error {
	version, err := parseVersion(t.item)
	if err != nil {
		return err
	}
	tree, ok := snapshot.Revision(version)
	if !ok || tree.Group(t.id) == nil {
		return &problem{http.StatusNotFound, "Group '" + string(t.id) + "' does not exist in version " + versionText(version)}
	}
	info := newGroupInfo(tree, t.id, groupEmbedsOf(r), embeds{})
	var list []*appText
	for app := range tree.Apps(t.id) {
		list = append(list, definitionOnly(app))
	}
	info.addApps(list)
	s.buffers.answer(w, -1, func(c *chunks) { info.write(c, t.id) })
	return nil
}
