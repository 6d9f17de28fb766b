package api

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/pacer-run/pacer/runtime/scheduler"
)

// busyWorld has something of everything that reads show.
func busyWorld() *world {
	w := newWorld(scriptConfig)
	for _, host := range []string{"h1", "h2"} {
		w.offer(host)
	}
	send(w, http.MethodPut, "/v2/groups/g", `{"apps":[{"id":"a","cmd":"x","labels":{"k":"v"}},{"id":"b","cmd":"x","dependencies":["a"]}],"groups":[{"id":"h"}]}`)
	send(w, http.MethodPut, "/v2/apps/a", `{"cmd":"x","mem":5000,"constraints":[["hostname","UNIQUE"]]}`)
	send(w, http.MethodPut, "/v2/apps/gone?timeout=1s", `{"cmd":"x","instances":0}`)
	w.step(scheduler.Disconnected{})
	w.step(scheduler.Subscribed{FrameworkID: "framework-1", MasterID: "m1", MasterHost: "master", MasterURL: "http://master:5050"})
	w.offer("h1")
	return w
}

// checkFuzzed wants an answer that a client can act on: no outage, and what is said
// to be JSON is.
func checkFuzzed(t *testing.T, answer *httptest.ResponseRecorder, about ...string) {
	t.Helper()
	if answer.Code >= http.StatusInternalServerError {
		t.Errorf("%q: %d %s", about, answer.Code, answer.Body)
	}
	if answer.Body.Len() > 0 && answer.Header().Get("Content-Type") == "application/json" && !json.Valid(answer.Body.Bytes()) {
		t.Errorf("%q: not JSON: %s", about, answer.Body)
	}
}

// FuzzPlan: whatever is to be planned, nothing is changed. What is planned can be
// carried out, since at the same moment only locks are in its way, and what refuses
// the change refuses its plan with the same words.
func FuzzPlan(f *testing.F) {
	f.Add("", `{"id":"/a","cmd":"y","instances":2}`)
	f.Add("", `[{"id":"/a"},{"id":"/n/b","cmd":"x","ports":[0,1]}]`)
	f.Add("", `{"delete":"/g"}`)
	f.Add("", `{"delete":"/","x":1}`)
	f.Add("", `{"restart":"/g/a"}`)
	f.Add("", `{"id":"g","apps":[{"id":"x","cmd":"x"}],"groups":[{"id":"i","dependencies":["../x"],"groups":null}]}`)
	f.Add("group=/g", `{"scaleBy":1.5}`)
	f.Add("group=/g", `{"version":"2026-01-02T03:04:05.006Z"}`)
	f.Add("group=/g", `{"apps":[{"id":"a","cmd":"x"}],"groups":[]}`)
	f.Add("group=", `{"enforceRole":true}`)
	f.Add("app=/a", `{"cpus":-1,"constraints":[["x","NEAR"]]}`)
	f.Add("app=/a", `{"instances":3,"mem":64,"requirePorts":true}`)
	f.Add("app=g/a&partialUpdate=false", `{"cmd":"x","constraints":[["panic","UNIQUE"]]}`)
	f.Add("app=/a&strict=true", `{"version":"2026-01-02T03:04:05.006Z"}`)
	f.Add("app=a&group=b&timeout=x", `null`)
	f.Add("plan=AAAA", `{"apps":`)
	f.Fuzz(func(t *testing.T, query, body string) {
		w := busyWorld()
		before := w.Snapshot()
		r := httptest.NewRequest(http.MethodPost, "/pacer/v1/plan", strings.NewReader(body))
		r.URL.RawQuery = query
		answer := httptest.NewRecorder()
		w.handler.ServeHTTP(answer, r)
		checkFuzzed(t, answer, query, body)
		if after := w.Snapshot(); after.Tree.Version != before.Tree.Version || len(after.Deployments) != len(before.Deployments) {
			t.Errorf("%s %s: the plan changed something", query, body)
		}
		change := map[string]string{"app=/a": "/v2/apps/a", "group=/g": "/v2/groups/g"}[query]
		if query == "" && strings.HasPrefix(body, "[") {
			change = "/v2/apps"
		}
		if change == "" {
			return
		}
		var plan planAnswer
		if err := json.Unmarshal(answer.Body.Bytes(), &plan); err != nil {
			t.Fatal(err)
		}
		code, text := send(w, http.MethodPut, change+"?force=true&plan="+plan.Token, body)
		switch {
		case answer.Code == http.StatusOK && code >= http.StatusBadRequest:
			t.Errorf("%s %s was planned, and refused: %d %s", query, body, code, text)
		case answer.Code != http.StatusOK && (code != answer.Code || text != answer.Body.String()):
			t.Errorf("%s %s: the plan is refused with %d %s\nthe change with %d %s", query, body, answer.Code, answer.Body, code, text)
		}
	})
}

// FuzzReads: whatever is asked of any read, it is answered.
func FuzzReads(f *testing.F) {
	for _, path := range []string{
		"/pacer/v1/deployments", "/pacer/v1/deployments/x", "/pacer/v1/apps/a/why", "/pacer/v1/apps/g/a/why", "/pacer/v1/policies", "/pacer/v1/policies/zoo", "/pacer/v1/policies/zoo/disagreements",
		"/v2/apps", "/v2/apps/a", "/v2/apps/a/versions", "/v2/apps/a/tasks", "/v2/apps/g/*", "/v2/groups", "/v2/groups/g/versions",
		"/v2/groups/apps", "/v2/tasks", "/v2/deployments", "/v2/queue", "/v2/info", "/v2/leader", "/metrics", "/ping",
	} {
		f.Add(path, "")
	}
	f.Add("/pacer/v1/deployments", "limit=1&after=deployment-1&app=/a&app=b&outcome=timed+out&outcome=running")
	f.Add("/pacer/v1/deployments", "limit=99999999999999999999&app=%ff&outcome=%00")
	f.Add("/pacer/v1/apps/a/why", "limit=1&after=agent-h1&agent=h2")
	f.Add("/pacer/v1/apps//../why", "limit=-1")
	f.Add("/v2/apps", `label=k==v,x+in+(a,b\,c),!,(&id=G&cmd=X&embed=apps.tasks&embed=nothing`)
	f.Add("/v2/apps", "label=k%3D%3D%5C&label=%F0%9F%92%A9")
	f.Add("/v2/groups/g", "embed=group.apps&embed=group.apps.taskStats&embed=")
	f.Add("/v2/groups/g/versions/2026-01-02T03:04:05.006Z", "embed=group.groups")
	f.Add("/v2/apps/a/versions/9999-99-99", "")
	f.Add("/v2/tasks", "status=running&status[]=staging&status%5B%5D=x")
	f.Add("/v2/queue", "embed=lastUnusedOffers&embed=x")
	w := busyWorld()
	f.Fuzz(func(t *testing.T, path, query string) {
		if !strings.HasPrefix(path, "/") || strings.HasPrefix(path, "/v2/events") { // a stream does not end
			return
		}
		for _, accept := range []string{"", "text/plain"} {
			r := httptest.NewRequest(http.MethodGet, "/", nil)
			r.URL.Path, r.URL.RawQuery = path, query
			r.Header.Set("Accept", accept)
			answer := httptest.NewRecorder()
			w.handler.ServeHTTP(answer, r)
			checkFuzzed(t, answer, path, query)
		}
	})
}
