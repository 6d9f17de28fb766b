package api

import (
	"bufio"
	"bytes"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pacer-run/pacer/runtime/scheduler"
	"github.com/pacer-run/pacer/runtime/spec"
)

const subscribers = 1000

// listenLoopback serves a handler until the benchmark ends. buffer, when it is not
// 0, bounds what the kernel holds for a client that reads nothing.
func listenLoopback(b *testing.B, h http.Handler, buffer int) string {
	b.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	server := &http.Server{Handler: h, ConnState: func(c net.Conn, state http.ConnState) {
		if state == http.StateNew && buffer > 0 {
			c.(*net.TCPConn).SetWriteBuffer(buffer) //nolint:errcheck // the queues are looked at
		}
	}}
	go server.Serve(listener) //nolint:errcheck // it ends with the benchmark
	b.Cleanup(func() { server.Close() })
	return listener.Addr().String()
}

// subscribe opens a stream and reads its head: the client is attached by then.
func subscribe(b *testing.B, address, query string, buffer int) (net.Conn, *bufio.Reader) {
	b.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		b.Fatal(err)
	}
	if buffer > 0 {
		conn.(*net.TCPConn).SetReadBuffer(buffer) //nolint:errcheck // the queues are looked at
	}
	fmt.Fprintf(conn, "GET /v2/events?%s HTTP/1.1\r\nHost: x\r\n\r\n", query)
	r := bufio.NewReader(conn)
	for line := ""; line != "\r\n"; {
		if line, err = r.ReadString('\n'); err != nil {
			b.Fatal(err)
		}
	}
	return conn, r
}

// audience are subscribers of status updates that read as fast as they can.
type audience struct {
	conns   []net.Conn
	readers sync.WaitGroup
	frame   int // bytes of each event
	began   time.Time

	left    atomic.Int64 // bytes until all have what was announced
	arrived chan struct{}
	first   []byte            // all that the first has read
	got     []int             // bytes that each has read
	late    [][]time.Duration // how late each had each event
}

func gather(b *testing.B, address string, frame int) *audience {
	b.Helper()
	a := &audience{
		frame: frame, arrived: make(chan struct{}, 1),
		got: make([]int, subscribers), late: make([][]time.Duration, subscribers),
	}
	for i := range subscribers {
		conn, r := subscribe(b, address, "event_type=status_update_event", 0)
		if r.Buffered() > 0 {
			b.Fatal("an event nobody published")
		}
		a.conns = append(a.conns, conn)
		a.readers.Go(func() { a.read(i, conn) })
	}
	return a
}

func (a *audience) read(i int, conn net.Conn) {
	buffer := make([]byte, 64<<10)
	for {
		n, err := conn.Read(buffer)
		if err != nil {
			return
		}
		if i == 0 {
			a.first = append(a.first, buffer[:n]...)
		}
		a.got[i] += n
		if a.got[i]%a.frame == 0 {
			a.late[i] = append(a.late[i], time.Since(a.began))
		}
		if a.left.Add(int64(-n)) == 0 {
			a.arrived <- struct{}{}
		}
	}
}

// hear publishes events and waits until every subscriber has each of them.
func (a *audience) hear(b *testing.B, events int, publish func()) time.Duration {
	b.Helper()
	a.left.Store(int64(events * a.frame * len(a.conns)))
	a.began = time.Now()
	for range events {
		publish()
	}
	select {
	case <-a.arrived:
	case <-time.After(time.Minute):
		b.Fatalf("%d bytes did not arrive", a.left.Load())
	}
	return time.Since(a.began)
}

// leave ends all and checks what they have: so many times the same event.
func (a *audience) leave(b *testing.B, frame []byte, events int) {
	b.Helper()
	for _, c := range a.conns {
		c.Close()
	}
	a.readers.Wait()
	for i, n := range a.got {
		if n != events*len(frame) {
			b.Fatalf("subscriber %d has %d bytes, want %d", i, n, events*len(frame))
		}
	}
	if !bytes.Equal(a.first, bytes.Repeat(frame, events)) {
		b.Fatal("the events that arrived are not those that were published")
	}
}

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

// BenchmarkEvents is goal G10: a burst for 1,000 subscribers on loopback in this
// process, against a stream that encodes and flushes for each of them. Both sides'
// processor time has the readers' in.
func BenchmarkEvents(b *testing.B) {
	for _, events := range []int{200, 1000} {
		b.Run(fmt.Sprintf("burst=%d", events), func(b *testing.B) {
			w := newWorld(nil)
			notice, frame := statusOf(b, w)
			plain := &perSubscriber{now: spec.TimestampOf(w.clock())}
			ours, theirs := listenLoopback(b, w.handler, 0), listenLoopback(b, plain, 0)
			var rates []float64
			burst := func(address string, publish func()) (float64, time.Duration) {
				a := gather(b, address, len(frame))
				began := cpu()
				took := a.hear(b, events, publish)
				used := float64(cpu() - began)
				a.leave(b, frame, events)
				return used, took
			}
			share := ratioOf(b, func() float64 {
				used, took := burst(ours, func() { w.events.Publish([]scheduler.Notice{notice}) })
				rates = append(rates, float64(events*subscribers)/took.Seconds())
				return used
			}, func() float64 {
				used, _ := burst(theirs, func() { plain.publish(notice) })
				plain.forget()
				return used
			})
			if w.events.SlowClients() > 0 {
				b.Fatal("somebody was disconnected")
			}
			b.ReportMetric(share, "cpu/plain(goal<=0.33)")
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
