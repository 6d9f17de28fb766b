package cluster_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/mesos/mesos-go/api/v1/lib"
	"github.com/mesos/mesos-go/api/v1/lib/scheduler"

	"github.com/pacer-run/pacer/runtime/cluster"
	"github.com/pacer-run/pacer/runtime/cluster/recordio"
)

// post sends a body as it is; headers are name, value, …; an empty value removes the header.
func post(t *testing.T, method, url, body string, headers ...string) (int, string, http.Header) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json")
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
		if headers[i+1] == "" {
			req.Header.Del(headers[i])
		}
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(text), resp.Header
}

func TestRefusals(t *testing.T) {
	c := start(t, fast())
	f := subscribe(t, c.Addr(), framework())
	url := "http://" + c.Addr() + "/api/v1/scheduler"
	id := `"framework_id":{"value":"` + f.id + `"}`
	stream := []string{"Mesos-Stream-Id", f.streamID}
	for _, tc := range []struct {
		name, body string
		method     string
		headers    []string
		status     int
		want       string
	}{
		{
			name: "no stream id", body: `{"type":"REVIVE",` + id + `}`, status: 400,
			want: "All non-subscribe calls should include the 'Mesos-Stream-Id' header",
		},
		{
			name: "wrong stream id", body: `{"type":"REVIVE",` + id + `}`, headers: []string{"Mesos-Stream-Id", "x"}, status: 400,
			want: "The stream ID 'x' included in this request didn't match the stream ID currently associated with framework ID " + f.id,
		},
		{name: "right stream id", body: `{"type":"REVIVE",` + id + `}`, headers: stream, status: 202},
		{name: "unknown fields", body: `{"type":"REVIVE",` + id + `,"bogus":1,"revive":{"roles":["*"],"x":2}}`, headers: stream, status: 202},
		{name: "GET", method: "GET", status: 405, want: "405 Method Not Allowed. Expecting one of { 'POST' }, but received 'GET'."},
		{name: "no type of content", headers: []string{"Content-Type", ""}, status: 400, want: "Expecting 'Content-Type' to be present"},
		{
			name: "charset", headers: []string{"Content-Type", "application/json; charset=utf-8"}, status: 415,
			want: "Expecting 'Content-Type' of application/json or application/x-protobuf",
		},
		{
			name: "capitals", headers: []string{"Content-Type", "Application/JSON"}, status: 415,
			want: "Expecting 'Content-Type' of application/json or application/x-protobuf",
		},
		{name: "empty", status: 400, want: "Failed to parse body into JSON: syntax error at line 1 near: "},
		{name: "malformed", body: "{bad", status: 400, want: "Failed to parse body into JSON: syntax error at line 1 near: bad"},
		{name: "no object", body: "[]", status: 400, want: "Failed to convert JSON into Call protobuf: Expecting a JSON object"},
		{name: "no type", body: "{}", status: 400, want: "Failed to validate scheduler::Call: Expecting 'type' to be present"},
		{name: "unknown type", body: `{"type":"FOO"}`, status: 400, want: "Failed to validate scheduler::Call: Expecting 'type' to be present"},
		{name: "UNKNOWN", body: `{"type":"UNKNOWN",` + id + `}`, headers: stream, status: 501, want: "Received UNKNOWN call type"},
		{
			name: "not protobuf", body: "\xff\xff\xff", headers: []string{"Content-Type", "application/x-protobuf"}, status: 400,
			want: "Failed to parse body into Call protobuf",
		},
		{
			name: "no framework id", body: `{"type":"REVIVE"}`, headers: stream, status: 400,
			want: "Failed to validate scheduler::Call: Expecting 'framework_id' to be present",
		},
		{
			name: "unknown framework id", body: `{"type":"REVIVE","framework_id":{"value":"nobody"}}`, headers: stream, status: 400,
			want: "Framework cannot be found",
		},
		{
			name: "KILL without kill", body: `{"type":"KILL",` + id + `}`, headers: stream, status: 400,
			want: "Failed to validate scheduler::Call: Expecting 'kill' to be present",
		},
		{
			name: "KILL without task", body: `{"type":"KILL",` + id + `,"kill":{}}`, headers: stream, status: 400,
			want: "Failed to convert JSON into Call protobuf: Missing required fields: kill.task_id",
		},
		{
			name: "short uuid", body: `{"type":"ACKNOWLEDGE",` + id + `,"acknowledge":{"agent_id":{"value":"a"},"task_id":{"value":"t"},"uuid":"AAAAAA=="}}`,
			headers: stream, status: 400, want: "Failed to validate scheduler::Call: Not a valid UUID",
		},
		{
			name: "zero uuid", body: `{"type":"ACKNOWLEDGE",` + id + `,"acknowledge":{"agent_id":{"value":"a"},"task_id":{"value":"t"},"uuid":"AAAAAAAAAAAAAAAAAAAAAA=="}}`,
			headers: stream, status: 400, want: "Failed to validate scheduler::Call: Not a valid UUID",
		},
		{
			name: "SUBSCRIBE without subscribe", body: `{"type":"SUBSCRIBE"}`, status: 400,
			want: "Failed to validate scheduler::Call: Expecting 'subscribe' to be present",
		},
		{
			name: "SUBSCRIBE without user and name", body: `{"type":"SUBSCRIBE","subscribe":{"framework_info":{}}}`, status: 400,
			want: "Failed to convert JSON into Call protobuf: Missing required fields: subscribe.framework_info.user, subscribe.framework_info.name",
		},
		{
			name: "SUBSCRIBE with stream id", body: `{"type":"SUBSCRIBE","subscribe":{"framework_info":{"user":"u","name":"n"}}}`, headers: stream,
			status: 400, want: "Subscribe calls should not include the 'Mesos-Stream-Id' header",
		},
		{
			name: "SUBSCRIBE with two ids", body: `{"type":"SUBSCRIBE","framework_id":{"value":"a"},"subscribe":{"framework_info":{"user":"u","name":"n"}}}`,
			status: 400, want: "Failed to validate scheduler::Call: 'framework_id' differs from 'subscribe.framework_info.id'",
		},
		{
			name: "Accept of something else", body: `{"type":"SUBSCRIBE","subscribe":{"framework_info":{"user":"u","name":"n"}}}`,
			headers: []string{"Accept", "text/html"}, status: 406, want: "Expecting 'Accept' to allow 'application/x-protobuf' or 'application/json'",
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if tc.method == "" {
				tc.method = "POST"
			}
			status, body, _ := post(t, tc.method, url, tc.body, tc.headers...)
			if status != tc.status || body != tc.want {
				t.Errorf("got %d %q, want %d %q", status, body, tc.status, tc.want)
			}
		})
	}
	if status, _, _ := post(t, "POST", "http://"+c.Addr()+"/master/api/v1/scheduler/", `{"type":"REVIVE",`+id+`}`, stream...); status != 202 {
		t.Errorf("with prefix and slash: %d", status)
	}
	if status, body, _ := post(t, "POST", "http://"+c.Addr()+"/api/v2/scheduler", "{}"); status != 404 || body != "404 Not Found." {
		t.Errorf("unknown path: %d %q", status, body)
	}
}

