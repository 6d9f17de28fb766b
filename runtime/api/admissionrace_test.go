package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pacer-run/pacer/runtime/scheduler"
	"github.com/pacer-run/pacer/runtime/spec"
	"github.com/pacer-run/pacer/sdk"
)

// TestReviewsHoldWhenChangesAreAccepted: of many changes at a time that each fit into
// what is left of a quota as many are accepted as fit together, and nobody is told that
// there was somebody else.
func TestReviewsHoldWhenChangesAreAccepted(t *testing.T) {
	w := newWorld(func(c *Config) { c.Admit = scriptAdmission })
	codes := make([]int, 30)
	var all sync.WaitGroup
	for i := range codes {
		all.Go(func() {
			switch path, body := fmt.Sprintf("/v2/apps/g%d/a", i), `{"cmd":"x"}`; i % 3 {
			case 0:
				codes[i] = ask(w.handler, http.MethodPut, path, body).Code
			case 1:
				codes[i] = ask(w.handler, http.MethodPost, "/v2/apps", fmt.Sprintf(`{"id":"/p%d","cmd":"x"}`, i)).Code
			default:
				codes[i] = ask(w.handler, http.MethodPut, fmt.Sprintf("/v2/groups/h%d", i), `{"apps":[{"id":"a","cmd":"x"}]}`).Code
			}
		})
	}
	all.Wait()
	accepted := 0
	for _, code := range codes {
		switch code {
		case http.StatusOK, http.StatusCreated:
			accepted++
		case http.StatusUnprocessableEntity:
		default:
			t.Errorf("status %d", code)
		}
	}
	if n := w.Snapshot().Tree.Len(); accepted != 10 || n != 10 {
		t.Errorf("%d changes accepted, %d apps are there, want 10", accepted, n)
	}
}

// TestWhatChangedIsReviewedAgain: whatever a change is, it is reviewed against what
// there is when it is accepted.
func TestWhatChangedIsReviewedAgain(t *testing.T) {
	for name, test := range map[string]struct {
		method, path, body string
		at, rival          string // what is put meanwhile, and where
		status             int
	}{
		"deleted":         {http.MethodDelete, "/v2/apps/x", "", "/x", `{"cmd":"x","labels":{"keep":"yes"}}`, http.StatusForbidden},
		"group deleted":   {http.MethodDelete, "/v2/groups?force=true", "", "/x", `{"cmd":"x","labels":{"keep":"yes"}}`, http.StatusForbidden},
		"restarted":       {http.MethodPost, "/v2/apps/x/restart?force=true", "", "/x", `{"labels":{"deny":"no"}}`, http.StatusForbidden},
		"killed":          {http.MethodDelete, "/v2/apps/x/tasks?scale=true&force=true", "", "/x", `{"labels":{"deny":"no"}}`, http.StatusForbidden},
		"undone":          {http.MethodDelete, "/v2/deployments/deployment-1", "", "/y", `{"cmd":"x","cpus":10}`, http.StatusOK},
		"undone, denied":  {http.MethodDelete, "/v2/deployments/deployment-3", "", "/y", `{"cmd":"x","cpus":4}`, http.StatusUnprocessableEntity},
		"another created": {http.MethodPut, "/v2/apps/y", `{"cmd":"x","instances":5}`, "/x", `{"instances":9}`, http.StatusUnprocessableEntity},
		"posted":          {http.MethodPost, "/v2/apps", `{"id":"/y","cmd":"x","instances":5}`, "/x", `{"instances":9}`, http.StatusUnprocessableEntity},
		"nothing lost":    {http.MethodPut, "/v2/apps/y", `{"cmd":"x","instances":5}`, "/x", `{"instances":4}`, http.StatusCreated},
	} {
		t.Run(name, func(t *testing.T) {
			core := &rivalled{}
			var node Config
			core.world = newWorld(func(c *Config) { node = *c })
			node.Node, node.Admit = core, scriptAdmission
			handler := New(node)
			ask(core.handler, http.MethodPut, "/v2/apps/x", `{"cmd":"x"}`)
			core.offer("h1")
			if name == "undone, denied" { // which would bring back seven cores
				ask(core.handler, http.MethodPut, "/v2/apps/x?force=true", `{"instances":7}`)
				ask(core.handler, http.MethodPut, "/v2/apps/x?force=true", `{"instances":1}`)
			}
			core.rival = func() {
				if answer := ask(core.handler, http.MethodPut, "/v2/apps"+test.at+"?force=true", test.rival); answer.Code >= 300 {
					t.Errorf("the rival: %d %s", answer.Code, answer.Body)
				}
			}
			if answer := ask(handler, test.method, test.path, test.body); answer.Code != test.status {
				t.Errorf("%d %s, want %d", answer.Code, answer.Body, test.status)
			}
		})
	}
}

