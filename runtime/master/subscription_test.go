package master_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/mesos/mesos-go/api/v1/lib"
	sched "github.com/mesos/mesos-go/api/v1/lib/scheduler"

	"github.com/pacer-run/pacer/runtime/master"
	"github.com/pacer-run/pacer/runtime/scheduler"
)

func TestSubscribe(t *testing.T) {
	m := newMaster(t)
	r := start(t, m.host(), func(cfg *master.Config) {
		cfg.Framework.Roles = []string{"web", "*"}
		cfg.Framework.Hostname = "here.local"
		cfg.Framework.WebUIURL = "http://here.local:8080"
		cfg.Framework.GPUs = true
		cfg.Credential = master.Credential{Principal: "pacer", Secret: "s3"}
		cfg.FrameworkID = func() string { return "f-1" }
		cfg.SuppressedRoles = func() []string { return []string{"*", "gone"} }
	})
	s := await(t, "a SUBSCRIBE", m.streams)
	timeout, yes, principal, host, page := 3600.0, true, "pacer", "here.local", "http://here.local:8080"
	want := sched.Call{
		Type:        sched.Call_SUBSCRIBE,
		FrameworkID: &mesos.FrameworkID{Value: "f-1"},
		Subscribe: &sched.Call_Subscribe{
			FrameworkInfo: &mesos.FrameworkInfo{
				User: "nobody", Name: "pacer", ID: &mesos.FrameworkID{Value: "f-1"}, FailoverTimeout: &timeout,
				Checkpoint: &yes, Roles: []string{"web", "*"}, Hostname: &host, Principal: &principal, WebUiURL: &page,
				Capabilities: []mesos.FrameworkInfo_Capability{
					{Type: mesos.FrameworkInfo_Capability_PARTITION_AWARE},
					{Type: mesos.FrameworkInfo_Capability_MULTI_ROLE},
					{Type: mesos.FrameworkInfo_Capability_REGION_AWARE},
					{Type: mesos.FrameworkInfo_Capability_GPU_RESOURCES},
				},
			},
			SuppressedRoles: []string{"*"},
		},
	}
	if diff := cmp.Diff(want, s.call); diff != "" {
		t.Error(diff)
	}
	user, secret, _ := (&http.Request{Header: s.header}).BasicAuth()
	got := []string{s.path, s.header.Get("Accept"), s.header.Get("Mesos-Stream-Id"), user, secret}
	if diff := cmp.Diff([]string{"/api/v1/scheduler", protobuf, "", "pacer", "s3"}, got); diff != "" {
		t.Error(diff)
	}
	s.begin(t, 15*time.Second)
	wantEvent := scheduler.Subscribed{FrameworkID: "f-1", MasterID: "m-1", MasterHost: "master.local",
		MasterURL: "http://master.local:5050", Region: "here"}
	if diff := cmp.Diff(wantEvent, next[scheduler.Subscribed](r)); diff != "" {
		t.Error(diff)
	}
	r.stop()
	next[scheduler.Disconnected](r)
	if err := await(t, "the end of Run", r.ended); err != nil {
		t.Errorf("Run returned %v", err)
	}
}

// TestIDIsRemembered: the id is used again even before anybody has saved it.
func TestIDIsRemembered(t *testing.T) {
	m := newMaster(t)
	r := start(t, m.host(), nil)
	s := r.subscribed(m)
	if s.call.FrameworkID != nil {
		t.Errorf("first subscription under %v", s.call.FrameworkID)
	}
	close(s.done)
	wantCause(t, next[scheduler.Disconnected](r).Cause, "EOF")
	if s = r.subscribed(m); s.call.FrameworkID.GetValue() != "f-1" {
		t.Errorf("second subscription under %v", s.call.FrameworkID)
	}
}

func TestRedirects(t *testing.T) {
	for _, form := range []string{
		"//%s/master/api/v1/scheduler", "//%s", "http://%s/api/v1/scheduler", "https://%s/x?y=z", "%s",
	} {
		t.Run(form, func(t *testing.T) {
			standby, leader := newMaster(t), newMaster(t)
			standby.next(redirect(fmt.Sprintf(form, leader.host())))
			r := start(t, standby.host(), nil)
			s := r.subscribed(leader)
			if s.path != "/api/v1/scheduler" {
				t.Errorf("subscribed at %s", s.path)
			}
			r.client.Send(context.Background(), []scheduler.Call{scheduler.Revive{}})
			if got := await(t, "the call", leader.calls); got.path != "/api/v1/scheduler" {
				t.Errorf("called at %s", got.path)
			}
		})
	}
}

