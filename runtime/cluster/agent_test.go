package cluster_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/mesos/mesos-go/api/v1/lib"
	"github.com/mesos/mesos-go/api/v1/lib/scheduler"

	"github.com/pacer-run/pacer/runtime/cluster"
)

// must fails the test for an error of a fault control.
func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestLostAgent(t *testing.T) {
	c := start(t, fast())
	f := subscribe(t, c.Addr(), framework())
	old := subscribe(t, c.Addr(), framework(plain))
	frail := subscribe(t, c.Addr(), framework(func(i *mesos.FrameworkInfo) { i.Checkpoint = new(false) }), "*")
	agent := c.AgentIDs()[0]
	// Each suppresses before it launches, so that the rest goes to the next one.
	for _, x := range []struct {
		who  *client
		task string
	}{{f, "aware"}, {old, "old"}} {
		o := x.who.offer()
		x.who.call(&scheduler.Call{Type: scheduler.Call_SUPPRESS})
		x.who.launch(o, shell(x.task, ""))
		x.who.states(x.task, mesos.TASK_RUNNING)
	}
	frail.call(&scheduler.Call{Type: scheduler.Call_REVIVE})

	must(t, c.LoseAgent(agent))
	if err := c.LoseAgent(agent); err == nil {
		t.Error("lost twice")
	}
	s := f.status("aware")
	if s.GetState() != mesos.TASK_UNREACHABLE || s.GetReason() != mesos.REASON_AGENT_REMOVED || s.GetMessage() != "health check timed out" ||
		s.UUID != nil || s.UnreachableTime == nil {
		t.Errorf("got %v", s)
	}
	if got := f.await("FAILURE", isType(scheduler.Event_FAILURE)).Failure; got.AgentID.Value != agent || got.ExecutorID != nil {
		t.Errorf("got %v", got)
	}
	if s := old.status("old"); s.GetState() != mesos.TASK_LOST || s.GetReason() != mesos.REASON_AGENT_REMOVED {
		t.Errorf("got %v", s)
	}
	task := scheduler.Call_Reconcile_Task{TaskID: mesos.TaskID{Value: "aware"}}
	f.reconcile(task)
	if s := f.status("aware"); s.GetState() != mesos.TASK_UNKNOWN {
		t.Errorf("without agent id: %v", s)
	}
	task.AgentID = &mesos.AgentID{Value: agent}
	f.reconcile(task)
	if s := f.status("aware"); s.GetState() != mesos.TASK_UNREACHABLE || s.UnreachableTime == nil {
		t.Errorf("with agent id: %v", s)
	}

	must(t, c.ReturnAgent(agent))
	s = f.status("aware")
	if s.GetState() != mesos.TASK_RUNNING || s.GetReason() != mesos.REASON_AGENT_REREGISTERED || s.UUID != nil ||
		s.GetMessage() != "Unreachable agent re-reregistered" || s.ContainerStatus == nil {
		t.Errorf("got %v", s)
	}
	if got := amount(frail.latest(), "cpus"); got != 1.8 {
		t.Errorf("%v cpus are free after the return", got)
	}
}

// latest waits for an offer that was not rescinded.
func (c *client) latest() mesos.Offer {
	c.t.Helper()
	for {
		o := c.offer()
		c.kill("probe") // its answer follows whatever was sent about the offer before
		c.status("probe")
		c.mu.Lock()
		void := false
		for _, e := range c.events {
			void = void || e.Rescind != nil && e.Rescind.OfferID == o.ID
		}
		c.mu.Unlock()
		if !void {
			return o
		}
	}
}

// Within the ping timeout a lost agent only costs its offers; tasks without checkpoint are lost at once, and a kill sent
// meanwhile is delivered on its return.
func TestAgentReturnsInTime(t *testing.T) {
	c := start(t, fast(func(c *cluster.Config) { c.AgentPingTimeout = time.Hour }))
	agent := c.AgentIDs()[0]
	f := subscribe(t, c.Addr(), framework())
	o := f.offer()
	f.call(&scheduler.Call{Type: scheduler.Call_SUPPRESS})
	f.launch(o, shell("t", ""), shell("k", ""), shell("ends", "", labelled("fake.run", "50ms")))
	f.states("t", mesos.TASK_RUNNING)
	f.states("k", mesos.TASK_RUNNING)
	f.states("ends", mesos.TASK_RUNNING)
	frail := subscribe(t, c.Addr(), framework(func(i *mesos.FrameworkInfo) { i.Checkpoint = new(false) }))
	frail.launch(frail.offer(), shell("frail", ""))
	frail.states("frail", mesos.TASK_RUNNING)

	must(t, c.LoseAgent(agent))
	if s := frail.status("frail"); s.GetState() != mesos.TASK_LOST || s.GetReason() != mesos.REASON_AGENT_DISCONNECTED ||
		s.GetMessage() != "Agent agent-1 disconnected" {
		t.Errorf("got %v", s)
	}
	f.kill("k")
	must(t, c.ReturnAgent(agent))
	f.states("k", mesos.TASK_KILLED)
	f.states("ends", mesos.TASK_FINISHED)
	f.reconcile()
	if s := f.reconciled("t"); s.GetReason() != mesos.REASON_RECONCILIATION || s.GetState() != mesos.TASK_RUNNING {
		t.Errorf("got %v", s)
	}
}