// TestAdmissionRequest: what policies are told of a change.
func TestAdmissionRequest(t *testing.T) {
	var asked []sdk.AdmissionRequest
	w := newWorld(func(c *Config) {
		c.HTTP.User, c.HTTP.Password = "admin", "secret"
		c.Admit = func(_ context.Context, r sdk.AdmissionRequest, _ func(string, []byte) ([]byte, error)) (sdk.AdmissionReview, error) {
			asked = append(asked, r)
			return sdk.AllowAdmission(), nil
		}
	})
	const who = "Basic YWRtaW46c2VjcmV0"
	put := func(path, body string) {
		t.Helper()
		if answer := ask(w.handler, http.MethodPut, path, body, "Authorization", who); answer.Code >= 300 {
			t.Fatalf("%s: %d %s", path, answer.Code, answer.Body)
		}
	}
	put("/v2/apps/g/h/a", `{"cmd":"x","cpus":0.1,"mem":10,"disk":1,"instances":3}`)
	put("/v2/apps/g/b", `{"cmd":"x","cpus":0.2,"mem":20,"instances":0}`)
	put("/v2/apps/c", `{"cmd":"x","cpus":0.7,"mem":7.5,"instances":2}`)
	asked = nil
	put("/v2/apps/g/h/a?force=true", `{"instances":5}`)
	if len(asked) != 1 {
		t.Fatalf("%d reviews", len(asked))
	}
	var old, now struct {
		ID                 string
		Instances          int
		Version            string
		PortDefinitions    []spec.PortDefinition
		VersionInfo        map[string]string
		TaskKillGracePerio int
	}
	if json.Unmarshal(asked[0].Old, &old) != nil || json.Unmarshal(asked[0].New, &now) != nil {
		t.Fatalf("%s, %s", asked[0].Old, asked[0].New)
	}
	if old.ID != "/g/h/a" || old.Instances != 3 || old.Version == "" || now.ID != "/g/h/a" || now.Instances != 5 || now.Version != "" ||
		now.PortDefinitions[0].Port == 0 {
		t.Errorf("%s, %s", asked[0].Old, asked[0].New)
	}
	asked[0].Old, asked[0].New = nil, nil
	want := sdk.AdmissionRequest{
		Verb: sdk.AdmissionUpdate, Subject: sdk.AdmissionApp, ID: "/g/h/a", User: "admin", Force: true, NowMillis: w.clock().UnixMilli(),
		Above: []sdk.GroupUse{
			{ID: "/", Apps: 2, Instances: 2, CPUs: 1.4, Mem: 15},
			{ID: "/g", Apps: 1},
			{ID: "/g/h"},
		},
	}
	if diff := cmp.Diff(want, asked[0]); diff != "" {
		t.Error(diff)
	}
	asked = nil
	put("/v2/groups/g?force=true", `{"apps":[],"groups":[{"id":"h","apps":[{"id":"a","cmd":"y","cpus":0.1,"mem":10,"instances":4},{"id":"n","cmd":"x","mem":1}]}]}`)
	var got []string
	for _, r := range asked {
		got = append(got, fmt.Sprintf("%s %s %s %v", r.Verb, r.Subject, r.ID, r.Above))
	}
	wantAll := []string{
		"update group /g [{/ 1 2 1.4 15 0 0}]",
		"update app /g/h/a [{/ 2 3 2.4 16 0 0} {/g 1 1 1 1 0 0} {/g/h 1 1 1 1 0 0}]",
		"create app /g/h/n [{/ 2 6 1.8 55 0 0} {/g 1 4 0.4 40 0 0} {/g/h 1 4 0.4 40 0 0}]",
		"delete app /g/b [{/ 3 7 2.8 56 0 0} {/g 2 5 1.4 41 0 0}]",
	}
	if diff := cmp.Diff(wantAll, got); diff != "" {
		t.Error(diff)
	}
}

