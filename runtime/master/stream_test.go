package master_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/mesos/mesos-go/api/v1/lib"
	sched "github.com/mesos/mesos-go/api/v1/lib/scheduler"

	"github.com/pacer-run/pacer/runtime/master"
	"github.com/pacer-run/pacer/runtime/scheduler"
)

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
	s.send(t, &sched.Event{
		Type:    sched.Event_RESCIND,
		Rescind: &sched.Event_Rescind{OfferID: mesos.OfferID{Value: "o-1"}},
	})
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
	s.send(t, &sched.Event{
		Type:    sched.Event_RESCIND,
		Rescind: &sched.Event_Rescind{OfferID: mesos.OfferID{Value: "o-1"}},
	})
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
	s.send(t, &sched.Event{
		Type:    sched.Event_RESCIND,
		Rescind: &sched.Event_Rescind{OfferID: mesos.OfferID{Value: "o-1"}},
	})
	if ev := await(t, "Rescinded", events); ev != scheduler.Event(scheduler.Rescinded{OfferID: "o-1"}) {
		t.Errorf("event %+v", ev)
	}
}
