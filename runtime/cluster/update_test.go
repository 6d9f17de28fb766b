package cluster_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/mesos/mesos-go/api/v1/lib"
	"github.com/mesos/mesos-go/api/v1/lib/scheduler"

	"github.com/pacer-run/pacer/runtime/cluster"
)

// The next update of a task waits for the acknowledgement of the one before, which is repeated under its uuid.
func TestAcknowledgements(t *testing.T) {
	c := start(t, fast(func(c *cluster.Config) { c.StatusRetry = 20 * time.Millisecond }))
	f := subscribe(t, c.Addr(), framework())
	f.manually()
	f.launch(f.offer(), shell("t", "", labelled("fake.run", "1ms")))
	first := f.status("t")
	again := f.status("t")
	if first.GetState() != mesos.TASK_STARTING || !cmp.Equal(first.UUID, again.UUID) {
		t.Fatalf("%v, then %v", first, again)
	}
	// The end is known to the agent, and the resources are free, while STARTING is not yet acknowledged.
	f.awaitCPUs(2)
	// An acknowledgement of something else changes nothing.
	wrong := *first
	wrong.UUID = []byte("0123456789abcdef")
	wrong.UUID[6], wrong.UUID[8] = 0x40, 0x80
	f.acknowledge(&wrong)
	f.acknowledge(first)
	f.acknowledge(first)
	running := f.next("t", first.UUID)
	if running.GetState() != mesos.TASK_RUNNING {
		t.Fatalf("after STARTING: %v", running)
	}
	f.acknowledge(running)
	end := f.next("t", first.UUID, running.UUID)
	if end.GetState() != mesos.TASK_FINISHED {
		t.Fatalf("after RUNNING: %v", end)
	}
	// Ended but unacknowledged: still known. Acknowledged: gone.
	agent := end.AgentID
	ask := scheduler.Call_Reconcile_Task{TaskID: end.TaskID, AgentID: agent}
	f.reconcile(ask)
	if s := f.reconciled("t"); s.GetState() != mesos.TASK_FINISHED {
		t.Errorf("unacknowledged: %v", s)
	}
	f.acknowledge(end)
	f.reconcile(ask)
	if s := f.reconciled("t"); s.GetState() != mesos.TASK_GONE || s.GetMessage() != "Reconciliation: Task is unknown to the agent" {
		t.Errorf("acknowledged: %v", s)
	}
}

// next waits for an update of the task whose uuid is none of those given.
func (c *client) next(task string, not ...[]byte) *mesos.TaskStatus {
	c.t.Helper()
	for {
		s := c.status(task)
		known := s.UUID == nil
		for _, uuid := range not {
			known = known || cmp.Equal(uuid, s.UUID)
		}
		if !known {
			return s
		}
	}
}

// reconciled waits for an answer to RECONCILE.
func (c *client) reconciled(task string) *mesos.TaskStatus {
	c.t.Helper()
	for {
		if s := c.status(task); s.GetReason() == mesos.REASON_RECONCILIATION {
			return s
		}
	}
}

// awaitCPUs waits until offers of that many cpus in all have come.
func (c *client) awaitCPUs(cpus float64) {
	c.t.Helper()
	for sum := 0.0; sum < cpus; {
		for _, o := range c.offers() {
			sum += amount(o, "cpus")
		}
	}
}

