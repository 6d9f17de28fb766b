package cluster

import (
	"context"
	"errors"
	"time"

	"github.com/mesos/mesos-go/api/v1/lib"

	"github.com/pacer-run/pacer/runtime/cluster/docker"
)

// openDocker looks for the daemon. Without one the agents are such as have no docker containerizer.
func (p *processes) openDocker() {
	if p.c.cfg.Docker == DockerOff {
		return
	}
	engine, err := docker.Open(p.c.cfg.Docker)
	if err == nil {
		ctx, cancel := context.WithTimeout(p.c.life, 5*time.Second)
		defer cancel()
		err = engine.Ping(ctx)
	}
	if err != nil {
		p.c.cfg.Log.Info("cluster: no Docker daemon, so containers cannot be run", "error", err)
		return
	}
	p.engine = engine
}

// readoptDocker takes a run up again whose container may run, have ended or never have been made.
func (p *processes) readoptDocker(r *run) {
	if p.engine == nil {
		p.c.background.Go(func() { // the loop does not run yet
			p.c.loop.post(func() { r.failed(noDocker()) })
		})
		return
	}
	p.newContainerized(r)
	r.stopping = r.killed
	p.c.background.Go(func() {
		found, err := p.findContainer(r)
		if r.inside.ctx.Err() != nil {
			return
		}
		if err == nil && found.Started {
			p.c.loop.post(func() { r.inside.id = found.ID })
			p.followContainer(r, found.ID)
			return
		}
		if err == nil { // made, but never started
			_ = p.engine.Remove(r.inside.ctx, found.ID)
		}
		p.c.loop.post(func() { r.neverStarted() })
	})
}

// findContainer waits for the daemon, which may come up later than this process.
func (p *processes) findContainer(r *run) (docker.Container, error) {
	for pause := 100 * time.Millisecond; ; pause = min(2*pause, 5*time.Second) {
		found, err := p.engine.Inspect(r.inside.ctx, r.containerName())
		if err == nil || errors.Is(err, docker.ErrNoContainer) || r.inside.ctx.Err() != nil {
			return found, err
		}
		select {
		case <-r.inside.ctx.Done():
			return found, err
		case <-time.After(pause):
		}
	}
}

// neverStarted ends a run that was found without a container that ever ran.
func (r *run) neverStarted() {
	switch {
	case r.killed && r.consumed < stepStarting:
		r.killedBeforeStart()
	case r.consumed >= stepRunning:
		r.queueOwn(mesos.TASK_FAILED, mesos.REASON_EXECUTOR_TERMINATED, "Executor terminated")
	default:
		r.queueOwn(mesos.TASK_DROPPED, mesos.REASON_AGENT_RESTARTED, "Task launched during agent restart")
	}
}

// removeStrayContainers removes containers of this work dir that no run knows any more.
func (p *processes) removeStrayContainers() {
	if p.engine == nil {
		return
	}
	known := map[string]bool{}
	for _, h := range p.c.hosts {
		for _, r := range h.runs {
			known[r.containerName()] = true
		}
	}
	p.c.background.Go(func() {
		ctx, cancel := context.WithTimeout(p.c.life, time.Minute)
		defer cancel()
		names, err := p.engine.List(ctx, labelWorkDir, p.c.cfg.WorkDir)
		if err != nil {
			return // the next start tries again
		}
		for _, name := range names {
			if !known[name] {
				_ = p.engine.Remove(ctx, name)
			}
		}
	})
}
