package process

import (
	"context"
	"errors"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/pacer-run/pacer/sdk"
	"github.com/pacer-run/pacer/sdk/process/protocol"
	"github.com/pacer-run/pacer/sdk/wire"
)

// gate is an upgrade whose steps wait until they are let through.
type gate struct {
	entered chan struct{}
	open    chan struct{}
	closed  chan struct{}
}

func (gate) Strategies() []string { return []string{"gate"} }

func (g gate) Prepare(_ context.Context, u sdk.UpgradeSpec) (sdk.PreparedUpgrade, error) {
	switch u.Strategy {
	case "invalid":
		return nil, &sdk.Invalid{Message: "change it"}
	case "late":
		return nil, context.DeadlineExceeded
	case "broken":
		return nil, errors.New("broken")
	}
	return g, nil
}

func (g gate) Next(context.Context, sdk.UpgradeState) (sdk.UpgradeStep, error) {
	g.entered <- struct{}{}
	<-g.open
	return sdk.UpgradeStep{Start: 1}, nil
}

func (g gate) Close() { close(g.closed) }

func newGate() gate {
	return gate{make(chan struct{}, 9), make(chan struct{}), make(chan struct{})}
}

// What was prepared is used by one call at a time, and closed after the last one.
func TestOneCallAtATime(t *testing.T) {
	g := newGate()
	a := newAnswers(Module{Upgrade: g})
	b, err := a.prepareUpgrade(t.Context(), wire.AppendUpgradeSpec(nil, sdk.UpgradeSpec{Strategy: "gate"}))
	if err != nil {
		t.Fatal(err)
	}
	p, err := wire.DecodePrepared(b)
	if err != nil {
		t.Fatal(err)
	}
	question := wire.AppendQuestion(nil, wire.Question{Handle: p.Handle})
	done := make(chan error, 2)
	ask := func(ctx context.Context) {
		_, err := a.ask(ctx, question)
		done <- err
	}
	go ask(t.Context())
	<-g.entered
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if ask(ctx); !errors.Is(<-done, context.Canceled) {
		t.Error("a second call did not wait for the first")
	}
	released := make(chan struct{})
	go func() {
		defer close(released)
		if _, err := a.release(t.Context(), wire.AppendRelease(nil, p.Handle)); err != nil {
			t.Error(err)
		}
	}()
	select {
	case <-g.closed:
		t.Error("closed while in use")
	default:
	}
	g.open <- struct{}{}
	if err := <-done; err != nil {
		t.Error(err)
	}
	<-released
	<-g.closed
	if ask(t.Context()); !errors.Is(<-done, errNoHandle) {
		t.Error("a handle that was released is answered")
	}
	if _, err := a.release(t.Context(), wire.AppendRelease(nil, p.Handle)); err != nil {
		t.Error("released twice:", err)
	}
}

// A call that waited for its turn finds that what it asks about was released.
func TestReleasedWhileWaiting(t *testing.T) {
	h := handles{kept: map[uint32]*kept{}}
	handle := h.keep(nil, func() {})
	k := h.kept[handle]
	h.release(handle)
	h.kept[handle] = k // as a call sees it that took it before
	if _, err := h.take(t.Context(), handle); !errors.Is(err, errNoHandle) {
		t.Errorf("error %v", err)
	}
}

func TestErrors(t *testing.T) {
	a := newAnswers(Module{Upgrade: newGate()})
	prepare := func(strategy string) []byte { return wire.AppendUpgradeSpec(nil, sdk.UpgradeSpec{Strategy: strategy}) }
	tests := []struct {
		name   string
		answer method
		in     []byte
		want   codes.Code
		text   string
	}{
		{"invalid", a.prepareUpgrade, prepare("invalid"), codes.InvalidArgument, "change it"},
		{"late", a.prepareUpgrade, prepare("late"), codes.DeadlineExceeded, "context deadline exceeded"},
		{"broken", a.prepareUpgrade, prepare("broken"), codes.Internal, "broken"},
		{"malformed", a.prepareUpgrade, []byte{1}, codes.Internal, "malformed message: bad tag"},
		{"constraint", a.prepareConstraint, nil, codes.Internal, errNoKind.Error()},
		{"fetch", a.prepareFetch, nil, codes.Internal, errNoKind.Error()},
		{"health", a.prepareHealth, nil, codes.Internal, errNoKind.Error()},
		{"admission", a.review, nil, codes.Internal, errNoKind.Error()},
		{"handle", a.ask, nil, codes.Internal, errNoHandle.Error()},
		{"settings", a.configure, wire.AppendHostInfo(nil, wire.HostInfo{Settings: "{}"}), codes.InvalidArgument, "the module takes no settings"},
		{"no settings", a.configure, nil, codes.OK, ""},
	}
	for _, test := range tests {
		read := func(m any) error {
			*m.(*protocol.Message) = test.in
			return nil
		}
		_, err := test.answer.handler()(nil, t.Context(), read, nil)
		if got := status.Convert(err); got.Code() != test.want || got.Message() != test.text {
			t.Errorf("%s: %v; want %v: %s", test.name, err, test.want, test.text)
		}
	}
}

// Every method of the service has the name that the reference gives it, and there is
// one for each; the test of the host with generated messages holds it to the types.
func TestService(t *testing.T) {
	desc := newAnswers(Module{}).service()
	if len(desc.Methods) != 12 || len(desc.Streams) != 1 || desc.ServiceName != "pacer.policy.v1.PolicyModule" {
		t.Errorf("%d methods of %s", len(desc.Methods), desc.ServiceName)
	}
}
