package cluster_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mesos/mesos-go/api/v1/lib"
	"github.com/mesos/mesos-go/api/v1/lib/scheduler"

	"github.com/pacer-run/pacer/runtime/cluster"
	"github.com/pacer-run/pacer/runtime/cluster/recordio"
)

// patience bounds every wait; only a failing test ever takes that long.
const patience = 30 * time.Second

// The test binary plays the other processes of a cluster when these variables are set.
const (
	asExecutor = "CLUSTER_TEST_EXECUTOR"
	asCluster  = "CLUSTER_TEST_CLUSTER"
)

func TestMain(m *testing.M) {
	switch {
	case len(os.Args) > 1 && os.Args[1] == asExecutor:
		os.Exit(cluster.ExecutorMain(os.Args[2:]))
	case os.Getenv(asCluster) != "":
		os.Exit(runCluster(os.Getenv(asCluster)))
	}
	os.Exit(m.Run())
}

// fast is a configuration with short intervals and one fake agent.
func fast(change ...func(*cluster.Config)) cluster.Config {
	cfg := cluster.Config{
		Executor: cluster.Fake, AllocationInterval: 10 * time.Millisecond, AgentPingTimeout: 50 * time.Millisecond,
		Agents: []cluster.AgentConfig{agentConfig(1)},
	}
	for _, f := range change {
		f(&cfg)
	}
	return cfg
}

func agentConfig(n int) cluster.AgentConfig {
	return cluster.AgentConfig{
		Hostname: fmt.Sprintf("agent-%d", n), Attributes: fmt.Sprintf("rack_id:rack-%d", n),
		Resources: fmt.Sprintf("cpus:2;mem:2048;disk:4096;ports:[%d-%d]", 30900+100*n, 30999+100*n),
	}
}

