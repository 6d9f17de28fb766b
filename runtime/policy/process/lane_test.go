package process

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"

	"github.com/pacer-run/pacer/runtime/policy/remote"
	"github.com/pacer-run/pacer/sdk"
	"github.com/pacer-run/pacer/sdk/process/protocol"
	"github.com/pacer-run/pacer/sdk/wire"
)

// idle is how many lanes wait for a call.
func idle(m *Module) int {
	r := running(m)
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.lanes)
}

func TestLanes(t *testing.T) {
	m := start(t, as(t, "zoo"))
	t.Run("are kept", func(t *testing.T) { lanesAreKept(t, m) })
	t.Run("tell the deadline", func(t *testing.T) { moduleIsToldTheDeadline(t, m) })
	t.Run("leave out long answers", func(t *testing.T) {
		request := sdk.AdmissionRequest{Policy: "zoo", New: []byte(strings.Repeat("x", laneBytes+1))}
		got, err := remote.Admission(m).Review(t.Context(), request)
		if err != nil || len(got.Amended) != laneBytes+1 {
			t.Errorf("%d bytes, %v", len(got.Amended), err)
		}
	})
}

// Calls that come one after the other share a lane; those at the same time have one
// each, and no more are kept than are likely to be needed again.
func lanesAreKept(t *testing.T, m *Module) {
	for range 20 {
		tell(t, m, "pid")
	}
	if n := idle(m); n > 2 { // what was prepared is released meanwhile
		t.Errorf("%d lanes after calls one by one", n)
	}
	var group sync.WaitGroup
	for range 3 * idleLanes {
		group.Go(func() {
			if _, err := step(t, m, "together"); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if n := idle(m); n > idleLanes || n < idleLanes-1 { // one may be at work, releasing
		t.Errorf("%d lanes are kept, want %d", n, idleLanes)
	}
	if running(m).single {
		t.Error("it is taken for one without streams of calls")
	}
}

// The module knows until when the host waits, and is told when it waits no more.
func moduleIsToldTheDeadline(t *testing.T, m *Module) {
	p, err := remote.Upgrade(m).Prepare(t.Context(), sdk.UpgradeSpec{Strategy: "wait"})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	asked := make(chan error)
	go func() {
		_, err := p.Next(ctx, sdk.UpgradeState{})
		asked <- err
	}()
	tell(t, m, "waits") // as soon as it does
	cancel()
	if err := <-asked; !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	if got := tell(t, m, "waited"); got != "context canceled, had a deadline" { // waits for the one before
		t.Errorf("the module saw: %s", got)
	}
}

// A module that does not keep to the rules of a stream is at fault, each time anew.
func TestBadLane(t *testing.T) {
	m := start(t, as(t, "lane"))
	for kind, want := range map[string]string{
		"ends":     "it ended a stream of calls",
		"babbles":  "Converse: malformed message",
		"exceeds":  "an answer of more than ",
		"refuses":  "not now",
		"declines": "code 77",
	} {
		t.Run(kind, func(t *testing.T) {
			for range 2 {
				_, err := step(t, m, kind)
				wantFault(t, err, want)
			}
		})
	}
}

// serveLane is a module that greets well and then does something else.
func serveLane() {
	plugin.Serve(&plugin.ServeConfig{
		HandshakeConfig:  plugin.HandshakeConfig{MagicCookieKey: protocol.CookieKey, MagicCookieValue: protocol.CookieValue},
		VersionedPlugins: map[int]plugin.PluginSet{protocol.Version: {protocol.Plugin: badLane{}}},
		GRPCServer: func(options []grpc.ServerOption) *grpc.Server {
			return grpc.NewServer(append(options, grpc.ForceServerCodecV2(protocol.Codec{}))...)
		},
	})
}

type badLane struct{ connection }

func (b badLane) GRPCServer(_ *plugin.GRPCBroker, server *grpc.Server) error {
	server.RegisterService(&grpc.ServiceDesc{
		ServiceName: protocol.Service, HandlerType: (*any)(nil),
		Streams: []grpc.StreamDesc{{StreamName: protocol.Converse, ServerStreams: true, ClientStreams: true, Handler: func(_ any, s grpc.ServerStream) error {
			for {
				var in protocol.Message
				if err := s.RecvMsg(&in); err != nil {
					return err
				}
				call, err := wire.DecodeCall(in)
				if err != nil {
					return err
				}
				out, end := b.answer(call)
				if end {
					return nil
				}
				if err := s.SendMsg(&out); err != nil {
					return err
				}
			}
		}}},
	}, nil)
	return nil
}

// answer does as the strategy that is to be prepared is called.
func (badLane) answer(call wire.Call) (out protocol.Message, end bool) {
	if call.Method == protocol.Describe {
		d := wire.Description{Minor: 1, Name: "zoo", Version: "1.2.3", Strategies: []string{"ends", "babbles", "exceeds", "refuses", "declines"}}
		return wire.AppendReply(nil, wire.Reply{Output: wire.AppendDescription(nil, d)}), false
	}
	if call.Method == protocol.Configure {
		return protocol.Message{}, false
	}
	spec, err := wire.DecodeUpgradeSpec(call.Input)
	if err != nil {
		return protocol.Message(err.Error()), true
	}
	switch spec.Strategy {
	case "babbles":
		return protocol.Message{0xff}, false
	case "exceeds":
		return wire.AppendReply(nil, wire.Reply{Output: make([]byte, laneBytes)}), false
	case "refuses":
		return wire.AppendReply(nil, wire.Reply{Code: 9, Reason: "not now"}), false
	case "declines":
		return wire.AppendReply(nil, wire.Reply{Code: 77, Reason: "code 77"}), false
	}
	return nil, true
}

// The timer of a lane is not started for each call, and ends none but that whose
// deadline has come.
func TestLaneEndsInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		var ended time.Duration
		l := &lane{cancel: func() { ended = time.Since(began) }}
		l.begin(began.Add(10 * time.Second))
		time.Sleep(time.Second)
		l.begin(began.Add(5 * time.Second)) // another call, with less time
		if l.finish() {
			t.Error("late after 1 s")
		}
		time.Sleep(7 * time.Second) // with nothing to do
		l.begin(began.Add(20 * time.Second))
		time.Sleep(11 * time.Second)
		if l.finish() {
			t.Error("late after 19 s")
		}
		l.begin(began.Add(29 * time.Second))
		time.Sleep(time.Minute)
		if !l.finish() || ended != 29*time.Second {
			t.Errorf("it ended after %v", ended)
		}
	})
}
