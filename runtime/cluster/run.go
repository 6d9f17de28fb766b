package cluster

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/mesos/mesos-go/api/v1/lib"

	"github.com/pacer-run/pacer/runtime/cluster/executor"
	"github.com/pacer-run/pacer/runtime/cluster/resource"
)

// run is one task on its agent, from launch to the acknowledgement of its end. It belongs to the loop.
type run struct {
	host      *host
	framework *mesos.FrameworkInfo
	able      capabilities
	task      *mesos.TaskInfo
	role      string
	resources resource.Set
	container string // UUID; names the sandbox and the run folder

	killed     bool              // a kill was asked for
	killPolicy *mesos.KillPolicy // of the first one that asked; nil for none
	over       bool              // the terminal update is queued; the process is gone
	orphaned   bool              // its framework is gone: its end interests nobody

	// pending are the updates to deliver, in order. The first one is on its way until it is acknowledged.
	pending   []*mesos.TaskStatus
	forwarded *mesos.TaskStatus // the latest that was on its way
	retry     *alarm
	backoff   time.Duration

	healthy *bool                  // nil until a health check spoke
	checked *mesos.CheckStatusInfo // nil until a check found something
	unfit   bool                   // killed for its health
	probers []*prober

	log         *updateLog // nil for fake tasks
	consumed    int        // journal records taken into account
	executorPID uint32
	where       *mesos.ContainerStatus // see containerStatus
	inside      *containerized         // nil for tasks that are no container
	stopping    bool                   // its container's end is under way
	handle      *executor.Handle       // nil until the executor was started
	stopFetch   context.CancelFunc     // nil for fake tasks and those found on disk
	recovered   bool                   // found on disk by this cluster, not launched by it
}

// launchFault is the end of a task that could not be started.
type launchFault struct {
	state  mesos.TaskState
	reason mesos.TaskStatus_Reason
	text   string
}

// newRun makes a run with a container id of its own, so that a task id used again never meets the files of its former run.
func newRun(h *host, f *mesos.FrameworkInfo, info *mesos.TaskInfo, role string, resources resource.Set) *run {
	return &run{
		host: h, framework: f, able: capabilitiesOf(f), task: info, role: role, resources: resources, container: uuid.NewString(),
	}
}

func (r *run) id() string   { return r.task.TaskID.Value }
func (r *run) key() taskKey { return taskKey{r.framework.ID.Value, r.id()} }

// grace is the time between SIGTERM and SIGKILL.
func (r *run) grace() time.Duration {
	if p := r.task.GetKillPolicy().GetGracePeriod(); p != nil {
		return time.Duration(p.Nanoseconds)
	}
	return r.host.cfg.KillGrace
}

// starting, running, killing and ended are the executor's word.
func (r *run) starting() { r.queueExecutor(mesos.TASK_STARTING, nil, "") }
func (r *run) running()  { r.queueExecutor(mesos.TASK_RUNNING, nil, "") }
func (r *run) killing() {
	if r.able.killingState {
		r.queueExecutor(mesos.TASK_KILLING, nil, "")
	}
}

func (r *run) ended(state mesos.TaskState, reason *mesos.TaskStatus_Reason, text string) {
	r.queueExecutor(state, reason, text)
}

// failed is the agent's word on a task that did not come up.
func (r *run) failed(f launchFault) {
	r.queueOwn(f.state, f.reason, f.text)
}

// killedBeforeStart ends a task whose kill overtook its start.
func (r *run) killedBeforeStart() {
	r.queueOwn(mesos.TASK_KILLED, mesos.REASON_TASK_KILLED_DURING_LAUNCH, "Killed before delivery to the executor")
}

func (r *run) queueExecutor(state mesos.TaskState, reason *mesos.TaskStatus_Reason, text string) {
	r.queue(&mesos.TaskStatus{State: &state, Source: mesos.SOURCE_EXECUTOR.Enum(), Reason: reason}, text)
}

// queueData is TASK_RUNNING with what the executor tells of itself.
func (r *run) queueData(data []byte) {
	r.queue(&mesos.TaskStatus{State: mesos.TASK_RUNNING.Enum(), Source: mesos.SOURCE_EXECUTOR.Enum(), Data: data}, "")
}

