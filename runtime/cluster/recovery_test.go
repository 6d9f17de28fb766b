package cluster_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/mesos/mesos-go/api/v1/lib"
	"github.com/mesos/mesos-go/api/v1/lib/scheduler"

	"github.com/pacer-run/pacer/runtime/cluster"
)

// runCluster is the body of a child process: a cluster in the work dir given, until the process is killed.
func runCluster(dir string) int {
	cfg := fast()
	cfg.Executor, cfg.ExecutorCommand, cfg.WorkDir = cluster.Process, []string{os.Args[0], asExecutor}, dir
	c, err := cluster.Start(context.Background(), cfg)
	if err != nil {
		fmt.Println(err)
		return 1
	}
	fmt.Println(c.Addr())
	_, _ = io.Copy(io.Discard, os.Stdin)
	return 0
}

// child starts a cluster in a process of its own and returns its address and the way to kill it.
func child(t *testing.T, dir string) (addr string, kill func()) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), asCluster+"="+dir)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	kill = func() {
		_ = cmd.Process.Signal(syscall.SIGKILL)
		_ = cmd.Wait()
		stdin.Close()
	}
	t.Cleanup(kill)
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatalf("child: %v", err)
	}
	return strings.TrimSpace(line), kill
}

// A cluster that was killed comes back with its agents, its running tasks and the real ends of those that ended.
func TestRecovery(t *testing.T) {
	// A deep folder: sockets must not depend on the length of their path.
	cfg := real(t, func(c *cluster.Config) {
		c.WorkDir = filepath.Join(t.TempDir(), strings.Repeat("deep/", 30))
	})
	addr, kill := child(t, cfg.WorkDir)
	f := subscribe(t, addr, framework())
	o := f.offer()
	gate := filepath.Join(t.TempDir(), "gate")
	waits := "echo ready; while [ ! -e " + gate + " ]; do sleep 0.02; done; echo x >> " + gate + ".once; exit 7"
	f.launch(o, shell("stays", "echo ready; exec sleep 1000"), shell("ends", waits), shell("fine", "echo ready; exit 0"))
	for _, task := range []string{"stays", "ends"} {
		f.states(task, mesos.TASK_RUNNING)
		ready(t, cfg, task)
	}
	f.states("fine", mesos.TASK_FINISHED)
	kill()
	if err := os.WriteFile(gate, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	awaitJournal(t, cfg, "exited")

	c := start(t, cfg)
	info := framework(func(i *mesos.FrameworkInfo) { i.ID = &mesos.FrameworkID{Value: f.id} })
	g := subscribe(t, c.Addr(), info)
	if g.id != f.id {
		t.Errorf("framework id %s, want %s", g.id, f.id)
	}
	if next := g.offer(); next.AgentID != o.AgentID {
		t.Errorf("agent id %s, want %s", next.AgentID.Value, o.AgentID.Value)
	} else if cpus := amount(next, "cpus"); cpus != 1.9 && cpus != 1.8 {
		t.Errorf("offered %v cpus while a task runs with 0.1", cpus)
	}
	end := g.status("ends")
	for end.GetState() == mesos.TASK_RUNNING {
		end = g.status("ends")
	}
	if end.GetState() != mesos.TASK_FAILED || end.GetMessage() != "Command exited with status 7" {
		t.Errorf("end %v", end)
	}
	if once, _ := os.ReadFile(gate + ".once"); string(once) != "x\n" {
		t.Errorf("the task ran %d times", strings.Count(string(once), "x"))
	}
	g.reconcile(scheduler.Call_Reconcile_Task{TaskID: mesos.TaskID{Value: "stays"}})
	// An update whose acknowledgement did not get through before the end comes again.
	if s := g.reconciled("stays"); s.GetState() != mesos.TASK_RUNNING {
		t.Errorf("got %v", s)
	}
	g.kill("stays")
	got := g.states("stays", mesos.TASK_KILLED)
	if diff := cmp.Diff([]string{"TASK_KILLING", "TASK_KILLED"}, got[max(0, len(got)-2):]); diff != "" {
		t.Error(diff)
	}
}

// awaitNoRuns waits until the agent of that number has no run any more.
func awaitNoRuns(t *testing.T, cfg cluster.Config, agent int) {
	t.Helper()
	folder := filepath.Join(cfg.WorkDir, fmt.Sprintf("agent-%d/meta/runs", agent))
	deadline := time.Now().Add(patience)
	for tick := time.NewTicker(5 * time.Millisecond); ; <-tick.C {
		if entries, err := os.ReadDir(folder); err == nil && len(entries) == 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("agent %d still has runs", agent)
		}
	}
}

// awaitJournal waits until a run's journal has the word.
func awaitJournal(t *testing.T, cfg cluster.Config, word string) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for tick := time.NewTicker(5 * time.Millisecond); ; <-tick.C {
		names, _ := filepath.Glob(filepath.Join(cfg.WorkDir, "agent-1/meta/runs/*/journal"))
		for _, name := range names {
			if text, _ := os.ReadFile(name); strings.Contains(string(text), word) {
				return
			}
		}
		if time.Now().After(deadline) {
			t.Fatalf("no journal gets to %q", word)
		}
	}
}

func amount(o mesos.Offer, name string) float64 {
	sum := 0.0
	for _, r := range o.Resources {
		if r.Name == name {
			sum += r.GetScalar().GetValue()
		}
	}
	return sum
}

func TestWorkDirInUse(t *testing.T) {
	cfg := real(t)
	start(t, cfg)
	if c, err := cluster.Start(t.Context(), cfg); err == nil || !strings.Contains(err.Error(), "in use") {
		if err == nil {
			c.Close()
		}
		t.Errorf("second cluster: %v", err)
	}
}

// Tasks of an agent that is configured no more are ended, as nobody could ask for them.
func TestFewerAgents(t *testing.T) {
	cfg := real(t, agents(agentConfig(1), agentConfig(2)))
	c := start(t, cfg)
	f := subscribe(t, c.Addr(), framework())
	for i, o := range f.offers() {
		task := fmt.Sprintf("t%d", i)
		f.launch(o, shell(task, "echo $$ > pid; exec sleep 1000"))
		f.states(task, mesos.TASK_RUNNING)
	}
	c.Close()
	cfg.Agents = cfg.Agents[:1]
	c = start(t, cfg)
	awaitNoRuns(t, cfg, 2)
	g := subscribe(t, c.Addr(), framework(withID(f.id)))
	if o := g.offer(); amount(o, "cpus") != 1.9 {
		t.Errorf("%v cpus are free", amount(o, "cpus"))
	}
}

// What ends with its framework ends for good, also when the cluster is closed meanwhile.
func TestTeardownEndsProcesses(t *testing.T) {
	cfg := real(t)
	c := start(t, cfg)
	f := subscribe(t, c.Addr(), framework())
	f.launch(f.offer(), shell("t", "trap '' TERM; echo $$; echo ready; while :; do sleep 0.1; done", grace(300*time.Millisecond)))
	out := ready(t, cfg, "t")
	f.call(&scheduler.Call{Type: scheduler.Call_TEARDOWN})
	// If the kill did not get to the executor before the end of this cluster, it is the next one's to send.
	c.Close()
	c = start(t, cfg)
	awaitNoRuns(t, cfg, 1)
	g := subscribe(t, c.Addr(), framework())
	if o := g.offer(); amount(o, "cpus") != 2 {
		t.Errorf("%v cpus are free", amount(o, "cpus"))
	}
	assertGone(t, out)
}
