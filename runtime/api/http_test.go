package api

import (
	"compress/gzip"
	"context"
	"encoding/base64"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pacer-run/pacer/runtime/scheduler"
)

// get asks a handler, with headers as "Name: value".
func get(h http.Handler, path string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, path, nil)
	for _, line := range headers {
		name, value, _ := strings.Cut(line, ": ")
		r.Header.Add(name, value)
	}
	answer := httptest.NewRecorder()
	h.ServeHTTP(answer, r)
	return answer
}

// compressing is a world with an answer that is worth it.
func compressing(t *testing.T, change func(*Config)) *world {
	t.Helper()
	w := newWorld(func(c *Config) {
		c.HTTP.Compress = true
		if change != nil {
			change(c)
		}
	})
	r := httptest.NewRequest(http.MethodPost, "/v2/apps", strings.NewReader(`{"id":"/a","cmd":"`+strings.Repeat("x", 2000)+`"}`))
	answer := httptest.NewRecorder()
	w.handler.ServeHTTP(answer, r)
	if answer.Code != http.StatusCreated {
		t.Fatalf("%d %s", answer.Code, answer.Body)
	}
	return w
}

func TestCompressedAnswers(t *testing.T) {
	w := compressing(t, nil)
	plain, packed := get(w.handler, "/v2/apps"), get(w.handler, "/v2/apps", "Accept-Encoding: gzip")
	unpacked, err := gzip.NewReader(packed.Body)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(unpacked)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(plain.Body.String(), string(text)); diff != "" {
		t.Error(diff)
	}
	for _, tt := range []struct {
		name     string
		answer   *httptest.ResponseRecorder
		encoding string
	}{
		{"without Accept-Encoding", plain, ""},
		{"with gzip", packed, "gzip"},
		{"with gzip refused", get(w.handler, "/v2/apps", "Accept-Encoding: gzip;q=0"), ""},
		{"with another one", get(w.handler, "/v2/apps", "Accept-Encoding: br, zstd"), ""},
		{"short", get(w.handler, "/v2/leader", "Accept-Encoding: gzip"), ""},
	} {
		h := tt.answer.Header()
		if h.Get("Content-Encoding") != tt.encoding || h.Get("Vary") != "Accept-Encoding" {
			t.Errorf("%s: Content-Encoding %q, Vary %q; want %q, Accept-Encoding", tt.name, h.Get("Content-Encoding"), h.Get("Vary"), tt.encoding)
		}
		if length := h.Get("Content-Length"); (length == "") != (tt.encoding == "gzip") {
			t.Errorf("%s: Content-Length %q", tt.name, length)
		}
	}
}

// The two forms of an answer are two texts: the compressed one has a weak tag.
func TestTagsOfCompressedAnswers(t *testing.T) {
	w := compressing(t, nil)
	plain := get(w.handler, "/v2/apps").Header().Get("ETag")
	packed := get(w.handler, "/v2/apps", "Accept-Encoding: gzip").Header().Get("ETag")
	if plain == "" || packed != "W/"+plain {
		t.Fatalf("tags %s and %s", plain, packed)
	}
	for _, tt := range []struct{ encoding, tag string }{{"identity", plain}, {"gzip", packed}} {
		answer := get(w.handler, "/v2/apps", "Accept-Encoding: "+tt.encoding, "If-None-Match: "+tt.tag)
		if answer.Code != http.StatusNotModified || answer.Header().Get("ETag") != tt.tag {
			t.Errorf("%s: %d with tag %s, want 304 with %s", tt.encoding, answer.Code, answer.Header().Get("ETag"), tt.tag)
		}
	}
	if answer := get(w.handler, "/v2/apps", "Accept-Encoding: gzip", `If-None-Match: W/"another"`); answer.Code != http.StatusOK {
		t.Errorf("%d for a tag of another time, want 200", answer.Code)
	}
}

// The stream comes as it is, and at once, although its client takes gzip.
func TestStreamIsNotCompressed(t *testing.T) {
	w := compressing(t, nil)
	server := httptest.NewServer(w.handler)
	defer server.Close()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL+"/v2/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Accept-Encoding", "gzip")
	answer, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	first := make([]byte, len("event: event_stream_attached\r\n"))
	if _, err := io.ReadFull(answer.Body, first); err != nil || string(first) != "event: event_stream_attached\r\n" {
		t.Errorf("%q, %v", first, err)
	}
	if got := answer.Header.Get("Content-Encoding"); got != "" {
		t.Errorf("Content-Encoding %s", got)
	}
}

