package cluster

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"time"

	"github.com/mesos/mesos-go/api/v1/lib"

	"github.com/pacer-run/pacer/runtime/cluster/executor"
	"github.com/pacer-run/pacer/runtime/cluster/fetcher"
)

// launchPlan is all that is needed to put a task's files in place, off the loop: it shares nothing with the run.
type launchPlan struct {
	hostDir string // the agent's work_dir
	folder  string // the run folder
	sandbox string
	marker  string  // environment entry that only this run's processes have
	user    string  // "" = the account of this process
	record  []byte  // the run's checkpoint
	mounts  []mount // only of process tasks; a container has its own

	container string
	items     []fetcher.Item
	launch    executor.Launch
}

// planLaunch is called on the loop.
func planLaunch(r *run) (*launchPlan, *launchFault) {
	record, err := encodeRun(r)
	if err != nil {
		return nil, launchFailure(err)
	}
	items, fault := itemsOf(r.task)
	if fault != nil {
		return nil, fault
	}
	plan := &launchPlan{
		hostDir: r.host.dir, folder: filepath.Join(r.host.runsDir(), r.container), sandbox: r.sandbox(), marker: runMarker(r),
		user: taskUser(r), record: record, container: r.container, items: items,
	}
	if !isDocker(r.task) {
		var fault *launchFault
		if plan.mounts, fault = r.mounts(); fault != nil {
			return nil, fault
		}
	}
	plan.launch = executor.Launch{
		Sandbox: plan.sandbox, Env: environment(r), KillGrace: r.grace(),
		MaxCompletion: time.Duration(r.task.GetMaxCompletionTime().GetNanoseconds()),
		LogBytes:      max(0, r.host.cfg.LogBytes),
	}
	plan.launch.Path, plan.launch.Args = command(r.task.Command)
	return plan, nil
}

// command is the argv of a task: a shell's for a line of shell, otherwise what execvp would get.
func command(c *mesos.CommandInfo) (string, []string) {
	if c.GetShell() {
		return "/bin/sh", []string{"sh", "-c", c.GetValue()}
	}
	args := c.Arguments
	if len(args) == 0 {
		args = []string{c.GetValue()}
	}
	return c.GetValue(), args
}

func launchFailure(err error) *launchFault {
	return &launchFault{mesos.TASK_FAILED, mesos.REASON_CONTAINER_LAUNCH_FAILED, "Failed to launch container: " + err.Error()}
}

// prepare makes the sandbox and the run folder. The checkpoint comes first: from then on a restart knows the task.
func (p *launchPlan) prepare() (*updateLog, *launchFault) {
	if err := os.MkdirAll(p.folder, 0o700); err != nil {
		return nil, launchFailure(err)
	}
	log, err := openUpdateLog(p.folder)
	if err != nil {
		return nil, launchFailure(err)
	}
	if err := writeWhole(filepath.Join(p.folder, runFile), p.record); err != nil {
		return log, launchFailure(err)
	}
	if err := p.makeSandbox(); err != nil {
		return log, &launchFault{
			mesos.TASK_DROPPED, mesos.REASON_EXECUTOR_TERMINATED,
			fmt.Sprintf("Failed to create executor directory '%s': %v", p.sandbox, err),
		}
	}
	for _, m := range p.mounts {
		if err := p.place(m); err != nil {
			return log, launchFailure(err)
		}
	}
	if err := p.launch.Write(p.folder); err != nil {
		return log, launchFailure(err)
	}
	return log, nil
}

// makeSandbox makes the folder that is the task's working directory, and the links that lead to the latest one.
func (p *launchPlan) makeSandbox() error {
	if err := os.MkdirAll(filepath.Dir(p.sandbox), 0o755); err != nil {
		return err
	}
	if err := os.Mkdir(p.sandbox, 0o750); err != nil {
		return err
	}
	// The mode must not depend on the umask of whoever started the cluster.
	if err := os.Chmod(p.sandbox, 0o750); err != nil {
		return err
	}
	files := []string{p.sandbox}
	for _, name := range []string{"stdout", "stderr"} {
		path := filepath.Join(p.sandbox, name)
		if err := os.WriteFile(path, nil, 0o644); err != nil {
			return err
		}
		files = append(files, path)
	}
	if err := link(filepath.Base(p.sandbox), filepath.Join(filepath.Dir(p.sandbox), "latest")); err != nil {
		return err
	}
	if p.user == "" || p.user == "root" {
		return nil
	}
	account, err := lookAccount(p.user)
	if err != nil {
		return fmt.Errorf("Failed to chown directory to '%s': No such user '%s'", p.user, p.user)
	}
	p.launch.User = account
	for _, path := range files {
		if err := os.Chown(path, int(account.UID), int(account.GID)); err != nil {
			return err
		}
	}
	return nil
}

// link points name at target, in place of whatever link was there.
func link(target, name string) error {
	fresh := name + ".new"
	if err := os.Remove(fresh); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.Symlink(target, fresh); err != nil {
		return err
	}
	return os.Rename(fresh, name)
}

// lookAccount resolves a user's name with all groups.
func lookAccount(name string) (*executor.Account, error) {
	u, err := user.Lookup(name)
	if err != nil {
		return nil, err
	}
	number := func(text string) uint32 {
		n, _ := strconv.ParseUint(text, 10, 32) // numbers on every system this runs on
		return uint32(n)
	}
	out := &executor.Account{UID: number(u.Uid), GID: number(u.Gid)}
	groups, err := u.GroupIds()
	if err != nil {
		return nil, err
	}
	for _, g := range groups {
		out.Groups = append(out.Groups, number(g))
	}
	return out, nil
}

// sandbox is the path of the task's folder.
func (r *run) sandbox() string {
	return filepath.Join(r.host.dir, "slaves", r.host.id, "frameworks", r.framework.ID.Value, "executors", r.id(), "runs", r.container)
}

// runMarker is an environment entry of all processes of a run.
func runMarker(r *run) string { return "MESOS_DIRECTORY=" + r.sandbox() }
