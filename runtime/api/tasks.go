package api

import (
	"bytes"
	"net"
	"net/http"
	"slices"
	"strconv"
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
	w.Write(taskLines(views)) //nolint:errcheck // the client is gone
	return nil
}

// taskLines has a line per app and service port: the app, the port, and where
// the running instances listen, each followed by a tab.
func taskLines(views []*scheduler.AppView) []byte {
	var b bytes.Buffer
	for _, v := range views {
		ports := v.App.ServicePorts()
		if len(ports) == 0 {
			b.WriteString(v.App.ID.Safe() + "\t \t")
			writeHosts(&b, v, -1)
		}
		for n, port := range ports {
			b.WriteString(v.App.ID.Safe() + "\t" + strconv.Itoa(port) + "\t")
			writeHosts(&b, v, n)
		}
	}
	return b.Bytes()
}

// writeHosts ends a line with the hosts of an app's running instances and their
// n-th port; without ports when n is negative.
func writeHosts(b *bytes.Buffer, v *scheduler.AppView, n int) {
	for _, i := range v.Instances {
		switch {
		case i.Condition != scheduler.Running || i.Agent == nil:
		case n < 0:
			b.WriteString(i.Agent.Hostname + "\t")
		case n < len(i.Ports):
			if address := endpoint(v.App, i, n); address != "" {
				b.WriteString(address + "\t")
			}
		}
	}
	b.WriteByte('\n')
}

// endpoint is where the n-th port of an instance is reached: at its host, or at
// the container's own address when the host has no part in it; "" when that is
// not known.
func endpoint(app *spec.App, i *scheduler.Instance, n int) string {
	if port := i.Ports[n]; port != 0 {
		return i.Agent.Hostname + ":" + strconv.Itoa(int(port))
	}
	if len(i.IPs) == 0 || app.OnHost() || n >= app.Ports() || app.Container.PortMappings[n].ContainerPort == 0 {
		return ""
	}
	return net.JoinHostPort(i.IPs[0], strconv.Itoa(app.Container.PortMappings[n].ContainerPort))
}