// A standby hands on what the leader has compressed, and does not do it again.
func TestStandbyHandsOnCompressedAnswers(t *testing.T) {
	leader := httptest.NewServer(compressing(t, nil).handler)
	defer leader.Close()
	standby := newWorld(func(c *Config) { c.Address, c.HTTP.Compress = "standby.example.com:8080", true })
	standby.setLeader(false, strings.TrimPrefix(leader.URL, "http://"))
	server := httptest.NewServer(standby.handler)
	defer server.Close()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+"/v2/apps", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Accept-Encoding", "gzip")
	answer, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	unpacked, err := gzip.NewReader(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(unpacked)
	if err != nil || !strings.HasPrefix(string(text), `{"apps":[{`) {
		t.Errorf("%.20q, %v", text, err)
	}
	if got := answer.Header.Values("Vary"); len(got) != 1 {
		t.Errorf("Vary: %q", got)
	}
}

// Both nodes ask for the credentials, and those that the standby got are handed on.
func TestStandbyHandsOnCredentials(t *testing.T) {
	guarded := func(c *Config) { c.HTTP.User, c.HTTP.Password, c.HTTP.AllowOrigin = "ann", "secret", "*" }
	leader := newWorld(guarded)
	behind := httptest.NewServer(leader.handler)
	defer behind.Close()
	standby := newWorld(func(c *Config) { guarded(c); c.Address = "standby.example.com:8080" })
	standby.setLeader(false, strings.TrimPrefix(behind.URL, "http://"))
	if answer := get(standby.handler, "/v2/apps"); answer.Code != http.StatusUnauthorized {
		t.Errorf("%d without credentials, want 401", answer.Code)
	}
	basic := "Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte("ann:secret"))
	answer := get(standby.handler, "/v2/apps", basic)
	if answer.Code != http.StatusOK {
		t.Errorf("%d with credentials, want 200", answer.Code)
	}
	for name, values := range answer.Header() {
		if len(values) != 1 {
			t.Errorf("%s: %q: want one value", name, values)
		}
	}
	ping := get(standby.handler, "/ping")
	if ping.Code != http.StatusOK || ping.Header().Get(viaHeader) == "" {
		t.Errorf("/ping: %d via %q, want the leader's answer", ping.Code, ping.Header().Get(viaHeader))
	}
}

// What goes wrong on the way to the leader has the headers of every answer.
func TestHeadersOfAProxysOwnAnswer(t *testing.T) {
	gone := httptest.NewServer(nil)
	gone.Close()
	standby := newWorld(nil)
	standby.setLeader(false, strings.TrimPrefix(gone.URL, "http://"))
	answer := get(standby.handler, "/v2/apps", "X-Request-Id: r-1")
	for name, want := range map[string]string{
		"X-Frame-Options": "DENY", "Cache-Control": "no-cache, no-store, must-revalidate", "Pragma": "no-cache", "Expires": "0",
		"X-XSS-Protection": "1; mode=block", "X-Request-Id": "r-1",
	} {
		if got := answer.Header().Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

func TestRequestsAtATime(t *testing.T) {
	asked, release := make(chan struct{}), make(chan struct{})
	w := newWorld(func(c *Config) {
		c.HTTP.MaxRequests = 1
		c.Modules = func() []Module {
			asked <- struct{}{}
			<-release
			return nil
		}
	})
	server := httptest.NewServer(w.handler)
	defer server.Close()
	stream, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+"/v2/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	events, err := http.DefaultTransport.RoundTrip(stream) // does not count
	if err != nil || events.StatusCode != http.StatusOK {
		t.Fatal(events, err)
	}
	defer events.Body.Close()
	first := make(chan *httptest.ResponseRecorder)
	go func() { first <- get(w.handler, "/v2/plugins") }()
	<-asked
	refused := get(w.handler, "/v2/apps")
	want := `{"message":"Too many concurrent requests! Allowed: 1."}`
	if refused.Code != http.StatusServiceUnavailable || refused.Body.String() != want || refused.Header().Get("Retry-After") == "" {
		t.Errorf("%d %s %v, want 503 %s", refused.Code, refused.Body, refused.Header(), want)
	}
	close(release)
	if answer := <-first; answer.Code != http.StatusOK {
		t.Errorf("the first: %d", answer.Code)
	}
	if answer := get(w.handler, "/v2/apps"); answer.Code != http.StatusOK {
		t.Errorf("after the first: %d", answer.Code)
	}
}

// slowCore does not carry a command out before it is told so.
type slowCore struct {
	Core
	asked, release chan struct{}
}

func (c *slowCore) Do(ctx context.Context, command func(scheduler.RequestID, string) scheduler.Event) (scheduler.Reply, error) {
	c.asked <- struct{}{}
	<-c.release
	return c.Core.Do(ctx, command)
}

// slowNode leads with a slowCore.
type slowNode struct {
	*world
	core *slowCore
}

func (n *slowNode) Core() Core { return n.core }

func TestChangesAtATime(t *testing.T) {
	w := newWorld(nil)
	core := &slowCore{w, make(chan struct{}), make(chan struct{})}
	cfg := w.config
	cfg.Node, cfg.MaxChanges = &slowNode{w, core}, 1
	handler := New(cfg)
	post := func(id string) *httptest.ResponseRecorder {
		answer := httptest.NewRecorder()
		handler.ServeHTTP(answer, httptest.NewRequest(http.MethodPost, "/v2/apps", strings.NewReader(`{"id":"`+id+`","cmd":"x"}`)))
		return answer
	}
	first := make(chan *httptest.ResponseRecorder)
	go func() { first <- post("/a") }()
	<-core.asked
	refused := post("/b")
	want := `{"message":"GroupManager queue may not exceed 1 entries"}`
	if refused.Code != http.StatusServiceUnavailable || refused.Body.String() != want {
		t.Errorf("%d %s, want 503 %s", refused.Code, refused.Body, want)
	}
	close(core.release)
	if answer := <-first; answer.Code != http.StatusCreated {
		t.Errorf("the first: %d %s", answer.Code, answer.Body)
	}
}