// queueOwn is an update in the agent's own name: no executor had a say.
func (r *run) queueOwn(state mesos.TaskState, reason mesos.TaskStatus_Reason, text string) {
	r.queue(&mesos.TaskStatus{State: r.degrade(state).Enum(), Source: mesos.SOURCE_AGENT.Enum(), Reason: &reason}, text)
}

// degrade puts states into words that the framework understands.
func (r *run) degrade(state mesos.TaskState) mesos.TaskState {
	switch state {
	case mesos.TASK_DROPPED, mesos.TASK_GONE:
		return r.able.lost(state)
	default:
		return state
	}
}

// queue adds an update, of which state, source, reason and data are given. It is on disk before anybody sees it, so a
// restart repeats it under the same uuid.
func (r *run) queue(s *mesos.TaskStatus, text string) {
	if r.over {
		return
	}
	now, state := seconds(time.Now()), s.GetState()
	s.TaskID, s.AgentID, s.ExecutorID = r.task.TaskID, &mesos.AgentID{Value: r.host.id}, &mesos.ExecutorID{Value: r.id()}
	s.Timestamp, s.UUID = &now, newUUID()
	if s.GetSource() == mesos.SOURCE_EXECUTOR { // the agent has no container to speak of
		s.ContainerStatus = r.containerStatus(state)
	}
	if text != "" {
		s.Message = &text
	}
	r.over = terminal(state)
	if r.over {
		r.stopProbes()
	}
	r.describeHealth(s)
	if r.orphaned {
		if r.over {
			r.host.runner.forget(r)
		}
		return
	}
	r.log.update(s, r.consumed)
	r.pending = append(r.pending, s)
	if len(r.pending) == 1 {
		r.backoff = 0
		r.forward()
	}
}

// containerStatus is the same value in all updates of a run, as far as it is the same: there may be very many of them.
// A container's own address is told only while it runs.
func (r *run) containerStatus(state mesos.TaskState) *mesos.ContainerStatus {
	ip := r.host.url.Address.GetIP()
	if r.inside != nil && r.inside.ip != "" && state == mesos.TASK_RUNNING {
		ip = r.inside.ip
	}
	if r.where != nil && r.where.GetExecutorPID() == r.executorPID && r.where.NetworkInfos[0].IPAddresses[0].GetIPAddress() == ip {
		return r.where
	}
	out := &mesos.ContainerStatus{
		ContainerID: &mesos.ContainerID{Value: r.container},
		NetworkInfos: []mesos.NetworkInfo{{
			IPAddresses: []mesos.NetworkInfo_IPAddress{{Protocol: mesos.IPv4.Enum(), IPAddress: &ip}},
		}},
	}
	if r.executorPID != 0 {
		pid := r.executorPID
		out.ExecutorPID = &pid
	}
	r.where = out
	return out
}

// forward sends the update at the head of the queue, and again with growing pauses until it is acknowledged. With each
// goes whether the task has ended meanwhile: that is when the master frees its resources.
func (r *run) forward() {
	r.retry.stop()
	if len(r.pending) == 0 || r.host.master == nil {
		return
	}
	r.forwarded = r.pending[0]
	r.host.master.forward(r.host.agent, r.key(), r.forwarded, r.over)
	r.backoff = min(max(2*r.backoff, r.host.cfg.StatusRetry), maxStatusRetry)
	r.retry = r.host.loop.after(r.backoff, r.forward)
}

// maxStatusRetry is the longest pause between repetitions of an update.
const maxStatusRetry = 10 * time.Minute

// acknowledged takes the head off the queue; true when nothing will follow.
func (r *run) acknowledged() bool {
	r.retry.stop()
	head := r.pending[0]
	r.log.acknowledge(head.UUID)
	r.pending = r.pending[1:]
	r.backoff = 0
	if terminal(head.GetState()) {
		delete(r.host.runs, r.key())
		r.host.runner.forget(r)
		r.host.remember(r)
		return true
	}
	r.forward()
	return false
}

// orphan ends a run whose framework is gone. It leaves the agent's books at once; its process is killed in the background.
func (r *run) orphan() {
	r.retry.stop()
	delete(r.host.runs, r.key())
	r.orphaned, r.pending = true, nil
	r.log.orphan()
	if r.over {
		r.host.runner.forget(r)
		return
	}
	r.killed = true
	r.stopProbes()
	r.host.runner.kill(r)
}
