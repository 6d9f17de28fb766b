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
	dir    string // the agent's work_dir, named by its place in Config.Agents; empty for fake ones
	id     string // given by the first master, kept for good
	pid    string
	spec   hostSpec
	runner runner

	url        *mesos.URL
	attributes []mesos.Attribute

	master *master // nil: not connected
	agent  *agent  // the master's record; nil when master is

	runs  map[taskKey]*run
	ended []*run // the latest that are over, oldest first

	total        resource.Set // as configured, with what operations made of it
	operations   []*operation // carried out, not yet acknowledged; oldest first
	inBackground func(func()) // runs what would hold the loop up; ends with the cluster
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
	h.runner.launch(r)
}

// kill is called by the master. The policy is that of the call, which only containers heed: for all other tasks that of
// their TaskInfo counts, as on a real agent.
func (h *host) kill(key taskKey, policy *mesos.KillPolicy) {
	if r := h.runs[key]; r != nil && !r.over {
		if !r.killed {
			r.killPolicy = policy
		}
		r.killed = true
		r.stopProbes()
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
	h.dropOperations(func(op *operation) bool { return op.framework == id })
}

// endUncheckpointed ends the tasks that were declared lost when the connection broke, as those of frameworks without
// checkpoints are.
func (h *host) endUncheckpointed() {
	for _, r := range h.sortedRuns() {
		if !r.framework.GetCheckpoint() {
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
