package health

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pacer-run/pacer/runtime/spec"
)

// stage is a prober whose probes are made by a function. It has to be made in a
// bubble of synctest.
type stage struct {
	*Prober
	end context.CancelFunc

	mu      sync.Mutex
	starts  map[Key][]time.Time
	results []Result
}

// play starts a prober.
func play(t *testing.T, c Config, ask func(ctx context.Context, p *probe) outcome) *stage {
	s := &stage{starts: map[Key][]time.Time{}}
	c.Sink = func(r Result) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.results = append(s.results, r)
	}
	s.Prober = New(c)
	s.ask = func(ctx context.Context, p *probe, _ bool) outcome {
		s.mu.Lock()
		s.starts[p.Key] = append(s.starts[p.Key], time.Now())
		s.mu.Unlock()
		return ask(ctx, p)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { s.Run(ctx); close(ended) }()
	s.end = func() { cancel(); <-ended }
	t.Cleanup(s.end)
	return s
}

// of are the starts of a target's probes so far.
func (s *stage) of(key Key) []time.Time {
	synctest.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.starts[key])
}

// found are the results so far.
func (s *stage) found() []Result {
	synctest.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.results)
}

// well is an instance that answers after some time.
func well(after time.Duration) func(context.Context, *probe) outcome {
	return func(ctx context.Context, _ *probe) outcome {
		select {
		case <-time.After(after):
			return outcome{good: true, status: 200}
		case <-ctx.Done():
			return outcome{cause: ctx.Err().Error()}
		}
	}
}

// hung never answers in time.
func hung(ctx context.Context, p *probe) outcome {
	select {
	case <-time.After(p.Timeout):
		return outcome{cause: "no answer", late: true}
	case <-ctx.Done():
		return outcome{cause: ctx.Err().Error()}
	}
}

func web(i int, interval time.Duration) Target {
	return Target{
		Key: Key{Instance: fmt.Sprintf("web.%d", i)}, App: "/web", Version: 7, Host: "agent", Port: 31000,
		Interval: interval, Timeout: 5 * time.Second,
	}
}

func TestRhythm(t *testing.T) {
	for _, interval := range []time.Duration{time.Second, 10 * time.Second, time.Minute} {
		t.Run(interval.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := play(t, Config{}, well(time.Millisecond))
				begun := time.Now()
				s.Update([]Target{web(1, interval), web(2, interval)})
				time.Sleep(5 * interval)
				for _, key := range []Key{{"web.1", 0}, {"web.2", 0}} {
					at := s.of(key)
					if len(at) < 4 {
						t.Fatalf("%v probes", at)
					}
					if lead := at[0].Sub(begun); lead >= min(interval, 5*time.Second) {
						t.Errorf("the first probe came after %v", lead)
					}
					if second := at[1].Sub(at[0]); second < interval/2 || second >= 3*interval/2 {
						t.Errorf("the second probe came %v after the first", second)
					}
					for i := 2; i < len(at); i++ {
						if got := at[i].Sub(at[i-1]); got != interval {
							t.Errorf("probe %d came %v after the one before", i+1, got)
						}
					}
				}
			})
		})
	}
}

// Ten thousand targets that come at the same moment start evenly from then on.
func TestSpread(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const n, interval, parts = 10_000, 10 * time.Second, 100
		s := play(t, Config{}, well(time.Millisecond))
		var targets []Target
		for i := range n {
			targets = append(targets, web(i, interval))
		}
		s.Update(targets)
		time.Sleep(2 * interval)
		from := time.Now()
		time.Sleep(interval)
		var buckets [parts]int
		for i := range n {
			at := s.of(Key{Instance: fmt.Sprintf("web.%d", i)})
			last := slices.IndexFunc(at, func(x time.Time) bool { return !x.Before(from) })
			buckets[at[last].Sub(from)*parts/(interval+1)]++
		}
		if most := slices.Max(buckets[:]); most > 2*n/parts {
			t.Errorf("up to %d start together, of %d on average", most, n/parts)
		}
		for _, r := range s.found() {
			if r.Late > 0 {
				t.Fatalf("late: %+v", r)
			}
		}
	})
}

