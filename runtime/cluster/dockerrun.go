package cluster

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/mesos/mesos-go/api/v1/lib"

	"github.com/pacer-run/pacer/runtime/cluster/docker"
)

// containerized is what a run has of its container. It belongs to the loop but for the context.
type containerized struct {
	ctx    context.Context    //nolint:containedctx // ends when the run or the cluster does
	cancel context.CancelFunc // ends what waits for the daemon; the container is not touched
	id     string             // the daemon's; "" before it was made
	ip     string             // its address, "" for the agent's
}

// Steps of a containerized run, as its log of updates counts them.
const (
	stepStarting = 1
	stepRunning  = 2
)

// newContainerized gives a run its context.
func (p *processes) newContainerized(r *run) {
	ctx, cancel := context.WithCancel(p.c.life)
	r.inside = &containerized{ctx: ctx, cancel: cancel}
}

// launchDocker takes a task from its sandbox over the image to a running container. Each step asks the loop whether the
// task is still wanted.
func (p *processes) launchDocker(r *run) {
	if p.engine == nil {
		r.failed(noDocker())
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
	p.newContainerized(r)
	image, force := r.task.Container.GetDocker().Image, r.task.Container.GetDocker().GetForcePullImage()
	ctx := r.inside.ctx
	p.c.background.Go(func() {
		p.slots <- struct{}{}
		log, fault := plan.prepare()
		<-p.slots
		if fault == nil {
			fault = plan.fetch(ctx, p.fetch)
		}
		if fault == nil {
			fault = p.pull(ctx, plan.sandbox, image, force)
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
				r.consumed = stepStarting
				r.starting()
				p.startContainer(r)
			}
		})
	})
}

// noDocker is what an agent without the docker containerizer says.
func noDocker() launchFault {
	return launchFault{mesos.TASK_FAILED, mesos.REASON_EXECUTOR_TERMINATED, "Abnormal executor termination: unknown container"}
}

// pull gets the image, with the credentials that were put into the sandbox or else those of this machine's user.
func (p *processes) pull(ctx context.Context, sandbox, image string, force bool) *launchFault {
	logins, err := docker.ReadLogins(os.DirFS(sandbox))
	if err == nil && logins == nil {
		if home, homeErr := os.UserHomeDir(); homeErr == nil {
			logins, err = docker.ReadLogins(os.DirFS(home))
		}
	}
	if err == nil {
		err = p.engine.Pull(ctx, image, force, logins)
	}
	if err != nil {
		return launchFailure(fmt.Errorf("Failed to pull image '%s': %w", image, err))
	}
	return nil
}

// startContainer makes and starts the container. It is called on the loop.
func (p *processes) startContainer(r *run) {
	spec, err := dockerSpec(r, p.c.cfg.WorkDir)
	if err != nil {
		r.ended(mesos.TASK_FAILED, nil, "Failed to create docker run options: "+err.Error())
		return
	}
	ctx := r.inside.ctx
	p.c.background.Go(func() {
		p.slots <- struct{}{}
		id, err := p.engine.Create(ctx, spec)
		if err == nil {
			err = p.engine.Start(ctx, id)
		}
		<-p.slots
		if err != nil && p.c.life.Err() != nil {
			return // the next cluster looks what became of it
		}
		if err != nil {
			p.complain(r, err)
			p.c.loop.post(func() { r.notStarted(err) })
			return
		}
		p.followContainer(r, id)
	})
}

// complain puts the daemon's words where the task's owner looks for them.
func (p *processes) complain(r *run, err error) {
	f, openErr := os.OpenFile(filepath.Join(r.sandbox(), "stderr"), os.O_WRONLY|os.O_APPEND, 0)
	if openErr != nil {
		return
	}
	defer f.Close()
	fmt.Fprintln(f, err)
}

// notStarted ends a run whose container could not be made or started, with the exit status that "docker run" has for it.
func (r *run) notStarted(err error) {
	text, status := err.Error(), 125
	switch {
	case strings.Contains(text, "executable file not found"), strings.Contains(text, "no such file or directory"):
		status = 127
	case strings.Contains(text, "permission denied"), strings.Contains(text, "is a directory"):
		status = 126
	}
	r.containerEnded(fmt.Sprintf("Container exited with status %d: %s", status, text), status)
}

// containerEnded words the end. A kill that was asked for makes it TASK_KILLED whatever the status is.
func (r *run) containerEnded(text string, status int) {
	switch {
	case r.killed:
		r.ended(mesos.TASK_KILLED, nil, text)
	case status == 0:
		r.ended(mesos.TASK_FINISHED, nil, text)
	default:
		r.ended(mesos.TASK_FAILED, nil, text)
	}
}

