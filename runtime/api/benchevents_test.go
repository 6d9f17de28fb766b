package api

import (
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/pacer-run/pacer/runtime/scheduler"
	"github.com/pacer-run/pacer/runtime/spec"
)

// perSubscriber is an event stream as it is written first: each client's goroutine
// encodes each event for itself, and flushes it.
type perSubscriber struct {
	mu      sync.Mutex
	clients []chan scheduler.Notice
	now     spec.Timestamp
}

func (p *perSubscriber) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	queue := make(chan scheduler.Notice, DefaultOutstanding)
	p.mu.Lock()
	p.clients = append(p.clients, queue)
	p.mu.Unlock()
	w.Header().Set("Content-Type", "text/event-stream;charset=utf-8")
	w.Header().Set("Connection", "close")
	w.Header().Set("Transfer-Encoding", "identity")
	control := http.NewResponseController(w)
	for err := control.Flush(); err == nil; err = control.Flush() {
		select {
		case n := <-queue:
			if _, err := w.Write(frameOf(eventOf(n, p.now)).text); err != nil {
				return
			}
		case <-r.Context().Done():
			return
		}
	}
}

func (p *perSubscriber) publish(n scheduler.Notice) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.clients {
		c <- n
	}
}

// forget lets go of clients that have left.
func (p *perSubscriber) forget() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.clients = nil
}

// statusOf is a status update of an instance that runs, and its event.
func statusOf(b *testing.B, w *world) (scheduler.Notice, []byte) {
	b.Helper()
	body := `{"id":"/a","cmd":"x","instances":1,"cpus":0.1,"mem":16,"portDefinitions":[{"port":0}]}`
	if answer := ask(w.handler, http.MethodPost, "/v2/apps", body); answer.Code != http.StatusCreated {
		b.Fatalf("%d %s", answer.Code, answer.Body)
	}
	w.offer("host1")
	if err := w.status("/a", 0, scheduler.TaskRunning, ""); err != nil {
		b.Fatal(err)
	}
	v, _ := w.Snapshot().Apps.Get([]byte("/a"))
	i := v.Instances[0]
	n := scheduler.StatusApplied{
		At: spec.TimestampOf(w.clock()), Instance: i, TaskID: i.TaskID(), State: scheduler.TaskRunning, AgentID: i.Agent.ID,
	}
	return n, frameOf(eventOf(n, n.At)).text
}

// BenchmarkEvents is goal G10: a burst for 1,000 subscribers in a second process,
// against a stream that encodes and flushes for each of them. The processor time is
// this side's; the second figure has the subscribers' in, which is much the same for
// both.
func BenchmarkEvents(b *testing.B) {
	for _, events := range []int{200, 1000} {
		b.Run(fmt.Sprintf("burst=%d", events), func(b *testing.B) {
			w := newWorld(nil)
			notice, frame := statusOf(b, w)
			plain := &perSubscriber{now: spec.TimestampOf(w.clock())}
			ours, theirs := listenLoopback(b, w.handler, 0), listenLoopback(b, plain, 0)
			var rates, oursBoth, theirsBoth []float64
			share := ratioOf(b, func() float64 {
				own, both, took := burst(b, ours, frame, events, func() { w.events.Publish([]scheduler.Notice{notice}) })
				rates = append(rates, float64(events*subscribers)/took.Seconds())
				oursBoth = append(oursBoth, float64(both))
				return float64(own)
			}, func() float64 {
				own, both, _ := burst(b, theirs, frame, events, func() { plain.publish(notice) })
				plain.forget()
				theirsBoth = append(theirsBoth, float64(both))
				return float64(own)
			})
			if w.events.SlowClients() > 0 {
				b.Fatal("somebody was disconnected")
			}
			b.ReportMetric(share, "cpu/plain(goal<=0.33)")
			b.ReportMetric(median(oursBoth)/median(theirsBoth), "both-sides-cpu/plain")
			b.ReportMetric(median(rates), "deliveries/s(goal>=200000)")
		})
	}
}

// BenchmarkStalled is goal G10: how much later 1,000 subscribers have events, at the
// 99th percentile, when 20 others take nothing.
func BenchmarkStalled(b *testing.B) {
	const stalled = 20
	w := newWorld(nil)
	notice, frame := statusOf(b, w)
	address, narrow := listenLoopback(b, w.handler, 0), listenLoopback(b, w.handler, 4096)
	p99 := func() float64 {
		const events = 50
		a := gather(b, address, len(frame))
		for range events {
			a.hear(b, 1, func() { w.events.Publish([]scheduler.Notice{notice}) })
		}
		a.leave(b, frame, events)
		all := slices.Sorted(slices.Values(slices.Concat(a.late...)))
		if len(all) != events*subscribers {
			b.Fatalf("%d deliveries", len(all))
		}
		return float64(all[len(all)*99/100])
	}
	r := ratioOf(b, func() float64 {
		conns := stall(b, w, narrow, stalled)
		defer func() {
			for _, c := range conns {
				c.Close()
			}
		}()
		before := w.events.SlowClients()
		late := p99()
		if n := stuck(w.events); n != stalled || w.events.SlowClients() != before {
			b.Fatalf("%d clients are stalled, want %d", n, stalled)
		}
		return late
	}, p99)
	b.ReportMetric(r, "p99/without(goal<=1.2)")
}

// stall attaches clients that read nothing and fills what the kernel holds for them.
func stall(b *testing.B, w *world, address string, n int) []net.Conn {
	b.Helper()
	var conns []net.Conn
	for range n {
		conn, _ := subscribe(b, address, "event_type=status_update_event&event_type=app_terminated_event", 4096)
		conns = append(conns, conn)
	}
	long := spec.PathID("/" + strings.Repeat("a", 4000))
	w.events.Publish(slices.Repeat([]scheduler.Notice{scheduler.AppTerminated{App: long}}, 200))
	return conns
}

// stuck counts the streams for which something waits.
func stuck(e *Events) (n int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, s := range e.streams {
		s.mu.Lock()
		if len(s.queue) > 0 {
			n++
		}
		s.mu.Unlock()
	}
	return n
}

// BenchmarkEventSize is goal G10's law: the events of a change to one app are as
// long among 10,000 apps as among 100.
func BenchmarkEventSize(b *testing.B) {
	size := func(apps int) (n int) {
		w := manyApps(b, apps)
		s := w.events.attach("10.1.1.1", nil)
		s.queue = nil
		putOne(b, w, 1)
		for _, text := range s.queue {
			n += len(text)
		}
		return n
	}
	for b.Loop() {
		few, many := size(100), size(10_000)
		if few == 0 || few != many {
			b.Fatalf("%d bytes among 100 apps, %d among 10,000", few, many)
		}
		b.ReportMetric(float64(many), "B/change")
		b.ReportMetric(float64(many)/float64(few), "10000/100-apps(goal=1)")
	}
}
