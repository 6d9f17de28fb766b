package api

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// scriptModules are the modules of the scripts: zoo can do everything once.
type scriptModules struct{}

func (scriptModules) do(name, what string) error {
	switch name {
	case "zoo":
		return nil
	case "broken":
		return &ModuleRefusal{"the policy module broken is failed: it cannot " + what}
	default:
		return &ModuleUnknown{name}
	}
}

func (m scriptModules) Reload(_ context.Context, name string) error { return m.do(name, "reload") }

func (m scriptModules) Shadow(_ context.Context, name, of string) error {
	return m.do(name, "shadow "+of)
}

func (m scriptModules) Promote(_ context.Context, name string) error { return m.do(name, "promote") }
func (m scriptModules) Enable(_ context.Context, name string) error  { return m.do(name, "enable") }
func (m scriptModules) Disable(_ context.Context, name string) error { return m.do(name, "disable") }

func (m scriptModules) Disagreements(name string) ([]ModuleDisagreement, error) {
	return []ModuleDisagreement{{
		At: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Kind: "constraint", Call: "ask", Items: 2, Spec: []byte("spec"), Input: []byte("input"),
		Answer: []byte("yes"), CandidateCause: "fuel exhausted",
	}}, m.do(name, "disagree")
}

func (m scriptModules) Record(ctx context.Context, name string, to io.Writer, limit int64) error {
	if err := m.do(name, "be recorded"); err != nil {
		return err
	}
	if limit == 1 {
		return context.Canceled
	}
	deadline, _ := ctx.Deadline()
	text := "begun"
	if left := time.Until(deadline); left > time.Minute {
		text = "begun for long"
	}
	for _, piece := range []string{text, " ended"} {
		if _, err := io.WriteString(to, piece); err != nil {
			return err
		}
	}
	return errors.New("the module is gone")
}

func TestRecord(t *testing.T) {
	w := newWorld(scriptConfig)
	for _, tt := range []struct {
		path, body string
		code       int
	}{
		{"zoo/record", "begun ended", http.StatusOK},
		{"zoo/record?seconds=600&bytes=1000", "begun for long ended", http.StatusOK},
		{"zoo/record?bytes=1", "the command was not answered", http.StatusRequestTimeout},
		{"zoo/record?seconds=0", "a whole number from 1 to 600 expected", http.StatusUnprocessableEntity},
		{"zoo/record?bytes=much", "a whole number from 1 to 1073741824 expected", http.StatusUnprocessableEntity},
		{"broken/record", "it cannot be recorded", http.StatusConflict},
		{"nobody/record", "There is no policy module nobody.", http.StatusNotFound},
	} {
		answer := httptest.NewRecorder()
		w.handler.ServeHTTP(answer, httptest.NewRequest(http.MethodPost, "/pacer/v1/policies/"+tt.path, http.NoBody))
		if answer.Code != tt.code || !strings.Contains(answer.Body.String(), tt.body) {
			t.Errorf("%s: %d %s", tt.path, answer.Code, answer.Body)
		}
		if h := answer.Header(); tt.code == http.StatusOK && (h.Get("Content-Type") != "application/octet-stream" ||
			h.Get("Content-Disposition") != `attachment; filename="zoo.rec"`) {
			t.Errorf("%s: %v", tt.path, h)
		}
	}
}

// Without a host of modules they can be read and not changed.
func TestModulesThatCannotBeChanged(t *testing.T) {
	w := newWorld(func(c *Config) {
		c.Modules = func() []Module { return []Module{{ID: "zoo", Name: "zoo", Form: "wasm"}} }
	})
	for _, path := range []string{"reload", "shadow", "promote", "enable", "disable", "record"} {
		if code, text := send(w, http.MethodPost, "/pacer/v1/policies/zoo/"+path, ""); code != http.StatusConflict || !strings.Contains(text, "cannot be changed") {
			t.Errorf("%s: %d %s", path, code, text)
		}
	}
	if answer := get(w.handler, "/pacer/v1/policies/zoo"); answer.Code != http.StatusOK {
		t.Errorf("%d %s", answer.Code, answer.Body)
	}
}

// newModules have a module more once it is loaded anew.
type newModules struct {
	PolicyModules
	list []Module
}

func (m *newModules) Reload(_ context.Context, name string) error {
	m.list = append(m.list, Module{ID: name, Form: "wasm"})
	return nil
}

// What is new in the operator's list is found by a reload, so that its name is known only
// afterwards.
func TestReloadOfAModuleThatIsNew(t *testing.T) {
	modules := &newModules{}
	w := newWorld(func(c *Config) {
		c.Modules = func() []Module { return modules.list }
		c.PolicyModules = modules
	})
	if code, text := send(w, http.MethodPost, "/pacer/v1/policies/new/reload", ""); code != http.StatusOK || !strings.Contains(text, `"id":"new"`) {
		t.Errorf("%d %s", code, text)
	}
}

// TestPolicyEvents: clients of the stream hear of modules.
func TestPolicyEvents(t *testing.T) {
	e := NewEvents(0, func() time.Time { return time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC) })
	s := e.attach("here", []string{"policy_fault_event", "policy_state_event"})
	e.PublishPolicy(PolicyEvent{Type: "policy_fault_event", Module: "zoo", Version: "1", Digest: "0a", Kind: "constraint", App: "/a", Cause: "fuel exhausted", Trap: true, Faults: 3})
	e.PublishPolicy(PolicyEvent{Type: "policy_state_event", Module: "zoo", Version: "1", State: "quarantined", Cause: "fuel exhausted"})
	want := `event: policy_fault_event
data: {"eventType":"policy_fault_event","timestamp":"2026-01-02T03:04:05.000Z","module":"zoo","version":"1","digest":"0a","kind":"constraint","appId":"/a","cause":"fuel exhausted","trap":true,"faults":3}

event: policy_state_event
data: {"eventType":"policy_state_event","timestamp":"2026-01-02T03:04:05.000Z","module":"zoo","version":"1","state":"quarantined","cause":"fuel exhausted"}

`
	if text := strings.ReplaceAll(string(s.take(nil)), "\r", ""); text != want {
		t.Errorf("%s", text)
	}
}

// A change of modules has everything tried anew before it is answered: nobody who has
// the answer finds a fault of before.
func TestAChangeOfModulesForgetsFaults(t *testing.T) {
	w := newWorld(scriptConfig)
	if code, text := send(w, http.MethodPost, "/v2/apps", `{"id":"/bad","cmd":"true","constraints":[["broken","UNIQUE"]]}`); code != http.StatusCreated {
		t.Fatal(code, text)
	}
	w.offer("h1")
	w.advance(6 * time.Second)
	for _, name := range []string{"nobody", "broken"} {
		send(w, http.MethodPost, "/pacer/v1/policies/"+name+"/enable", "")
		if _, text := send(w, http.MethodGet, "/v2/queue", ""); !strings.Contains(text, `"timeLeftSeconds":4`) {
			t.Errorf("after a change of %s that was refused: %s", name, text)
		}
	}
	if code, text := send(w, http.MethodPost, "/pacer/v1/policies/zoo/enable", ""); code != http.StatusOK {
		t.Fatal(code, text)
	}
	if _, text := send(w, http.MethodGet, "/v2/queue", ""); !strings.Contains(text, `"overdue":true`) || strings.Contains(text, `"fault"`) {
		t.Errorf("the fault of before is shown: %s", text)
	}
}
