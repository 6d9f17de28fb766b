package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// greeting is the command of the app that a first-time user submits.
const greeting = "while [ true ] ; do echo 'Hello Marathon' ; sleep 5 ; done"

// dev starts `pacer dev` and waits until it is ready.
func dev(t *testing.T, dir string, args ...string) (*process, api) {
	t.Helper()
	p := start(t, append([]string{"dev", "--data-dir", dir, "--http-port", "0"}, args...)...)
	return p, api(p.printed(t, `(?m)^  API +(http://[0-9.]+:\d+)`)[1])
}

// TestFirstApp is a stranger's first quarter of an hour: start it, submit an app,
// look at it, kill its process, scale it, remove it.
func TestFirstApp(t *testing.T) {
	dir := dataDir(t)
	p, a := dev(t, dir)
	t.Logf("ready after %v", time.Since(p.began).Round(time.Millisecond))
	events := a.events(t)

	file, err := filepath.Abs("../examples/apps/test1.json")
	if err != nil {
		t.Fatal(err)
	}
	answer := shell(t, fmt.Sprintf("curl -sS --fail -X POST %s/v2/apps -d @%s -H 'Content-type: application/json'", a, file))
	if !strings.Contains(answer, `"id":"/test1"`) || !strings.Contains(answer, `"deployments":[{"id":`) {
		t.Errorf("POST /v2/apps: %s", answer)
	}
	awaitEvent(t, events, "status_update_event", `"taskStatus":"TASK_RUNNING"`)
	awaitEvent(t, events, "deployment_success", "")
	running := a.running(t, "/test1", 1)

	t.Run("it runs in a sandbox", func(t *testing.T) { checkSandbox(t, dir) })
	t.Run("the API shows it", func(t *testing.T) { checkViews(t, a, running.Tasks[0].ID) })
	t.Run("its process is killed", func(t *testing.T) {
		pid := tasksOf(dir, greeting)[0]
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		awaitEvent(t, events, "status_update_event", `"taskStatus":"TASK_FAILED"`)
		awaitEvent(t, events, "status_update_event", `"taskStatus":"TASK_RUNNING"`)
		after := a.running(t, "/test1", 1)
		if pids := tasksOf(dir, greeting); len(pids) != 1 || pids[0] == pid {
			t.Errorf("processes %v, want another one than %d", pids, pid)
		}
		if after.LastTaskFailure == nil || after.LastTaskFailure.State != "TASK_FAILED" {
			t.Errorf("last failure %+v, want TASK_FAILED", after.LastTaskFailure)
		}
	})
	t.Run("it is scaled to 3", func(t *testing.T) {
		a.must(t, "PUT", "/v2/apps/test1", `{"instances":3}`)
		a.running(t, "/test1", 3)
		if pids := tasksOf(dir, greeting); len(pids) != 3 {
			t.Errorf("processes %v, want 3", pids)
		}
	})
	t.Run("it is scaled to 0", func(t *testing.T) {
		a.must(t, "PUT", "/v2/apps//test1", `{"instances":0}`)
		a.running(t, "/test1", 0)
		until(t, "no process is left", func() bool { return len(tasksOf(dir, greeting)) == 0 })
	})
	t.Run("it is removed", func(t *testing.T) {
		a.must(t, "PUT", "/v2/apps/test1", `{"instances":2}`)
		a.running(t, "/test1", 2)
		a.must(t, "DELETE", "/v2/apps/test1", "")
		until(t, "the app is gone", func() bool { _, there := a.app(t, "test1"); return !there })
		until(t, "no process is left", func() bool { return len(tasksOf(dir, greeting)) == 0 })
	})
}

// checkSandbox looks for the greeting in the file that the user is told of.
func checkSandbox(t *testing.T, dir string) {
	pids := tasksOf(dir, greeting)
	if len(pids) != 1 {
		t.Fatalf("processes %v, want one", pids)
	}
	cwd, err := os.Readlink(fmt.Sprintf("/proc/%d/cwd", pids[0]))
	if err != nil || !strings.Contains(cwd, "/runs/") {
		t.Errorf("it works in %s (%v), want a folder of its run", cwd, err)
	}
	until(t, "stdout holds the greeting", func() bool {
		text, err := os.ReadFile(filepath.Join(cwd, "stdout"))
		return err == nil && strings.Contains(string(text), "Hello Marathon\n")
	})
}

// checkViews reads every endpoint that shows a running app.
func checkViews(t *testing.T, a api, taskID string) {
	for path, want := range map[string]string{
		"/v2/apps//test1":      `"tasksRunning":1`,
		"/v2/apps/test1":       taskID,
		"/v2/apps":             `"id":"/test1"`,
		"/v2/tasks":            taskID,
		"/v2/deployments":      "[]",
		"/v2/info":             `"frameworkId":"`,
		"/v2/leader":           `"leader":"127.0.0.1:`,
		"/ping":                "pong",
		"/metrics":             "marathon_instances_running_gauge 1",
		"/metrics/prometheus":  "\npacer_driver_batches_total ",
		"/metrics/":            "\npacer_store_commits_total ",
		"/pacer/v1/policies":   "LIKE",
		"/v2/apps/test1/tasks": taskID,
	} {
		if text := a.must(t, "GET", path, ""); !strings.Contains(text, want) {
			t.Errorf("GET %s: no %s in %s", path, want, text)
		}
	}
}