// followContainer reports what becomes of a container that was started, from its first inspection to its end. It runs
// beside the loop.
func (p *processes) followContainer(r *run, id string) {
	ctx := r.inside.ctx
	found, err := p.engine.Inspect(ctx, id)
	if err == nil {
		p.c.loop.post(func() { p.containerRuns(r, found) })
	}
	copied := make(chan struct{})
	go func() {
		defer close(copied)
		p.copyOutput(r, id)
	}()
	status, err := p.awaitContainer(ctx, id)
	if ctx.Err() != nil {
		<-copied
		return // the cluster closes; the container runs on
	}
	if err == nil {
		select { // what it wrote last should be there when its end is known
		case <-copied:
		case <-time.After(5 * time.Second):
		}
	}
	p.c.loop.post(func() {
		r.inside.cancel()
		if err != nil {
			r.queueOwn(mesos.TASK_FAILED, mesos.REASON_EXECUTOR_TERMINATED, "Executor terminated")
			return
		}
		r.containerEnded(fmt.Sprintf("Container exited with status %d", status), status)
	})
	<-copied
}

// awaitContainer waits for the end, also when the daemon goes away meanwhile and comes back. An error says that nobody
// can tell how the container ended.
func (p *processes) awaitContainer(ctx context.Context, id string) (int, error) {
	for pause := 100 * time.Millisecond; ; pause = min(2*pause, 5*time.Second) {
		status, err := p.engine.Wait(ctx, id)
		if err == nil || errors.Is(err, docker.ErrNoContainer) || ctx.Err() != nil {
			return status, err
		}
		select {
		case <-ctx.Done():
			return 0, ctx.Err()
		case <-time.After(pause):
		}
	}
}

// containerRuns is called on the loop with the first look at a started container.
func (p *processes) containerRuns(r *run, found docker.Container) {
	r.inside.id = found.ID
	if r.over {
		return
	}
	r.inside.ip = r.addressOf(found)
	if r.consumed < stepRunning {
		r.consumed = stepRunning
		r.queueData(inspection(found.Raw))
	}
	if r.killed { // the kill came before there was anything to stop
		p.stopContainer(r)
		return
	}
	p.probing(r)
}

// inspection is what "docker inspect" prints.
func inspection(raw json.RawMessage) []byte {
	var b bytes.Buffer
	if err := json.Indent(&b, fmt.Appendf(nil, "[%s]", bytes.TrimSpace(raw)), "", "    "); err != nil {
		return nil
	}
	b.WriteByte('\n')
	return b.Bytes()
}

// addressOf is the container's own address in the network that was asked for.
func (r *run) addressOf(found docker.Container) string {
	name, err := dockerNetwork(r.task.Container)
	if err != nil {
		return ""
	}
	if ip, ok := found.IPs[name]; ok {
		return ip.String()
	}
	return ""
}

// stopContainer ends a container beside the loop. r.killing was called, or the run is an orphan.
func (p *processes) stopContainer(r *run) {
	id, grace := r.inside.id, r.dockerGrace()
	p.c.background.Go(func() {
		ctx, cancel := context.WithTimeout(p.c.life, grace+time.Minute)
		defer cancel()
		if err := p.engine.Stop(ctx, id, grace); err != nil && p.c.life.Err() == nil {
			p.c.cfg.Log.Warn("cluster: a container could not be stopped", "container", id, "error", err)
		}
	})
}

// killContainer is a kill at whatever stage the run is in. Before there is a container the launch looks at r.killed.
func (p *processes) killContainer(r *run) {
	if r.stopping || r.inside == nil {
		return
	}
	r.stopping = true
	if r.consumed >= stepStarting {
		r.killing()
	}
	switch {
	case r.inside.id != "":
		p.stopContainer(r)
	case r.consumed < stepStarting:
		r.inside.cancel() // a pull may take for ever
	}
}

// forgetContainer removes the container of a run that is over for everybody.
func (p *processes) forgetContainer(r *run) {
	if r.inside == nil || p.engine == nil {
		return
	}
	r.inside.cancel()
	name := r.containerName()
	p.c.background.Go(func() {
		ctx, cancel := context.WithTimeout(p.c.life, time.Minute)
		defer cancel()
		if err := p.engine.Remove(ctx, name); err != nil && p.c.life.Err() == nil {
			p.c.cfg.Log.Warn("cluster: a container could not be removed", "container", name, "error", err)
		}
	})
}

// copyOutput brings what the container writes into the sandbox until the container has ended.
func (p *processes) copyOutput(r *run, id string) {
	folder := filepath.Join(r.host.runsDir(), r.container)
	stdout, err := openSink(r.sandbox(), folder, "stdout", p.c.cfg.LogBytes)
	if err != nil {
		return
	}
	defer stdout.Close()
	stderr, err := openSink(r.sandbox(), folder, "stderr", p.c.cfg.LogBytes)
	if err != nil {
		return
	}
	defer stderr.Close()
	err = p.engine.Follow(r.inside.ctx, id, r.hasTerminal(), stdout.total, stderr.total, stdout, stderr)
	if err != nil && r.inside.ctx.Err() == nil && !errors.Is(err, io.EOF) {
		p.c.cfg.Log.Warn("cluster: output of a container is incomplete", "task", r.id(), "error", err)
	}
}

// hasTerminal tells whether a parameter gives the container a terminal.
func (r *run) hasTerminal() bool {
	for _, p := range r.task.Container.GetDocker().Parameters {
		if p.Key == "tty" && p.Value != "false" {
			return true
		}
	}
	return false
}
