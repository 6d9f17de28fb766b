package cluster

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/mesos/mesos-go/api/v1/lib"

	"github.com/pacer-run/pacer/runtime/cluster/docker"
	"github.com/pacer-run/pacer/runtime/cluster/executor"
	"github.com/pacer-run/pacer/runtime/cluster/fetcher"
)

// processes runs tasks as real processes, each below an executor process of its own.
//
// A deliberate difference to Mesos: a task that ends while the cluster is down is reported with its real exit status,
// which its executor kept, where an agent of Mesos can only say that the executor terminated.
type processes struct {
	c *Cluster
	// slots bounds the launches under way: starting hundreds of processes at once would starve those that run.
	slots chan struct{}
	// engine runs the containers; nil where there is no Docker daemon.
	engine *docker.Engine
	fetch  *fetcher.Fetcher
}

// executorPatience is how long a started executor may take to appear.
const executorPatience = time.Minute

// newProcesses starts nothing yet.
func newProcesses(c *Cluster) (*processes, error) {
	cfg := c.cfg.Fetch
	if cfg.CacheDir == "" {
		cfg.CacheDir = filepath.Join(c.cfg.WorkDir, "fetch")
	}
	f, err := fetcher.New(cfg)
	if err != nil {
		return nil, err
	}
	c.background.Go(func() {
		<-c.life.Done()
		f.Close()
	})
	return &processes{c: c, slots: make(chan struct{}, 8), fetch: f}, nil
}

// launch prepares the sandbox and fetches into it off the loop, then asks the loop whether the task is still wanted, then
// starts it. Fetching takes no slot: it may take as long as the network does.
func (p *processes) launch(r *run) {
	if isDocker(r.task) {
		p.launchDocker(r)
		return
	}
	if fault := unsupported(r.task); fault != nil {
		r.failed(*fault)
		return
	}
	plan, fault := planLaunch(r)
	if fault != nil {
		r.failed(*fault)
		return
	}
	ctx, cancel := context.WithCancel(p.c.life)
	r.stopFetch = cancel
	p.c.background.Go(func() {
		defer cancel()
		p.slots <- struct{}{}
		log, fault := plan.prepare()
		<-p.slots
		if fault == nil {
			fault = plan.fetch(ctx, p.fetch)
		}
		p.c.loop.post(func() {
			r.log = log
			switch {
			case r.killed:
				r.killedBeforeStart()
			case fault != nil && p.c.life.Err() != nil:
				// The cluster closes, which may be all that was wrong. The next one finds a task that was not started.
			case fault != nil:
				r.failed(*fault)
			default:
				p.start(r, plan)
			}
		})
	})
}

// start hands the task to an executor of its own. From its start on, only the executor decides what becomes of the task.
func (p *processes) start(r *run, plan *launchPlan) {
	r.handle = executor.Open(plan.folder, plan.marker)
	handle := r.handle
	p.c.background.Go(func() {
		p.slots <- struct{}{}
		err := handle.Start(p.c.cfg.ExecutorCommand)
		<-p.slots
		if err != nil {
			p.c.loop.post(func() {
				r.failed(launchFault{
					mesos.TASK_FAILED, mesos.REASON_CONTAINER_LAUNCH_FAILED,
					"Failed to launch container: " + err.Error(),
				})
			})
			return
		}
		p.follow(r, handle, 0, executorPatience)
	})
}

// readopt takes up a run found on disk that had not ended by what is known of it.
func (p *processes) readopt(r *run, folder string) {
	if isDocker(r.task) {
		p.readoptDocker(r)
		return
	}
	r.handle = executor.Open(folder, runMarker(r))
	handle, from := r.handle, r.consumed
	switch {
	case r.orphaned:
		handle.Kill()
	case from > int(executor.Running) && !r.killed:
		// The loop does not run yet; it will find the alarms set.
		p.probing(r)
	}
	p.c.background.Go(func() { p.follow(r, handle, from, 0) })
}

// follow reports the executor's steps to the loop until there are no more, or the cluster closes.
func (p *processes) follow(r *run, handle *executor.Handle, from int, ready time.Duration) {
	err := handle.Follow(from, ready, p.c.stopping, func(rec executor.Record) {
		p.c.loop.post(func() {
			r.step(rec)
			if rec.Step == executor.Running && !r.killed {
				p.probing(r)
			}
		})
	})
	if err == nil {
		return
	}
	text := "Executor terminated"
	if !errors.Is(err, executor.ErrDied) {
		text = fmt.Sprintf("Abnormal executor termination: %v", err)
	}
	p.c.loop.post(func() { r.queueOwn(mesos.TASK_FAILED, mesos.REASON_EXECUTOR_TERMINATED, text) })
}

// kill may come before the executor is up: the handle keeps it. Before that there is no handle; launch looks at killed as
// soon as it has stopped fetching.
func (p *processes) kill(r *run) {
	if isDocker(r.task) {
		p.killContainer(r)
		return
	}
	switch {
	case r.handle != nil:
		r.handle.Kill()
	case r.stopFetch != nil:
		r.stopFetch()
	}
}

// forget removes what a restart would find. The sandbox stays for whoever wants to read it.
func (p *processes) forget(r *run) {
	touch(r.sandbox())
	p.forgetContainer(r)
	r.log.discard()
}

// step turns a record of the executor's journal into the task's states.
func (r *run) step(rec executor.Record) {
	r.consumed++
	switch rec.Step {
	case executor.Attached:
		r.executorPID = uint32(rec.PID)
		r.starting()
	case executor.Running:
		r.running()
	case executor.Killing:
		r.killing()
	case executor.Exited:
		r.exited(rec)
	case executor.Abandoned:
		switch {
		case r.killed:
			r.killedBeforeStart()
		case r.recovered:
			r.queueOwn(mesos.TASK_DROPPED, mesos.REASON_AGENT_RESTARTED, "Task launched during agent restart")
		default:
			r.queueOwn(mesos.TASK_FAILED, mesos.REASON_EXECUTOR_REGISTRATION_TIMEOUT, "Executor did not register within 1mins")
		}
	}
}

// exited words the end. A kill that was asked for makes it TASK_KILLED whatever the exit status says.
func (r *run) exited(rec executor.Record) {
	switch {
	case rec.Killed:
		r.ended(mesos.TASK_KILLED, nil, rec.Message())
	case rec.Expired:
		r.ended(mesos.TASK_FAILED, mesos.REASON_MAX_COMPLETION_TIME_REACHED.Enum(), rec.Message())
	case rec.Success():
		r.ended(mesos.TASK_FINISHED, nil, rec.Message())
	default:
		r.ended(mesos.TASK_FAILED, nil, rec.Message())
	}
}
