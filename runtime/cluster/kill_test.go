package cluster_test

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/mesos/mesos-go/api/v1/lib"
	"github.com/mesos/mesos-go/api/v1/lib/scheduler"

	"github.com/pacer-run/pacer/runtime/cluster"
)

func grace(d time.Duration) func(*mesos.TaskInfo) {
	return func(i *mesos.TaskInfo) {
		i.KillPolicy = &mesos.KillPolicy{GracePeriod: &mesos.DurationInfo{Nanoseconds: int64(d)}}
	}
}

// ready waits until the task's output has the word, which says that its traps are set.
func ready(t *testing.T, cfg cluster.Config, task string) string {
	t.Helper()
	pattern := filepath.Join(cfg.WorkDir, "agent-1/slaves/latest/frameworks/*/executors", task, "runs/latest/stdout")
	deadline := time.Now().Add(patience)
	for tick := time.NewTicker(5 * time.Millisecond); ; <-tick.C {
		if names, _ := filepath.Glob(pattern); len(names) == 1 {
			if text, _ := os.ReadFile(names[0]); strings.Contains(string(text), "ready\n") {
				return string(text)
			}
		}
		if time.Now().After(deadline) {
			t.Fatalf("task %s does not get ready", task)
		}
	}
}

func TestKill(t *testing.T) {
	cfg := real(t)
	c := start(t, cfg)
	f := subscribe(t, c.Addr(), framework())
	for _, tc := range []struct {
		id, line, message string
	}{
		{"obeys", "echo ready; exec sleep 1000", "Command terminated with signal Terminated"},
		{"ignores", "trap '' TERM; echo ready; while :; do sleep 1; done", "Command terminated with signal Killed"},
		{"polite", "trap 'exit 0' TERM; echo ready; sleep 1000 & wait", "Command exited with status 0"},
	} {
		t.Run(tc.id, func(t *testing.T) {
			f.launch(f.offer(), shell(tc.id, tc.line, grace(200*time.Millisecond)))
			ready(t, cfg, tc.id)
			f.kill(tc.id)
			got := f.states(tc.id, mesos.TASK_KILLING)
			if diff := cmp.Diff([]string{"TASK_STARTING", "TASK_RUNNING", "TASK_KILLING"}, got); diff != "" {
				t.Error(diff)
			}
			end := f.status(tc.id)
			if end.GetState() != mesos.TASK_KILLED || end.GetMessage() != tc.message {
				t.Errorf("end %v %q, want TASK_KILLED %q", end.GetState(), end.GetMessage(), tc.message)
			}
		})
	}
}

// A killed task takes everything with it that it started, whatever session or group that has put itself into.
func TestKillTree(t *testing.T) {
	for _, how := range []string{"killed", "ended"} {
		t.Run(how, func(t *testing.T) {
			cfg := real(t)
			c := start(t, cfg)
			f := subscribe(t, c.Addr(), framework())
			line := `setsid sh -c 'trap "" TERM; echo $$ > deep; (setsid sleep 1000 & echo $! >> deep); echo up >> deep; exec sleep 1000' &
				while ! grep -q up deep 2>/dev/null; do sleep 0.02; done; cat deep; echo ready; `
			if how == "killed" {
				line += "wait"
			}
			f.launch(f.offer(), shell("tree", line, grace(50*time.Millisecond)))
			out := ready(t, cfg, "tree")
			if how == "killed" {
				f.kill("tree")
			}
			f.states("tree", mesos.TASK_KILLED, mesos.TASK_FINISHED)
			assertGone(t, out)
		})
	}
}

// assertGone checks that none of the processes runs whose ids are words of the text.
func assertGone(t *testing.T, text string) {
	t.Helper()
	for word := range strings.FieldsSeq(text) {
		pid, err := strconv.Atoi(word)
		if err != nil {
			continue
		}
		stat, err := os.ReadFile(filepath.Join("/proc", word, "stat"))
		// A zombie runs no more; whoever adopted it may take its time.
		if err == nil && !strings.Contains(string(stat), ") Z ") {
			t.Errorf("process %d still runs", pid)
		}
	}
}

func TestKillBeforeStart(t *testing.T) {
	c := start(t, fast())
	f := subscribe(t, c.Addr(), framework())
	slow := shell("early", "", labelled("fake.start", "1h"))
	f.launch(f.offer(), slow)
	f.kill("early")
	s := f.status("early")
	if s.GetState() != mesos.TASK_KILLED || s.GetSource() != mesos.SOURCE_AGENT || s.GetReason() != mesos.REASON_TASK_KILLED_DURING_LAUNCH ||
		s.GetMessage() != "Killed before delivery to the executor" || len(s.UUID) != 16 {
		t.Errorf("got %v", s)
	}
}

// A real task that is killed at once either never starts or is killed: but it ends, and nothing of it runs.
func TestKillAtOnce(t *testing.T) {
	c := start(t, real(t))
	f := subscribe(t, c.Addr(), framework())
	f.launch(f.offer(), shell("race", "sleep 1000"))
	f.kill("race")
	f.states("race", mesos.TASK_KILLED)
}

func TestKillUnknown(t *testing.T) {
	c := start(t, fast())
	f := subscribe(t, c.Addr(), framework())
	f.kill("nobody")
	if s := f.status("nobody"); s.GetState() != mesos.TASK_UNKNOWN || s.GetReason() != mesos.REASON_RECONCILIATION || s.UUID != nil {
		t.Errorf("got %v", s)
	}
	agent := f.offer().AgentID
	f.call(&scheduler.Call{Type: scheduler.Call_KILL, Kill: &scheduler.Call_Kill{TaskID: mesos.TaskID{Value: "x"}, AgentID: &agent}})
	if s := f.status("x"); s.GetState() != mesos.TASK_GONE {
		t.Errorf("got %v", s)
	}
}

func labelled(pairs ...string) func(*mesos.TaskInfo) {
	return func(i *mesos.TaskInfo) {
		i.Labels = &mesos.Labels{}
		for n := 0; n < len(pairs); n += 2 {
			i.Labels.Labels = append(i.Labels.Labels, mesos.Label{Key: pairs[n], Value: &pairs[n+1]})
		}
	}
}
