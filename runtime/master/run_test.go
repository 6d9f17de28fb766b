package master_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/pacer-run/pacer/runtime/master"
	"github.com/pacer-run/pacer/runtime/scheduler"
)

// deadline is how long a test waits for what must come.
const deadline = 30 * time.Second

// run is a client under test.
type run struct {
	t      *testing.T
	client *master.Client
	events chan scheduler.Event
	ended  chan error
	stop   context.CancelFunc
}

// start runs a client until the test ends; edit changes its configuration.
func start(t *testing.T, leader string, edit func(*master.Config)) *run {
	t.Helper()
	r := &run{t: t, events: make(chan scheduler.Event, 1024), ended: make(chan error, 1)}
	cfg := master.Config{
		Framework: master.Framework{Name: "pacer", User: "nobody", Checkpoint: true, FailoverTimeout: time.Hour},
		Detector:  master.Fixed(leader),
		Sink:      func(ev scheduler.Event) { r.events <- ev },
		Backoff:   master.Backoff{First: time.Millisecond, Most: 4 * time.Millisecond},
		Random:    func() float64 { return 0 },
	}
	if edit != nil {
		edit(&cfg)
	}
	client, err := master.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	r.client = client
	ctx, stop := context.WithCancel(context.Background())
	r.stop = stop
	go func() { r.ended <- client.Run(ctx) }()
	t.Cleanup(stop)
	return r
}

// await receives from a channel or fails the test.
func await[T any](t *testing.T, what string, from <-chan T) T {
	t.Helper()
	select {
	case v := <-from:
		return v
	case <-time.After(deadline):
		t.Fatalf("%s did not come within %v", what, deadline)
		panic("unreachable")
	}
}

// next returns the next event, which must be an E.
func next[E scheduler.Event](r *run) E {
	r.t.Helper()
	ev := await(r.t, fmt.Sprintf("%T", *new(E)), r.events)
	e, ok := ev.(E)
	if !ok {
		r.t.Fatalf("event %T %+v, want %T", ev, ev, e)
	}
	return e
}

// subscribed awaits a subscription at m.
func (r *run) subscribed(m *fakeMaster) *stream {
	r.t.Helper()
	s := await(r.t, "a SUBSCRIBE", m.streams)
	s.begin(r.t, 15*time.Second)
	next[scheduler.Subscribed](r)
	return s
}

// wantCause fails the test unless a cause has the text.
func wantCause(t *testing.T, cause, text string) {
	t.Helper()
	if !strings.Contains(cause, text) {
		t.Errorf("cause %q, want one with %q", cause, text)
	}
}
