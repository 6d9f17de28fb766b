package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/pacer-run/pacer/runtime/scheduler"
	"github.com/pacer-run/pacer/runtime/spec"
)

// embedNames are the extras of apps that a query can ask for.
var embedNames = []string{"tasks", "failures", "lastTaskFailure", "counts", "deployments", "readiness", "taskStats"}

// listURLs are those of lists that show apps, with each pair of extras.
func listURLs() []string {
	urls := []string{"/v2/apps", "/v2/apps?id=a", "/v2/apps?cmd=x&label=team", "/v2/apps/g/*", "/v2/groups/g", "/v2/groups/g/h", "/v2/groups/none/apps"}
	for _, base := range []string{"/v2/apps", "/v2/groups", "/v2/groups/apps", "/v2/groups/g/apps"} {
		urls = append(urls, base+"?embed=group.groups", base+"?embed=group.apps")
		for i, x := range embedNames {
			urls = append(urls, base+"?embed=apps."+x, base+"?embed=group.groups&embed=group.apps&embed=group.apps."+x)
			for _, y := range embedNames[i+1:] {
				urls = append(urls, base+"?embed=apps."+x+"&embed="+y+"&embed=group.apps")
			}
		}
	}
	return append(urls, "/v2/groups", "/v2/groups/apps", "/v2/groups/g/apps")
}

// changingWorld is a world and the things that happen in it, some of which no
// list shows.
func changingWorld(t *testing.T) (*world, []func()) {
	w := newWorld(nil)
	put := func(method, path, body string) func() {
		return func() {
			if answer := ask(w.handler, method, path+"?force=true", body); answer.Code >= 300 {
				t.Fatalf("%s %s: %d %s", method, path, answer.Code, answer.Body)
			}
		}
	}
	status := func(app spec.PathID, s scheduler.TaskState, healthy ...bool) func() {
		return func() {
			if err := w.status(app, 0, s, "as told", healthy...); err != nil {
				t.Fatal(err)
			}
		}
	}
	return w, []func(){
		func() {},
		put(http.MethodPost, "/v2/apps", `{"id":"/g/a","cmd":"x","instances":1,"portDefinitions":[{"port":0}],"labels":{"team":"<shop>"},"healthChecks":[{"protocol":"MESOS_HTTP"}]}`),
		put(http.MethodPost, "/v2/apps", `{"id":"/g-a","cmd":"X","instances":0}`),
		put(http.MethodPost, "/v2/apps", `{"id":"/g/h/b","cmd":"y","instances":1,"cpus":100,"labels":{"team":"x"}}`),
		func() { w.offer("host1") },
		status("/g/a", scheduler.TaskRunning),
		status("/g/a", scheduler.TaskRunning, true),
		status("/g/a", scheduler.TaskRunning, false),
		func() { w.offer("host2") }, // too small for the one that waits
		status("/g/a", scheduler.TaskFailed),
		put(http.MethodPut, "/v2/apps/g/a", `{"instances":3}`),
		put(http.MethodPut, "/v2/groups/g", `{"id":"/g","dependencies":["/other"]}`),
		put(http.MethodPost, "/v2/groups", `{"id":"/new"}`),
		put(http.MethodDelete, "/v2/groups/new", ""),
		put(http.MethodDelete, "/v2/apps/g-a", ""),
		put(http.MethodDelete, "/v2/apps/g/h/b", ""),
		put(http.MethodPost, "/v2/apps", `{"id":"/g/h/b","cmd":"y","instances":0}`),
	}
}

// TestListsAreAsFresh: whatever happened, what is put together from remembered
// texts is what a server that remembers nothing answers, and a tag stands for one
// text only.
func TestListsAreAsFresh(t *testing.T) {
	w, steps := changingWorld(t)
	last := map[string]*httptest.ResponseRecorder{}
	texts := map[string]string{} // by tag
	for n, step := range steps {
		step()
		fresh := New(Config{Node: w, Address: address, Events: w.events, Now: w.clock})
		for _, url := range listURLs() {
			var tag string
			if last[url] != nil {
				tag = last[url].Header().Get("ETag")
			}
			got, want := ask(w.handler, http.MethodGet, url, "", "If-None-Match", tag), ask(fresh, http.MethodGet, url, "")
			if got.Code == http.StatusNotModified {
				if got.Body.Len() > 0 || got.Header().Get("ETag") != tag {
					t.Errorf("step %d, %s: 304 with %q and a body of %d bytes", n, url, got.Header().Get("ETag"), got.Body.Len())
				}
				got = last[url]
			} else {
				last[url] = got
			}
			if got.Code != want.Code || got.Body.String() != want.Body.String() {
				t.Fatalf("step %d, %s: %d %s\nfresh: %d %s", n, url, got.Code, got.Body, want.Code, want.Body)
			}
			tag = got.Header().Get("ETag")
			if strings.Contains(url, "taskStats") != (tag == "") && got.Code == http.StatusOK {
				t.Errorf("step %d, %s: tag %q", n, url, tag)
			}
			if text, known := texts[tag]; known && tag != "" && text != got.Body.String() {
				t.Errorf("step %d, %s: the tag %s stands for two texts:\n%s\n%s", n, url, tag, text, got.Body)
			}
			texts[tag] = got.Body.String()
		}
	}
}

