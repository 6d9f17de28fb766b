package e2e

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"testing"
)

// TestSandbox reads what tasks wrote with nothing but Pacer's own address: while
// they run, as they write, and after they failed.
func TestSandbox(t *testing.T) {
	dir := dataDir(t)
	_, a := dev(t, dir)
	signal := filepath.Join(dir, "go")
	command := "echo first; mkdir d; echo inner > d/file; while [ ! -e " + signal + " ]; do sleep 0.05; done; echo second; sleep 3600"
	a.must(t, "POST", "/v2/apps", fmt.Sprintf(`{"id":"/writer","cmd":%q}`, command))
	id := a.running(t, "/writer", 1).Tasks[0].ID

	until(t, "stdout has its first line", func() bool { return a.must(t, "GET", "/pacer/v1/tasks/"+id+"/stdout", "") == "first\n" })
	if text := a.must(t, "GET", "/pacer/v1/tasks/"+id+"/files/d/file", ""); text != "inner\n" {
		t.Errorf("d/file: %q", text)
	}
	var folder struct{ Files []struct{ Path string } }
	if err := json.Unmarshal([]byte(a.must(t, "GET", "/pacer/v1/tasks/"+id+"/files", "")), &folder); err != nil || len(folder.Files) != 3 {
		t.Errorf("files: %+v (%v), want d, stderr and stdout", folder, err)
	}

	t.Run("its output is followed to its end", func(t *testing.T) { followWriter(t, a, id, signal) })
	t.Run("a failed run", func(t *testing.T) {
		a.must(t, "POST", "/v2/apps", `{"id":"/broken","cmd":"echo why it broke >&2; exit 7","backoffSeconds":3600,"maxLaunchDelaySeconds":3600}`)
		until(t, "it has failed", func() bool { v, _ := a.app(t, "/broken"); return v.LastTaskFailure != nil })
		v, _ := a.app(t, "/broken")
		if text := a.must(t, "GET", "/pacer/v1/tasks/"+v.LastTaskFailure.TaskID+"/stderr", ""); text != "why it broke\n" {
			t.Errorf("stderr of the failed run: %q", text)
		}
	})
}

// followWriter follows the writer's output, makes the file that it waits for, and
// kills it.
func followWriter(t *testing.T, a api, id, signal string) {
	answer, err := http.Get(string(a) + "/pacer/v1/tasks/" + id + "/stdout?follow=true")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	lines := bufio.NewScanner(answer.Body)
	next := func(want string) {
		t.Helper()
		if !lines.Scan() || lines.Text() != want {
			t.Fatalf("followed %q, want %q (%v)", lines.Text(), want, lines.Err())
		}
	}
	next("first")
	if err := os.WriteFile(signal, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	next("second")
	a.must(t, "DELETE", "/v2/apps/writer", "")
	if lines.Scan() {
		t.Errorf("after the end: %q", lines.Text())
	}
}
