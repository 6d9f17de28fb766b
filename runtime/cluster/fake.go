package cluster

import (
	"fmt"
	"strconv"
	"syscall"
	"time"

	"github.com/mesos/mesos-go/api/v1/lib"

	"github.com/pacer-run/pacer/runtime/cluster/executor"
)

// FakeTask is what an Act may decide by.
type FakeTask struct {
	ID, Name, Agent, Hostname string
	Labels                    map[string]string
}

// Performance is how a fake task behaves. The zero value starts at once, runs until it is killed, and obeys at once.
type Performance struct {
	Start   time.Duration // from the launch to TASK_STARTING and TASK_RUNNING
	Run     time.Duration // from there to its own end; 0 = it does not end by itself
	Exit    int           // status of its own end
	Kill    time.Duration // from a kill to its end; above the grace period SIGKILL cuts it short
	Refused string        // not empty: it never starts, TASK_FAILED "Failed to launch container: " + Refused
	Silent  bool          // no update is ever made, not even for its end: a task that got lost
}

// Act says how a fake task behaves. It is called on the cluster's own goroutine and must not call the cluster.
//
// Without one, labels of the task do: fake.start, fake.run and fake.kill are durations as 150ms, fake.exit is a number,
// fake.refused a text, fake.silent anything.
type Act func(FakeTask) Performance

func actByLabels(t FakeTask) Performance {
	duration := func(name string) time.Duration {
		d, _ := time.ParseDuration(t.Labels[name]) // unreadable means 0, as absent does
		return d
	}
	exit, _ := strconv.Atoi(t.Labels["fake.exit"])
	_, silent := t.Labels["fake.silent"]
	return Performance{
		Start: duration("fake.start"), Run: duration("fake.run"), Kill: duration("fake.kill"),
		Exit: exit, Refused: t.Labels["fake.refused"], Silent: silent,
	}
}

// fakes acts tasks out on the loop.
type fakes struct {
	act     Act
	playing map[*run]*play
}

// play is one task being acted out.
type play struct {
	Performance
	started bool
	next    *alarm // what happens next
	dying   bool
}

func newFakes(act Act) *fakes { return &fakes{act: act, playing: map[*run]*play{}} }

// launch acts on a later turn of the loop even without a delay: the master has not finished its launch yet.
func (s *fakes) launch(r *run) {
	t := FakeTask{ID: r.id(), Name: r.task.Name, Agent: r.host.id, Hostname: r.host.spec.hostname, Labels: map[string]string{}}
	for _, l := range r.task.GetLabels().GetLabels() {
		t.Labels[l.Key] = l.GetValue()
	}
	p := &play{Performance: s.act(t)}
	s.playing[r] = p
	if p.Silent {
		return
	}
	p.next = r.host.loop.after(p.Start, func() { s.start(r, p) })
}

func (s *fakes) start(r *run, p *play) {
	if p.Refused != "" {
		r.failed(launchFault{mesos.TASK_FAILED, mesos.REASON_CONTAINER_LAUNCH_FAILED, "Failed to launch container: " + p.Refused})
		return
	}
	p.started = true
	r.starting()
	r.running()
	p.next = nil
	if p.Run > 0 {
		p.next = r.host.loop.after(p.Run, func() { s.end(r, syscall.WaitStatus(p.Exit<<8)) })
	}
}

// end gives the task the end that an executor would report for this wait status.
func (s *fakes) end(r *run, status syscall.WaitStatus) {
	s.playing[r].next.stop()
	r.exited(executor.Record{Step: executor.Exited, Wait: uint32(status), Killed: r.killed})
}

// kill is obeyed after the performance's own time, or when the grace period is over.
func (s *fakes) kill(r *run) {
	p := s.playing[r]
	if p == nil || p.dying || p.Silent {
		return
	}
	p.dying = true
	p.next.stop()
	if !p.started {
		r.killedBeforeStart()
		return
	}
	r.killing()
	status, wait := syscall.WaitStatus(syscall.SIGTERM), p.Kill
	if grace := r.grace(); wait > grace {
		status, wait = syscall.WaitStatus(syscall.SIGKILL), grace
	}
	p.next = r.host.loop.after(wait, func() { s.end(r, status) })
}

// EndTask ends a fake task that runs as if its command had exited with that status.
func (c *Cluster) EndTask(task string, exit int) error {
	return c.direct(task, func(s *fakes, r *run) { s.end(r, syscall.WaitStatus(exit<<8)) })
}

// SetHealth reports a fake task that runs as healthy or not, as if a health check in its TaskInfo had found that.
func (c *Cluster) SetHealth(task string, healthy bool) error {
	return c.direct(task, func(_ *fakes, r *run) { r.reportHealth(healthy) })
}

// direct does something to a fake task that runs.
func (c *Cluster) direct(task string, do func(*fakes, *run)) error {
	return c.inject(func() error {
		for _, h := range c.hosts {
			for key, r := range h.runs {
				s, fake := h.runner.(*fakes)
				if key.task != task || !fake {
					continue
				}
				if p := s.playing[r]; p == nil || !p.started || r.over {
					return fmt.Errorf("cluster: fake task %s does not run", task)
				}
				do(s, r)
				return nil
			}
		}
		return fmt.Errorf("cluster: there is no fake task %s", task)
	})
}

func (s *fakes) forget(r *run) {
	if p := s.playing[r]; p != nil {
		p.next.stop()
		delete(s.playing, r)
	}
}
