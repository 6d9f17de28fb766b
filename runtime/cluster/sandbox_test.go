package cluster_test

import (
	"os"
	"os/user"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/mesos/mesos-go/api/v1/lib"

	"github.com/pacer-run/pacer/runtime/cluster"
)

func variables(pairs ...string) func(*mesos.TaskInfo) {
	return func(i *mesos.TaskInfo) {
		env := &mesos.Environment{}
		for n := 0; n < len(pairs); n += 2 {
			env.Variables = append(env.Variables, mesos.Environment_Variable{Name: pairs[n], Value: &pairs[n+1]})
		}
		i.Command.Environment = env
	}
}

// The sandbox is where Mesos has it, and the environment is the agent's and the task's, with nothing of this process'.
func TestSandbox(t *testing.T) {
	t.Setenv("LEAKED_FROM_THE_CLUSTER", "x")
	cfg := real(t)
	c := start(t, cfg)
	f := subscribe(t, c.Addr(), framework())
	o := f.offer()
	f.launch(o, shell("env.1", "pwd; env | sort; echo problem >&2", variables("MULTI", "a b", "PATH", "/bin:/usr/bin", "EMPTY", "")))
	f.states("env.1", mesos.TASK_FINISHED)
	agent := o.AgentID.Value
	runs := filepath.Join(cfg.WorkDir, "agent-1/slaves", agent, "frameworks", f.id, "executors/env.1/runs")
	latest, err := os.Readlink(filepath.Join(runs, "latest"))
	if err != nil {
		t.Fatal(err)
	}
	sandbox := filepath.Join(runs, latest)
	if info, err := os.Stat(sandbox); err != nil || info.Mode().Perm() != 0o750 {
		t.Errorf("sandbox: %v %v", info, err)
	}
	if link, err := os.Readlink(filepath.Join(cfg.WorkDir, "agent-1/slaves/latest")); link != agent {
		t.Errorf("slaves/latest: %q %v", link, err)
	}
	if text, _ := os.ReadFile(filepath.Join(sandbox, "stderr")); string(text) != "problem\n" {
		t.Errorf("stderr %q", text)
	}
	text, err := os.ReadFile(filepath.Join(sandbox, "stdout"))
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
	got := map[string]string{}
	for _, line := range lines[1:] {
		name, value, _ := strings.Cut(line, "=")
		got[name] = value
	}
	delete(got, "_") // the shell's own
	delete(got, "SHLVL")
	want := map[string]string{
		"LIBPROCESS_IP": "127.0.0.1", "LIBPROCESS_PORT": "0", "MESOS_AGENT_ENDPOINT": c.Addr(), "MESOS_ALLOCATION_ROLE": "*",
		"MESOS_CHECKPOINT": "1", "MESOS_DIRECTORY": sandbox, "MESOS_EXECUTOR_ID": "env.1", "MESOS_EXECUTOR_SHUTDOWN_GRACE_PERIOD": "5secs",
		"MESOS_FRAMEWORK_ID": f.id, "MESOS_HTTP_COMMAND_EXECUTOR": "0", "MESOS_RECOVERY_TIMEOUT": "15mins", "MESOS_SANDBOX": sandbox,
		"MESOS_SLAVE_ID": agent, "MESOS_SLAVE_PID": "slave(1)@" + c.Addr(), "MESOS_SUBSCRIPTION_BACKOFF_MAX": "2secs",
		"PATH": "/bin:/usr/bin", "MULTI": "a b", "EMPTY": "", "PWD": sandbox,
	}
	if diff := cmp.Diff(want, got); diff != "" || lines[0] != sandbox {
		t.Errorf("in %s:\n%s", lines[0], diff)
	}
}

