package cluster

import (
	"cmp"
	"slices"

	"github.com/mesos/mesos-go/api/v1/lib"

	"github.com/pacer-run/pacer/runtime/cluster/resource"
)

// host is an agent itself: its tasks and what it remembers of them, whether a master hears it or not. A lost agent is a
// host without a master; its tasks run on. It belongs to the loop.
type host struct {
	loop   *loop
	cfg    *Config
	index  int    // place in Config.Agents; identifies the agent's folder
	dir    string // the agent's work_dir; empty for fake ones
	id     string // given by the first master, kept for good
	pid    string
	spec   hostSpec
	runner runner

	url        *mesos.URL
	attributes []mesos.Attribute

	master *master // nil: not connected
	agent  *agent  // the master's record; nil when master is

	runs map[taskKey]*run
}

// runner starts tasks and ends them. Its methods are called on the loop and must not wait for anything; what becomes of
// a run is reported by the run's methods, on the loop too.
type runner interface {
	// launch starts the task of r.
	launch(r *run)
	// kill ends it: SIGTERM, and SIGKILL after the run's grace period. Repetitions do nothing.
	kill(r *run)
	// forget is called when nobody will ask for r any more.
	forget(r *run)
}

// launch is called by the master for a task whose resources it has set aside.
func (h *host) launch(f *mesos.FrameworkInfo, info *mesos.TaskInfo, role string, resources resource.Set) {
	r := newRun(h, f, info, role, resources)
	h.runs[r.key()] = r
	if why := unsupported(info); why != nil {
		r.failed(*why)
		return
	}
	h.runner.launch(r)
}

// unsupported finds what this agent cannot run, in the words a real one has for it; nil if it can.
func unsupported(info *mesos.TaskInfo) *launchFault {
	fault := func(text string) *launchFault {
		return &launchFault{mesos.TASK_FAILED, mesos.REASON_CONTAINER_LAUNCH_FAILED, "Failed to launch container: " + text}
	}
	if c := info.Container; c != nil {
		switch {
		case c.GetType() == mesos.ContainerInfo_DOCKER:
			// What an agent without the docker containerizer says.
			return &launchFault{mesos.TASK_FAILED, mesos.REASON_EXECUTOR_TERMINATED, "Abnormal executor termination: unknown container"}
		case c.GetMesos().GetImage() != nil:
			return fault("Container images are not supported by this agent")
		case len(c.Volumes) > 0:
			return fault("Volumes are not supported by this agent")
		case slices.ContainsFunc(c.NetworkInfos, func(n mesos.NetworkInfo) bool { return n.Name != nil }):
			return fault("Container networks are not supported by this agent")
		}
	}
	if uris := info.GetCommand().GetURIs(); len(uris) > 0 {
		return fault("Could not fetch: URIs are not supported by this agent (" + uris[0].Value + ")")
	}
	return nil
}

// kill is called by the master.
func (h *host) kill(key taskKey) {
	if r := h.runs[key]; r != nil && !r.over {
		r.killed = true
		h.runner.kill(r)
	}
}

// shutdownFramework ends all tasks of a framework that is gone; nobody is told of their ends.
func (h *host) shutdownFramework(id string) {
	for _, r := range h.sortedRuns() {
		if r.framework.ID.Value == id {
			r.orphan()
		}
	}
}

// acknowledge takes the head off a task's queue; true when that was the last update the task will have.
func (h *host) acknowledge(key taskKey, uuid []byte) bool {
	r := h.runs[key]
	if r == nil || len(r.pending) == 0 || string(r.pending[0].UUID) != string(uuid) {
		return false
	}
	return r.acknowledged()
}

// resend repeats a task's unacknowledged update at once.
func (h *host) resend(framework, task string) {
	if r := h.runs[taskKey{framework, task}]; r != nil {
		r.forward()
	}
}

func (h *host) sortedRuns() []*run {
	out := make([]*run, 0, len(h.runs))
	for _, r := range h.runs {
		out = append(out, r)
	}
	slices.SortFunc(out, func(x, y *run) int {
		return compareText(x.framework.ID.Value, x.id(), y.framework.ID.Value, y.id())
	})
	return out
}

func compareText(a1, a2, b1, b2 string) int {
	return cmp.Or(cmp.Compare(a1, b1), cmp.Compare(a2, b2))
}
