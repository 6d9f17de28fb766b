package master_test

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/mesos/mesos-go/api/v1/lib"
	sched "github.com/mesos/mesos-go/api/v1/lib/scheduler"

	"github.com/pacer-run/pacer/runtime/launch"
	"github.com/pacer-run/pacer/runtime/master"
	"github.com/pacer-run/pacer/runtime/scheduler"
)

// TestCalls wants calls in their order, on one connection which is not the
// stream's, under the stream's id.
func TestCalls(t *testing.T) {
	m := newMaster(t)
	r := start(t, m.host(), nil)
	s := r.subscribed(m)
	r.client.Send(context.Background(), everyCall())
	first := await(t, "the ACCEPT", m.calls)
	info := launch.TaskInfo(accept().Tasks[0])
	want := sched.Call{
		Type: sched.Call_ACCEPT, FrameworkID: &mesos.FrameworkID{Value: "f-1"},
		Accept: &sched.Call_Accept{OfferIDs: ids("o-1"), Filters: seconds(2), Operations: []mesos.Offer_Operation{
			{Type: mesos.Offer_Operation_LAUNCH, Launch: &mesos.Offer_Operation_Launch{TaskInfos: []mesos.TaskInfo{info}}},
		}},
	}
	if diff := cmp.Diff(want, first.call); diff != "" {
		t.Error(diff)
	}
	if id := first.header.Get("Mesos-Stream-Id"); id != s.id || first.remote == s.remote {
		t.Errorf("stream %q by %s, want %q by another connection than %s", id, first.remote, s.id, s.remote)
	}
	for i, want := range wantCalls() {
		got := await(t, want.Type.String(), m.calls)
		if diff := cmp.Diff(want, got.call); diff != "" {
			t.Errorf("call %d: %s", i+1, diff)
		}
		if got.remote != first.remote {
			t.Errorf("call %d came by another connection", i+1)
		}
	}
}

// TestRefusedCall: what a refusal says of the call alone ends nothing.
func TestRefusedCall(t *testing.T) {
	m := newMaster(t)
	r := start(t, m.host(), nil)
	r.subscribed(m)
	m.next(status(http.StatusBadRequest, "Failed to validate scheduler::Call: Not a valid UUID"))
	kill := scheduler.Kill{TaskID: "t-1"}
	r.client.Send(context.Background(), []scheduler.Call{kill, scheduler.Acknowledge{TaskID: "t-2"}, scheduler.Revive{}})
	failed := next[scheduler.CallFailed](r)
	if diff := cmp.Diff(scheduler.Call(kill), failed.Call); diff != "" {
		t.Error(diff)
	}
	wantCause(t, failed.Cause, "400 Bad Request: Failed to validate scheduler::Call: Not a valid UUID")
	wantCause(t, next[scheduler.CallFailed](r).Cause, "expected the UUID")
	await(t, "the KILL", m.calls)
	if got := await(t, "the REVIVE", m.calls); got.call.Type != sched.Call_REVIVE {
		t.Errorf("%s came, want REVIVE", got.call.Type)
	}
}

// TestLostSubscription: refusals that mean that the master does not know the
// subscription lead to another one, under which later calls go.
func TestLostSubscription(t *testing.T) {
	answers := map[string]http.HandlerFunc{
		"403":         status(http.StatusForbidden, "Framework is not subscribed"),
		"stale":       status(http.StatusBadRequest, "The stream ID 'x' included in this request didn't match"),
		"unknown":     status(http.StatusBadRequest, "Framework cannot be found"),
		"redirect":    redirect("//elsewhere:5050"),
		"unavailable": status(http.StatusServiceUnavailable, "No leader elected"),
	}
	for name, answer := range answers {
		t.Run(name, func(t *testing.T) {
			m := newMaster(t)
			r := start(t, m.host(), nil)
			first := r.subscribed(m)
			m.next(answer)
			r.client.Send(context.Background(), []scheduler.Call{scheduler.Kill{TaskID: "t-1"}, scheduler.Kill{TaskID: "t-2"}})
			next[scheduler.CallFailed](r)
			wantCause(t, next[scheduler.CallFailed](r).Cause, "subscription ended before")
			await(t, "the end of the stream", first.gone)
			wantCause(t, next[scheduler.Disconnected](r).Cause, "the master answered")
			second := r.subscribed(m)
			r.client.Send(context.Background(), []scheduler.Call{scheduler.Revive{}})
			await(t, "the KILL", m.calls)
			if got := await(t, "the REVIVE", m.calls); got.header.Get("Mesos-Stream-Id") != second.id {
				t.Errorf("stream id %q, want %q", got.header.Get("Mesos-Stream-Id"), second.id)
			}
		})
	}
}

