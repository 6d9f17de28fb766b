package api

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
)

// subscriber is a server that events are sent to.
func subscriber(t *testing.T, status int) (address string, events chan string) {
	t.Helper()
	events = make(chan string, 100)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil || r.Method != http.MethodPost || r.Header.Get("Content-Type") != "application/json" {
			t.Errorf("%s %s: %v", r.Method, r.Header.Get("Content-Type"), err)
		}
		var event struct{ EventType, CallbackURL string }
		if err := json.Unmarshal(body, &event); err != nil {
			t.Errorf("%s: %v", body, err)
		}
		w.WriteHeader(status)
		events <- event.EventType + event.CallbackURL
	}))
	t.Cleanup(server.Close)
	return server.URL, events
}

func requestOf(h http.Handler, method, path, body string) *httptest.ResponseRecorder {
	answer := httptest.NewRecorder()
	h.ServeHTTP(answer, httptest.NewRequest(method, path, strings.NewReader(body)))
	return answer
}

func TestCallbacks(t *testing.T) {
	w := newWorld(func(c *Config) { c.Callbacks = true })
	first, events := subscriber(t, http.StatusOK)
	failing, failed := subscriber(t, http.StatusInternalServerError)
	path := func(to string) string { return "/v2/eventSubscriptions?callbackUrl=" + url.QueryEscape(to) }
	next := func(events chan string, want string) {
		t.Helper()
		if got := <-events; got != want {
			t.Errorf("event %s, want %s", got, want)
		}
	}
	for range 2 { // the second time changes nothing
		answer := requestOf(w.handler, http.MethodPost, path(first), "")
		if answer.Code != http.StatusOK || !strings.Contains(answer.Body.String(), `"eventType":"subscribe_event"`) {
			t.Fatalf("%d %s", answer.Code, answer.Body)
		}
	}
	next(events, "subscribe_event"+first)
	requestOf(w.handler, http.MethodPost, path(failing), "")
	next(events, "subscribe_event"+failing)
	next(failed, "subscribe_event"+failing)
	requestOf(w.handler, http.MethodPost, "/v2/apps", `{"id":"/a","cmd":"x"}`)
	until := func(events chan string, want string) {
		for got := ""; got != want; got = <-events {
		}
	}
	until(failed, "deployment_info") // who fails is called again all the same
	until(events, "deployment_info")
	if got := get(w.handler, "/v2/eventSubscriptions").Body.String(); !strings.Contains(got, first) || !strings.Contains(got, failing) {
		t.Errorf("the list is %s", got)
	}
	if answer := requestOf(w.handler, http.MethodDelete, path(failing), ""); answer.Code != http.StatusOK {
		t.Errorf("%d %s", answer.Code, answer.Body)
	}
	until(events, "unsubscribe_event"+failing)
	if got := get(w.handler, "/v2/eventSubscriptions").Body.String(); strings.Contains(got, failing) {
		t.Errorf("the list is %s", got)
	}
}

// The end of a term ends the callbacks with it.
func TestCallbacksEndWithTheTerm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(func(c *Config) { c.Callbacks = true })
		client := w.events.attach("10.1.1.1", []string{"unsubscribe_event"})
		if answer := requestOf(w.handler, http.MethodPost, "/v2/eventSubscriptions?callbackUrl=http://192.0.2.1", ""); answer.Code != http.StatusOK {
			t.Fatalf("%d %s", answer.Code, answer.Body)
		}
		w.events.Disconnect()
		synctest.Wait()
		w.events.detach(client)
		if got := w.events.Clients(); got != 0 {
			t.Errorf("%d streams are left", got)
		}
	})
}