func TestReconcile(t *testing.T) {
	c := start(t, fast())
	f := subscribe(t, c.Addr(), framework())
	o := f.offer()
	f.launch(o, shell("staging", "", labelled("fake.start", "1h")), shell("live", ""))
	f.states("live", mesos.TASK_RUNNING)
	task := func(id, agent string) scheduler.Call_Reconcile_Task {
		out := scheduler.Call_Reconcile_Task{TaskID: mesos.TaskID{Value: id}}
		if agent != "" {
			out.AgentID = &mesos.AgentID{Value: agent}
		}
		return out
	}
	f.reconcile(task("live", ""), task("staging", ""), task("live", "wrong"), task("x", ""), task("y", o.AgentID.Value), task("z", "nobody"))
	type answer struct{ ID, State, Message string }
	var got []answer
	for range 6 {
		s := &f.await("an answer", func(e *scheduler.Event) bool {
			return e.Update != nil && e.Update.Status.GetReason() == mesos.REASON_RECONCILIATION
		}).Update.Status
		if s.UUID != nil || s.GetSource() != mesos.SOURCE_MASTER {
			t.Errorf("not the master's: %v", s)
		}
		got = append(got, answer{s.TaskID.Value, s.GetState().String(), s.GetMessage()})
	}
	latest, unknown := "Reconciliation: Latest task state", "Reconciliation: Task is unknown"
	want := []answer{
		{"live", "TASK_RUNNING", latest},
		{"staging", "TASK_STAGING", latest},
		{"live", "TASK_RUNNING", latest},
		{"x", "TASK_UNKNOWN", unknown},
		{"y", "TASK_GONE", unknown + " to the agent"},
		{"z", "TASK_UNKNOWN", unknown},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	f.reconcile()
	seen := map[string]string{}
	for range 2 {
		s := f.await("an answer", func(e *scheduler.Event) bool { return e.Update != nil }).Update.Status
		seen[s.TaskID.Value] = s.GetState().String()
	}
	if diff := cmp.Diff(map[string]string{"live": "TASK_RUNNING", "staging": "TASK_STAGING"}, seen); diff != "" {
		t.Error(diff)
	}
}

// Frameworks that are not partition aware hear of TASK_LOST instead.
func TestNotPartitionAware(t *testing.T) {
	c := start(t, fast())
	f := subscribe(t, c.Addr(), framework(plain))
	f.kill("x")
	if s := f.status("x"); s.GetState() != mesos.TASK_LOST {
		t.Errorf("got %v", s)
	}
	task := shell("t", "")
	f.launch(mesos.Offer{ID: mesos.OfferID{Value: "none"}}, task)
	if s := f.status("t"); s.GetState() != mesos.TASK_LOST || s.GetReason() != mesos.REASON_INVALID_OFFERS {
		t.Errorf("got %v", s)
	}
	f.launch(f.offer(), shell("run", ""))
	f.states("run", mesos.TASK_RUNNING)
	f.kill("run")
	if got := f.states("run", mesos.TASK_KILLED); len(got) != 1 {
		t.Errorf("TASK_KILLING without the capability: %v", got)
	}
}

func TestFakeTasks(t *testing.T) {
	c := start(t, fast())
	f := subscribe(t, c.Addr(), framework())
	f.launch(f.offer(), shell("fails", "", labelled("fake.run", "1ms", "fake.exit", "4")), shell("refused", "", labelled("fake.refused", "no room")),
		shell("directed", ""), shell("silent", "", labelled("fake.silent", "")), shell("stubborn", "", labelled("fake.kill", "1h"), grace(time.Millisecond)))
	f.states("fails", mesos.TASK_RUNNING)
	if s := f.status("fails"); s.GetState() != mesos.TASK_FAILED || s.GetMessage() != "Command exited with status 4" {
		t.Errorf("got %v", s)
	}
	if s := f.status("refused"); s.GetReason() != mesos.REASON_CONTAINER_LAUNCH_FAILED || s.GetMessage() != "Failed to launch container: no room" {
		t.Errorf("got %v", s)
	}
	f.states("stubborn", mesos.TASK_RUNNING)
	must(t, c.SetHealth("stubborn", false))
	if s := f.status("stubborn"); s.GetState() != mesos.TASK_RUNNING || s.Healthy == nil || *s.Healthy {
		t.Errorf("got %v", s)
	}
	must(t, c.EndTask("directed", 3))
	f.states("directed", mesos.TASK_RUNNING)
	if s := f.status("directed"); s.GetState() != mesos.TASK_FAILED || s.GetMessage() != "Command exited with status 3" {
		t.Errorf("got %v", s)
	}
	if c.EndTask("nobody", 0) == nil || c.EndTask("silent", 0) == nil {
		t.Error("a task that does not run was ended")
	}
	f.kill("stubborn")
	f.states("stubborn", mesos.TASK_KILLING)
	if s := f.status("stubborn"); s.GetMessage() != "Command terminated with signal Killed" {
		t.Errorf("got %v", s)
	}
	f.reconcile(scheduler.Call_Reconcile_Task{TaskID: mesos.TaskID{Value: "silent"}})
	if s := f.status("silent"); s.GetState() != mesos.TASK_STAGING {
		t.Errorf("got %v", s)
	}
}
