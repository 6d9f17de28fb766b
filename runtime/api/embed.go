package api

import (
	"net/http"
	"strings"

	"github.com/pacer-run/pacer/runtime/scheduler"
	"github.com/pacer-run/pacer/runtime/spec"
)

// embeds says which extras an app's JSON has.
type embeds struct {
	counts, deployments, tasks, lastTaskFailure, taskStats, readiness bool

	now   spec.Timestamp              // what lifetimes are counted to
	under []*scheduler.DeploymentView // those under way, for readiness checks
}

// with adds what a query asks for. Each name may have one of the old prefixes;
// names nobody knows are ignored.
func (e embeds) with(r *http.Request) embeds {
	for _, name := range r.URL.Query()["embed"] {
		for _, prefix := range []string{"group.apps.", "apps.", "app."} {
			if rest, ok := strings.CutPrefix(name, prefix); ok {
				name = rest
				break
			}
		}
		switch name {
		case "tasks":
			e.tasks, e.deployments = true, true
		case "failures":
			e.tasks, e.deployments, e.lastTaskFailure = true, true, true
		case "lastTaskFailure":
			e.lastTaskFailure = true
		case "counts":
			e.counts = true
		case "deployments":
			e.deployments = true
		case "taskStats":
			e.taskStats = true
		case "readiness":
			e.readiness = true
		}
	}
	return e
}

// ofList returns what is there without being asked for in lists.
func (s *server) ofList() embeds {
	e := s.ofMember()
	e.counts, e.deployments = true, true
	return e
}

// ofApp is ofList for one app.
func (s *server) ofApp() embeds {
	e := s.ofList()
	e.tasks, e.lastTaskFailure = true, true
	return e
}
