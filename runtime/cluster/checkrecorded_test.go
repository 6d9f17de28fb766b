package cluster_test

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/mesos/mesos-go/api/v1/lib"
)

// answering is a server that gives one answer after the other, the last one again
// and again, and its port. The requests it saw can be read when the test is over
// with them.
func answering(t *testing.T, answers ...http.HandlerFunc) (seen func() []*http.Request, port uint32) {
	t.Helper()
	var mu sync.Mutex
	var requests []*http.Request
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		requests = append(requests, r)
		answer := answers[min(len(requests), len(answers))-1]
		mu.Unlock()
		answer(w, r)
	}))
	t.Cleanup(s.Close)
	_, text, err := net.SplitHostPort(s.Listener.Addr().String())
	must(t, err)
	n, err := strconv.Atoi(text)
	must(t, err)
	return func() []*http.Request { mu.Lock(); defer mu.Unlock(); return requests }, uint32(n)
}

// status answers with it. A redirect leads nowhere, as in the recording.
func status(code int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
}

// broken ends the connection without an answer.
func broken(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }

// unending answers well, but its body does not end.
func unending(w http.ResponseWriter, r *http.Request) {
	fmt.Fprint(w, "well")
	_ = http.NewResponseController(w).Flush()
	<-r.Context().Done()
}

// told are the updates of a task up to its end: state, reason of a check, health and
// what a check found, message.
func (c *client) told(task string) []string {
	c.t.Helper()
	var told []string
	for {
		s := c.status(task)
		line := strings.TrimPrefix(s.GetState().String(), "TASK_")
		switch {
		case s.Reason == nil:
		case s.GetReason() == mesos.REASON_TASK_HEALTH_CHECK_STATUS_UPDATED:
			line += " health"
		case s.GetReason() == mesos.REASON_TASK_CHECK_STATUS_UPDATED:
			line += " check"
		default:
			line += " " + s.GetReason().String()
		}
		if s.Healthy != nil {
			line += fmt.Sprintf(" %v", *s.Healthy)
		}
		if k := s.CheckStatus; k != nil {
			line += " " + found(k)
		}
		if s.GetMessage() != "" {
			line += ": " + s.GetMessage()
		}
		told = append(told, line)
		switch s.GetState() {
		case mesos.TASK_FINISHED, mesos.TASK_FAILED, mesos.TASK_KILLED, mesos.TASK_ERROR:
			return told
		}
	}
}

// found is what a check found; "nothing" without a finding.
func found(k *mesos.CheckStatusInfo) string {
	switch {
	case k.HTTP != nil && k.HTTP.StatusCode != nil:
		return fmt.Sprint(*k.HTTP.StatusCode)
	case k.Command != nil && k.Command.ExitCode != nil:
		return fmt.Sprint("exit ", *k.Command.ExitCode)
	case k.TCP != nil && k.TCP.Succeeded != nil:
		return fmt.Sprint(*k.TCP.Succeeded)
	}
	return "nothing"
}

// lines splits a list of updates.
func lines(text string) []string {
	var list []string
	for line := range strings.Lines(strings.TrimSpace(text)) {
		list = append(list, strings.TrimSpace(line))
	}
	return list
}

// TestHealthAsRecorded holds the updates against those of a real agent, for the same
// course of answers.
func TestHealthAsRecorded(t *testing.T) {
	c := start(t, real(t))
	f := subscribe(t, c.Addr(), framework())
	_, web := answering(t, status(500), status(500), status(500), status(200), status(200), status(503), status(503), status(302), status(302), status(404))
	_, zero := answering(t, status(200), status(200), status(200), status(500))
	http := func(port uint32) func(*mesos.HealthCheck) {
		return func(h *mesos.HealthCheck) {
			h.Type, h.HTTP = mesos.HealthCheck_HTTP, &mesos.HealthCheck_HTTPCheckInfo{Port: port, Path: new("/ping")}
		}
	}
	command := func(text string, change func(*mesos.HealthCheck)) func(*mesos.HealthCheck) {
		return func(h *mesos.HealthCheck) {
			h.Type, h.Command = mesos.HealthCheck_COMMAND, line(text)
			if change != nil {
				change(h)
			}
		}
	}
	// Counts its own runs in the sandbox: bad, well, three bad, well, then bad.
	course := `echo >>n; case $(wc -l <n) in 2|6) exit 0;; esac; exit 1`
	tasks := map[string]string{
		"web": `STARTING
			RUNNING
			RUNNING health true
			RUNNING health false
			RUNNING health false
			RUNNING health true
			RUNNING health false
			RUNNING health false
			RUNNING health false
			RUNNING health false
			KILLING
			KILLED false: Command terminated with signal Terminated`,
		"zero": `STARTING
			RUNNING
			RUNNING health true
			RUNNING health false
			KILLING
			KILLED false: Command terminated with signal Terminated`,
		"command": `STARTING
			RUNNING
			RUNNING health false
			RUNNING health true
			RUNNING health false
			RUNNING health false
			RUNNING health false
			RUNNING health true
			RUNNING health false
			RUNNING health false
			RUNNING health false
			RUNNING health false
			RUNNING health false
			KILLING
			KILLED false: Command terminated with signal Terminated`,
		"hung": `STARTING
			RUNNING
			RUNNING health false
			RUNNING health false
			KILLING
			KILLED false: Command terminated with signal Terminated`,
	}
	f.launch(f.offer(),
		shell("web", "exec sleep 1000", quick(3600, 4, http(web))), // three failures in the grace period first
		shell("zero", "exec sleep 1000", quick(0, 0, http(zero))),
		shell("command", "exec sleep 1000", quick(0, 5, command(course, nil))),
		shell("hung", "exec sleep 1000", quick(0, 2, command("sleep 1000", func(h *mesos.HealthCheck) { h.TimeoutSeconds = new(0.05) }))))
	for task, want := range tasks {
		if diff := cmp.Diff(lines(want), f.told(task)); diff != "" {
			t.Errorf("%s: %s", task, diff)
		}
	}
}