// A target has the same place in time under another leader, and with other settings.
func TestPlaceInTimeIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const interval = 10 * time.Second
		key := Key{Instance: "web.1"}
		phase := func(at time.Time) int64 { return at.UnixNano() % int64(interval) }
		s := play(t, Config{}, well(time.Millisecond))
		s.Update([]Target{web(1, interval)})
		time.Sleep(3 * interval)
		want := phase(s.of(key)[1])
		s.end()

		time.Sleep(1234 * time.Millisecond)
		s = play(t, Config{}, well(time.Millisecond))
		s.Update([]Target{web(1, interval)})
		time.Sleep(3 * interval)
		moved := web(1, interval)
		moved.Port++
		s.Update([]Target{moved})
		time.Sleep(2 * interval)
		at := s.of(key)
		if len(at) < 4 {
			t.Fatalf("%d probes", len(at))
		}
		for _, x := range at[1:] {
			if phase(x) != want {
				t.Errorf("a probe at %v, want it %v into the interval", x, time.Duration(want))
			}
		}
		// With another interval it has another place, and begins anew.
		begun := time.Now()
		s.Update([]Target{web(1, 7*time.Second)})
		time.Sleep(5 * time.Second)
		if last := s.of(key); !last[len(last)-1].After(begun) {
			t.Error("no probe after the interval changed")
		}
	})
}

func TestResult(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := play(t, Config{}, func(context.Context, *probe) outcome {
			time.Sleep(30 * time.Millisecond)
			return outcome{cause: "HTTP status 500", status: 500}
		})
		target := web(1, 10*time.Second)
		target.Key.Check = 2
		s.Update([]Target{target})
		time.Sleep(5 * time.Second)
		found := s.found()
		if len(found) != 1 {
			t.Fatalf("%+v", found)
		}
		r := found[0]
		if r.Key != target.Key || r.App != "/web" || r.Version != 7 || r.Good || r.Cause != "HTTP status 500" || r.Status != 500 || r.Late != 0 || r.Ended.Sub(r.Began) != 30*time.Millisecond {
			t.Errorf("%+v", r)
		}
		if st := s.Stats(); st != (Stats{Targets: 1, Kept: 1, Probes: 1, Bad: 1}) {
			t.Errorf("%+v", st)
		}
	})
}

func TestResultsOfTargetsThatWentAwayAreDropped(t *testing.T) {
	moved := web(1, 10*time.Second)
	moved.Host = "elsewhere"
	for name, tt := range map[string]struct {
		change  func(*stage)
		results int // in the next interval
	}{
		"removed by Update":     {func(s *stage) { s.Update(nil) }, 0},
		"removed by Change":     {func(s *stage) { s.Change(nil, []Key{{"web.1", 0}, {"nobody", 0}}) }, 0},
		"changed by Update":     {func(s *stage) { s.Update([]Target{moved}) }, 1},
		"changed by Change":     {func(s *stage) { s.Change([]Target{moved}, nil) }, 1},
		"Mesos' to make":        {func(s *stage) { m := moved; m.Protocol = spec.CheckMesosTCP; s.Change([]Target{m}, nil) }, 0},
		"the same, for Update":  {func(s *stage) { s.Update([]Target{web(1, 10*time.Second)}) }, 1},
		"others, for Change":    {func(s *stage) { s.Change([]Target{web(2, time.Hour)}, nil) }, 1},
		"removed and put again": {func(s *stage) { s.Update(nil); s.Update([]Target{web(1, 10*time.Second)}) }, 2},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := play(t, Config{}, well(4*time.Second))
				s.Update([]Target{web(1, 10*time.Second)})
				for len(s.of(Key{Instance: "web.1"})) == 0 {
					time.Sleep(100 * time.Millisecond)
				}
				began := time.Now()
				tt.change(s)
				synctest.Wait()
				same := name[0] == 't' || name[0] == 'o'
				if st := s.Stats(); (st.UnderWay == 1) != same || (st.Dropped == 0) != same {
					t.Errorf("just after: %+v", st)
				}
				time.Sleep(10*time.Second - time.Since(began))
				var got []Result
				for _, r := range s.found() {
					if r.Key.Instance == "web.1" {
						got = append(got, r)
					}
				}
				if len(got) < min(1, tt.results) || len(got) > tt.results {
					t.Errorf("%d results: %+v", len(got), got)
				}
			})
		})
	}
}

