package master_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/mesos/mesos-go/api/v1/lib"
	sched "github.com/mesos/mesos-go/api/v1/lib/scheduler"
)

const protobuf = "application/x-protobuf"

// request is one call as it came to the fake master.
type request struct {
	call   sched.Call
	path   string
	header http.Header
	remote string
}

// fakeMaster answers calls as its test says.
type fakeMaster struct {
	t       *testing.T
	server  *httptest.Server
	streams chan *stream
	calls   chan request // all but SUBSCRIBE

	mu sync.Mutex
	// answers are used up, one for each request, before the usual ones.
	answers []http.HandlerFunc
	count   int
}

// newMaster starts a fake master that takes everything.
func newMaster(t *testing.T) *fakeMaster {
	m := &fakeMaster{t: t, streams: make(chan *stream, 16), calls: make(chan request, 1024)}
	m.server = httptest.NewServer(m)
	t.Cleanup(func() {
		m.server.CloseClientConnections()
		m.server.Close()
	})
	return m
}

// host is the master's host and port.
func (m *fakeMaster) host() string { return m.server.Listener.Addr().String() }

// next makes the master answer the coming requests otherwise.
func (m *fakeMaster) next(answers ...http.HandlerFunc) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.answers = append(m.answers, answers...)
}

func (m *fakeMaster) takeAnswer() http.HandlerFunc {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.answers) == 0 {
		return nil
	}
	answer := m.answers[0]
	m.answers = m.answers[1:]
	return answer
}

// ServeHTTP implements http.Handler.
func (m *fakeMaster) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	req := request{path: r.URL.Path, header: r.Header, remote: r.RemoteAddr}
	if err := req.call.Unmarshal(body); err != nil || r.Header.Get("Content-Type") != protobuf {
		http.Error(w, "Failed to parse body into Call protobuf", http.StatusBadRequest)
		return
	}
	subscribes := req.call.Type == sched.Call_SUBSCRIBE
	if !subscribes {
		m.calls <- req
	}
	switch answer := m.takeAnswer(); {
	case answer != nil:
		answer(w, r)
	case subscribes:
		m.stream(w, r, req)
	default:
		w.WriteHeader(http.StatusAccepted)
	}
}

// stream is one subscription, from the master's side.
type stream struct {
	request
	id   string
	out  chan string   // taken by the handler, which alone may write
	sent chan error    // its answer
	done chan struct{} // closed to end it from the master's side
	gone <-chan struct{}
}

func (m *fakeMaster) stream(w http.ResponseWriter, r *http.Request, req request) {
	m.mu.Lock()
	m.count++
	id := "stream-" + strconv.Itoa(m.count)
	m.mu.Unlock()
	w.Header().Set("Content-Type", protobuf)
	w.Header().Set("Mesos-Stream-Id", id)
	w.WriteHeader(http.StatusOK)
	w.(http.Flusher).Flush()
	s := &stream{
		request: req, id: id, out: make(chan string), sent: make(chan error),
		done: make(chan struct{}), gone: r.Context().Done(),
	}
	m.streams <- s
	for {
		select {
		case text := <-s.out:
			_, err := io.WriteString(w, text)
			w.(http.Flusher).Flush()
			s.sent <- err
		case <-s.done:
			return
		case <-s.gone:
			return
		}
	}
}

// send writes events at once.
func (s *stream) send(t *testing.T, events ...*sched.Event) {
	t.Helper()
	var text []byte
	for _, e := range events {
		record, err := e.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		text = strconv.AppendInt(text, int64(len(record)), 10)
		text = append(append(text, '\n'), record...)
	}
	s.write(t, string(text))
}

// write writes bytes of any kind.
func (s *stream) write(t *testing.T, text string) {
	t.Helper()
	select {
	case s.out <- text:
	case <-s.gone:
		t.Fatal("the client is gone")
	}
	if err := <-s.sent; err != nil {
		t.Fatal(err)
	}
}

// begin sends SUBSCRIBED and a heartbeat.
func (s *stream) begin(t *testing.T, heartbeat time.Duration) {
	t.Helper()
	seconds := heartbeat.Seconds()
	port := uint32(5050)
	host := "master.local"
	s.send(t, &sched.Event{Type: sched.Event_SUBSCRIBED, Subscribed: &sched.Event_Subscribed{
		FrameworkID:              &mesos.FrameworkID{Value: "f-1"},
		HeartbeatIntervalSeconds: &seconds,
		MasterInfo: &mesos.MasterInfo{
			ID: "m-1", IP: 16777343, Port: &port, Hostname: &host,
			Domain: domainOf("here", "z-1"),
		},
	}}, &sched.Event{Type: sched.Event_HEARTBEAT})
}

// fail sends an ERROR and ends the stream, as masters do.
func (s *stream) fail(t *testing.T, text string) {
	t.Helper()
	s.send(t, &sched.Event{Type: sched.Event_ERROR, Error: &sched.Event_Error{Message: text}})
	close(s.done)
}

func domainOf(region, zone string) *mesos.DomainInfo {
	return &mesos.DomainInfo{FaultDomain: &mesos.DomainInfo_FaultDomain{
		Region: mesos.DomainInfo_FaultDomain_RegionInfo{Name: region},
		Zone:   mesos.DomainInfo_FaultDomain_ZoneInfo{Name: zone},
	}}
}

// status answers with a code and a text.
func status(code int, text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { http.Error(w, text, code) }
}

// redirect answers 307.
func redirect(location string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", location)
		w.WriteHeader(http.StatusTemporaryRedirect)
	}
}

// hangUp closes the connection without an answer.
func hangUp(w http.ResponseWriter, _ *http.Request) {
	if conn, _, err := w.(http.Hijacker).Hijack(); err == nil {
		conn.Close()
	}
}