func start(t *testing.T, cfg cluster.Config) *cluster.Cluster {
	t.Helper()
	c, err := cluster.Start(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// client is a small framework scheduler: raw HTTP, protobuf on the wire.
type client struct {
	t        testing.TB
	url      string
	id       string // framework id
	streamID string
	cancel   context.CancelFunc

	mu      sync.Mutex
	changed chan struct{}
	events  []*scheduler.Event
	ended   error // why the stream ended; nil while it goes on
	autoAck bool
	taken   map[*scheduler.Event]bool
}

func framework(change ...func(*mesos.FrameworkInfo)) *mesos.FrameworkInfo {
	timeout, checkpoint := 3600.0, true
	info := &mesos.FrameworkInfo{User: "root", Name: "test", Roles: []string{"*"}, FailoverTimeout: &timeout, Checkpoint: &checkpoint}
	for _, kind := range []mesos.FrameworkInfo_Capability_Type{
		mesos.FrameworkInfo_Capability_PARTITION_AWARE, mesos.FrameworkInfo_Capability_TASK_KILLING_STATE,
		mesos.FrameworkInfo_Capability_REGION_AWARE, mesos.FrameworkInfo_Capability_MULTI_ROLE,
		mesos.FrameworkInfo_Capability_RESERVATION_REFINEMENT,
	} {
		info.Capabilities = append(info.Capabilities, mesos.FrameworkInfo_Capability{Type: kind})
	}
	for _, f := range change {
		f(info)
	}
	return info
}

// subscribe connects a framework and waits for its SUBSCRIBED event. Updates are acknowledged unless it says manually.
func subscribe(t testing.TB, addr string, info *mesos.FrameworkInfo, suppressed ...string) *client {
	t.Helper()
	c := connect(t, addr, info, suppressed...)
	c.await("SUBSCRIBED", isType(scheduler.Event_SUBSCRIBED))
	return c
}

// connect sends SUBSCRIBE and reads the stream in the background.
func connect(t testing.TB, addr string, info *mesos.FrameworkInfo, suppressed ...string) *client {
	t.Helper()
	c := &client{t: t, url: "http://" + addr + "/api/v1/scheduler", changed: make(chan struct{}), autoAck: true, taken: map[*scheduler.Event]bool{}}
	call := &scheduler.Call{
		Type: scheduler.Call_SUBSCRIBE, FrameworkID: info.ID,
		Subscribe: &scheduler.Call_Subscribe{FrameworkInfo: info, SuppressedRoles: suppressed},
	}
	ctx, cancel := context.WithCancel(t.Context())
	c.cancel = cancel
	resp, err := http.DefaultClient.Do(c.request(ctx, call))
	if err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode != http.StatusOK {
		body, _ := io.ReadAll(resp.Body)
		t.Fatalf("SUBSCRIBE: %s: %s", resp.Status, body)
	}
	c.streamID = resp.Header.Get("Mesos-Stream-Id")
	done := make(chan struct{})
	go func() { defer close(done); c.read(resp.Body) }()
	t.Cleanup(func() { cancel(); <-done })
	return c
}

func (c *client) request(ctx context.Context, call *scheduler.Call) *http.Request {
	c.t.Helper()
	body, err := call.Marshal()
	if err != nil {
		c.t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url, bytes.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-protobuf")
	req.Header.Set("Accept", "application/x-protobuf")
	if c.streamID != "" {
		req.Header.Set("Mesos-Stream-Id", c.streamID)
	}
	return req
}

func (c *client) read(body io.ReadCloser) {
	defer body.Close()
	in := recordio.NewReader(body, 0)
	for {
		record, err := in.Read()
		if err != nil {
			c.mu.Lock()
			c.ended = err
			c.wake()
			c.mu.Unlock()
			return
		}
		e := &scheduler.Event{}
		if err := e.Unmarshal(record); err != nil {
			c.t.Errorf("event: %v", err)
			return
		}
		c.mu.Lock()
		if e.Subscribed != nil {
			c.id = e.Subscribed.FrameworkID.Value
		}
		c.events = append(c.events, e)
		ack := c.autoAck && e.Update != nil && len(e.Update.Status.UUID) > 0
		c.wake()
		c.mu.Unlock()
		if ack {
			c.acknowledge(&e.Update.Status)
		}
	}
}

func (c *client) wake() {
	close(c.changed)
	c.changed = make(chan struct{})
}

// send makes a call and returns status and body.
func (c *client) send(call *scheduler.Call) (int, string) {
	if call.FrameworkID == nil {
		call.FrameworkID = &mesos.FrameworkID{Value: c.id}
	}
	resp, err := http.DefaultClient.Do(c.request(context.Background(), call))
	if err != nil {
		return 0, err.Error()
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(resp.Body)
	return resp.StatusCode, string(body)
}

// call makes a call that must be taken.
func (c *client) call(call *scheduler.Call) {
	c.t.Helper()
	if code, body := c.send(call); code != http.StatusAccepted {
		c.t.Fatalf("%s: %d %s", call.Type, code, body)
	}
}

func (c *client) acknowledge(s *mesos.TaskStatus) {
	c.send(&scheduler.Call{Type: scheduler.Call_ACKNOWLEDGE, Acknowledge: &scheduler.Call_Acknowledge{
		AgentID: *s.AgentID, TaskID: s.TaskID, UUID: s.UUID,
	}})
}

// manually stops acknowledging by itself.
func (c *client) manually() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.autoAck = false
}

// await waits for an event that no await has returned yet.
func (c *client) await(what string, want func(*scheduler.Event) bool) *scheduler.Event {
	c.t.Helper()
	deadline := time.After(patience)
	for {
		c.mu.Lock()
		for _, e := range c.events {
			if !c.taken[e] && want(e) {
				c.taken[e] = true
				c.mu.Unlock()
				return e
			}
		}
		ended, changed := c.ended, c.changed
		c.mu.Unlock()
		if ended != nil {
			c.t.Fatalf("waiting for %s: stream ended: %v", what, ended)
		}
		select {
		case <-changed:
		case <-deadline:
			c.t.Fatalf("waiting for %s: %v passed; events: %s", what, patience, c.story())
		}
	}
}

// story lists the kinds of the events so far.
func (c *client) story() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var out []string
	for _, e := range c.events {
		one := e.Type.String()
		if e.Update != nil {
			one += fmt.Sprintf("(%s %s)", e.Update.Status.TaskID.Value, e.Update.Status.GetState())
		}
		out = append(out, one)
	}
	return strings.Join(out, " ")
}

// awaitEnd waits for the end of the stream and says whether it was a clean one.
func (c *client) awaitEnd() bool {
	c.t.Helper()
	deadline := time.After(patience)
	for {
		c.mu.Lock()
		ended, changed := c.ended, c.changed
		c.mu.Unlock()
		if ended != nil {
			return errors.Is(ended, io.EOF)
		}
		select {
		case <-changed:
		case <-deadline:
			c.t.Fatal("the stream does not end")
		}
	}
}

func isType(kind scheduler.Event_Type) func(*scheduler.Event) bool {
	return func(e *scheduler.Event) bool { return e.Type == kind }
}

// offer waits for the next single offer.
func (c *client) offer() mesos.Offer {
	c.t.Helper()
	return c.offers()[0]
}

func (c *client) offers() []mesos.Offer {
	c.t.Helper()
	return c.await("OFFERS", isType(scheduler.Event_OFFERS)).Offers.Offers
}

// status waits for the next update of the task.
func (c *client) status(task string) *mesos.TaskStatus {
	c.t.Helper()
	e := c.await("an update of "+task, func(e *scheduler.Event) bool {
		return e.Update != nil && e.Update.Status.TaskID.Value == task
	})
	return &e.Update.Status
}

// states waits for the task's updates until one of the states wanted last, and returns all states.
func (c *client) states(task string, last ...mesos.TaskState) []string {
	c.t.Helper()
	var out []string
	for {
		s := c.status(task).GetState()
		out = append(out, s.String())
		if slices.Contains(last, s) {
			return out
		}
	}
}

// launch accepts an offer with tasks; what is left may be offered again at once.
func (c *client) launch(o mesos.Offer, tasks ...mesos.TaskInfo) {
	c.t.Helper()
	for i := range tasks {
		if tasks[i].AgentID.Value == "" {
			tasks[i].AgentID = o.AgentID
		}
	}
	zero := 0.0
	c.call(&scheduler.Call{Type: scheduler.Call_ACCEPT, Accept: &scheduler.Call_Accept{
		OfferIDs: []mesos.OfferID{o.ID}, Filters: &mesos.Filters{RefuseSeconds: &zero},
		Operations: []mesos.Offer_Operation{{Type: mesos.Offer_Operation_LAUNCH, Launch: &mesos.Offer_Operation_Launch{TaskInfos: tasks}}},
	}})
}

func (c *client) decline(seconds *float64, offers ...mesos.Offer) {
	c.t.Helper()
	call := &scheduler.Call_Decline{}
	for _, o := range offers {
		call.OfferIDs = append(call.OfferIDs, o.ID)
	}
	if seconds != nil {
		call.Filters = &mesos.Filters{RefuseSeconds: seconds}
	}
	c.call(&scheduler.Call{Type: scheduler.Call_DECLINE, Decline: call})
}

func (c *client) kill(task string) {
	c.t.Helper()
	c.call(&scheduler.Call{Type: scheduler.Call_KILL, Kill: &scheduler.Call_Kill{TaskID: mesos.TaskID{Value: task}}})
}

func (c *client) reconcile(tasks ...scheduler.Call_Reconcile_Task) {
	c.t.Helper()
	c.call(&scheduler.Call{Type: scheduler.Call_RECONCILE, Reconcile: &scheduler.Call_Reconcile{Tasks: tasks}})
}

// shell is a task that runs a line of shell.
func shell(id, line string, change ...func(*mesos.TaskInfo)) mesos.TaskInfo {
	yes := true
	info := mesos.TaskInfo{
		Name: id, TaskID: mesos.TaskID{Value: id}, Command: &mesos.CommandInfo{Shell: &yes, Value: &line},
		Resources: []mesos.Resource{scalar("cpus", 0.1), scalar("mem", 32)},
	}
	for _, f := range change {
		f(&info)
	}
	return info
}

func scalar(name string, v float64) mesos.Resource {
	return mesos.Resource{Name: name, Type: mesos.SCALAR.Enum(), Scalar: &mesos.Value_Scalar{Value: v}}
}

// stalled subscribes and then never reads the stream.
func stalled(t *testing.T, addr string) *client {
	t.Helper()
	c := &client{t: t, url: "http://" + addr + "/api/v1/scheduler", taken: map[*scheduler.Event]bool{}}
	resp, err := http.DefaultClient.Do(c.request(t.Context(), &scheduler.Call{
		Type: scheduler.Call_SUBSCRIBE, Subscribe: &scheduler.Call_Subscribe{FrameworkInfo: framework()},
	}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { resp.Body.Close() })
	c.streamID = resp.Header.Get("Mesos-Stream-Id")
	record, err := recordio.NewReader(resp.Body, 0).Read()
	if err != nil {
		t.Fatal(err)
	}
	e := &scheduler.Event{}
	if err := e.Unmarshal(record); err != nil {
		t.Fatal(err)
	}
	c.id = e.Subscribed.FrameworkID.Value
	return c
}