// TestTakeoverSeenByCall: when a call is refused because another scheduler took
// over, the stream is still heard out.
func TestTakeoverSeenByCall(t *testing.T) {
	m := newMaster(t)
	r := start(t, m.host(), nil)
	s := r.subscribed(m)
	m.next(status(http.StatusBadRequest, "The stream ID 'x' included in this request didn't match"))
	r.client.Send(context.Background(), []scheduler.Call{scheduler.Revive{}})
	next[scheduler.CallFailed](r)
	s.fail(t, "Framework failed over")
	if err := await(t, "the end of Run", r.ended); err == nil {
		t.Error("Run returned nil")
	}
}

// TestRepeats: only what does no harm twice is sent twice, and never a third time.
func TestRepeats(t *testing.T) {
	faults := map[string]http.HandlerFunc{
		"connection": hangUp,
		"500":        status(http.StatusInternalServerError, "oops"),
		"429":        status(http.StatusTooManyRequests, ""),
		"no answer":  func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
	}
	for name, fault := range faults {
		for i, call := range everyCall() {
			times := 2
			if i == 0 {
				times = 1 // the ACCEPT
			}
			if name == "no answer" && i > 1 {
				continue // each takes its time
			}
			t.Run(fmt.Sprintf("%s/%T", name, call), func(t *testing.T) {
				m := newMaster(t)
				r := start(t, m.host(), func(cfg *master.Config) {
					if name == "no answer" {
						cfg.CallTimeout = 300 * time.Millisecond
					}
				})
				r.subscribed(m)
				for range times {
					m.next(fault)
				}
				r.client.Send(context.Background(), []scheduler.Call{call, scheduler.Revive{Roles: []string{"last"}}})
				failed := next[scheduler.CallFailed](r)
				if diff := cmp.Diff(call, failed.Call); diff != "" {
					t.Error(diff)
				}
				for range times {
					await(t, "the call", m.calls)
				}
				if last := await(t, "the REVIVE", m.calls); last.call.GetRevive().GetRoles()[0] != "last" {
					t.Errorf("%s came once more", last.call.Type)
				}
			})
		}
	}
}

// TestRepeatHelps: nothing is said of a call that the second time was taken.
func TestRepeatHelps(t *testing.T) {
	m := newMaster(t)
	r := start(t, m.host(), nil)
	r.subscribed(m)
	m.next(hangUp)
	r.client.Send(context.Background(), []scheduler.Call{scheduler.Kill{TaskID: "t-1"}})
	await(t, "the KILL", m.calls)
	await(t, "the KILL again", m.calls)
	if len(r.events) != 0 {
		t.Errorf("event %+v", <-r.events)
	}
}

// TestCallsWithoutSubscription come back.
func TestCallsWithoutSubscription(t *testing.T) {
	m := newMaster(t)
	r := start(t, m.host(), nil)
	call := scheduler.Kill{TaskID: "t-1"}
	r.client.Send(context.Background(), []scheduler.Call{call})
	failed := next[scheduler.CallFailed](r)
	if diff := cmp.Diff(scheduler.Call(call), failed.Call); diff != "" {
		t.Error(diff)
	}
	wantCause(t, failed.Cause, "not subscribed")
	r.subscribed(m)
	ended, end := context.WithCancel(context.Background())
	end()
	r.client.Send(ended, []scheduler.Call{call})
	wantCause(t, next[scheduler.CallFailed](r).Cause, "canceled")
}

// TestSlowCallsDoNotHoldEvents: the stream is read while a call waits for its answer.
func TestSlowCallsDoNotHoldEvents(t *testing.T) {
	m := newMaster(t)
	r := start(t, m.host(), nil)
	s := r.subscribed(m)
	release := make(chan struct{})
	m.next(func(w http.ResponseWriter, _ *http.Request) {
		<-release
		w.WriteHeader(http.StatusAccepted)
	})
	r.client.Send(context.Background(), []scheduler.Call{scheduler.Revive{}})
	await(t, "the call", m.calls)
	s.send(t, &sched.Event{
		Type:    sched.Event_RESCIND,
		Rescind: &sched.Event_Rescind{OfferID: mesos.OfferID{Value: "o-1"}},
	})
	next[scheduler.Rescinded](r)
	close(release)
}