func TestRedirectLoop(t *testing.T) {
	m := newMaster(t)
	round := redirect("//" + m.host())
	m.next(round, round, round, round, round, round) // the sixth is one too many
	m.next(redirect("/nowhere"))
	m.next(status(http.StatusServiceUnavailable, "No leader elected"), status(http.StatusNotFound, ""))
	m.next(hangUp, status(http.StatusUnauthorized, "who are you"))
	m.next(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html>") })
	start(t, m.host(), nil).subscribed(m)
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.answers) != 0 {
		t.Errorf("%d answers were not asked for", len(m.answers))
	}
}

// TestEndsOfStream wants a new subscription after whatever ends one.
func TestEndsOfStream(t *testing.T) {
	cases := map[string]struct {
		end   func(*testing.T, *stream)
		cause string
	}{
		"between records": {func(_ *testing.T, s *stream) { close(s.done) }, "EOF"},
		"inside a record": {func(t *testing.T, s *stream) {
			s.write(t, "120\nabc")
			close(s.done)
		}, "unexpected EOF"},
		"garbage":        {func(t *testing.T, s *stream) { s.write(t, "<html>") }, "expected digits"},
		"huge record":    {func(t *testing.T, s *stream) { s.write(t, "99999999999\n") }, "too long"},
		"no protobuf":    {func(t *testing.T, s *stream) { s.write(t, "3\n\xff\xff\xff") }, "malformed"},
		"another error":  {func(t *testing.T, s *stream) { s.fail(t, "no idea") }, "no idea"},
		"a bad offer":    {func(t *testing.T, s *stream) { s.write(t, "6\n\x08\x02\x1a\x02\x0a\x00") }, "offer"},
		"no more pulses": {func(*testing.T, *stream) {}, "silent"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			m := newMaster(t)
			r := start(t, m.host(), nil)
			s := await(t, "a SUBSCRIBE", m.streams)
			heartbeat := 15 * time.Second
			if c.cause == "silent" {
				heartbeat = 20 * time.Millisecond
			}
			s.begin(t, heartbeat)
			next[scheduler.Subscribed](r)
			c.end(t, s)
			wantCause(t, next[scheduler.Disconnected](r).Cause, c.cause)
			r.subscribed(m)
		})
	}
}

// TestEventBeforeSubscribed: nothing is believed before SUBSCRIBED.
func TestEventBeforeSubscribed(t *testing.T) {
	m := newMaster(t)
	r := start(t, m.host(), nil)
	s := await(t, "a SUBSCRIBE", m.streams)
	s.send(t, &sched.Event{Type: sched.Event_RESCIND,
		Rescind: &sched.Event_Rescind{OfferID: mesos.OfferID{Value: "o-1"}}})
	r.subscribed(m)
}

func TestFinalErrors(t *testing.T) {
	for text, want := range map[string]error{
		"Framework has been removed": master.ErrRemoved,
		"Framework failed over":      master.ErrFailedOver,
	} {
		m := newMaster(t)
		r := start(t, m.host(), nil)
		s := r.subscribed(m)
		s.fail(t, text)
		next[scheduler.Disconnected](r)
		if err := await(t, "the end of Run", r.ended); !errors.Is(err, want) {
			t.Errorf("%s: Run returned %v", text, err)
		}
	}
}

// TestRemovedAtOnce: masters refuse a dead id with 200 and an ERROR.
func TestRemovedAtOnce(t *testing.T) {
	m := newMaster(t)
	r := start(t, m.host(), nil)
	await(t, "a SUBSCRIBE", m.streams).fail(t, "Framework has been removed")
	if err := await(t, "the end of Run", r.ended); !errors.Is(err, master.ErrRemoved) {
		t.Errorf("Run returned %v", err)
	}
	if len(r.events) != 0 {
		t.Errorf("event %+v of a subscription that never was", <-r.events)
	}
}

