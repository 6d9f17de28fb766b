package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pacer-run/pacer/runtime/scheduler"
	"github.com/pacer-run/pacer/runtime/spec"
	"github.com/pacer-run/pacer/sdk"
)

// ask sends a request to the handler. body "" means none.
func ask(h http.Handler, method, path, body string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	answer := httptest.NewRecorder()
	h.ServeHTTP(answer, r)
	return answer
}

func TestBodyLimit(t *testing.T) {
	w := newWorld(func(c *Config) { c.MaxBodyBytes = 100 })
	body := `{"id":"/a","cmd":"` + strings.Repeat("x", 100) + `"}`
	answer := ask(w.handler, http.MethodPost, "/v2/apps", body)
	if answer.Code != http.StatusRequestEntityTooLarge || !strings.Contains(answer.Body.String(), `"message"`) {
		t.Errorf("%d %s", answer.Code, answer.Body)
	}
	if got := w.Snapshot().Apps.Len(); got != 0 {
		t.Errorf("%d apps", got)
	}
}

// TestBodyThatIsNotUTF8: the place of the byte is told, as nobody sees it.
func TestBodyThatIsNotUTF8(t *testing.T) {
	w := newWorld(nil)
	const want = `{"message":"Invalid JSON","details":"invalid UTF-8 at byte 17 (line 1, column 18)"}`
	for method, path := range map[string]string{http.MethodPost: "/v2/apps", http.MethodPut: "/v2/apps/a", http.MethodPatch: "/v2/apps"} {
		answer := ask(w.handler, method, path, "{\"id\":\"a\",\"cmd\":\"\xff\"}")
		if answer.Code != http.StatusBadRequest || answer.Body.String() != want {
			t.Errorf("%s %s: %d %s", method, path, answer.Code, answer.Body)
		}
	}
}

// TestListIsTaggedAndRemembered: an unchanged list is not sent twice, a changed
// one is, and what is put together from remembered texts is what a fresh
// encoding gives.
func TestListIsTaggedAndRemembered(t *testing.T) {
	w := newWorld(nil)
	for _, id := range []string{"a", "b", "c"} {
		ask(w.handler, http.MethodPost, "/v2/apps", `{"id":"/`+id+`","cmd":"x","instances":0}`)
	}
	first := ask(w.handler, http.MethodGet, "/v2/apps", "")
	tag := first.Header().Get("ETag")
	if tag == "" {
		t.Fatal("no ETag")
	}
	if again := ask(w.handler, http.MethodGet, "/v2/apps/", "", "If-None-Match", tag); again.Code != http.StatusNotModified || again.Body.Len() > 0 {
		t.Errorf("unchanged: %d %s", again.Code, again.Body)
	}
	ask(w.handler, http.MethodPut, "/v2/apps/b", `{"cmd":"y"}`)
	ask(w.handler, http.MethodDelete, "/v2/apps/c", "")
	changed := ask(w.handler, http.MethodGet, "/v2/apps", "", "If-None-Match", tag)
	fresh := ask(w.handler, http.MethodGet, "/v2/apps?embed=none", "")
	if changed.Code != http.StatusOK || changed.Body.String() != fresh.Body.String() {
		t.Errorf("changed: %d\n%s", changed.Code, cmp.Diff(fresh.Body.String(), changed.Body.String()))
	}
	if strings.Contains(changed.Body.String(), `"/c"`) {
		t.Error("a deleted app is listed")
	}
}

// meddler changes an app behind the back of a request, between the moment it
// read the definition and the moment the core sees the change.
type meddler struct {
	*world
	meddle func()
}

func (m *meddler) Core() Core { return m }

func (m *meddler) Do(ctx context.Context, command func(scheduler.RequestID, string) scheduler.Event) (scheduler.Reply, error) {
	if meddle := m.meddle; meddle != nil {
		m.meddle = nil
		meddle()
	}
	return m.world.Do(ctx, command)
}

