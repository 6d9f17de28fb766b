package health

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pacer-run/pacer/runtime/spec"
)

func ready(codes ...int) Target {
	t := web(1, 30*time.Second)
	t.Key.Check, t.Readiness = ReadinessCheck, &Readiness{StatusCodes: codes}
	return t
}

// A readiness check begins at once, goes on an interval after each end, and is over
// with the first good answer.
func TestReadiness(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begun, asked := time.Now(), 0
		s := play(t, Config{}, func(ctx context.Context, p *probe) outcome {
			asked++
			time.Sleep(2 * time.Second)
			return outcome{good: asked > 2}
		})
		s.Update([]Target{ready(200)})
		time.Sleep(10 * time.Minute)
		s.Update([]Target{ready(200)}) // says nothing new
		time.Sleep(10 * time.Minute)
		var got []time.Duration
		for _, at := range s.of(ready().Key) {
			got = append(got, at.Sub(begun))
		}
		if want := []time.Duration{0, 32 * time.Second, 64 * time.Second}; !slices.Equal(got, want) {
			t.Errorf("probes at %v, want %v", got, want)
		}
		found := s.found()
		if len(found) != 3 || !found[2].Good || found[1].Good {
			t.Errorf("%+v", found)
		}
		s.Update([]Target{ready(200, 204)})
		if n := len(s.of(ready().Key)); n != 4 {
			t.Errorf("%d probes after it changed", n)
		}
	})
}

// The end of Run gives up what is under way and tells nothing of it. That no
// goroutine is left is what the bubble sees to.
func TestEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := play(t, Config{Concurrency: -4}, hung) // one at a time
		var targets []Target
		for i := range 20 {
			targets = append(targets, web(i, time.Second))
		}
		s.Update(targets)
		time.Sleep(time.Second)
		before := time.Now()
		s.end()
		if took := time.Since(before); took > 0 || len(s.found()) > 0 {
			t.Errorf("it ended after %v with %d results", took, len(s.found()))
		}
		s.Update(targets[:1]) // harmless, if useless
		if st := s.Stats(); st.Targets != 1 || st.UnderWay != 0 {
			t.Errorf("%+v", st)
		}
	})
}

// A sink that blocks holds up probes and nothing else.
func TestSinkBlocks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		p := New(Config{Concurrency: 2, Sink: func(Result) { <-release }})
		p.ask = func(context.Context, *probe, bool) outcome { return outcome{good: true} }
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { p.Run(ctx); close(ended) }()
		p.Update([]Target{web(1, time.Second), web(2, time.Second), web(3, time.Second)})
		time.Sleep(10 * time.Second)
		if st := p.Stats(); st.Probes != 2 || st.Waiting != 1 {
			t.Errorf("%+v", st)
		}
		p.Update([]Target{web(1, time.Second)})
		close(release)
		time.Sleep(10 * time.Second)
		if st := p.Stats(); st.Probes < 10 || st.Waiting != 0 || st.Targets != 1 {
			t.Errorf("%+v", st)
		}
		cancel()
		<-ended
	})
}

// Of the targets that are asked often enough as many keep a connection as may.
func TestKept(t *testing.T) {
	p := New(Config{Connections: 2})
	kept := func(want int) {
		t.Helper()
		if got := p.Stats().Kept; got != want {
			t.Errorf("%d targets keep a connection, want %d", got, want)
		}
	}
	tcp, rare, readiness := web(8, time.Second), web(9, time.Minute), ready(200)
	tcp.Protocol = spec.CheckTCP
	p.Update([]Target{tcp, rare, readiness})
	kept(0)
	p.Change([]Target{web(1, time.Second)}, nil)
	kept(1)
	p.Change([]Target{web(2, time.Second), web(3, time.Second), web(4, time.Second)}, nil)
	kept(2)
	p.Change(nil, []Key{web(1, 0).Key, web(2, 0).Key, web(3, 0).Key})
	kept(0) // the one that is left began when there was no room
	p.Change([]Target{web(5, time.Second), web(6, 30*time.Second)}, nil)
	kept(2)
	p.Change([]Target{web(5, time.Minute)}, nil)
	kept(1)
	p.Update(nil)
	kept(0)
}