// TestLongRecord: ten thousand offers come in one record.
func TestLongRecord(t *testing.T) {
	m := newMaster(t)
	r := start(t, m.host(), nil)
	s := r.subscribed(m)
	offers := make([]mesos.Offer, 12_000)
	for i := range offers {
		offers[i] = benchOffer(i)
	}
	e := sched.Event{Type: sched.Event_OFFERS, Offers: &sched.Event_Offers{Offers: offers}}
	if e.Size() < 4<<20 {
		t.Fatalf("the record has only %d bytes", e.Size())
	}
	s.send(t, &e)
	if got := next[scheduler.Offers](r).Offers; len(got) != len(offers) || got[11_999].ID != offers[11_999].ID.Value {
		t.Errorf("%d offers came", len(got))
	}
	// Whatever is not known is passed over, and the stream goes on.
	s.write(t, "3\n\x08\x94\x0a")
	s.write(t, "2\n\x08\x09")
	agent, executor := &mesos.AgentID{Value: "a-1"}, &mesos.ExecutorID{Value: "e-1"}
	s.send(t, &sched.Event{Type: sched.Event_FAILURE, Failure: &sched.Event_Failure{AgentID: agent, ExecutorID: executor}})
	s.send(t, &sched.Event{Type: sched.Event_FAILURE, Failure: &sched.Event_Failure{AgentID: agent}})
	if got := next[scheduler.AgentLost](r); got.AgentID != "a-1" {
		t.Errorf("lost %+v", got)
	}
	s.send(t, &sched.Event{Type: sched.Event_RESCIND,
		Rescind: &sched.Event_Rescind{OfferID: mesos.OfferID{Value: "o-1"}}})
	if got := next[scheduler.Rescinded](r); got.OfferID != "o-1" {
		t.Errorf("rescinded %+v", got)
	}
}

// moving is a detector that a test moves.
type moving chan string

func (d moving) Detect(ctx context.Context, changed func(string)) error {
	for {
		select {
		case leader := <-d:
			changed(leader)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func TestLeaderChanges(t *testing.T) {
	first, second := newMaster(t), newMaster(t)
	leader := make(moving)
	r := start(t, "", func(cfg *master.Config) {
		cfg.Detector = leader
		cfg.Backoff = master.Backoff{First: time.Hour, Most: time.Hour} // a change does not wait for it
	})
	leader <- first.host()
	s := r.subscribed(first)
	leader <- first.host() // no change
	leader <- ""
	wantCause(t, next[scheduler.Disconnected](r).Cause, "another master leads")
	await(t, "the end of the stream", s.gone)
	leader <- "http://" + second.host() + "/"
	r.subscribed(second)
	r.client.Send(context.Background(), []scheduler.Call{scheduler.Revive{}})
	if got := await(t, "the call", second.calls); got.header.Get("Mesos-Stream-Id") != "stream-1" {
		t.Errorf("stream id %q", got.header.Get("Mesos-Stream-Id"))
	}
}

// TestSlowCore: a core that takes its time is not taken for a silent master.
func TestSlowCore(t *testing.T) {
	m := newMaster(t)
	events := make(chan scheduler.Event)
	start(t, m.host(), func(cfg *master.Config) { cfg.Sink = func(ev scheduler.Event) { events <- ev } })
	s := await(t, "a SUBSCRIBE", m.streams)
	s.begin(t, 150*time.Millisecond)
	beats := time.NewTicker(150 * time.Millisecond)
	defer beats.Stop()
	for range 6 { // the limit is five
		<-beats.C
		s.send(t, &sched.Event{Type: sched.Event_HEARTBEAT})
	}
	await(t, "Subscribed", events)
	s.send(t, &sched.Event{Type: sched.Event_RESCIND,
		Rescind: &sched.Event_Rescind{OfferID: mesos.OfferID{Value: "o-1"}}})
	if ev := await(t, "Rescinded", events); ev != (scheduler.Event)(scheduler.Rescinded{OfferID: "o-1"}) {
		t.Errorf("event %+v", ev)
	}
}

func TestBadConfig(t *testing.T) {
	_, err := master.New(master.Config{
		Framework:  master.Framework{Principal: "a", FailoverTimeout: -1},
		Credential: master.Credential{Principal: "b"},
	})
	for _, field := range []string{"name", "user", "failover timeout", "principal", "detector", "sink"} {
		if err == nil || !strings.Contains(err.Error(), field) {
			t.Errorf("error %q does not name the %s", err, field)
		}
	}
}