// No more probes than allowed are under way, and all targets get their turn.
func TestConcurrency(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		now, most := 0, 0
		s := play(t, Config{Concurrency: 10}, func(ctx context.Context, p *probe) outcome {
			mu.Lock()
			now++
			most = max(most, now)
			mu.Unlock()
			defer func() { mu.Lock(); now--; mu.Unlock() }()
			return well(time.Second)(ctx, p)
		})
		var targets []Target
		for i := range 200 {
			targets = append(targets, web(i, 10*time.Second))
		}
		s.Update(targets) // needs twenty at a time
		time.Sleep(time.Minute)
		mu.Lock()
		if most != 10 {
			t.Errorf("%d under way at a time", most)
		}
		mu.Unlock()
		if st := s.Stats(); st.Waiting == 0 || st.UnderWay != 10 {
			t.Errorf("%+v", st)
		}
		late := false
		for _, r := range s.found() {
			late = late || r.Late > 0
		}
		for i := range 200 {
			if n := len(s.of(Key{Instance: fmt.Sprintf("web.%d", i)})); n < 2 || n > 4 {
				t.Errorf("%d probes of target %d", n, i)
			}
		}
		if !late {
			t.Error("no result says that it is late")
		}
	})
}

// Targets that hang do not hold up those that answer, however many there are.
func TestHungTargetsTakeHalf(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dead := func(p *probe) bool { return p.Host == "dead" }
		s := play(t, Config{Concurrency: 8}, func(ctx context.Context, p *probe) outcome {
			if dead(p) {
				return hung(ctx, p)
			}
			return well(time.Millisecond)(ctx, p)
		})
		var targets []Target
		for i := range 100 {
			target := web(i, 10*time.Second)
			target.Timeout = 20 * time.Second
			if i%2 == 0 {
				target.Host = "dead"
			}
			targets = append(targets, target)
		}
		s.Update(targets)
		time.Sleep(20 * time.Minute) // each of the dead has had its turn
		from := time.Now()
		time.Sleep(time.Minute)
		alive := 0
		for _, r := range s.found() {
			if r.Began.After(from) && r.Good {
				alive++
				if r.Late > 0 {
					t.Fatalf("late: %+v", r)
				}
			}
		}
		if alive < 290 || alive > 310 {
			t.Errorf("%d probes of 50 targets in a minute", alive)
		}
		if st := s.Stats(); st.UnderWay < 4 || st.UnderWay > 5 || st.Waiting == 0 {
			t.Errorf("%+v", st)
		}
	})
}

// A probe that takes longer than the interval is followed by the next at once.
func TestMissedSlotIsMadeUpFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fast := time.Now().Add(101 * time.Second)
		s := play(t, Config{}, func(ctx context.Context, p *probe) outcome {
			if time.Now().After(fast) {
				return outcome{good: true}
			}
			return well(25*time.Second)(ctx, p)
		})
		target := web(1, 10*time.Second)
		target.Timeout = time.Minute
		s.Update([]Target{target})
		time.Sleep(101 * time.Second)
		at := s.of(target.Key)
		if len(at) != 4 && len(at) != 5 {
			t.Fatalf("%v", at)
		}
		for i := 1; i < len(at); i++ {
			if got := at[i].Sub(at[i-1]); got != 25*time.Second {
				t.Errorf("probe %d came %v after the one before", i+1, got)
			}
		}
		// Of all that were missed one is made up for, and then there is the old rhythm.
		slow := len(at)
		time.Sleep(99 * time.Second)
		at = s.of(target.Key)[slow:]
		if len(at) < 9 || len(at) > 11 {
			t.Errorf("%d probes in 99 s: %v", len(at), at)
		}
		for i := 2; i < len(at); i++ {
			if got := at[i].Sub(at[i-1]); got != 10*time.Second {
				t.Errorf("later, one came %v after the one before", got)
			}
		}
	})
}

// BenchmarkUpdate says the same 10,000 targets again, and one that differs.
func BenchmarkUpdate(b *testing.B) {
	targets := make([]Target, 10_000)
	for i := range targets {
		targets[i] = web(i, 10*time.Second)
	}
	for name, update := range map[string]func(p *Prober, one Target){
		"all": func(p *Prober, one Target) { targets[0] = one; p.Update(targets) },
		"one": func(p *Prober, one Target) { p.Change([]Target{one}, nil) },
	} {
		b.Run(name, func(b *testing.B) {
			p := New(Config{})
			p.Update(targets)
			one := targets[0]
			for b.Loop() {
				one.Port = 31000 + (one.Port+1)%100
				update(p, one)
			}
			if st := p.Stats(); st.Targets != len(targets) {
				b.Fatalf("%+v", st)
			}
		})
	}
}
