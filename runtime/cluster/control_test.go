package cluster_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/mesos/mesos-go/api/v1/lib"
)

// order sends an order to the control endpoint; the status, and the body as it is.
func order(t *testing.T, h http.Handler, method, path string) (int, string) {
	t.Helper()
	answer := httptest.NewRecorder()
	h.ServeHTTP(answer, httptest.NewRequest(method, path, nil))
	return answer.Code, answer.Body.String()
}

// An agent is cut off and brought back by orders: its task is unreachable, then runs again.
func TestControlAgent(t *testing.T) {
	cfg := fast()
	cfg.AgentPingTimeout = 50 * time.Millisecond
	c := start(t, cfg)
	f := subscribe(t, c.Addr(), framework())
	o := f.offer()
	f.launch(o, shell("a.1", "sleep 100"))
	f.states("a.1", mesos.TASK_RUNNING)
	h := c.Control()

	status, text := order(t, h, "POST", "/cluster/agents/"+o.AgentID.Value+"/lose")
	if status != 200 || !strings.Contains(text, `"connected":false`) {
		t.Fatalf("%d %s", status, text)
	}
	f.states("a.1", mesos.TASK_UNREACHABLE)
	if status, text := order(t, h, "POST", "/cluster/agents/1/lose"); status != 422 || !strings.Contains(text, "is not connected") {
		t.Errorf("a second time: %d %s", status, text)
	}
	if status, text := order(t, h, "POST", "/cluster/agents/1/return"); status != 200 || !strings.Contains(text, `"state":"active"`) {
		t.Errorf("%d %s", status, text)
	}
	f.states("a.1", mesos.TASK_RUNNING)
}

// Orders that cannot be carried out say what was expected, and none comes from a page.
func TestControlRefuses(t *testing.T) {
	h := start(t, fast()).Control()
	for _, c := range []struct {
		method, path string
		status       int
		text         string
	}{
		{"POST", "/cluster/agents/9/lose", 404, "expected an id or a place from 1"},
		{"POST", "/cluster/fail-over?delay=soon", 422, "delay: got \"soon\", expected a duration"},
		{"POST", "/cluster/mute?mute=maybe", 422, "mute: got \"maybe\", expected true or false"},
		{"POST", "/cluster/lose-accepts?n=-1", 422, "n: got \"-1\", expected a number"},
		{"POST", "/cluster/agents/1/return", 422, "is connected"},
		{"GET", "/cluster/rescind", 405, ""},
	} {
		status, text := order(t, h, c.method, c.path)
		var body struct{ Message string }
		_ = json.Unmarshal([]byte(text), &body)
		if status != c.status || !strings.Contains(body.Message, c.text) {
			t.Errorf("%s %s: %d %s, expected %d and %q", c.method, c.path, status, text, c.status, c.text)
		}
	}
	r := httptest.NewRequest("POST", "/cluster/rescind", nil)
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	answer := httptest.NewRecorder()
	if h.ServeHTTP(answer, r); answer.Code != 403 {
		t.Errorf("from a page: %d", answer.Code)
	}
	for _, path := range []string{
		"/cluster/rescind", "/cluster/heartbeats?withhold=true", "/cluster/heartbeats?withhold=false", "/cluster/mute", "/cluster/mute?mute=false",
		"/cluster/lose-accepts?n=0", "/cluster/statuses/drop", "/cluster/statuses/duplicate", "/cluster/statuses/delay?by=1ms",
		"/cluster/cut-streams?torn=true", "/cluster/fail-over?delay=1ms",
	} {
		if status, text := order(t, h, "POST", path); status != 200 || !strings.Contains(text, `"agents":[`) {
			t.Errorf("%s: %d %s", path, status, text)
		}
	}
}
