package api

import (
	"context"
	"errors"
	"net/http"
	"net/netip"
	"path"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/pacer-run/pacer/runtime/scheduler"
	"github.com/pacer-run/pacer/runtime/spec"
)

// Sandboxes reads the files of tasks where they are: on the agents. Its methods
// may be called by any goroutine. Endpoint is an agent's "address:port", file an
// absolute path as agents have them. They return ErrNoFile for what is not there;
// any other error says that the agent did not give it.
type Sandboxes interface {
	// List returns what a folder holds, in the order of names; nothing for a file.
	List(ctx context.Context, endpoint, folder string) ([]SandboxFile, error)
	// Read returns bytes from offset on, length at the most and fewer where the
	// agent likes, and the file's size. None are left at its end.
	Read(ctx context.Context, endpoint, file string, offset, length int64) (data []byte, size int64, err error)
}

// ErrNoFile says that an agent has no such file, or does not have the task's
// folder any more.
const ErrNoFile = sentinel("the file does not exist on the agent")

// SandboxFile is one entry of a folder.
type SandboxFile struct {
	Path     string // as the agent has it
	Size     int64  // bytes
	Mode     uint32 // st_mode
	Modified time.Time
	User     string
	Group    string
}

// Directory tells whether the entry is a folder.
func (f SandboxFile) Directory() bool { return f.Mode&0o170000 == 0o040000 }

// regular tells whether the entry is a plain file: what can be read to an end.
func (f SandboxFile) regular() bool { return f.Mode&0o170000 == 0o100000 }

// sandbox is one run of a task on its agent.
type sandbox struct {
	task     string
	agent    string // its host name, for messages
	endpoint string
	folder   string // of the run, as the agent has it
	// ended tells whether the task writes no more.
	ended func() bool
}

// routeSandboxes registers the files of tasks.
func (s *server) routeSandboxes(r chi.Router) {
	s.route(r, http.MethodGet, "/pacer/v1/tasks/{task}/files", s.sandboxFile)
	s.route(r, http.MethodGet, "/pacer/v1/tasks/{task}/files/*", s.sandboxFile)
	s.route(r, http.MethodGet, "/pacer/v1/tasks/{task}/stdout", s.sandboxOutput)
	s.route(r, http.MethodGet, "/pacer/v1/tasks/{task}/stderr", s.sandboxOutput)
}

// sandboxOf finds the run that a request is about: that of the task, or with
// previous=true the last failed one of its app.
func (s *server) sandboxOf(core Core, r *http.Request) (sandbox, error) {
	if s.Sandboxes == nil {
		return sandbox{}, &problem{http.StatusNotFound, "this server does not read the files of tasks"}
	}
	id := chi.URLParam(r, "task")
	snapshot := core.Snapshot()
	view, instance := findTask(snapshot, id)
	if view == nil {
		return sandbox{}, noTask(id)
	}
	failure := view.LastFailure
	switch {
	case flag(r, "previous", false) && failure == nil:
		return sandbox{}, &problem{http.StatusNotFound, "App '" + string(view.App.ID) + "' has no failed task"}
	case flag(r, "previous", false), failure != nil && failure.TaskID == id && (instance == nil || instance.TaskID() != id):
		return runOn(snapshot, view, failure.TaskID, failure.AgentID, failure.Host, func() bool { return true })
	case instance == nil || instance.Agent == nil:
		return sandbox{}, noTask(id)
	}
	ended := func() bool {
		_, now := findTask(core.Snapshot(), id)
		return now == nil || now.TaskID() != id || now.Condition.Terminal()
	}
	return runOn(snapshot, view, id, instance.Agent.ID, instance.Agent.Hostname, ended)
}

// findTask returns the app that a task id belongs to, and its instance as it is
// now, which may have a later task. Both are nil for an unknown id; the instance
// is for one that is only known by its failure.
func findTask(snapshot *scheduler.Snapshot, id string) (*scheduler.AppView, *scheduler.Instance) {
	safe, uuid, _, err := scheduler.ParseTaskID(id)
	if err != nil {
		return nil, nil
	}
	view := viewOf(snapshot, spec.PathID("/"+strings.ReplaceAll(safe, "_", "/"))) // no app's id has a "_"
	if view == nil {
		return nil, nil
	}
	for _, i := range view.Instances {
		if i.ID == uuid {
			return view, i
		}
	}
	if view.LastFailure != nil && view.LastFailure.TaskID == id {
		return view, nil
	}
	return nil, nil
}

// runOn is the sandbox of a task on an agent, as far as it is known where that is.
func runOn(
	snapshot *scheduler.Snapshot, view *scheduler.AppView, task, agent, host string, ended func() bool,
) (sandbox, error) {
	box := sandbox{task: task, agent: host, ended: ended}
	box.folder = "/frameworks/" + snapshot.FrameworkID + "/executors/" + executorID(view.App, task) + "/runs/latest"
	for _, i := range view.Instances {
		if i.Agent != nil && i.Agent.ID == agent && i.Agent.Port != 0 {
			box.endpoint = agentEndpoint(i.Agent.IP, i.Agent.Hostname, i.Agent.Port)
			return box, nil
		}
	}
	if seen := snapshot.Sightings.ByAgent()[agent]; seen.Agent != nil && seen.Agent.Port != 0 {
		box.endpoint = agentEndpoint(seen.Agent.IP, seen.Agent.Hostname, seen.Agent.Port)
		return box, nil
	}
	return sandbox{}, &problem{http.StatusNotFound, "Agent '" + agent + "' of task '" + task + "' is not known any more"}
}

// executorID is the executor's id of a task: its own, as Mesos' command executor
// has it, or with a prefix where the app brings an executor.
func executorID(app *spec.App, task string) string {
	if app.Executor != "" && app.Executor != "//cmd" {
		return "marathon-" + task
	}
	return task
}

func agentEndpoint(ip, host string, port uint16) string {
	if address, err := netip.ParseAddr(ip); err == nil {
		return netip.AddrPortFrom(address, port).String()
	}
	return joinPort(host, port)
}

// fault words what an agent did not give.
func (b sandbox) fault(file string, err error) error {
	switch {
	case errors.Is(err, ErrNoFile):
		return &problem{http.StatusNotFound, "File '" + file + "' does not exist in the sandbox of task '" + b.task + "'"}
	case errors.Is(err, context.DeadlineExceeded):
		return &problem{http.StatusGatewayTimeout, "agent " + b.agent + " did not answer in time"}
	default:
		return &problem{http.StatusBadGateway, "agent " + b.agent + " did not give the file: " + err.Error()}
	}
}

// sandboxPath is the file that a request names, below the sandbox; "" is the
// sandbox itself. It is checked here so that no agent has to.
func sandboxPath(r *http.Request) (string, error) {
	name := strings.Trim(chi.URLParam(r, "*"), "/")
	if clean := path.Clean("/" + name); name != "" && "/"+name != clean {
		return "", &problem{http.StatusUnprocessableEntity, "path: got '" + name + "', expected a path below the sandbox without '..' and '//'"}
	}
	return name, nil
}
