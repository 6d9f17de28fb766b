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
	q := taskQuery{states: statesOf(r), servicePorts: true}
	for v := range viewsBelow(core.Snapshot(), spec.Root) {
		q.views = append(q.views, v)
	}
	s.writeTasks(w, r, q)
	return nil
}

// taskQuery is which tasks are asked for.
type taskQuery struct {
	views        []*scheduler.AppView // their apps
	states       []string             // empty for any
	servicePorts bool                 // shown with each task
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
// the client likes text better. That has all tasks of the apps.
func (s *server) writeTasks(w http.ResponseWriter, r *http.Request, q taskQuery) {
	if acceptedOf(r, "application/json", "text/plain") == "text/plain" {
		w.Header().Set("Content-Type", "text/plain")
		w.Write(taskLines(q.views, networksOf(r))) //nolint:errcheck // the client is gone
		return
	}
	s.buffers.answer(w, -1, func(c *chunks) {
		c.b = append(c.b, `{"tasks":[`...)
		first := true
		for _, v := range q.views {
			var ports []int
			if q.servicePorts {
				ports = v.App.ServicePorts()
			}
			safe := v.App.ID.Safe()
			for _, i := range v.Instances {
				if !hasTask(i) || len(q.states) > 0 && !slices.Contains(q.states, taskState(i.Condition)) {
					continue
				}
				if !first {
					c.b = append(c.b, ',')
				}
				first = false
				c.b = appendTask(c.b, i, safe, ports)
				if !c.spill() {
					return
				}
			}
		}
		c.b = append(c.b, "]}"...)
	})
}
