package cluster

import (
	"cmp"
	"context"
	"time"

	"github.com/mesos/mesos-go/api/v1/lib"
)

// prober repeats a task's health check or check while the task runs. It belongs to the loop; its probes do not.
//
// A deliberate difference to Mesos: the cluster probes, not the executor, so nothing is probed while the cluster is down.
type prober struct {
	procs    *processes
	r        *run
	probe    probe
	judge    func(p *prober, f finding)
	delay    time.Duration
	interval time.Duration
	timeout  time.Duration
	next     *alarm
	cancel   context.CancelFunc // ends the probe under way; nil before the first
	stopped  bool

	// Of health checks only.
	grace    time.Duration
	limit    int // consecutive failures that end the task; 0 acts like 1
	failures int
	proven   bool // there was a success: the grace period is over
	since    time.Time
}

// span reads a number of seconds, def when it is not set.
func span(seconds *float64, def float64) time.Duration {
	if seconds != nil {
		def = *seconds
	}
	return time.Duration(def * float64(time.Second))
}

// probing starts the probes of a task that runs. Tasks taken up after a restart begin with the delay again.
func (p *processes) probing(r *run) {
	if h := r.task.HealthCheck; h != nil {
		x := &prober{
			procs: p, r: r, probe: p.healthProbe(r, h), judge: (*prober).judgeHealth, since: time.Now(), limit: 3,
			delay: span(h.DelaySeconds, 15), interval: span(h.IntervalSeconds, 10), timeout: span(h.TimeoutSeconds, 20),
			grace: span(h.GracePeriodSeconds, 10), proven: r.healthy != nil,
		}
		if h.ConsecutiveFailures != nil {
			x.limit = int(*h.ConsecutiveFailures)
		}
		x.start()
	}
	if c := r.task.Check; c != nil {
		x := &prober{
			procs: p, r: r, probe: p.checkProbe(r, c), judge: (*prober).judgeCheck,
			delay: span(c.DelaySeconds, 15), interval: span(c.IntervalSeconds, 10), timeout: span(c.TimeoutSeconds, 20),
		}
		x.start()
	}
}

// healthProbe is the probe of a health check that passed validation, so the part its type needs is there.
func (p *processes) healthProbe(r *run, h *mesos.HealthCheck) probe {
	switch h.Type {
	case mesos.HealthCheck_HTTP:
		return httpProbe(h.HTTP.GetScheme(), r.probeHost(h.HTTP.Protocol), h.HTTP.Port, h.HTTP.GetPath())
	case mesos.HealthCheck_TCP:
		return tcpProbe(r.probeHost(h.TCP.Protocol), h.TCP.Port)
	default:
		return p.commandProbe(r, h.Command)
	}
}

func (p *processes) checkProbe(r *run, c *mesos.CheckInfo) probe {
	switch c.Type {
	case mesos.CheckInfo_HTTP:
		return httpProbe("http", r.probeHost(nil), c.HTTP.Port, c.HTTP.GetPath())
	case mesos.CheckInfo_TCP:
		return tcpProbe(r.probeHost(nil), c.TCP.Port)
	default:
		return p.commandProbe(r, &c.Command.Command)
	}
}

func (x *prober) start() {
	x.r.probers = append(x.r.probers, x)
	x.next = x.r.host.loop.after(x.delay, x.once)
}

// stop ends the probe under way too: what it would find interests nobody, and a closing cluster waits for it.
func (x *prober) stop() {
	x.stopped = true
	x.next.stop()
	if x.cancel != nil {
		x.cancel()
	}
}

// once probes off the loop. The pause to the next time counts from the end of this one.
func (x *prober) once() {
	c := x.procs.c
	// A timeout of 0 means none: a year is beyond the life of any probe.
	ctx, cancel := context.WithTimeout(context.Background(), cmp.Or(x.timeout, 365*24*time.Hour))
	x.cancel = cancel
	c.background.Go(func() {
		found := x.probe(ctx)
		cancel()
		c.loop.post(func() {
			if x.stopped {
				return
			}
			x.next = c.loop.after(x.interval, x.once)
			x.judge(x, found)
		})
	})
}

// healthyCode tells whether a finding of a health check is a good one.
func (x *prober) healthyCode(f finding) bool {
	if x.r.task.HealthCheck.Type == mesos.HealthCheck_HTTP {
		return f.err == nil && f.code >= 200 && f.code < 400
	}
	return f.err == nil && f.code == 0
}

// judgeHealth reports every failure that counts, and a success after a failure or as the first. At the limit the task is
// killed.
func (x *prober) judgeHealth(f finding) {
	r := x.r
	if x.healthyCode(f) {
		x.proven, x.failures = true, 0
		if r.healthy == nil || !*r.healthy {
			r.reportHealth(true)
		}
		return
	}
	if !x.proven && time.Since(x.since) < x.grace {
		return
	}
	x.failures++
	r.reportHealth(false)
	if x.failures >= x.limit {
		r.unfit = true
		r.host.kill(r.key(), nil)
	}
}

// judgeCheck reports a check's finding when it is another one than before. Before the first there is the empty one, which
// every update has told already.
func (x *prober) judgeCheck(f finding) {
	code := int32(f.code)
	s := emptyCheck(x.r.task.Check)
	switch {
	case f.err != nil:
	case s.HTTP != nil:
		status := uint32(code)
		s.HTTP.StatusCode = &status
	case s.TCP != nil:
		connected := code == 0
		s.TCP.Succeeded = &connected
	case s.Command != nil:
		s.Command.ExitCode = &code
	}
	if x.r.checked == nil {
		x.r.checked = emptyCheck(x.r.task.Check)
	}
	if !s.Equal(x.r.checked) {
		x.r.checked = s
		x.r.queueExecutor(mesos.TASK_RUNNING, mesos.REASON_TASK_CHECK_STATUS_UPDATED.Enum(), "")
	}
}

// emptyCheck is a check's status before there is a finding; nil without a check.
func emptyCheck(c *mesos.CheckInfo) *mesos.CheckStatusInfo {
	if c == nil {
		return nil
	}
	kind := c.Type
	s := &mesos.CheckStatusInfo{Type: &kind}
	switch kind {
	case mesos.CheckInfo_HTTP:
		s.HTTP = &mesos.CheckStatusInfo_Http{}
	case mesos.CheckInfo_TCP:
		s.TCP = &mesos.CheckStatusInfo_Tcp{}
	default:
		s.Command = &mesos.CheckStatusInfo_Command{}
	}
	return s
}

// reportHealth sends a running task's health.
func (r *run) reportHealth(healthy bool) {
	r.healthy = &healthy
	r.queueExecutor(mesos.TASK_RUNNING, mesos.REASON_TASK_HEALTH_CHECK_STATUS_UPDATED.Enum(), "")
}

// stopProbes ends all probes of a task that is killed or has ended.
func (r *run) stopProbes() {
	for _, x := range r.probers {
		x.stop()
	}
	r.probers = nil
}

// describeHealth puts what probes have found into an update: health while the task runs and when the lack of it ended
// the task, the check's finding until the end.
func (r *run) describeHealth(s *mesos.TaskStatus) {
	switch state := s.GetState(); {
	case state == mesos.TASK_RUNNING:
		s.Healthy = r.healthy
	case terminal(state) && r.unfit:
		unfit := false
		s.Healthy = &unfit
	}
	s.CheckStatus = emptyCheck(r.task.Check)
	if r.checked != nil && !r.over {
		s.CheckStatus = r.checked
	}
}