// What the agent cannot do is said before anything is started.
func TestLaunchFailures(t *testing.T) {
	c := start(t, real(t, func(c *cluster.Config) { c.Docker = cluster.DockerOff }))
	f := subscribe(t, c.Addr(), framework())
	docker, image, csi := shell("docker", "true"), shell("image", "true"), shell("csi", "true")
	docker.Container = &mesos.ContainerInfo{Type: mesos.ContainerInfo_DOCKER.Enum(), Docker: &mesos.ContainerInfo_DockerInfo{Image: "x"}}
	image.Container = &mesos.ContainerInfo{Type: mesos.ContainerInfo_MESOS.Enum(), Mesos: &mesos.ContainerInfo_MesosInfo{
		Image: &mesos.Image{Type: mesos.Image_DOCKER.Enum(), Docker: &mesos.Image_Docker{Name: "x"}},
	}}
	secret := shell("secret", "true")
	secret.Command.Environment = &mesos.Environment{Variables: []mesos.Environment_Variable{{
		Name: "KEY", Type: mesos.Environment_Variable_SECRET.Enum(),
		Secret: &mesos.Secret{Type: mesos.Secret_REFERENCE, Reference: &mesos.Secret_Reference{Name: "s"}},
	}}}
	within := func(id string, c mesos.ContainerInfo) mesos.TaskInfo {
		info := shell(id, "true")
		c.Type = mesos.ContainerInfo_MESOS.Enum()
		info.Container = &c
		return info
	}
	// A kind of source that the types do not know is one all the same.
	csi.Container = &mesos.ContainerInfo{Type: mesos.ContainerInfo_MESOS.Enum(), Volumes: []mesos.Volume{{
		ContainerPath: "v", Mode: mesos.RW.Enum(), Source: &mesos.Volume_Source{Type: 5},
	}}}
	network := within("network", mesos.ContainerInfo{NetworkInfos: []mesos.NetworkInfo{{Name: new("dcos")}}})
	linux := within("linux", mesos.ContainerInfo{LinuxInfo: &mesos.LinuxInfo{IPCMode: mesos.LinuxInfo_PRIVATE.Enum()}})
	tty := within("tty", mesos.ContainerInfo{TTYInfo: &mesos.TTYInfo{}})
	f.launch(f.offer(), docker, image, secret, csi, network, linux, tty)
	for task, want := range map[string]string{
		"docker":  "Abnormal executor termination: unknown container",
		"image":   "Failed to launch container: Container images are not supported by this agent",
		"secret":  "Failed to launch container: Secrets are not supported by this agent (environment variable KEY)",
		"csi":     "Failed to launch container: Volumes are not supported by this agent",
		"network": "Failed to launch container: Container networks are not supported by this agent",
		"linux":   "Failed to launch container: Isolation by the kernel (linux_info) is not supported by this agent",
		"tty":     "Failed to launch container: Terminals (tty_info) are not supported by this agent",
	} {
		if s := f.status(task); s.GetState() != mesos.TASK_FAILED || s.GetSource() != mesos.SOURCE_AGENT || s.GetMessage() != want || s.UUID == nil {
			t.Errorf("%s: %v", task, s)
		}
	}
}

// Only root can run tasks as somebody else; for anybody else the user's name has no effect.
func TestUser(t *testing.T) {
	nobody, err := user.Lookup("nobody")
	if err != nil {
		t.Fatal(err)
	}
	cfg := real(t)
	// A folder of t.TempDir is not open to other users on the way down.
	if cfg.WorkDir, err = os.MkdirTemp("", "cluster"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(cfg.WorkDir) })
	must(t, os.Chmod(cfg.WorkDir, 0o755))
	c := start(t, cfg)
	f := subscribe(t, c.Addr(), framework())
	as := func(name string) func(*mesos.TaskInfo) {
		return func(i *mesos.TaskInfo) { i.Command.User = &name }
	}
	f.launch(f.offer(), shell("nobody", "id -u > me", as("nobody")), shell("stranger", "true", as("no-such-user")))
	root := os.Geteuid() == 0
	f.states("nobody", mesos.TASK_FINISHED)
	path := filepath.Join(cfg.WorkDir, "agent-1/slaves/latest/frameworks", f.id, "executors/nobody/runs/latest/me")
	text, err := os.ReadFile(path)
	must(t, err)
	if got := strings.TrimSpace(string(text)); (got == nobody.Uid) != root {
		t.Errorf("ran as %s", got)
	}
	s := f.status("stranger")
	for !root && s.GetState() != mesos.TASK_FINISHED {
		s = f.status("stranger")
	}
	if root && (s.GetState() != mesos.TASK_DROPPED || s.GetReason() != mesos.REASON_EXECUTOR_TERMINATED ||
		!strings.HasSuffix(s.GetMessage(), "Failed to chown directory to 'no-such-user': No such user 'no-such-user'")) {
		t.Errorf("got %v", s)
	}
}

// An executor that is killed takes its task with it, and says so.
func TestExecutorKilled(t *testing.T) {
	cfg := real(t)
	c := start(t, cfg)
	f := subscribe(t, c.Addr(), framework())
	f.launch(f.offer(), shell("t", "setsid sleep 1000 & echo $!; echo ready; wait"))
	starting := f.status("t")
	f.states("t", mesos.TASK_RUNNING)
	out := ready(t, cfg, "t")
	must(t, syscall.Kill(int(starting.ContainerStatus.GetExecutorPID()), syscall.SIGKILL))
	s := f.status("t")
	if s.GetState() != mesos.TASK_FAILED || s.GetReason() != mesos.REASON_EXECUTOR_TERMINATED || s.GetMessage() != "Executor terminated" {
		t.Errorf("got %v", s)
	}
	assertGone(t, out)
}