func TestPartialUpdateIsDerivedAnew(t *testing.T) {
	m := &meddler{}
	m.world = newWorld(nil)
	handler := New(Config{Node: m, Address: address, Events: m.events})
	ask(handler, http.MethodPost, "/v2/apps", `{"id":"/a","cmd":"x","instances":0}`)
	m.meddle = func() { ask(m.world.handler, http.MethodPut, "/v2/apps/a", `{"labels":{"k":"v"}}`) }
	if answer := ask(handler, http.MethodPut, "/v2/apps/a", `{"cmd":"y"}`); answer.Code != http.StatusOK {
		t.Fatalf("%d %s", answer.Code, answer.Body)
	}
	app := viewOf(m.Snapshot(), "/a").App
	if app.Cmd != "y" || app.Labels["k"] != "v" {
		t.Errorf("one of two changes is lost: cmd %q, labels %v", app.Cmd, app.Labels)
	}
	// An app that appears meanwhile is updated, not created.
	m.meddle = func() { ask(m.world.handler, http.MethodPut, "/v2/apps/b", `{"cmd":"first","instances":0}`) }
	if answer := ask(handler, http.MethodPut, "/v2/apps/b", `{"cmd":"second"}`); answer.Code != http.StatusOK {
		t.Errorf("%d %s", answer.Code, answer.Body)
	}
}

func TestKeptConstraintsAreNotAskedAbout(t *testing.T) {
	known := true
	w := newWorld(func(c *Config) {
		c.CheckConstraint = func(context.Context, *spec.App, spec.Constraint) error {
			if !known {
				return &problem{0, "no such operator"}
			}
			return nil
		}
	})
	ask(w.handler, http.MethodPost, "/v2/apps", `{"id":"/a","cmd":"x","instances":0,"constraints":[["rack","NEAR"]]}`)
	known = false // the module is gone
	if answer := ask(w.handler, http.MethodPut, "/v2/apps/a", `{"instances":1}`); answer.Code != http.StatusOK {
		t.Errorf("scaling: %d %s", answer.Code, answer.Body)
	}
	if answer := ask(w.handler, http.MethodPut, "/v2/apps/a?force=true", `{"constraints":[["rack","NEAR","2"]]}`); answer.Code != http.StatusUnprocessableEntity {
		t.Errorf("a new constraint: %d %s", answer.Code, answer.Body)
	}
}

func TestKeptFetchIsNotAskedAbout(t *testing.T) {
	denied := false
	w := newWorld(func(c *Config) {
		c.CheckFetch = func(_ context.Context, app *spec.App) ([]sdk.FetchDecision, error) {
			return []sdk.FetchDecision{{FetchURI: sdk.FetchURI(app.Fetch[0]), Denied: denied, Reason: "not from there"}}, nil
		}
	})
	ask(w.handler, http.MethodPost, "/v2/apps", `{"id":"/a","cmd":"x","instances":0,"fetch":[{"uri":"http://a/b"}]}`)
	denied = true // the operator has changed the policies
	w.offer("h1")
	answer := ask(w.handler, http.MethodPost, "/pacer/v1/plan", `{"id":"/a","instances":1}`)
	for _, want := range []string{`"placed":0`, `"denied":"http://a/b: not from there"`, `{"app":"/a","code":"denied","text":"it is not launched: http://a/b: not from there"}`} {
		if answer.Code != http.StatusOK || !strings.Contains(answer.Body.String(), want) {
			t.Errorf("the plan: %d %s, want %s in it", answer.Code, answer.Body, want)
		}
	}
	if answer := ask(w.handler, http.MethodPut, "/v2/apps/a", `{"instances":1}`); answer.Code != http.StatusOK {
		t.Errorf("scaling: %d %s", answer.Code, answer.Body)
	}
	if answer := ask(w.handler, http.MethodPut, "/v2/apps/a?force=true", `{"fetch":[{"uri":"http://a/b","cache":true}]}`); answer.Code != http.StatusUnprocessableEntity {
		t.Errorf("another flag: %d %s", answer.Code, answer.Body)
	}
	if answer := ask(w.handler, http.MethodPut, "/v2/apps/a?force=true", `{"fetch":[]}`); answer.Code != http.StatusOK {
		t.Errorf("nothing to fetch: %d %s", answer.Code, answer.Body)
	}
}

