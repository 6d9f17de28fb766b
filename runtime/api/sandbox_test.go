package api

import (
	"bytes"
	"context"
	"errors"
	"net/http/httptest"
	"path"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pacer-run/pacer/runtime/scheduler"
)

// fakeAgents have the same files in the sandbox of each task: stdout, stderr, a
// folder d with a page, a pipe, and "broken", which nobody can read. Files change
// only by grow and cut.
type fakeAgents struct {
	mu    sync.Mutex
	added []byte // to stdout
	asked []string
}

func (f *fakeAgents) files() map[string]string {
	return map[string]string{"stdout": "one\ntwo\nthree\n" + string(f.added), "stderr": "", "d/page.html": "<p>hello</p>", "pipe": ""}
}

// within takes the path of a run apart.
func within(file string) string {
	_, name, _ := strings.Cut(file+"/", "/runs/latest/")
	return strings.Trim(name, "/")
}

func (f *fakeAgents) List(_ context.Context, endpoint, folder string) ([]SandboxFile, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked = append(f.asked, endpoint+folder)
	modified := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	file := func(name string, mode uint32) SandboxFile {
		return SandboxFile{
			Path: path.Join(folder, name), Size: int64(len(f.files()[path.Join(within(folder), name)])),
			Mode: mode, Modified: modified, User: "web", Group: "web",
		}
	}
	switch within(folder) {
	case "":
		return []SandboxFile{
			file("broken", 0o100644), file("d", 0o40755), file("pipe", 0o10644), file("stderr", 0o100644), file("stdout", 0o100644),
		}, nil
	case "d":
		return []SandboxFile{file("page.html", 0o100644)}, nil
	}
	return nil, ErrNoFile
}

func (f *fakeAgents) Read(_ context.Context, _, file string, offset, length int64) ([]byte, int64, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if within(file) == "broken" {
		return nil, 0, errors.New("agent 10.0.0.1:5051: status 500: disk on fire")
	}
	text, ok := f.files()[within(file)]
	if !ok {
		return nil, 0, ErrNoFile
	}
	size := int64(len(text))
	offset = min(offset, size)
	return []byte(text[offset:min(size, offset+length)]), size, nil
}

func (f *fakeAgents) grow(text string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.added = append(f.added, text...)
}

// runningTask returns a world with one running task, and its id.
func runningTask(t *testing.T, agents *fakeAgents) (*world, string) {
	t.Helper()
	w := newWorld(func(c *Config) { c.Sandboxes = agents })
	r := httptest.NewRequest("POST", "/v2/apps", strings.NewReader(`{"id":"/a/web","cmd":"x"}`))
	w.handler.ServeHTTP(httptest.NewRecorder(), r)
	w.offer("h1")
	if err := w.status("/a/web", 0, scheduler.TaskRunning, ""); err != nil {
		t.Fatal(err)
	}
	v, _ := w.Snapshot().Apps.Get([]byte("/a/web"))
	return w, v.Instances[0].TaskID()
}

// The agent is asked at the address of its offers, for the folder of the run.
func TestSandboxAddress(t *testing.T) {
	agents := &fakeAgents{}
	w, id := runningTask(t, agents)
	answer := httptest.NewRecorder()
	w.handler.ServeHTTP(answer, httptest.NewRequest("GET", "/pacer/v1/tasks/"+id+"/files", nil))
	want := "10.0.0.1:5051/frameworks/framework-1/executors/" + id + "/runs/latest"
	if answer.Code != 200 || len(agents.asked) != 1 || agents.asked[0] != want {
		t.Errorf("%d, asked %q, expected %q", answer.Code, agents.asked, want)
	}
}

// Following sends what is there and what is added, and ends by itself when the
// task has ended and everything was sent.
func TestFollow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		agents := &fakeAgents{}
		w, id := runningTask(t, agents)
		answer := &followed{ResponseRecorder: httptest.NewRecorder()}
		done := make(chan struct{})
		go func() {
			w.handler.ServeHTTP(answer, httptest.NewRequest("GET", "/pacer/v1/tasks/"+id+"/stdout?follow=true&tail=6", nil))
			close(done)
		}()
		synctest.Wait()
		if got := answer.text(); got != "three\n" {
			t.Errorf("at first %q", got)
		}
		agents.grow("four\n")
		time.Sleep(2 * followEvery)
		synctest.Wait()
		if got := answer.text(); got != "three\nfour\n" {
			t.Errorf("after it grew %q", got)
		}
		agents.grow("five\n")
		if err := w.status("/a/web", 0, scheduler.TaskFinished, ""); err != nil {
			t.Fatal(err)
		}
		<-done
		if got := answer.text(); got != "three\nfour\nfive\n" {
			t.Errorf("at the end %q", got)
		}
	})
}

// A client that goes ends the following.
func TestFollowLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, id := runningTask(t, &fakeAgents{})
		ctx, leave := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			r := httptest.NewRequest("GET", "/pacer/v1/tasks/"+id+"/stdout?follow=true", nil).WithContext(ctx)
			w.handler.ServeHTTP(&followed{ResponseRecorder: httptest.NewRecorder()}, r)
			close(done)
		}()
		synctest.Wait()
		leave()
		<-done
	})
}

// followed is a recorder that may be read while it is written.
type followed struct {
	*httptest.ResponseRecorder
	mu   sync.Mutex
	body bytes.Buffer
}

func (f *followed) Write(p []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.body.Write(p)
}

func (f *followed) text() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.body.String()
}
