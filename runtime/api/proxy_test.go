package api

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// pair is a standby and the leader it knows, on real connections.
func pair(t *testing.T) (standby, leader *world, server *httptest.Server) {
	t.Helper()
	var seen *httptest.Server
	leader = newWorld(nil)
	seen = httptest.NewServer(leader.handler)
	t.Cleanup(seen.Close)
	standby = newWorld(func(c *Config) { c.Address = "standby.example.com:8080" })
	standby.setLeader(false, strings.TrimPrefix(seen.URL, "http://"))
	server = httptest.NewServer(standby.handler)
	t.Cleanup(server.Close)
	return standby, leader, server
}

func fetch(t *testing.T, r *http.Request) (*http.Response, string) {
	t.Helper()
	answer, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer, string(body)
}

func TestStandbyProxies(t *testing.T) {
	_, leader, server := pair(t)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+"/v2/apps/", strings.NewReader(`{"id":"/a/b","cmd":"x"}`))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	answer, body := fetch(t, r)
	if answer.StatusCode != http.StatusCreated || leader.Snapshot().Apps.Len() != 1 {
		t.Fatalf("%d %s", answer.StatusCode, body)
	}
	want := http.Header{
		"X-Marathon-Leader": {"http://" + address}, "X-Marathon-Via": {"1.1 standby.example.com:8080"}, "X-Frame-Options": {"DENY"},
	}
	got := http.Header{}
	for name := range want {
		got[name] = answer.Header.Values(name)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("headers, -want +got:\n%s", diff)
	}
	// The path goes through as it was sent.
	for _, path := range []string{"/v2/apps//a/b", "/v2/apps/%2Fa%2fb", "/v2/apps/a/b/"} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		if answer, body := fetch(t, r); answer.StatusCode != http.StatusOK || !strings.Contains(body, `"id":"/a/b"`) {
			t.Errorf("%s: %d %s", path, answer.StatusCode, body)
		}
	}
}

func TestProxyTellsTheLeaderWhoAsked(t *testing.T) {
	var got http.Header
	var uri string
	leader := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		got, uri = r.Header, r.RequestURI
	}))
	defer leader.Close()
	standby := newWorld(nil)
	standby.setLeader(false, strings.TrimPrefix(leader.URL, "http://"))
	r := httptest.NewRequest(http.MethodGet, "/v2/apps//a?label=a;b&embed=x", nil)
	r.Header.Set("X-Forwarded-For", "10.0.0.1")
	r.Header.Set("Authorization", "token=t")
	r.Header.Add(viaHeader, "1.1 other:80")
	r.RemoteAddr = "10.0.0.2:3"
	standby.handler.ServeHTTP(httptest.NewRecorder(), r)
	want := http.Header{
		"X-Forwarded-For": {"10.0.0.1, 10.0.0.2"}, "Authorization": {"token=t"}, "X-Marathon-Via": {"1.1 other:80", "1.1 " + address},
	}
	for name := range want {
		if diff := cmp.Diff(want.Values(name), got.Values(name)); diff != "" {
			t.Errorf("%s, -want +got:\n%s", name, diff)
		}
	}
	if uri != "/v2/apps//a?label=a;b&embed=x" {
		t.Errorf("the leader was asked for %s", uri)
	}
}

// TestProxyLoopEnds: two nodes that take each other for the leader answer
// instead of asking each other for ever.
func TestProxyLoopEnds(t *testing.T) {
	standby, leader, server := pair(t)
	leader.setLeader(false, strings.TrimPrefix(server.URL, "http://"))
	answer := httptest.NewRecorder()
	standby.handler.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/v2/apps", nil))
	if answer.Code != http.StatusBadGateway || !strings.Contains(answer.Body.String(), "proxying loop") {
		t.Errorf("%d %s", answer.Code, answer.Body)
	}
}

func TestLeaderThatIsGone(t *testing.T) {
	gone := httptest.NewServer(nil)
	gone.Close()
	standby := newWorld(nil)
	standby.setLeader(false, strings.TrimPrefix(gone.URL, "http://"))
	answer := httptest.NewRecorder()
	standby.handler.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/v2/apps", nil))
	if got, want := fmt.Sprint(answer.Code, answer.Body), `502{"message":"Connection to leader refused."}`; strings.ReplaceAll(got, " {", "{") != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// A request that comes between two leaders waits a little for the next one.
func TestRequestsWaitForALeader(t *testing.T) {
	for _, tt := range []struct {
		name  string
		after time.Duration // that this node leads
		want  string
	}{
		{"soon enough", 2 * time.Second, "200 http://" + address},
		{"too late", 4 * time.Second, "503 "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(func(c *Config) { c.LeaderWait = 0 })
				w.setLeader(false, "")
				time.AfterFunc(tt.after, func() { w.setLeader(true, address) })
				began := time.Now()
				answer := get(w.handler, "/v2/apps")
				if got := fmt.Sprint(answer.Code, " ", answer.Header().Get("X-Marathon-Leader")); got != tt.want {
					t.Errorf("%s, want %s", got, tt.want)
				}
				if waited := time.Since(began); waited > 3*time.Second {
					t.Errorf("it took %s", waited)
				}
				time.Sleep(tt.after) // the timer is a part of the bubble
			})
		})
	}
}
