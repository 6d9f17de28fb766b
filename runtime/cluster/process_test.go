package cluster_test

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/mesos/mesos-go/api/v1/lib"

	"github.com/pacer-run/pacer/runtime/cluster"
	"github.com/pacer-run/pacer/runtime/cluster/executor"
)

// real is a configuration whose tasks are processes, in a fresh work dir.
func real(t *testing.T, change ...func(*cluster.Config)) cluster.Config {
	cfg := fast(change...)
	cfg.Executor, cfg.ExecutorCommand = cluster.Process, []string{os.Args[0], asExecutor}
	if cfg.WorkDir == "" {
		cfg.WorkDir = t.TempDir()
	}
	// A failed test leaves no processes behind: without their executors tasks are only orphans, so both are killed.
	t.Cleanup(func() {
		folders, _ := filepath.Glob(filepath.Join(cfg.WorkDir, "agent-*/meta/runs/*"))
		for _, folder := range folders {
			records, _ := executor.Journal(folder)
			for _, rec := range records {
				if rec.PID > 1 && executor.Alive(rec.PID, rec.Start) {
					_ = syscall.Kill(rec.PID, syscall.SIGKILL)
				}
			}
		}
	})
	return cfg
}

func TestProcessEnds(t *testing.T) {
	c := start(t, real(t))
	f := subscribe(t, c.Addr(), framework())
	argv := func(args ...string) func(*mesos.TaskInfo) {
		return func(i *mesos.TaskInfo) {
			i.Command = &mesos.CommandInfo{Shell: new(false), Value: &args[0], Arguments: args}
		}
	}
	for _, tc := range []struct {
		id, line string
		change   func(*mesos.TaskInfo)
		state    mesos.TaskState
		message  string
	}{
		{id: "ok", line: "exit 0", state: mesos.TASK_FINISHED, message: "Command exited with status 0"},
		{id: "exit3", line: "exit 3", state: mesos.TASK_FAILED, message: "Command exited with status 3"},
		{id: "segv", line: "kill -SEGV $$", state: mesos.TASK_FAILED, message: "Command terminated with signal Segmentation fault"},
		{id: "notfound", line: "no-such-program-here", state: mesos.TASK_FAILED, message: "Command exited with status 127"},
		{id: "argv", change: argv("true", "x"), state: mesos.TASK_FINISHED, message: "Command exited with status 0"},
		{id: "argvbad", change: argv("/no/such/program"), state: mesos.TASK_FAILED, message: "Command exited with status 1"},
		{
			id: "maxtime", line: "sleep 100", state: mesos.TASK_FAILED, message: "Command terminated with signal Terminated",
			change: func(i *mesos.TaskInfo) {
				i.MaxCompletionTime = &mesos.DurationInfo{Nanoseconds: int64(50 * time.Millisecond)}
			},
		},
	} {
		t.Run(tc.id, func(t *testing.T) {
			task := shell(tc.id, tc.line)
			if tc.change != nil {
				tc.change(&task)
			}
			f.launch(f.offer(), task)
			var got []string
			for {
				s := f.status(tc.id)
				got = append(got, s.GetState().String())
				if s.GetSource() != mesos.SOURCE_EXECUTOR || len(s.UUID) != 16 || s.GetContainerStatus().GetExecutorPID() == 0 {
					t.Errorf("not an executor's update: %v", s)
				}
				if s.GetState() == tc.state {
					if s.GetMessage() != tc.message {
						t.Errorf("message %q, want %q", s.GetMessage(), tc.message)
					}
					if limit := tc.id == "maxtime"; limit != (s.GetReason() == mesos.REASON_MAX_COMPLETION_TIME_REACHED) {
						t.Errorf("reason %v", s.GetReason())
					}
					break
				}
			}
			if diff := cmp.Diff([]string{"TASK_STARTING", "TASK_RUNNING", tc.state.String()}, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}