// What is wrong with a SUBSCRIBE's content is told in an ERROR event on a stream that then ends.
func TestSubscribeErrors(t *testing.T) {
	c := start(t, fast())
	for _, tc := range []struct {
		name, want string
		change     func(*mesos.FrameworkInfo)
		suppressed []string
	}{
		{
			name: "roles alone", want: "'FrameworkInfo.roles' must not be set when the framework is not MULTI_ROLE capable",
			change: func(i *mesos.FrameworkInfo) { i.Capabilities = nil },
		},
		{
			name: "both", want: "'FrameworkInfo.role' must not be set when the framework is MULTI_ROLE capable",
			change: func(i *mesos.FrameworkInfo) { i.Role = new("x") },
		},
		{
			name: "blank", want: "'FrameworkInfo.roles' contains invalid role: Role component 'a b' is invalid because it contains backspace or whitespace",
			change: func(i *mesos.FrameworkInfo) { i.Roles = []string{"a b"} },
		},
		{
			name: "twice", want: "'FrameworkInfo.roles' contains duplicate items: { a }",
			change: func(i *mesos.FrameworkInfo) { i.Roles = []string{"a", "a"} },
		},
		{name: "suppressed", want: "Suppressed roles { zz } are not contained in the set of roles", suppressed: []string{"zz"}},
		{
			name: "timeout", want: "The framework failover_timeout (1e+300) is invalid",
			change: func(i *mesos.FrameworkInfo) { i.FailoverTimeout = new(1e300) },
		},
		{
			name: "id", want: "'../x' contains invalid characters",
			change: func(i *mesos.FrameworkInfo) { i.ID = &mesos.FrameworkID{Value: "../x"} },
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			info := framework()
			if tc.change != nil {
				tc.change(info)
			}
			f := connect(t, c.Addr(), info, tc.suppressed...)
			if !f.awaitEnd() || f.streamID == "" {
				t.Error("the stream has no id or no clean end")
			}
			if len(f.events) != 1 || f.events[0].GetError().GetMessage() != tc.want {
				t.Errorf("events %v, want one ERROR %q", f.events, tc.want)
			}
		})
	}
}