// TestHeldEventsAreForgotten: a command that is refused, or that nobody answers,
// leaves nothing behind.
func TestHeldEventsAreForgotten(t *testing.T) {
	w := newWorld(nil)
	ask(w.handler, http.MethodPost, "/v2/apps", `{"id":"/a","cmd":"x"}`)
	ask(w.handler, http.MethodPost, "/v2/apps", `{"id":"/a","cmd":"x"}`)
	w.fail = context.DeadlineExceeded
	if answer := ask(w.handler, http.MethodPut, "/v2/apps/a?force=true", `{"instances":3}`); answer.Code != http.StatusServiceUnavailable {
		t.Errorf("%d %s", answer.Code, answer.Body)
	}
	if n := len(w.events.held); n != 0 {
		t.Errorf("%d deployments are held", n)
	}
}

// FuzzCreate: whatever is sent, the answer is one for the client to act on, and
// never an outage.
func FuzzCreate(f *testing.F) {
	f.Add("application/json", "/v2/apps", `{"id":"/a","cmd":"x","constraints":[["hostname","UNIQUE"]]}`)
	f.Add("", "/v2/apps/a/b?force=true&partialUpdate=false", `{"env":{"":"x"},"ports":[1,1],"version":"2020-01-01T00:00:00Z"}`)
	f.Add("application/json", "/v2/tasks/delete?scale=true", `{"ids":["a.instance-00000000-0000-0000-0000-000000000000._app.1"]}`)
	f.Add("", "/v2/apps/a/restart?timeout=1h&rollback=true", "")
	f.Add("", "/v2/apps/a/versions/2026-01-02T03:04:05.006Z", `{"version":"2026-01-02T03:04:05.006Z"}`)
	f.Add("", "/v2/apps/a/tasks/a.instance-x._app.1?wipe=true", "")
	f.Add("", "/v2/groups/g", `{"id":"h","apps":[{"id":"x","cmd":"x"}],"groups":[{"id":"i","dependencies":["../x"]}],"scaleBy":null}`)
	f.Add("", "/v2/groups?dryRun=true", `{"version":"2026-01-02T03:04:05.006Z"}`)
	f.Add("", "/v2/groups/g/versions/2026-01-02T03:04:05.006Z?embed=group.apps", `{"enforceRole":true}`)
	f.Add("", "/v2/leader", "")
	f.Add("text/plain", "/v2/apps//", `[{"id":"..","labels":{"MARATHON_SINGLE_INSTANCE_APP":"true"}}]`)
	f.Fuzz(func(t *testing.T, contentType, path, body string) {
		w := newWorld(nil)
		for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodGet} {
			r := httptest.NewRequest(method, "/v2/apps", strings.NewReader(body))
			r.Header["Content-Type"] = []string{contentType}
			if path, query, _ := strings.Cut(path, "?"); strings.HasPrefix(path, "/v2/") && !strings.HasPrefix(path, "/v2/events") {
				r.URL.Path, r.URL.RawQuery = path, query
			}
			answer := httptest.NewRecorder()
			w.setLeader(true, address) // it may have been asked to abdicate
			w.handler.ServeHTTP(answer, r)
			if answer.Code >= 500 {
				t.Errorf("%s %s %q: %d %s", method, path, body, answer.Code, answer.Body)
			}
			if answer.Body.Len() > 0 && answer.Header().Get("Content-Type") == "application/json" && !json.Valid(answer.Body.Bytes()) {
				t.Errorf("%s %s %q: not JSON: %s", method, path, body, answer.Body)
			}
		}
	})
}

// nowhere takes an answer and keeps nothing of it.
type nowhere struct{ header http.Header }

func (n nowhere) Header() http.Header         { return n.header }
func (n nowhere) Write(b []byte) (int, error) { return len(b), nil }
func (n nowhere) WriteHeader(int)             {}

// BenchmarkList compares the remembered list of 1,000 apps with a fresh one.
func BenchmarkList(b *testing.B) {
	w := newWorld(nil)
	for i := range 1000 {
		ask(w.handler, http.MethodPost, "/v2/apps", fmt.Sprintf(`{"id":"/g%d/app%d","cmd":"x","instances":0}`, i%26, i))
	}
	for name, path := range map[string]string{"remembered": "/v2/apps", "fresh": "/v2/apps?embed=none"} {
		b.Run(name, func(b *testing.B) {
			r := httptest.NewRequest(http.MethodGet, path, nil)
			for b.Loop() {
				w.handler.ServeHTTP(nowhere{http.Header{}}, r)
			}
		})
	}
}
