package api

import (
	"bytes"
	"encoding/json"
	"net/http"

	"github.com/pacer-run/pacer/runtime/scheduler"
	"github.com/pacer-run/pacer/runtime/spec"
)

// messageAlone is what the API says of fields that want to be the only one.
const messageAlone = "not allowed in conjunction with other properties."

// planned finds out which change a body stands for, and how it is derived when it
// is sent as such:
//
//	?app=ID             PUT of the app
//	?group=ID           PUT of the group
//	{"delete": ID}      DELETE of the app, or else of the group
//	{"restart": ID}     POST to the app's restart
//	a list              PUT of several apps
//	a group, by a field that only groups have
//	an app, which has to have its id
func (s *server) planned(w http.ResponseWriter, r *http.Request, data []byte) (derivation, error) {
	query := r.URL.Query()
	switch app, group := query.Has("app"), query.Has("group"); {
	case app && group:
		return nil, spec.NewFault("/app", "expected an app or a group, got both")
	case app:
		return s.plannedApp(w, r, query.Get("app"), data)
	case group:
		return s.plannedGroup(w, r, query.Get("group"), data)
	}
	if bytes.HasPrefix(bytes.TrimLeft(data, " \t\r\n"), []byte{'['}) {
		updates, err := s.appUpdates(w, r, data)
		return s.putting(r, updates), err
	}
	var fields map[string]any
	if json.Unmarshal(data, &fields) != nil {
		fields = nil // whoever reads the body as an app says what is wrong with it
	}
	switch {
	case has(fields, "delete"):
		return plannedRemoval(r, fields)
	case has(fields, "restart"):
		return plannedRestart(r, fields)
	case has(fields, "apps") || has(fields, "groups") || has(fields, "scaleBy") || has(fields, "enforceRole"):
		return s.plannedGroup(w, r, string(spec.Root), data)
	}
	u, err := spec.ParseUpdate(data, formOf(r), true)
	switch {
	case err != nil:
		return nil, err
	case u.ID == nil:
		return nil, errNoID
	}
	return s.putting(r, []*spec.Update{u}), s.noteUnknown(w, r, u)
}

func has(fields map[string]any, name string) bool {
	_, ok := fields[name]
	return ok
}

func (s *server) plannedApp(w http.ResponseWriter, r *http.Request, text string, data []byte) (derivation, error) {
	id, err := spec.ParseAppID(text, spec.Root)
	if err != nil {
		return nil, err
	}
	updates, err := s.appUpdate(w, r, id, data)
	return s.putting(r, updates), err
}

func (s *server) plannedGroup(w http.ResponseWriter, r *http.Request, text string, data []byte) (derivation, error) {
	id, err := spec.ParsePathID(text, spec.Root)
	if err == nil {
		err = checkGroupID(id)
	}
	if err != nil {
		return nil, err
	}
	u, err := parseGroup(w, r, id, data)
	return s.puttingGroup(r, u), err
}

func plannedRestart(r *http.Request, fields map[string]any) (derivation, error) {
	text, err := onlyText(fields, "restart")
	if err != nil {
		return nil, err
	}
	id, err := spec.ParseAppID(text, spec.Root)
	return restarting(r, id), err
}

func plannedRemoval(r *http.Request, fields map[string]any) (derivation, error) {
	text, err := onlyText(fields, "delete")
	if err != nil {
		return nil, err
	}
	id, err := spec.ParsePathID(text, spec.Root)
	if err != nil {
		return nil, err
	}
	return func(snapshot *scheduler.Snapshot) (scheduler.ChangeTree, error) {
		if viewOf(snapshot, id) == nil && snapshot.Tree.Group(id) != nil {
			return removingGroup(r, id)(snapshot)
		}
		return removingApp(r, id)(snapshot)
	}, nil
}

// onlyText is the text of a field that has to be the only one.
func onlyText(fields map[string]any, name string) (string, error) {
	text, ok := fields[name].(string)
	switch {
	case len(fields) > 1:
		return "", spec.NewFault("/"+name, messageAlone)
	case !ok:
		return "", spec.NewFault("/"+name, "expected an id")
	}
	return text, nil
}
