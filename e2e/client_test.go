package e2e

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"
)

// api is one server's address, as in http://127.0.0.1:8080.
type api string

// app is what the tests read of an app.
type app struct {
	ID              string
	Instances       int
	TasksRunning    int
	Deployments     []struct{ ID string }
	Tasks           []task
	LastTaskFailure *struct{ State, Message, TaskID string }
}

type task struct {
	ID, State, AppID, Host, SlaveID string
	Ports                           []int
}

// try makes one request; the status is 0 when it could not be made.
func (a api) try(t *testing.T, method, path, body string) (int, string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, string(a)+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, err.Error()
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return 0, err.Error()
	}
	return answer.StatusCode, string(text)
}

// must makes a request that has to succeed and returns its body.
func (a api) must(t *testing.T, method, path, body string) string {
	t.Helper()
	status, text := a.try(t, method, path, body)
	if status < 200 || status > 299 {
		t.Fatalf("%s %s: %d %s", method, path, status, text)
	}
	return text
}

// app reads one app; ok is false when it is not there, or nobody answers.
func (a api) app(t *testing.T, id string) (app, bool) {
	t.Helper()
	status, text := a.try(t, "GET", "/v2/apps/"+id, "")
	if status != http.StatusOK {
		return app{}, false
	}
	var body struct{ App app }
	if err := json.Unmarshal([]byte(text), &body); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return body.App, true
}

// running waits until an app has n tasks that run, no other, and no deployment.
func (a api) running(t *testing.T, id string, n int) app {
	t.Helper()
	var got app
	until(t, id+" runs as often as it should", func() bool {
		var ok bool
		got, ok = a.app(t, id)
		return ok && got.TasksRunning == n && len(got.Tasks) == n && len(got.Deployments) == 0
	})
	return got
}

func (x app) taskIDs() []string {
	var ids []string
	for _, t := range x.Tasks {
		ids = append(ids, t.ID)
	}
	slices.Sort(ids)
	return ids
}

// event is one of the event stream.
type event struct{ name, data string }

// events opens the event stream; the first event has arrived when it returns.
// Events that are not read hold nobody up.
func (a api) events(t *testing.T) <-chan event {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, string(a)+"/v2/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Accept", "text/event-stream")
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	out := make(chan event, 4096)
	go func() {
		defer close(out)
		defer answer.Body.Close()
		var e event
		for lines := bufio.NewScanner(answer.Body); lines.Scan(); {
			line := strings.TrimSuffix(lines.Text(), "\r")
			if name, ok := strings.CutPrefix(line, "event: "); ok {
				e.name = name
			} else if data, ok := strings.CutPrefix(line, "data: "); ok {
				e.data = data
				out <- e
			}
		}
	}()
	awaitEvent(t, out, "event_stream_attached", "")
	return out
}

// awaitEvent reads events up to the first of a name that has a text in it.
func awaitEvent(t *testing.T, events <-chan event, name, text string) {
	t.Helper()
	deadline := time.After(patience)
	for {
		select {
		case e, ok := <-events:
			if !ok {
				t.Fatalf("the event stream ended before %s %s", name, text)
			}
			if e.name == name && strings.Contains(e.data, text) {
				return
			}
		case <-deadline:
			t.Fatalf("no %s with %s in %v", name, text, patience)
		}
	}
}

// shell runs a command line as a user would, and returns what it prints.
func shell(t *testing.T, line string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "/bin/sh", "-c", line).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", line, err, out)
	}
	return string(out)
}