// TestLargeGroups: a group that is too large is shown with nothing but the ids of its
// apps, and cannot be amended.
func TestLargeGroups(t *testing.T) {
	var group []byte
	w := newWorld(func(c *Config) {
		c.MaxBodyBytes = 1 << 22
		c.Admit = func(_ context.Context, r sdk.AdmissionRequest, take func(string, []byte) ([]byte, error)) (sdk.AdmissionReview, error) {
			if r.Subject != sdk.AdmissionGroup {
				return sdk.AllowAdmission(), nil
			}
			group = r.New
			if _, err := take("test", r.New); err != nil {
				return sdk.AdmissionReview{}, err // as it is, it is no amendment
			}
			_, err := take("test", []byte(`{"id":"/g"}`))
			return sdk.AdmissionReview{}, err
		}
	})
	var apps []string
	for i := range 1000 {
		apps = append(apps, fmt.Sprintf(`{"id":"a%d","cmd":"x","env":{"X":"%s"}}`, i, strings.Repeat("x", 1000)))
	}
	answer := ask(w.handler, http.MethodPut, "/v2/groups/g", `{"apps":[`+strings.Join(apps, ",")+`]}`)
	if answer.Code != http.StatusUnprocessableEntity || !strings.Contains(answer.Body.String(), "the group is too large to be amended as a whole") {
		t.Errorf("%d %s", answer.Code, answer.Body)
	}
	var shown struct{ Apps []map[string]any }
	if err := json.Unmarshal(group, &shown); err != nil || len(shown.Apps) != 1000 || len(shown.Apps[0]) != 1 || len(group) > 1<<20 {
		t.Errorf("%d bytes, %d apps, %v", len(group), len(shown.Apps), err)
	}
}

// TestReviewsEnd: a policy that does not answer keeps its change waiting until the time
// for a command is over, and no other one behind it.
func TestReviewsEnd(t *testing.T) {
	var node Config
	w := newWorld(func(c *Config) {
		c.CommandTimeout = 20 * time.Millisecond
		c.Admit = func(ctx context.Context, r sdk.AdmissionRequest, _ func(string, []byte) ([]byte, error)) (sdk.AdmissionReview, error) {
			if r.ID == "/slow" {
				<-ctx.Done()
				return sdk.AdmissionReview{}, fmt.Errorf("admission policy test: %w", ctx.Err())
			}
			return sdk.AllowAdmission(), nil
		}
		node = *c
	})
	if answer := ask(w.handler, http.MethodPut, "/v2/apps/slow", `{"cmd":"x"}`); answer.Code != http.StatusUnprocessableEntity ||
		!strings.Contains(answer.Body.String(), "the change was not reviewed within 20ms: admission policy test: context deadline exceeded") {
		t.Errorf("%d %s", answer.Code, answer.Body)
	}
	if answer := ask(w.handler, http.MethodPut, "/v2/apps/quick", `{"cmd":"x"}`); answer.Code != http.StatusCreated {
		t.Errorf("%d %s", answer.Code, answer.Body)
	}
	s := &server{Config: node.withDefaults(), turns: newTurns(node.Admit)}
	end, err := s.turns.take(t.Context(), false)
	if err != nil {
		t.Fatal(err)
	}
	defer end()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPut, "/v2/apps/x", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.turn(request, true); err == nil {
		t.Error("it did not wait for who was first")
	} else if status, _ := answerTo(err); status != http.StatusServiceUnavailable {
		t.Errorf("status %d of %v", status, err)
	}
}

// BenchmarkReview is the cost of what policies are told of one app among 10,000, without
// the policies: mostly the totals of the root.
func BenchmarkReview(b *testing.B) {
	var s server
	s.Config = Config{Admit: func(context.Context, sdk.AdmissionRequest, func(string, []byte) ([]byte, error)) (sdk.AdmissionReview, error) {
		return sdk.AllowAdmission(), nil
	}}.withDefaults()
	change := spec.TreeChange{Version: 1, Apps: map[spec.PathID]*spec.App{}}
	for i := range 10_000 {
		app := spec.Defaults()
		app.ID = spec.PathID(fmt.Sprintf("/team%d/group%d/app%d", i%10, i%100, i))
		change.Apps[app.ID] = app
	}
	tree := spec.Tree{}.Complete(change, spec.Settings{})
	snapshot := &scheduler.Snapshot{Tree: spec.Tree{}.With(tree)}
	app := *change.Apps["/team1/group1/app1"]
	app.Instances = 7
	put := scheduler.ChangeTree{Put: []scheduler.PutApp{{App: &app, Base: 1}}}
	r, err := http.NewRequestWithContext(b.Context(), http.MethodPut, "/v2/apps/team1/group1/app1", http.NoBody)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, _, err := s.review(r, snapshot, put); err != nil {
			b.Fatal(err)
		}
	}
}
