package api

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pacer-run/pacer/runtime/scheduler"
)

// pipes is a listener whose connections have no buffer: what is written waits
// until it is read. It works in a bubble, where time is the test's own.
type pipes struct {
	accept chan net.Conn
	once   sync.Once
	closed chan struct{}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.accept:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	p.once.Do(func() { close(p.closed) })
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipe"} }

// serve runs the handler until the test ends.
func serve(t *testing.T, h http.Handler) *pipes {
	p := &pipes{accept: make(chan net.Conn), closed: make(chan struct{})}
	server := &http.Server{Handler: h}
	go server.Serve(p) // it ends with the test
	t.Cleanup(func() { server.Close() })
	return p
}

// send dials and sends a request.
func (p *pipes) send(t *testing.T, lines ...string) (net.Conn, *bufio.Reader) {
	client, server := net.Pipe()
	p.accept <- server
	t.Cleanup(func() { client.Close() })
	if _, err := io.WriteString(client, strings.Join(lines, "\r\n")); err != nil {
		t.Fatal(err)
	}
	return client, bufio.NewReader(client)
}

// follow opens an event stream and reads up to its first event.
func (p *pipes) follow(t *testing.T, query string) *bufio.Reader {
	_, r := p.send(t, "GET /v2/events"+query+" HTTP/1.1", "Host: x", "Accept: text/event-stream", "", "")
	head := ""
	for !strings.HasSuffix(head, "\r\n\r\n") {
		head += line(t, r)
	}
	for _, want := range []string{"HTTP/1.1 200 OK\r\n", "Content-Type: text/event-stream;charset=utf-8\r\n", "Connection: close\r\n"} {
		if !strings.Contains(head, want) {
			t.Errorf("the head has no %q:\n%s", want, head)
		}
	}
	if strings.Contains(strings.ToLower(head), "transfer-encoding") {
		t.Errorf("the stream is chunked:\n%s", head)
	}
	return r
}

func line(t *testing.T, r *bufio.Reader) string {
	t.Helper()
	s, err := r.ReadString('\n')
	if err != nil {
		t.Fatalf("reading the stream: %v after %q", err, s)
	}
	return s
}

// event reads one frame and returns its name.
func event(t *testing.T, r *bufio.Reader) string {
	t.Helper()
	first, data, empty := line(t, r), line(t, r), line(t, r)
	name, ok := strings.CutPrefix(first, "event: ")
	if !ok || !strings.HasPrefix(data, "data: {") || !strings.HasSuffix(data, "}\r\n") || empty != "\r\n" {
		t.Fatalf("a malformed frame: %q %q %q", first, data, empty)
	}
	return strings.TrimSuffix(name, "\r\n")
}

func TestStreamBeatsWhenNothingHappens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(nil)
		r := serve(t, w.handler).follow(t, "")
		if got := event(t, r); got != "event_stream_attached" {
			t.Fatalf("the first event is %s", got)
		}
		for range 3 {
			before := time.Now()
			if got := line(t, r); got != "\r\n" {
				t.Fatalf("heartbeat %q", got)
			}
			if pause := time.Since(before); pause > 10*time.Second {
				t.Errorf("%v without a heartbeat", pause)
			}
		}
		w.events.Publish([]scheduler.Notice{scheduler.MasterLost{}})
		if got := event(t, r); got != "scheduler_disconnected_event" {
			t.Errorf("got %s", got)
		}
	})
}

func TestStreamFilters(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(nil)
		r := serve(t, w.handler).follow(t, "?event_type=scheduler_reregistered_event&event_type=app_terminated_event&plan-format=light")
		synctest.Wait() // attached
		w.events.Publish([]scheduler.Notice{scheduler.MasterLost{}, scheduler.Reregistered{Master: "m"}, scheduler.AppTerminated{App: "/a"}})
		for _, want := range []string{"scheduler_reregistered_event", "app_terminated_event"} {
			if got := event(t, r); got != want {
				t.Errorf("got %s, want %s", got, want)
			}
		}
	})
}

func TestStreamsEndWithTheTerm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(nil)
		r := serve(t, w.handler).follow(t, "")
		if got := event(t, r); got != "event_stream_attached" {
			t.Fatalf("got %s", got)
		}
		w.events.Disconnect()
		if rest, err := io.ReadAll(r); err != nil || len(rest) > 0 {
			t.Errorf("after the end: %q, %v", rest, err)
		}
		synctest.Wait()
		if n := w.events.Clients(); n != 0 {
			t.Errorf("%d clients are attached", n)
		}
	})
}

func TestOtherClientsSeeOneLeave(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(nil)
		p := serve(t, w.handler)
		stays := p.follow(t, "?event_type=event_stream_detached")
		leaves, r := p.send(t, "GET /v2/events HTTP/1.1", "Host: x", "", "")
		for !strings.HasPrefix(line(t, r), "event: event_stream_attached") {
		}
		leaves.Close()
		if got := event(t, stays); got != "event_stream_detached" {
			t.Errorf("got %s", got)
		}
	})
}

// TestEndOfDeploymentFollowsTheAnswer: a client that has the stream open and
// waits for the id of its answer must not have missed the end.
func TestEndOfDeploymentFollowsTheAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(nil)
		p := serve(t, w.handler)
		stream := p.follow(t, "?event_type=deployment_success")
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			event(t, stream)
		}()
		body := `{"id":"/a","cmd":"x","instances":0}`
		_, answer := p.send(t, "POST /v2/apps HTTP/1.1", "Host: x", "Content-Length: 35", "", body)
		synctest.Wait() // the deployment is over, and its answer waits to be read
		select {
		case <-ended:
			t.Fatal("the end came before the answer")
		default:
		}
		reply, err := http.ReadResponse(answer, nil)
		if err != nil || reply.StatusCode != http.StatusCreated {
			t.Fatalf("answer %v, %v", reply, err)
		}
		if _, err := io.ReadAll(reply.Body); err != nil {
			t.Fatal(err)
		}
		<-ended
	})
}
