package cluster_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mesos/mesos-go/api/v1/lib"
)

// What a task writes is bounded: the files go on from nothing, what was before is beside them, and a link that the task
// puts there leads nowhere.
func TestOutputIsBounded(t *testing.T) {
	cfg := real(t)
	cfg.LogBytes = 1000
	victim := filepath.Join(t.TempDir(), "victim")
	if err := os.WriteFile(victim, []byte("untouched"), 0o600); err != nil {
		t.Fatal(err)
	}
	c := start(t, cfg)
	f := subscribe(t, c.Addr(), framework())
	o := f.offer()
	f.launch(o, shell("rotate.1", `ln -s `+victim+` stdout.1; i=0
		while [ $i -lt 100 ]; do echo "a line of the first file $i"; i=$((i+1)); done
		until [ -f stdout.1 ] && [ ! -L stdout.1 ] && [ $(wc -c < stdout) -lt 100 ]; do sleep 0.05; done
		echo second`))
	f.states("rotate.1", mesos.TASK_FINISHED)
	sandbox := filepath.Join(cfg.WorkDir, "agent-1/slaves", o.AgentID.Value, "frameworks", f.id, "executors/rotate.1/runs/latest")
	first, err := os.ReadFile(filepath.Join(sandbox, "stdout.1"))
	if err != nil || !strings.HasPrefix(string(first), "a line of the first file 0\n") || !strings.HasSuffix(string(first), " 99\n") {
		t.Errorf("stdout.1: %q %v", first, err)
	}
	if second, err := os.ReadFile(filepath.Join(sandbox, "stdout")); string(second) != "second\n" {
		t.Errorf("stdout: %q %v", second, err)
	}
	if text, _ := os.ReadFile(victim); string(text) != "untouched" {
		t.Errorf("the file that the task's link led to: %q", text)
	}
}

// The agent's state says where the sandbox of a task is that has ended.
func TestEndedExecutors(t *testing.T) {
	w := newFileWorld(t, "true")
	deadline := time.Now().Add(patience)
	for {
		_, text, _ := w.ask("/slave(1)/state")
		_, after, found := strings.Cut(text, `"completed_executors":[{`)
		if found && strings.Contains(after, `"directory":"`+w.real+`"`) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("no %s among the completed executors of %s", w.real, text)
		}
		time.Sleep(5 * time.Millisecond)
	}
}