// TestPrintedCommand runs the line that is printed for the user to try.
func TestPrintedCommand(t *testing.T) {
	p, a := dev(t, dataDir(t))
	line := p.printed(t, `(?m)^ +(curl .*)$`)[1]
	shell(t, strings.Replace(line, "curl ", "curl -sS --fail ", 1))
	a.running(t, "/hello", 1)
}

// TestAgentsAndAttributes spreads an app over agents by attributes given by flag.
func TestAgentsAndAttributes(t *testing.T) {
	_, a := dev(t, dataDir(t), "--agents", "2", "--attributes", "zone:a", "--attributes", "zone:b")
	a.must(t, "POST", "/v2/apps", `{"id":"/one","cmd":"sleep 100000","cpus":0.1,"mem":16,"instances":2,"constraints":[["rack_id","UNIQUE"]]}`)
	a.must(t, "POST", "/v2/apps", `{"id":"/two","cmd":"sleep 100000","cpus":0.1,"mem":16,"instances":2,"constraints":[["zone","IS","b"]]}`)
	one, two := a.running(t, "/one", 2), a.running(t, "/two", 2)
	if one.Tasks[0].SlaveID == one.Tasks[1].SlaveID {
		t.Errorf("both instances of /one are on %s", one.Tasks[0].SlaveID)
	}
	if two.Tasks[0].SlaveID != two.Tasks[1].SlaveID {
		t.Errorf("the instances of /two are on %s and %s", two.Tasks[0].SlaveID, two.Tasks[1].SlaveID)
	}
}

// TestKilledAndStartedAgain: `kill -9` loses nothing. What still runs is taken
// over, what died in between is replaced, nothing is started twice.
func TestKilledAndStartedAgain(t *testing.T) {
	dir := dataDir(t)
	p, a := dev(t, dir)
	const command = "sleep 271828"
	a.must(t, "POST", "/v2/apps", `{"id":"/prod/stays","cmd":"exec `+command+`","cpus":0.1,"mem":16,"instances":3}`)
	before := a.running(t, "/prod/stays", 3)
	pids := awaitProcesses(t, dir, command, 3)
	p.kill()
	if err := syscall.Kill(pids[0], syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}

	_, a = dev(t, dir)
	var after app
	until(t, "the dead one is replaced", func() bool {
		after = a.running(t, "/prod/stays", 3)
		return !slices.Equal(after.taskIDs(), before.taskIDs())
	})
	kept := 0
	for _, id := range after.taskIDs() {
		if slices.Contains(before.taskIDs(), id) {
			kept++
		}
	}
	if kept != 2 {
		t.Errorf("tasks %v, before %v: want two of them kept", after.taskIDs(), before.taskIDs())
	}
	now := awaitProcesses(t, dir, command, 3)
	if !slices.Contains(now, pids[1]) || !slices.Contains(now, pids[2]) {
		t.Errorf("processes %v, want three with %d and %d", now, pids[1], pids[2])
	}
}

// TestInterrupted: Ctrl-C ends Pacer without an error, and no task.
func TestInterrupted(t *testing.T) {
	dir := dataDir(t)
	p, a := dev(t, dir)
	a.must(t, "POST", "/v2/apps", `{"id":"/a","cmd":"exec sleep 314159","cpus":0.1,"mem":16,"instances":1}`)
	a.running(t, "/a", 1)
	p.signal(syscall.SIGINT)
	if code := p.code(t); code != 0 {
		t.Errorf("exit code %d, want 0", code)
	}
	awaitProcesses(t, dir, "sleep 314159", 1)
}

// TestSecondOnOneFolder: two servers on one state would be two schedulers.
func TestSecondOnOneFolder(t *testing.T) {
	dir := dataDir(t)
	dev(t, dir)
	second := start(t, "dev", "--data-dir", dir, "--http-port", "0")
	if code := second.code(t); code == 0 || !strings.Contains(second.stderr.String(), dir) {
		t.Errorf("exit code %d, %q: want a failure that names the folder", code, &second.stderr)
	}
}

// TestAbdicated: a leader that is asked to answers, and then ends with the code by
// which supervisors know that it may be started again.
func TestAbdicated(t *testing.T) {
	p, a := dev(t, dataDir(t))
	if answer := a.must(t, "DELETE", "/v2/leader", ""); !strings.Contains(answer, "Leadership abdicated") {
		t.Errorf("DELETE /v2/leader: %s", answer)
	}
	if code := p.code(t); code != 103 {
		t.Errorf("exit code %d, want 103", code)
	}
}