func TestGoneAgent(t *testing.T) {
	c := start(t, fast())
	agent := c.AgentIDs()[0]
	f := subscribe(t, c.Addr(), framework())
	f.launch(f.offer(), shell("t", ""))
	f.states("t", mesos.TASK_RUNNING)
	next, err := c.RemoveAgent(agent)
	must(t, err)
	if s := f.status("t"); s.GetState() != mesos.TASK_GONE_BY_OPERATOR || s.GetMessage() != "Agent has been marked gone" {
		t.Errorf("got %v", s)
	}
	f.reconcile(scheduler.Call_Reconcile_Task{TaskID: mesos.TaskID{Value: "t"}, AgentID: &mesos.AgentID{Value: agent}})
	if s := f.status("t"); s.GetState() != mesos.TASK_GONE_BY_OPERATOR || s.GetMessage() != "Reconciliation: Task is gone" {
		t.Errorf("got %v", s)
	}
	must(t, c.ReturnAgent(next))
	if o := f.latest(); o.AgentID.Value != next || next == agent || amount(o, "cpus") != 2 {
		t.Errorf("offer %v", o)
	}
}

// A framework that ended while an agent was away has no tasks on it when it is back.
func TestTeardownWhileAgentIsAway(t *testing.T) {
	c := start(t, fast(func(c *cluster.Config) { c.AgentPingTimeout = time.Hour }))
	agent := c.AgentIDs()[0]
	f := subscribe(t, c.Addr(), framework())
	f.launch(f.offer(), shell("t", ""))
	f.states("t", mesos.TASK_RUNNING)
	must(t, c.LoseAgent(agent))
	f.call(&scheduler.Call{Type: scheduler.Call_TEARDOWN})
	must(t, c.ReturnAgent(agent))
	if o := subscribe(t, c.Addr(), framework()).offer(); amount(o, "cpus") != 2 {
		t.Errorf("%v cpus are free", amount(o, "cpus"))
	}
}

// An agent that does not come back after a failover is given up; its tasks are then answered for.
func TestAgentLostInFailover(t *testing.T) {
	c := start(t, fast(func(c *cluster.Config) { c.AgentPingTimeout, c.AgentReregisterTimeout = time.Hour, 20*time.Millisecond }))
	agent := c.AgentIDs()[0]
	must(t, c.LoseAgent(agent))
	must(t, c.FailOver(0))
	f := subscribe(t, c.Addr(), framework())
	ask := scheduler.Call_Reconcile_Task{TaskID: mesos.TaskID{Value: "t"}, AgentID: &mesos.AgentID{Value: agent}}
	for {
		// As long as the agent is awaited only the second question is answered.
		f.reconcile(ask)
		f.reconcile(scheduler.Call_Reconcile_Task{TaskID: mesos.TaskID{Value: "mark"}, AgentID: &mesos.AgentID{Value: "nobody"}})
		s := f.await("an answer", func(e *scheduler.Event) bool { return e.Update != nil }).Update.Status
		if s.TaskID.Value == "t" {
			if s.GetState() != mesos.TASK_UNREACHABLE {
				t.Errorf("got %v", s)
			}
			return
		}
	}
}

func TestMasterFailover(t *testing.T) {
	c := start(t, fast(func(c *cluster.Config) { c.Agents = []cluster.AgentConfig{agentConfig(1), agentConfig(2)} }))
	f := subscribe(t, c.Addr(), framework())
	o := f.offers()[0]
	f.launch(o, shell("t", ""))
	f.states("t", mesos.TASK_RUNNING)
	before := c.MasterID()
	must(t, c.FailOver(300*time.Millisecond))
	if f.awaitEnd() {
		t.Error("the stream ended cleanly")
	}
	if code, body := f.send(&scheduler.Call{Type: scheduler.Call_REVIVE}); code != 400 || body != "Framework cannot be found" {
		t.Errorf("call before SUBSCRIBE: %d %s", code, body)
	}
	g := subscribe(t, c.Addr(), framework(func(i *mesos.FrameworkInfo) { i.ID = &mesos.FrameworkID{Value: f.id} }))
	if c.MasterID() == before || g.id != f.id || g.events[0].Subscribed.MasterInfo.ID != c.MasterID() {
		t.Errorf("master %s, then %s; framework %s", before, c.MasterID(), g.id)
	}
	ask := scheduler.Call_Reconcile_Task{TaskID: mesos.TaskID{Value: "t"}}
	g.reconcile(ask, scheduler.Call_Reconcile_Task{TaskID: mesos.TaskID{Value: "x"}}, scheduler.Call_Reconcile_Task{
		TaskID: mesos.TaskID{Value: "elsewhere"}, AgentID: &mesos.AgentID{Value: "nobody"},
	})
	// Only what cannot be on an agent that is still to come is answered.
	if s := g.await("an answer", func(e *scheduler.Event) bool { return e.Update != nil }).Update.Status; s.TaskID.Value != "elsewhere" {
		t.Errorf("got %v", s)
	}
	seen := map[string]float64{}
	for len(seen) < 2 {
		for _, n := range g.offers() {
			seen[n.AgentID.Value] = amount(n, "cpus")
		}
	}
	if diff := cmp.Diff(map[string]float64{c.AgentIDs()[0]: 1.9, c.AgentIDs()[1]: 2}, seen); diff != "" && o.AgentID.Value == c.AgentIDs()[0] {
		t.Error(diff)
	}
	g.reconcile(ask)
	if s := g.status("t"); s.GetState() != mesos.TASK_RUNNING {
		t.Errorf("got %v", s)
	}
}
