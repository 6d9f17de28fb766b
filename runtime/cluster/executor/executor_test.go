package executor_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pacer-run/pacer/runtime/cluster/executor"
)

const (
	asExecutor = "EXECUTOR_TEST"
	patience   = 30 * time.Second
)

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == asExecutor {
		os.Exit(executor.Main(os.Args[2:]))
	}
	os.Exit(m.Run())
}

func command() []string { return []string{os.Args[0], asExecutor} }

// folder is a run folder with a launch of a line of shell.
func folder(t *testing.T, line string, change ...func(*executor.Launch)) string {
	t.Helper()
	dir := t.TempDir()
	l := executor.Launch{
		Sandbox: dir, Path: "/bin/sh", Args: []string{"sh", "-c", line}, Env: []string{"PATH=/bin:/usr/bin", "RUN=" + dir},
		KillGrace: patience,
	}
	for _, f := range change {
		f(&l)
	}
	if err := l.Write(dir); err != nil {
		t.Fatal(err)
	}
	return dir
}

// follow reports the steps of a run until its end.
func follow(t *testing.T, h *executor.Handle, from int, each func(executor.Record)) ([]string, error) {
	t.Helper()
	var steps []string
	err := h.Follow(from, patience, t.Context().Done(), func(r executor.Record) {
		steps = append(steps, r.Step.String())
		if each != nil {
			each(r)
		}
	})
	return steps, err
}

func open(dir string) *executor.Handle { return executor.Open(dir, "RUN="+dir) }

func TestRun(t *testing.T) {
	dir := folder(t, "echo out; echo err >&2; exit 3")
	h := open(dir)
	if err := h.Start(command()); err != nil {
		t.Fatal(err)
	}
	var last executor.Record
	steps, err := follow(t, h, 0, func(r executor.Record) { last = r })
	if diff := cmp.Diff([]string{"attached", "running", "exited"}, steps); diff != "" || err != nil {
		t.Fatal(diff, err)
	}
	if last.Message() != "Command exited with status 3" || last.Success() || last.Killed || last.Expired {
		t.Errorf("end %+v", last)
	}
	for name, want := range map[string]string{"stdout": "out\n", "stderr": "err\n"} {
		if text, _ := os.ReadFile(filepath.Join(dir, name)); string(text) != want {
			t.Errorf("%s: %q", name, text)
		}
	}
	// A later agent hears the same, from wherever it had got to.
	steps, err = follow(t, open(dir), 1, nil)
	if diff := cmp.Diff([]string{"running", "exited"}, steps); diff != "" || err != nil {
		t.Error(diff, err)
	}
	// Another executor in the same folder starts nothing.
	if out, err := exec.Command(command()[0], asExecutor, dir).CombinedOutput(); err == nil || !strings.Contains(string(out), "refusing to start its task again") {
		t.Errorf("second executor: %v %s", err, out)
	}
}

// A kill that is asked for before the executor is up gets through.
func TestEarlyKill(t *testing.T) {
	h := open(folder(t, "sleep 1000"))
	h.Kill()
	if err := h.Start(command()); err != nil {
		t.Fatal(err)
	}
	var last executor.Record
	steps, err := follow(t, h, 0, func(r executor.Record) { last = r })
	if err != nil || !last.Killed || last.Message() != "Command terminated with signal Terminated" {
		t.Errorf("%v %v %+v", steps, err, last)
	}
}

