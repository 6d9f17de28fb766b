package api

import (
	"cmp"
	"net/http"

	"github.com/pacer-run/pacer/runtime/scheduler"
	"github.com/pacer-run/pacer/runtime/spec"
)

// readVersions answers the versions that are kept of an app, newest first, or
// one of them.
func readVersions(snapshot *scheduler.Snapshot, w http.ResponseWriter, t target) error {
	v := viewOf(snapshot, t.id)
	if t.item == "" {
		if v == nil {
			return &scheduler.NotFound{App: t.id}
		}
		list := make([]string, len(v.Versions))
		for i, app := range v.Versions {
			list[i] = app.Version.String()
		}
		writeJSON(w, http.StatusOK, map[string]any{"versions": list})
		return nil
	}
	version, err := parseVersion(t.item)
	if err != nil {
		return err
	}
	app := versionOf(v, version)
	if app == nil {
		return noVersion(t.id, version)
	}
	writeBytes(w, http.StatusOK, append(app.AppendFields([]byte{'{'}, true), '}'))
	return nil
}

// parseVersion reads the version that ends a URL.
func parseVersion(text string) (spec.Timestamp, error) {
	version, err := spec.ParseTimestamp(text)
	if err != nil {
		return 0, &problem{
			http.StatusUnprocessableEntity, "Invalid timestamp provided '" + text + "'. Expecting ISO-8601 datetime string.",
		}
	}
	return version, nil
}

// versionOf returns a version that is kept, nil when it is not. v may be nil.
func versionOf(v *scheduler.AppView, version spec.Timestamp) *spec.App {
	if v == nil {
		return nil
	}
	for _, app := range v.Versions {
		if app.Version == version {
			return app
		}
	}
	return nil
}

func noVersion(id spec.PathID, version spec.Timestamp) error {
	return &problem{http.StatusNotFound, "App '" + string(id) + "' does not exist in version " + versionText(version)}
}

// versionText is the form of a version that a client has named: it may be the
// beginning of time, which in the core is none.
func versionText(version spec.Timestamp) string {
	return cmp.Or(version.String(), "1970-01-01T00:00:00.000Z")
}

// rollback asks for an earlier version. It has to hold today: roles and policies
// may have changed since.
func (s *server) rollback(r *http.Request, roles spec.Roles, u *spec.Update, v *scheduler.AppView) (scheduler.PutApp, error) {
	before := versionOf(v, *u.Version)
	if before == nil {
		return scheduler.PutApp{}, noVersion(*u.ID, *u.Version)
	}
	app := *before
	if err := s.validate(r, roles, nil, &app, v.App); err != nil {
		return scheduler.PutApp{}, err
	}
	return scheduler.PutApp{App: &app, Base: v.App.Version}, nil
}