// TestTagsOutliveWhatIsNotShown: a list is not sent again for what it does not show.
func TestTagsOutliveWhatIsNotShown(t *testing.T) {
	w, steps := changingWorld(t)
	for _, step := range steps[:6] {
		step()
	}
	tags := map[string]string{}
	for _, url := range listURLs() {
		tags[url] = ask(w.handler, http.MethodGet, url, "").Header().Get("ETag")
	}
	code := func(url string) int { return ask(w.handler, http.MethodGet, url, "", "If-None-Match", tags[url]).Code }
	w.offer("host3") // too small for the app that waits: refused, which is kept for the app
	for _, url := range []string{"/v2/apps", "/v2/apps?id=a", "/v2/groups", "/v2/groups/g", "/v2/groups/apps"} {
		if got := code(url); got != http.StatusNotModified {
			t.Errorf("%s after an offer that nobody can use: %d", url, got)
		}
	}
	if err := w.status("/g/a", 0, scheduler.TaskRunning, "", true); err != nil { // counted, in what shows counts
		t.Fatal(err)
	}
	for url, want := range map[string]int{
		"/v2/apps": http.StatusOK, "/v2/groups": http.StatusNotModified, "/v2/groups/apps": http.StatusNotModified,
		"/v2/groups/apps?embed=apps.tasks": http.StatusOK, "/v2/groups/apps?embed=apps.counts": http.StatusOK,
	} {
		if got := code(url); got != want {
			t.Errorf("%s after a task became healthy: %d, want %d", url, got, want)
		}
	}
}

// TestTextsOfLists: an app in a list reads as it does when it is encoded whole.
func TestTextsOfLists(t *testing.T) {
	w, steps := changingWorld(t)
	for _, step := range steps {
		step()
		list := (&listCache{tagger: newTagger()}).of(w)
		for set := range 1 << 6 {
			e := embeds{
				counts: set&1 > 0, deployments: set&2 > 0, tasks: set&4 > 0, lastTaskFailure: set&8 > 0, taskStats: set&16 > 0,
				readiness: set&32 > 0, now: spec.TimestampOf(w.clock()),
			}
			for _, text := range list.of {
				if got, want := text.append(nil, e), appendApp(nil, text.view, e); !bytes.Equal(got, want) {
					t.Fatalf("%+v\n got %s\nwant %s", e, got, want)
				}
			}
		}
	}
}

// TestListsOfGroups: "/g-a" is not in "/g", although it comes between its members
// and the group.
func TestListsOfGroups(t *testing.T) {
	w, steps := changingWorld(t)
	for _, step := range steps {
		step()
		list := (&listCache{tagger: newTagger()}).of(w)
		for _, group := range []spec.PathID{"/", "/g", "/g/h", "/none", "/zzz"} {
			var got, want []spec.PathID
			for _, text := range list.below(group) {
				got = append(got, text.view.App.ID)
			}
			for v := range viewsBelow(w.Snapshot(), group) {
				want = append(want, v.App.ID)
			}
			if !slices.Equal(got, want) {
				t.Errorf("below %s are %v, want %v", group, got, want)
			}
		}
	}
}

// TestLongLists: answers of more than one chunk arrive whole, over HTTP too.
func TestLongLists(t *testing.T) {
	w := manyApps(t, 300)
	server := httptest.NewServer(w.handler)
	defer server.Close()
	for _, url := range []string{"/v2/apps", "/v2/apps?id=app", "/v2/groups", "/v2/groups/apps", "/v2/apps/*"} {
		answer, err := server.Client().Get(server.URL + url)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(answer.Body)
		answer.Body.Close()
		if err != nil || len(body) < 3*chunkBytes || !json.Valid(body) || bytes.Count(body, []byte(`"cmd":`)) != 300 {
			t.Errorf("%s: %d bytes: %v", url, len(body), err)
		}
		if url == "/v2/apps" && answer.ContentLength != int64(len(body)) {
			t.Errorf("the length of %d bytes is announced as %d", len(body), answer.ContentLength)
		}
	}
}

// hungUp is a connection whose client is gone.
type hungUp struct {
	sink
	writes int
}

func (h *hungUp) Write([]byte) (int, error) {
	h.writes++
	return 0, errors.New("broken pipe")
}

// TestClientIsGone: nothing is written after a write that failed, and the next
// client gets nothing of it.
func TestClientIsGone(t *testing.T) {
	w := manyApps(t, 300)
	for _, url := range []string{"/v2/apps", "/v2/groups"} {
		want := ask(w.handler, http.MethodGet, url, "").Body.String()
		gone := &hungUp{sink: sink{header: http.Header{}}}
		w.handler.ServeHTTP(gone, httptest.NewRequest(http.MethodGet, url, nil))
		if gone.writes != 1 {
			t.Errorf("%s: %d writes", url, gone.writes)
		}
		if got := ask(w.handler, http.MethodGet, url, "").Body.String(); got != want {
			t.Errorf("%s: the next answer has %d bytes, want %d", url, len(got), len(want))
		}
	}
}
