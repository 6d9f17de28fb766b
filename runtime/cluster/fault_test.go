package cluster_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/mesos/mesos-go/api/v1/lib"
	"github.com/mesos/mesos-go/api/v1/lib/scheduler"

	"github.com/pacer-run/pacer/runtime/cluster"
)

func withID(id string) func(*mesos.FrameworkInfo) {
	return func(i *mesos.FrameworkInfo) { i.ID = &mesos.FrameworkID{Value: id} }
}

// The newest subscription wins; what the old one was offered is void.
func TestTakeover(t *testing.T) {
	c := start(t, fast())
	f := subscribe(t, c.Addr(), framework())
	o := f.offer()
	f.manually()
	f.launch(o, shell("t", ""))
	pending := f.status("t")
	rest := f.offer()
	g := subscribe(t, c.Addr(), framework(withID(f.id)))
	if e := f.await("ERROR", isType(scheduler.Event_ERROR)); e.Error.Message != "Framework failed over" || !f.awaitEnd() {
		t.Errorf("the old stream: %v", e)
	}
	if code, _ := f.send(&scheduler.Call{Type: scheduler.Call_REVIVE}); code != 400 {
		t.Errorf("call with the old stream id: %d", code)
	}
	// The unacknowledged update comes again, and the following ones with each acknowledgement.
	if again := g.status("t"); !cmp.Equal(again.UUID, pending.UUID) {
		t.Errorf("%v, want %v", again, pending)
	}
	g.states("t", mesos.TASK_RUNNING)
	g.launch(rest, shell("late", ""))
	if s := g.status("late"); s.GetReason() != mesos.REASON_INVALID_OFFERS {
		t.Errorf("got %v", s)
	}
	g.offer()
	h := connect(t, c.Addr(), framework(withID(f.id), func(i *mesos.FrameworkInfo) { i.Principal = new("other") }))
	if e := h.await("ERROR", isType(scheduler.Event_ERROR)); e.Error.Message != "Changing framework's principal is not allowed." {
		t.Errorf("got %v", e)
	}
}

func TestFailoverTimeout(t *testing.T) {
	for _, timeout := range []float64{0, 0.05} {
		c := start(t, fast())
		info := framework(func(i *mesos.FrameworkInfo) { i.FailoverTimeout = &timeout })
		f := subscribe(t, c.Addr(), info)
		f.launch(f.offer(), shell("t", ""))
		f.states("t", mesos.TASK_RUNNING)
		f.cancel()
		f.awaitEnd()
		// The end of its framework frees what the task had.
		watch := subscribe(t, c.Addr(), framework())
		watch.awaitCPUs(2)
		again := connect(t, c.Addr(), framework(withID(f.id)))
		if e := again.await("ERROR", isType(scheduler.Event_ERROR)); e.Error.Message != "Framework has been removed" || !again.awaitEnd() {
			t.Errorf("got %v", e)
		}
	}
}

func TestNotSubscribed(t *testing.T) {
	c := start(t, fast())
	f := subscribe(t, c.Addr(), framework())
	must(t, c.CutStreams(true))
	if f.awaitEnd() {
		t.Error("the stream ended cleanly")
	}
	if !errors.Is(f.ended, io.ErrUnexpectedEOF) {
		t.Errorf("the stream ended with %v", f.ended)
	}
	// The master learns of the broken connection by itself, at some time.
	deadline := time.Now().Add(patience)
	for code, body := 202, ""; code != 403 || body != "Framework is not subscribed"; code, body = f.send(&scheduler.Call{Type: scheduler.Call_REVIVE}) {
		if time.Now().After(deadline) {
			t.Fatalf("call without a stream: %d %s", code, body)
		}
	}
	subscribe(t, c.Addr(), framework(withID(f.id))).offer()
}

func TestTeardown(t *testing.T) {
	c := start(t, fast())
	f := subscribe(t, c.Addr(), framework())
	f.launch(f.offer(), shell("t", ""))
	f.states("t", mesos.TASK_RUNNING)
	f.call(&scheduler.Call{Type: scheduler.Call_TEARDOWN})
	if !f.awaitEnd() {
		t.Error("the stream has no clean end")
	}
	for _, e := range f.events {
		if e.Update != nil && e.Update.Status.GetState() == mesos.TASK_KILLED {
			t.Errorf("told of %v", e)
		}
	}
	if code, body := f.send(&scheduler.Call{Type: scheduler.Call_REVIVE}); code != 400 || body != "Framework cannot be found" {
		t.Errorf("call after TEARDOWN: %d %s", code, body)
	}
}

