package cluster

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/google/uuid"
	"github.com/mesos/mesos-go/api/v1/lib/scheduler"
)

const (
	mediaJSON    = "application/json"
	mediaProto   = "application/x-protobuf"
	streamHeader = "Mesos-Stream-Id"
)

// maxBody bounds a call's body in bytes; a launch of thousands of tasks stays far below it.
const maxBody = 256 << 20

// refusal is an HTTP answer that says why a call was not taken.
type refusal struct {
	status int
	body   string
}

// routes are the paths of the master; most also exist below /master, as on a real one.
func (c *Cluster) routes() http.Handler {
	mux := http.NewServeMux()
	handle := func(path string, h http.HandlerFunc) {
		for _, p := range []string{path, path + "/{$}", "/master" + path, "/master" + path + "/{$}"} {
			mux.HandleFunc(p, h)
		}
	}
	handle("/api/v1/scheduler", c.serveScheduler)
	handle("/health", func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Content-Length", "0") })
	handle("/redirect", c.serveRedirect)
	handle("/version", c.serveJSON(func(*http.Request) any { return map[string]string{"version": version} }))
	handle("/state", c.serveJSON(c.masterState))
	handle("/slaves", c.serveJSON(c.agentsState))
	mux.HandleFunc("/{agent}/state", c.serveJSON(c.agentState))
	c.maintenanceRoutes(handle)
	c.fileRoutes(mux)
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		refuse(w, refusal{http.StatusNotFound, "404 Not Found."})
	})
	return mux
}

func refuse(w http.ResponseWriter, r refusal) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	if r.status == http.StatusMethodNotAllowed {
		w.Header().Set("Allow", http.MethodPost)
	}
	w.WriteHeader(r.status)
	_, _ = io.WriteString(w, r.body)
}

// serveScheduler is the scheduler API. The order of the checks is that of a real master: it decides which of several
// faults is reported.
func (c *Cluster) serveScheduler(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		refuse(w, refusal{
			http.StatusMethodNotAllowed,
			fmt.Sprintf("405 Method Not Allowed. Expecting one of { 'POST' }, but received '%s'.", r.Method),
		})
		return
	}
	call, why := readCall(w, r)
	if why == nil {
		why = validateCall(call)
	}
	if why != nil {
		refuse(w, *why)
		return
	}
	if call.Type == scheduler.Call_SUBSCRIBE {
		c.serveSubscribe(w, r, call)
		return
	}
	answer := refusal{http.StatusServiceUnavailable, "No leader elected"}
	c.loop.do(func() { answer = c.master.take(call, r.Header.Get(streamHeader)) })
	switch answer.status {
	case http.StatusAccepted:
		w.WriteHeader(http.StatusAccepted)
	case http.StatusOK:
		// A real master sends no Content-Type here; clients that insist on one are served as well.
		w.Header().Set("Content-Type", r.Header.Get("Content-Type"))
		w.WriteHeader(http.StatusOK)
	default:
		refuse(w, answer)
	}
}

// readCall reads and decodes a call. Types of content are compared as they are: a parameter or other capitals are refused,
// as a real master does, so that a client that sends them is found out here and not there.
func readCall(w http.ResponseWriter, r *http.Request) (*scheduler.Call, *refusal) {
	media := r.Header.Get("Content-Type")
	switch media {
	case "":
		return nil, &refusal{http.StatusBadRequest, "Expecting 'Content-Type' to be present"}
	case mediaJSON, mediaProto: // compared as a whole: a parameter or another case is refused
	default:
		return nil, &refusal{
			http.StatusUnsupportedMediaType,
			"Expecting 'Content-Type' of application/json or application/x-protobuf",
		}
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		return nil, &refusal{http.StatusBadRequest, "Failed to read body: " + err.Error()}
	}
	return decodeCall(media, body)
}

// serveSubscribe keeps the connection for the stream of events.
func (c *Cluster) serveSubscribe(w http.ResponseWriter, r *http.Request, call *scheduler.Call) {
	media, ok := acceptable(r.Header.Values("Accept"))
	switch {
	case !ok:
		refuse(w, refusal{
			http.StatusNotAcceptable,
			"Expecting 'Accept' to allow 'application/x-protobuf' or 'application/json'",
		})
		return
	case r.Header.Get(streamHeader) != "":
		refuse(w, refusal{http.StatusBadRequest, "Subscribe calls should not include the 'Mesos-Stream-Id' header"})
		return
	}
	s := newStream(uuid.NewString(), c.cfg.StreamQueue)
	if !c.loop.do(func() { c.master.subscribe(call, s) }) {
		refuse(w, refusal{http.StatusServiceUnavailable, "No leader elected"})
		return
	}
	w.Header().Set("Content-Type", media)
	w.Header().Set(streamHeader, s.id)
	w.WriteHeader(http.StatusOK)
	err := s.serve(w, r, media, c.cfg.MaxRecord)
	c.loop.post(func() { c.master.disconnected(s) })
	if errors.Is(err, errCut) {
		panic(http.ErrAbortHandler) // the server then closes the connection without the last chunk
	}
}

// acceptable picks the encoding of the events: JSON whenever it is allowed, whatever the preferences.
func acceptable(accept []string) (string, bool) {
	if len(accept) == 0 {
		return mediaJSON, true
	}
	proto := false
	for part := range strings.SplitSeq(strings.Join(accept, ","), ",") {
		media, _, _ := strings.Cut(part, ";")
		switch strings.TrimSpace(media) {
		case mediaJSON, "*/*", "application/*":
			return mediaJSON, true
		case mediaProto:
			proto = true
		}
	}
	return mediaProto, proto
}

// serveRedirect leads to the leading master, which is this one. The scheme is left out, as Mesos does.
func (c *Cluster) serveRedirect(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Location", "//"+c.Addr())
	w.Header().Set("Content-Length", "0")
	w.WriteHeader(http.StatusTemporaryRedirect)
}