// TestCheckAsRecorded does so for checks. They tell changes only, the end tells
// nothing of what was found, and without an answer there is no finding.
func TestCheckAsRecorded(t *testing.T) {
	c := start(t, real(t))
	f := subscribe(t, c.Addr(), framework())
	_, port := answering(t, broken, broken, status(200), status(200), status(500), status(500), broken, status(204))
	check := func(kind mesos.CheckInfo_Type, change func(*mesos.CheckInfo)) func(*mesos.TaskInfo) {
		return func(i *mesos.TaskInfo) {
			i.Check = &mesos.CheckInfo{Type: kind, DelaySeconds: new(0.0), IntervalSeconds: new(0.02)}
			change(i.Check)
		}
	}
	// The tasks end when their checks have found what they are to find.
	f.launch(f.offer(),
		shell("web", "until test -e done; do sleep 0.02; done", check(mesos.CheckInfo_HTTP, func(k *mesos.CheckInfo) {
			k.HTTP = &mesos.CheckInfo_Http{Port: port, Path: new("/check")}
		})),
		shell("command", "until test -e done; do sleep 0.02; done", check(mesos.CheckInfo_COMMAND, func(k *mesos.CheckInfo) {
			k.Command = &mesos.CheckInfo_Command{Command: *line(`echo >>n; n=$(wc -l <n); test $n -lt 7 || touch done; exit $((n / 2 > 2 ? 2 : n / 2))`)}
		})))
	if diff := cmp.Diff(lines(`STARTING nothing
		RUNNING nothing
		RUNNING check exit 0
		RUNNING check exit 1
		RUNNING check exit 2
		FINISHED nothing: Command exited with status 0`), f.told("command")); diff != "" {
		t.Error(diff)
	}
	var got []string
	for len(got) < 6 {
		s := f.status("web")
		got = append(got, found(s.CheckStatus))
	}
	if diff := cmp.Diff([]string{"nothing", "nothing", "200", "500", "nothing", "204"}, got); diff != "" {
		t.Error(diff)
	}
}

// What curl does, by which a real executor asks: it takes the whole answer, in any
// form, and follows up to fifty redirects.
func TestHealthAsksLikeCurl(t *testing.T) {
	c := start(t, real(t))
	f := subscribe(t, c.Addr(), framework())
	again := func(w http.ResponseWriter, r *http.Request) {
		n, _ := strconv.Atoi(r.URL.Query().Get("n"))
		if n == 50 {
			return
		}
		http.Redirect(w, r, fmt.Sprint("/?n=", n+1), http.StatusFound)
	}
	_, redirecting := answering(t, again)
	_, circling := answering(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/", http.StatusFound) })
	_, stalling := answering(t, unending)
	seen, plain := answering(t, status(200))
	check := func(port uint32, timeout float64) func(*mesos.TaskInfo) {
		return quick(0, 1000, func(h *mesos.HealthCheck) {
			h.Type, h.HTTP = mesos.HealthCheck_HTTP, &mesos.HealthCheck_HTTPCheckInfo{Port: port}
			h.TimeoutSeconds = &timeout
		})
	}
	f.launch(f.offer(),
		shell("redirecting", "exec sleep 1000", check(redirecting, 10)), shell("circling", "exec sleep 1000", check(circling, 10)),
		shell("stalling", "exec sleep 1000", check(stalling, 0.2)), shell("plain", "exec sleep 1000", check(plain, 10)))
	for task, want := range map[string]bool{"redirecting": true, "circling": false, "stalling": false, "plain": true} {
		if got := f.health(task); got != want {
			t.Errorf("%s: healthy %v", task, got)
		}
	}
	if r := seen()[0]; r.Header.Get("Accept") != "*/*" || r.Header.Get("Accept-Encoding") != "" || !strings.HasPrefix(r.Host, "127.0.0.1:") || r.RequestURI != "/" {
		t.Errorf("asked %s of %s with %v", r.RequestURI, r.Host, r.Header)
	}
}