func TestUpdateFramework(t *testing.T) {
	c := start(t, fast())
	f := subscribe(t, c.Addr(), framework(roles("a", "b")))
	o := f.offer()
	info := framework(roles("c"), withID(f.id))
	update := &scheduler.Call{Type: scheduler.Call_UPDATE_FRAMEWORK, UpdateFramework: &scheduler.Call_UpdateFramework{FrameworkInfo: *info}}
	if code, body := f.send(update); code != 200 || body != "" {
		t.Fatalf("%d %s", code, body)
	}
	if e := f.await("RESCIND", isType(scheduler.Event_RESCIND)); e.Rescind.OfferID != o.ID {
		t.Errorf("got %v", e)
	}
	if next := f.offer(); next.AllocationInfo.GetRole() != "c" {
		t.Errorf("offer %v", next)
	}
	update.UpdateFramework.FrameworkInfo.User = "nobody"
	want := "FrameworkInfo update is not valid: Updating 'FrameworkInfo.user' is unsupported; attempted to update from 'root' to 'nobody'"
	if code, body := f.send(update); code != 400 || body != want {
		t.Errorf("%d %s", code, body)
	}
}

func TestFaults(t *testing.T) {
	c := start(t, fast(func(c *cluster.Config) { c.StatusRetry, c.HeartbeatInterval = 30*time.Millisecond, 10*time.Millisecond }))
	f := subscribe(t, c.Addr(), framework())

	// A lost ACCEPT uses the offers up and says nothing.
	must(t, c.LoseAccepts(1))
	f.launch(f.offer(), shell("lost", ""))
	f.reconcile(scheduler.Call_Reconcile_Task{TaskID: mesos.TaskID{Value: "lost"}})
	if s := f.status("lost"); s.GetState() != mesos.TASK_UNKNOWN {
		t.Errorf("got %v", s)
	}
	// A dropped update is repeated, a doubled one has the same uuid twice.
	must(t, c.DropStatus())
	must(t, c.DuplicateStatus())
	f.manually()
	f.launch(f.offer(), shell("t", ""))
	if a, b := f.status("t"), f.status("t"); !cmp.Equal(a.UUID, b.UUID) || a.GetState() != mesos.TASK_STARTING {
		t.Errorf("%v, then %v", a, b)
	}
	o := f.offer()
	must(t, c.RescindOffers())
	if e := f.await("RESCIND", isType(scheduler.Event_RESCIND)); e.Rescind.OfferID != o.ID {
		t.Errorf("got %v", e)
	}
	// A delayed update is overtaken.
	must(t, c.DelayStatus(100*time.Millisecond))
	f.kill("first")
	f.kill("second")
	got := []string{}
	for range 2 {
		e := f.await("an answer", func(e *scheduler.Event) bool { return e.Update != nil && e.Update.Status.UUID == nil })
		got = append(got, e.Update.Status.TaskID.Value)
	}
	if diff := cmp.Diff([]string{"second", "first"}, got); diff != "" {
		t.Error(diff)
	}
	must(t, c.WithholdHeartbeats(true))
	must(t, c.Mute(true))
	f.kill("unheard")
	must(t, c.Mute(false))
	f.kill("heard")
	f.status("heard")
	f.mu.Lock()
	for _, e := range f.events {
		if e.Update != nil && e.Update.Status.TaskID.Value == "unheard" {
			t.Errorf("muted, but got %v", e)
		}
	}
	f.mu.Unlock()
	must(t, c.WithholdHeartbeats(false))
	f.await("HEARTBEAT", isType(scheduler.Event_HEARTBEAT))
}

// A subscriber that does not read is dropped when its queue is full; others do not notice.
func TestSlowReader(t *testing.T) {
	c := start(t, fast(func(c *cluster.Config) { c.StreamQueue = 4 }))
	slow := stalled(t, c.Addr())
	for range 20000 {
		if code, _ := slow.send(&scheduler.Call{Type: scheduler.Call_KILL, Kill: &scheduler.Call_Kill{TaskID: mesos.TaskID{Value: "x"}}}); code == 403 {
			return
		}
	}
	t.Error("the stalled subscriber is still there")
}

type announced struct {
	mu    sync.Mutex
	infos [][]byte
	heard chan struct{}
}

// Register is part of cluster.Registrar.
func (a *announced) Register(_ context.Context, info []byte) error {
	a.mu.Lock()
	a.infos = append(a.infos, info)
	a.mu.Unlock()
	a.heard <- struct{}{}
	return nil
}

func TestRegistrar(t *testing.T) {
	reg := &announced{heard: make(chan struct{}, 4)}
	c := start(t, fast(func(c *cluster.Config) { c.Register = reg }))
	<-reg.heard
	first := c.MasterID()
	must(t, c.FailOver(0))
	<-reg.heard
	var got struct {
		ID, PID, Hostname, Version string
		IP                         uint32
		Address                    struct{ IP string }
	}
	for i, id := range []string{first, c.MasterID()} {
		if err := json.Unmarshal(reg.infos[i], &got); err != nil {
			t.Fatal(err)
		}
		if got.ID != id || got.PID != "master@"+c.Addr() || got.IP != 16777343 || got.Address.IP != "127.0.0.1" {
			t.Errorf("announced %s", reg.infos[i])
		}
	}
}