func TestStreamHead(t *testing.T) {
	c := start(t, fast(func(c *cluster.Config) { c.Hostname, c.HeartbeatInterval = "master.test", 20*time.Millisecond }))
	f := subscribe(t, c.Addr(), framework())
	for range 3 {
		f.await("HEARTBEAT", isType(scheduler.Event_HEARTBEAT))
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	head := f.events[0].Subscribed
	if f.events[1].Type != scheduler.Event_HEARTBEAT || head == nil {
		t.Fatalf("stream begins with %v", f.events[:2])
	}
	if head.GetHeartbeatIntervalSeconds() != 0.02 || head.MasterInfo.ID != c.MasterID() || !strings.HasPrefix(f.id, c.MasterID()+"-") ||
		head.MasterInfo.GetHostname() != "master.test" || head.MasterInfo.GetAddress().GetIP() != "127.0.0.1" {
		t.Errorf("SUBSCRIBED %v", head)
	}
}

// The JSON form of a stream: one record per event, nothing between them.
func TestJSONStream(t *testing.T) {
	c := start(t, fast())
	body := `{"type":"SUBSCRIBE","subscribe":{"framework_info":{"user":"root","name":"json","roles":["*"],"capabilities":[{"type":"MULTI_ROLE"},{"type":"FROM_THE_FUTURE"}]}}}`
	resp, err := http.Post("http://"+c.Addr()+"/api/v1/scheduler", "application/json", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != 200 || resp.Header.Get("Content-Type") != "application/json" || resp.Header.Get("Mesos-Stream-Id") == "" || resp.ContentLength != -1 {
		t.Fatalf("answer %v", resp)
	}
	in := recordio.NewReader(resp.Body, 0)
	var got []string
	for range 3 {
		record, err := in.Read()
		if err != nil {
			t.Fatal(err)
		}
		e := struct{ Type string }{}
		if err := json.Unmarshal(record, &e); err != nil || bytes.HasSuffix(record, []byte("\n")) {
			t.Errorf("record %q: %v", record, err)
		}
		got = append(got, e.Type)
	}
	if diff := cmp.Diff([]string{"SUBSCRIBED", "HEARTBEAT", "OFFERS"}, got); diff != "" {
		t.Error(diff)
	}
}

// Offers are cut into records below the limit; a negative limit leaves them in one.
func TestRecordSize(t *testing.T) {
	agents := make([]cluster.AgentConfig, 50)
	for i := range agents {
		agents[i] = agentConfig(i + 1)
	}
	for _, limit := range []int{2000, -1} {
		c := start(t, fast(func(c *cluster.Config) { c.Agents, c.MaxRecord = agents, limit }))
		f := subscribe(t, c.Addr(), framework())
		seen, events := 0, 0
		for seen < len(agents) {
			e := f.await("OFFERS", isType(scheduler.Event_OFFERS))
			if limit > 0 && e.Size() > limit {
				t.Errorf("record of %d bytes, limit %d", e.Size(), limit)
			}
			seen += len(e.Offers.Offers)
			events++
		}
		if (limit < 0) != (events == 1) {
			t.Errorf("limit %d: %d events", limit, events)
		}
	}
}

func TestOperatorEndpoints(t *testing.T) {
	c := start(t, fast())
	f := subscribe(t, c.Addr(), framework())
	o := f.offer()
	f.launch(o, shell("t", ""))
	f.states("t", mesos.TASK_RUNNING)
	base := "http://" + c.Addr()
	var state struct {
		ID         string
		Slaves     []struct{ ID, Hostname, PID string }
		Frameworks []struct {
			ID    string
			Tasks []struct {
				ID, State string
				SlaveID   string `json:"slave_id"`
				Resources struct{ CPUs float64 }
			}
		}
	}
	status, body, header := post(t, "GET", base+"/master/state", "")
	if err := json.Unmarshal([]byte(body), &state); err != nil || status != 200 || header.Get("Content-Type") != "application/json" {
		t.Fatalf("%d %v: %v", status, header, err)
	}
	task := state.Frameworks[0].Tasks[0]
	if state.ID != c.MasterID() || state.Slaves[0].ID != o.AgentID.Value || state.Slaves[0].Hostname != "agent-1" ||
		task.ID != "t" || task.State != "TASK_RUNNING" || task.Resources.CPUs != 0.1 {
		t.Errorf("state %+v", state)
	}
	for path, want := range map[string]int{
		"/health": 200, "/version": 200, "/slaves": 200, "/slave(1)/state": 200, "/slave(9)/state": 404, "/state?jsonp=cb": 200,
		"/state?jsonp=alert(1)": 400, "/redirect": 307, "/nothing": 404,
	} {
		if status, body, header := post(t, "GET", base+path, ""); status != want {
			t.Errorf("%s: %d %s", path, status, body)
		} else if strings.HasSuffix(path, "=cb") && (!strings.HasPrefix(body, "cb({") || header.Get("Content-Type") != "text/javascript") {
			t.Errorf("%s: %s", path, body)
		} else if path == "/redirect" && header.Get("Location") != "//"+c.Addr() {
			t.Errorf("%s: %s", path, header.Get("Location"))
		}
	}
}
