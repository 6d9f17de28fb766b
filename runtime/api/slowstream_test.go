package api

import (
	"bufio"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pacer-run/pacer/runtime/scheduler"
)

// repeated is n notices, as one batch may bring them.
func repeated(n int) []scheduler.Notice {
	return slices.Repeat([]scheduler.Notice{scheduler.MasterLost{}}, n)
}

// await reads the stream up to an event, and returns how many came before it.
func await(t *testing.T, r *bufio.Reader, name string) (before int) {
	t.Helper()
	for beats := 0; ; {
		got := line(t, r)
		if got == "\r\n" {
			if beats++; beats > 10 {
				t.Fatalf("only heartbeats, no %s", name)
			}
			continue
		}
		data, empty := line(t, r), line(t, r)
		if !strings.HasPrefix(data, "data: {") || empty != "\r\n" {
			t.Fatalf("a malformed frame: %q %q %q", got, data, empty)
		}
		if got == "event: "+name+"\r\n" {
			return before
		}
		before++
	}
}

// slowClients is what the metrics say of disconnected clients.
func slowClients(t *testing.T, w *world) string {
	t.Helper()
	const name = "\npacer_event_stream_slow_clients_total "
	text := ask(w.handler, http.MethodGet, "/metrics", "").Body.String()
	_, value, ok := strings.Cut(text, name)
	if !ok {
		t.Fatalf("no%samong the metrics", name)
	}
	value, _, _ = strings.Cut(value, "\n")
	return value
}

// TestSlowClientIsDisconnected: one that reads nothing is gone once more waits for
// it than may, and not before. Others get every event meanwhile, and that it left.
func TestSlowClientIsDisconnected(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(nil)
		p := serve(t, w.handler)
		reads := p.follow(t, "?event_type=scheduler_disconnected_event&event_type=event_stream_detached")
		stalls := p.follow(t, "")
		if got := event(t, stalls); got != "event_stream_attached" {
			t.Fatalf("the first event is %s", got)
		}
		publish := func() {
			w.events.Publish(repeated(1))
			synctest.Wait()
			if got := event(t, reads); got != "scheduler_disconnected_event" {
				t.Fatalf("got %s", got)
			}
		}
		for range 1 + DefaultOutstanding { // one is being written, the others wait
			publish()
		}
		if n := w.events.Clients(); n != 2 || slowClients(t, w) != "0" {
			t.Fatalf("%d clients are attached, and %s were disconnected too early", n, slowClients(t, w))
		}
		publish()
		if got := event(t, reads); got != "event_stream_detached" {
			t.Errorf("got %s", got)
		}
		if n := w.events.Clients(); n != 1 || slowClients(t, w) != "1" {
			t.Errorf("%d clients are attached, %s were disconnected", n, slowClients(t, w))
		}
		if _, err := io.ReadAll(stalls); err != nil {
			t.Errorf("the connection ended with %v", err)
		}
		publish()
	})
}

// TestBurstIsNotLag: a batch of many events makes nobody slow who kept up until
// then, but does not come on top of a full queue.
func TestBurstIsNotLag(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(nil)
		r := serve(t, w.handler).follow(t, "")
		await(t, r, "event_stream_attached")
		const burst = 3 * DefaultOutstanding
		w.events.Publish(append(repeated(burst), scheduler.Reregistered{}))
		synctest.Wait()
		if got := await(t, r, "scheduler_reregistered_event"); got != burst {
			t.Errorf("%d events of %d", got, burst)
		}
		w.events.Publish(repeated(burst))
		w.events.Publish(repeated(1))
		synctest.Wait()
		if n := w.events.Clients(); n != 0 || slowClients(t, w) != "1" {
			t.Errorf("%d clients are attached, %s were disconnected", n, slowClients(t, w))
		}
	})
}

// TestClientThatTakesNothing is disconnected although little waits for it: it
// would keep its connection for ever.
func TestClientThatTakesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(nil)
		p := serve(t, w.handler)
		reads := p.follow(t, "?event_type=event_stream_detached")
		p.send(t, "GET /v2/events HTTP/1.1", "Host: x", "", "") // not even the head is read
		before := time.Now()
		await(t, reads, "event_stream_detached")
		if pause := time.Since(before); pause > writeTimeout {
			t.Errorf("detached after %v", pause)
		}
		if n := slowClients(t, w); n != "1" {
			t.Errorf("%s were disconnected", n)
		}
	})
}

// TestPoliteClientsAreNotSlow: neither leaving nor the end of the term counts.
func TestPoliteClientsAreNotSlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(nil)
		p := serve(t, w.handler)
		leaves, r := p.send(t, "GET /v2/events HTTP/1.1", "Host: x", "", "")
		await(t, skipHead(t, r), "event_stream_attached")
		leaves.Close()
		p.follow(t, "")
		synctest.Wait()
		w.events.Publish(repeated(1))
		synctest.Wait()
		w.events.Disconnect() // while its event is being written
		synctest.Wait()
		if n := w.events.Clients(); n != 0 || slowClients(t, w) != "0" {
			t.Errorf("%d clients are attached, %s were disconnected", n, slowClients(t, w))
		}
	})
}

func skipHead(t *testing.T, r *bufio.Reader) *bufio.Reader {
	t.Helper()
	for line(t, r) != "\r\n" {
	}
	return r
}

// lateWriter is a connection whose stream ends just before the deadline of a
// write is set.
type lateWriter struct {
	*httptest.ResponseRecorder
	end   func()
	wrote bool
}

func (l *lateWriter) FlushError() error { return nil }

func (l *lateWriter) SetWriteDeadline(at time.Time) error {
	if at.After(time.Now()) {
		l.end()
	}
	return nil
}

func (l *lateWriter) Write([]byte) (int, error) {
	l.wrote = true
	return 0, io.ErrClosedPipe
}

// TestStreamEndsBeforeItsWrite: the new deadline must not undo the one that ends
// writes, or a client that reads nothing would be kept for another write.
func TestStreamEndsBeforeItsWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := NewEvents(0, nil)
		client := e.attach("10.1.1.1", nil)
		w := &lateWriter{ResponseRecorder: httptest.NewRecorder(), end: client.end}
		client.serve(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/v2/events", nil))
		if w.wrote {
			t.Error("a stream that had ended was written to")
		}
	})
}
