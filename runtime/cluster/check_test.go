package cluster_test

import (
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/mesos/mesos-go/api/v1/lib"
)

// quick is a health check without any delay but the grace period given.
func quick(grace float64, limit uint32, change func(*mesos.HealthCheck)) func(*mesos.TaskInfo) {
	return func(i *mesos.TaskInfo) {
		h := &mesos.HealthCheck{
			DelaySeconds: new(0.0), IntervalSeconds: new(0.02), TimeoutSeconds: new(10.0),
			GracePeriodSeconds: &grace, ConsecutiveFailures: &limit,
		}
		change(h)
		i.HealthCheck = h
	}
}

func line(text string) *mesos.CommandInfo {
	return &mesos.CommandInfo{Shell: new(true), Value: &text}
}

// health waits for the next update with the reason of a health check and says what it tells.
func (c *client) health(task string) bool {
	c.t.Helper()
	for {
		if s := c.status(task); s.GetReason() == mesos.REASON_TASK_HEALTH_CHECK_STATUS_UPDATED {
			if s.Healthy == nil || s.GetState() != mesos.TASK_RUNNING || len(s.UUID) != 16 {
				c.t.Errorf("got %v", s)
			}
			return s.GetHealthy()
		}
	}
}

// target is a server that answers what the test says, and its port.
func target(t *testing.T) (*atomic.Int32, uint32) {
	t.Helper()
	var answer atomic.Int32
	answer.Store(200)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(int(answer.Load())) }))
	t.Cleanup(s.Close)
	_, text, err := net.SplitHostPort(s.Listener.Addr().String())
	must(t, err)
	port, err := strconv.Atoi(text)
	must(t, err)
	return &answer, uint32(port)
}

func TestHealthHTTP(t *testing.T) {
	c := start(t, real(t))
	f := subscribe(t, c.Addr(), framework())
	answer, port := target(t)
	f.launch(f.offer(), shell("web", "exec sleep 1000", quick(0, 3, func(h *mesos.HealthCheck) {
		h.Type, h.HTTP = mesos.HealthCheck_HTTP, &mesos.HealthCheck_HTTPCheckInfo{Port: port, Path: new("/x")}
	})))
	if !f.health("web") {
		t.Error("200 is not healthy")
	}
	answer.Store(503)
	if f.health("web") {
		t.Error("503 is healthy")
	}
	f.reconcile()
	if s := f.reconciled("web"); s.Healthy == nil || *s.Healthy {
		t.Errorf("reconciliation: %v", s)
	}
	// Every failure is told, and at the limit the task is killed.
	killing := f.states("web", mesos.TASK_KILLING)
	if len(killing) < 2 {
		t.Errorf("states %v", killing)
	}
	end := f.status("web")
	if end.GetState() != mesos.TASK_KILLED || end.Healthy == nil || *end.Healthy || end.GetMessage() != "Command terminated with signal Terminated" {
		t.Errorf("end %v", end)
	}
}

func TestHealthCommandAndTCP(t *testing.T) {
	cfg := real(t)
	c := start(t, cfg)
	f := subscribe(t, c.Addr(), framework())
	_, port := target(t)
	flag := filepath.Join(t.TempDir(), "flag")
	f.launch(f.offer(),
		shell("command", "touch up; exec sleep 1000", quick(0, 1000, func(h *mesos.HealthCheck) {
			h.Type, h.Command = mesos.HealthCheck_COMMAND, line("test -e up && test -n \"$MESOS_SANDBOX\" && test ! -e "+flag)
		})),
		shell("tcp", "exec sleep 1000", quick(0, 1, func(h *mesos.HealthCheck) {
			h.Type, h.TCP = mesos.HealthCheck_TCP, &mesos.HealthCheck_TCPCheckInfo{Port: port}
		})),
		// A limit of 0 ends the task at the first failure; failures in the grace period do not count.
		shell("never", "exec sleep 1000", quick(0, 0, func(h *mesos.HealthCheck) {
			h.Type, h.TCP = mesos.HealthCheck_TCP, &mesos.HealthCheck_TCPCheckInfo{Port: 1}
		})),
		shell("patient", "exec sleep 1000", quick(3600, 1, func(h *mesos.HealthCheck) {
			h.Type, h.Command = mesos.HealthCheck_COMMAND, line("touch "+flag+"; exit 1")
		})),
		shell("slow", "exec sleep 1000", quick(0, 1, func(h *mesos.HealthCheck) {
			h.Type, h.Command, h.TimeoutSeconds = mesos.HealthCheck_COMMAND, line("sleep 1000"), new(0.05)
		})))
	if !f.health("tcp") {
		t.Error("an open port is not healthy")
	}
	for _, task := range []string{"never", "slow"} {
		if f.health(task) {
			t.Errorf("%s is healthy", task)
		}
		f.states(task, mesos.TASK_KILLED)
	}
	for f.health("command") {
		t.Log("healthy until the flag is there")
	}
	f.reconcile()
	if s := f.reconciled("patient"); s.GetState() != mesos.TASK_RUNNING || s.Healthy != nil {
		t.Errorf("got %v", s)
	}
}

// A check tells its findings when they change and never kills.
func TestCheck(t *testing.T) {
	c := start(t, real(t))
	f := subscribe(t, c.Addr(), framework())
	answer, port := target(t)
	f.launch(f.offer(), shell("t", "exec sleep 1000", func(i *mesos.TaskInfo) {
		i.Check = &mesos.CheckInfo{
			Type: mesos.CheckInfo_HTTP, HTTP: &mesos.CheckInfo_Http{Port: port},
			DelaySeconds: new(0.0), IntervalSeconds: new(0.02),
		}
	}))
	var got []uint32
	for len(got) < 5 {
		s := f.status("t")
		if s.CheckStatus.GetType() != mesos.CheckInfo_HTTP || s.CheckStatus.HTTP == nil {
			t.Fatalf("got %v", s)
		}
		got = append(got, s.CheckStatus.HTTP.GetStatusCode())
		switch len(got) {
		case 3:
			answer.Store(500)
		case 4:
			f.kill("t")
		}
	}
	if diff := cmp.Diff([]uint32{0, 0, 200, 500, 500}, got); diff != "" {
		t.Error(diff)
	}
	if end := f.status("t"); end.GetState() != mesos.TASK_KILLED || end.CheckStatus.HTTP == nil || end.CheckStatus.HTTP.StatusCode != nil {
		t.Errorf("end %v", end)
	}
}
