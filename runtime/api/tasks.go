package api

import (
	"net/http"
	"slices"
	"strings"

	"github.com/pacer-run/pacer/runtime/scheduler"
	"github.com/pacer-run/pacer/runtime/spec"
)

// allTasks answers the tasks of all apps, in the states that the query names.
func (s *server) allTasks(core Core, w http.ResponseWriter, r *http.Request) error {
	states := statesOf(r)
	tasks, views := []task{}, []*scheduler.AppView{}
	for v := range viewsBelow(core.Snapshot(), spec.Root) {
		views = append(views, v)
		ports := v.App.ServicePorts()
		for _, t := range tasksOf(v) {
			if len(states) == 0 || slices.Contains(states, t.State) {
				t.ServicePorts = ports
				tasks = append(tasks, t)
			}
		}
	}
	return writeTasks(w, r, views, tasks)
}

// statesOf reads the status filter; words other than the two known are ignored.
func statesOf(r *http.Request) []string {
	var states []string
	query := r.URL.Query()
	for _, word := range slices.Concat(query["status"], query["status[]"]) {
		switch strings.ToLower(word) {
		case "running":
			states = append(states, "TASK_RUNNING")
		case "staging":
			states = append(states, "TASK_STAGING")
		}
	}
	return states
}

// writeTasks answers tasks as JSON, or as the old list for load balancers when
// the client likes text better.
func writeTasks(w http.ResponseWriter, r *http.Request, views []*scheduler.AppView, tasks []task) error {
	if acceptedOf(r, "application/json", "text/plain") != "text/plain" {
		writeJSON(w, http.StatusOK, map[string]any{"tasks": tasks})
		return nil
	}
	w.Header().Set("Content-Type", "text/plain")
	w.Write(taskLines(views, networksOf(r))) //nolint:errcheck // the client is gone
	return nil
}