// Several followers see one run, and one of them may end it.
func TestTwoFollowers(t *testing.T) {
	dir := folder(t, "sleep 1000")
	one, two := open(dir), open(dir)
	if err := one.Start(command()); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() {
		done <- two.Follow(0, patience, t.Context().Done(), func(r executor.Record) {
			if r.Step == executor.Running {
				two.Kill()
			}
		})
	}()
	steps, err := follow(t, one, 0, nil)
	if diff := cmp.Diff([]string{"attached", "running", "killing", "exited"}, steps); diff != "" || err != nil {
		t.Error(diff, err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// A run whose executor never came up is given up for good: an executor that comes late starts nothing.
func TestAbandoned(t *testing.T) {
	dir := folder(t, "touch started")
	var steps []string
	err := open(dir).Follow(0, 0, nil, func(r executor.Record) { steps = append(steps, r.Step.String()) })
	if diff := cmp.Diff([]string{"abandoned"}, steps); diff != "" || err != nil {
		t.Fatal(diff, err)
	}
	if err := exec.Command(command()[0], asExecutor, dir).Run(); err == nil {
		t.Error("a late executor runs")
	}
	if _, err := os.Stat(filepath.Join(dir, "started")); err == nil {
		t.Error("the task was started")
	}
}

// A command that is no executor is noticed by its end, not by waiting.
func TestNoExecutor(t *testing.T) {
	h := open(folder(t, "true"))
	if err := h.Start([]string{"/bin/false"}); err != nil {
		t.Fatal(err)
	}
	if steps, err := follow(t, h, 0, nil); err != nil || !cmp.Equal(steps, []string{"abandoned"}) {
		t.Errorf("%v %v", steps, err)
	}
	if err := open(folder(t, "true")).Start([]string{"/no/such/program"}); err == nil {
		t.Error("started")
	}
}

// An executor that dies takes the task with it; whoever finds that out kills what is left.
func TestDied(t *testing.T) {
	dir := folder(t, "setsid sleep 1000 & exec sleep 1000")
	h := open(dir)
	if err := h.Start(command()); err != nil {
		t.Fatal(err)
	}
	var boss, task executor.Record
	_, err := follow(t, h, 0, func(r executor.Record) {
		switch r.Step {
		case executor.Attached:
			boss = r
		case executor.Running:
			task = r
			if !executor.Alive(task.PID, task.Start) || executor.Alive(task.PID, task.Start+1) {
				t.Error("the task's process is not known by its start time")
			}
			_ = syscall.Kill(boss.PID, syscall.SIGKILL)
		default: // the end is not to be seen
		}
	})
	if !errors.Is(err, executor.ErrDied) {
		t.Errorf("error %v, want ErrDied", err)
	}
	if executor.Alive(task.PID, task.Start) {
		t.Error("the task still runs")
	}
}

func TestStopFollowing(t *testing.T) {
	dir := folder(t, "sleep 1000")
	h := open(dir)
	if err := h.Start(command()); err != nil {
		t.Fatal(err)
	}
	stop := make(chan struct{})
	if err := h.Follow(0, patience, stop, func(r executor.Record) {
		if r.Step == executor.Running {
			close(stop)
		}
	}); err != nil {
		t.Error(err)
	}
	h = open(dir)
	h.Kill()
	if steps, err := follow(t, h, 2, nil); err != nil || !cmp.Equal(steps, []string{"killing", "exited"}) {
		t.Errorf("%v %v", steps, err)
	}
}

// Half a line at the end of a journal is what a crash leaves; anything else that cannot be read is an error.
func TestJournal(t *testing.T) {
	for _, tc := range []struct {
		text string
		want int
		ok   bool
	}{
		{"", 0, true},
		{`{"step":"attached","at":1}` + "\n" + `{"step":"runn`, 1, true},
		{`{"step":"attached","at":1}` + "\n" + `{"step":"exited","at":2,"wait":256}` + "\n", 2, true},
		{"nonsense\n", 0, false},
		{`{"step":"other"}` + "\n", 0, false},
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "journal"), []byte(tc.text), 0o600); err != nil {
			t.Fatal(err)
		}
		records, err := executor.Journal(dir)
		if len(records) != tc.want || (err == nil) != tc.ok {
			t.Errorf("%q: %v %v", tc.text, records, err)
		}
	}
	if records, err := executor.Journal(t.TempDir()); records != nil || err != nil {
		t.Errorf("no journal: %v %v", records, err)
	}
}

func TestMessages(t *testing.T) {
	for wait, want := range map[uint32]string{
		0: "Command exited with status 0", 256: "Command exited with status 1", 9: "Command terminated with signal Killed",
		11 | 0x80: "Command terminated with signal Segmentation fault (core dumped)", 64: "Command terminated with signal Unknown signal 64",
	} {
		if got := (executor.Record{Wait: wait}).Message(); got != want {
			t.Errorf("%d: %q, want %q", wait, got, want)
		}
	}
}
