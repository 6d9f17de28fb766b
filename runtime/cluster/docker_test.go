package cluster_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/mesos/mesos-go/api/v1/lib"
	"github.com/mesos/mesos-go/api/v1/lib/scheduler"

	"github.com/pacer-run/pacer/runtime/cluster"
)

// testImage has a busybox and nothing else; makeImage makes it.
const testImage = "pacer-test-busybox:1"

// dockerWorld is a cluster whose agent runs containers, with a framework. The image is made of this machine's busybox.
func dockerWorld(t *testing.T) (cluster.Config, *client) {
	t.Helper()
	makeImage(t)
	cfg := real(t)
	c := start(t, cfg)
	removeContainers(t, cfg.WorkDir)
	return cfg, subscribe(t, c.Addr(), framework())
}

// docker runs the command line tool.
func docker(t *testing.T, args ...string) string {
	t.Helper()
	out, err := exec.Command("docker", args...).CombinedOutput()
	if err != nil {
		t.Fatalf("docker %s: %v: %s (the tests need a running Docker daemon: tools/needs.sh)", strings.Join(args, " "), err, out)
	}
	return string(out)
}

func makeImage(t *testing.T) {
	t.Helper()
	if docker(t, "images", "-q", testImage) != "" {
		return
	}
	root := t.TempDir()
	for _, dir := range []string{"bin", "tmp", "etc"} {
		if err := os.Mkdir(filepath.Join(root, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	busybox, err := os.ReadFile("/bin/busybox")
	if err != nil {
		t.Fatalf("%v (the tests need busybox-static: tools/needs.sh)", err)
	}
	if err := os.WriteFile(filepath.Join(root, "bin/busybox"), busybox, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(root, "etc/passwd"), []byte("root:x:0:0:root:/:/bin/sh\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"sh", "sleep", "echo", "cat", "env", "pwd", "httpd", "mkdir", "test", "touch", "id", "tail", "ls", "true", "kill"} {
		if err := os.Symlink("busybox", filepath.Join(root, "bin", name)); err != nil {
			t.Fatal(err)
		}
	}
	archive := filepath.Join(t.TempDir(), "image.tar")
	if out, err := exec.Command("tar", "-C", root, "-cf", archive, ".").CombinedOutput(); err != nil {
		t.Fatalf("tar: %v: %s", err, out)
	}
	docker(t, "import", archive, testImage)
}

// removeContainers leaves none behind when the test ends.
func removeContainers(t *testing.T, workDir string) {
	t.Cleanup(func() {
		list := func() []string {
			return strings.Fields(docker(t, "ps", "-aq", "--filter", "label=run.pacer.work-dir="+workDir))
		}
		// The cluster may be removing one of them just now, which makes the command fail: what counts is that none is left.
		for deadline := time.Now().Add(patience); len(list()) > 0; {
			_ = exec.Command("docker", append([]string{"rm", "-f"}, list()...)...).Run()
			if time.Now().After(deadline) {
				t.Fatalf("containers are left: %v", list())
			}
		}
	})
}

// container is a task in a container on a network of docker's. It is given a second to end: a first process ignores SIGTERM.
func container(id, line string, network mesos.ContainerInfo_DockerInfo_Network, change ...func(*mesos.TaskInfo)) mesos.TaskInfo {
	return shell(id, line, append([]func(*mesos.TaskInfo){func(i *mesos.TaskInfo) {
		i.KillPolicy = &mesos.KillPolicy{GracePeriod: &mesos.DurationInfo{Nanoseconds: int64(time.Second)}}
		i.Container = &mesos.ContainerInfo{
			Type:   mesos.ContainerInfo_DOCKER.Enum(),
			Docker: &mesos.ContainerInfo_DockerInfo{Image: testImage, Network: network.Enum()},
		}
	}}, change...)...)
}

const (
	onHost   = mesos.ContainerInfo_DockerInfo_HOST
	onBridge = mesos.ContainerInfo_DockerInfo_BRIDGE
)

// published maps a port of the container to the first one offered.
func published(o mesos.Offer, inside uint32) (change func(*mesos.TaskInfo), host uint32) {
	for _, r := range o.Resources {
		if r.Name == "ports" {
			host = uint32(r.Ranges.Range[0].Begin)
		}
	}
	return func(i *mesos.TaskInfo) {
		i.Resources = append(i.Resources, mesos.Resource{Name: "ports", Type: mesos.RANGES.Enum(), Ranges: &mesos.Value_Ranges{
			Range: []mesos.Value_Range{{Begin: uint64(host), End: uint64(host)}},
		}})
		i.Container.Docker.PortMappings = []mesos.ContainerInfo_DockerInfo_PortMapping{{HostPort: host, ContainerPort: inside}}
	}, host
}

func addressIn(s *mesos.TaskStatus) string {
	return s.GetContainerStatus().NetworkInfos[0].IPAddresses[0].GetIPAddress()
}

// A server on the bridge is reached at the port that was mapped. RUNNING tells the container's own address and what
// docker says of it; before and after it is the agent's, as on a real one.
func TestDockerBridge(t *testing.T) {
	_, f := dockerWorld(t)
	o := f.offer()
	port, host := published(o, 80)
	f.launch(o, container("web.1", "mkdir /w; echo hello > /w/index.html; httpd -f -p 80 -h /w", onBridge, port))
	if s := f.status("web.1"); s.GetState() != mesos.TASK_STARTING || addressIn(s) != "127.0.0.1" || s.Data != nil {
		t.Errorf("at first %v", s)
	}
	running := f.status("web.1")
	var inspected []struct{ Name string }
	if err := json.Unmarshal(running.Data, &inspected); err != nil || len(inspected) != 1 || !strings.HasPrefix(inspected[0].Name, "/mesos-") {
		t.Errorf("data %.200s: %v", running.Data, err)
	}
	if running.GetState() != mesos.TASK_RUNNING || !strings.HasPrefix(addressIn(running), "172.") {
		t.Errorf("then %v at %s", running.GetState(), addressIn(running))
	}
	if text := fetched(t, fmt.Sprintf("http://127.0.0.1:%d/", host)); text != "hello\n" {
		t.Errorf("the server says %q", text)
	}
	f.kill("web.1")
	for _, want := range []mesos.TaskState{mesos.TASK_KILLING, mesos.TASK_KILLED} {
		s := f.status("web.1")
		if s.GetState() != want || addressIn(s) != "127.0.0.1" {
			t.Errorf("got %v at %s, want %v at the agent's address", s.GetState(), addressIn(s), want)
		}
		if want == mesos.TASK_KILLED && s.GetMessage() != "Container exited with status 137" {
			t.Errorf("message %q: the first process ignores SIGTERM", s.GetMessage())
		}
	}
	awaitContainers(t, inspected[0].Name[1:], 0)
}

// fetched reads a page, again until there is a server.
func fetched(t *testing.T, url string) string {
	t.Helper()
	deadline := time.Now().Add(patience)
	for {
		res, err := http.Get(url)
		if err == nil {
			defer res.Body.Close()
			text, _ := io.ReadAll(res.Body)
			return string(text)
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// awaitContainers waits until n containers of that name are there.
func awaitContainers(t *testing.T, name string, n int) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for len(strings.Fields(docker(t, "ps", "-aq", "--filter", "name="+name))) != n {
		if time.Now().After(deadline) {
			t.Fatalf("there are not %d containers %s", n, name)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// How containers end, and how those end that never begin.
func TestDockerEnds(t *testing.T) {
	_, f := dockerWorld(t)
	docker := func(change func(*mesos.ContainerInfo_DockerInfo)) func(*mesos.TaskInfo) {
		return func(i *mesos.TaskInfo) { change(i.Container.Docker) }
	}
	argv := func(args ...string) func(*mesos.TaskInfo) {
		return func(i *mesos.TaskInfo) { i.Command = &mesos.CommandInfo{Shell: new(false), Arguments: args} }
	}
	for _, tc := range []struct {
		id, line string
		change   func(*mesos.TaskInfo)
		states   string
		message  string
		reason   mesos.TaskStatus_Reason
	}{
		{id: "fine", line: "exit 0", states: "STARTING RUNNING FINISHED", message: "Container exited with status 0"},
		{id: "exit3", line: "exit 3", states: "STARTING RUNNING FAILED", message: "Container exited with status 3"},
		{id: "argv", change: argv("sh", "-c", "exit 4"), states: "STARTING RUNNING FAILED", message: "Container exited with status 4"},
		{id: "notfound", change: argv("nosuchprogram"), states: "STARTING FAILED", message: "Container exited with status 127: "},
		{id: "nothing", change: argv(), states: "STARTING FAILED", message: "Container exited with status 125: "},
		{
			id: "memory", line: "tail /dev/zero", states: "STARTING RUNNING FAILED", message: "Container exited with status 137",
			change: docker(func(d *mesos.ContainerInfo_DockerInfo) {
				d.Parameters = []mesos.Parameter{{Key: "memory-swap", Value: "32m"}}
			}),
		},
		{
			id: "noimage", line: "true", states: "FAILED", reason: mesos.REASON_CONTAINER_LAUNCH_FAILED,
			change:  docker(func(d *mesos.ContainerInfo_DockerInfo) { d.Image = "registry.invalid/none:1" }),
			message: "Failed to launch container: Failed to pull image 'registry.invalid/none:1': ",
		},
		{
			id: "badimage", line: "true", states: "FAILED", reason: mesos.REASON_CONTAINER_LAUNCH_FAILED,
			change:  docker(func(d *mesos.ContainerInfo_DockerInfo) { d.Image = "Not An Image" }),
			message: "Failed to launch container: Failed to pull image 'Not An Image': image 'Not An Image': invalid reference format",
		},
		{
			id: "badport", line: "true", states: "STARTING FAILED", message: "Failed to create docker run options: Port mappings require port resources",
			change: docker(func(d *mesos.ContainerInfo_DockerInfo) {
				d.PortMappings = []mesos.ContainerInfo_DockerInfo_PortMapping{{HostPort: 31999, ContainerPort: 80}}
			}),
		},
		{
			id: "badparameter", line: "true", states: "STARTING FAILED",
			message: "Failed to create docker run options: parameter 'colour' is not supported by this agent, which knows ",
			change: docker(func(d *mesos.ContainerInfo_DockerInfo) {
				d.Parameters = []mesos.Parameter{{Key: "colour", Value: "blue"}}
			}),
		},
	} {
		change := tc.change
		if change == nil {
			change = func(*mesos.TaskInfo) {}
		}
		f.launch(f.offer(), container(tc.id, tc.line, onHost, change))
		var states []string
		var last *mesos.TaskStatus
		for last == nil || !slices.Contains([]mesos.TaskState{mesos.TASK_FINISHED, mesos.TASK_FAILED}, last.GetState()) {
			last = f.status(tc.id)
			states = append(states, strings.TrimPrefix(last.GetState().String(), "TASK_"))
		}
		if got := strings.Join(states, " "); got != tc.states || !strings.HasPrefix(last.GetMessage(), tc.message) || last.GetReason() != tc.reason {
			t.Errorf("%s: %s %q %v, want %s %q %v", tc.id, got, last.GetMessage(), last.GetReason(), tc.states, tc.message, tc.reason)
		}
	}
}

// A container has its variables and those of the agent, the sandbox and its volumes, and its output is in the sandbox.
func TestDockerSandbox(t *testing.T) {
	cfg, f := dockerWorld(t)
	outside := t.TempDir()
	if err := os.WriteFile(filepath.Join(outside, "given"), []byte("given\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	volumes := func(i *mesos.TaskInfo) {
		for inside, host := range map[string]string{"/readonly": outside, "/relative": "made"} {
			mode := mesos.RW
			if host == outside {
				mode = mesos.RO
			}
			i.Container.Volumes = append(i.Container.Volumes, mesos.Volume{HostPath: &host, ContainerPath: inside, Mode: &mode})
		}
		i.Container.Docker.Parameters = []mesos.Parameter{{Key: "hostname", Value: "named"}, {Key: "env", Value: "PARAMETER=p"}}
	}
	o := f.offer()
	f.launch(o, container("box.1", `env; cat /readonly/given; echo no > /readonly/x || echo "read only"; echo made > /relative/file
		echo inside > $MESOS_SANDBOX/file; echo problem >&2`, onBridge, volumes, variables("OWN", "value with blanks")))
	f.states("box.1", mesos.TASK_FINISHED)
	sandbox := filepath.Join(cfg.WorkDir, "agent-1/slaves", o.AgentID.Value, "frameworks", f.id, "executors/box.1/runs/latest")
	stdout, _ := os.ReadFile(filepath.Join(sandbox, "stdout"))
	for _, want := range []string{
		"MESOS_SANDBOX=/mnt/mesos/sandbox\n", "MESOS_ALLOCATION_ROLE=*\n", "MESOS_CONTAINER_NAME=mesos-", "OWN=value with blanks\n",
		"PARAMETER=p\n", "HOSTNAME=named\n", "\ngiven\n", "\nread only\n",
	} {
		if !strings.Contains(string(stdout), want) {
			t.Errorf("stdout has no %q: %s", want, stdout)
		}
	}
	for name, want := range map[string]string{"file": "inside\n", "made/file": "made\n"} {
		if text, err := os.ReadFile(filepath.Join(sandbox, name)); string(text) != want {
			t.Errorf("%s: %q %v", name, text, err)
		}
	}
	if text, _ := os.ReadFile(filepath.Join(sandbox, "stderr")); !strings.HasSuffix(string(text), "problem\n") {
		t.Errorf("stderr: %q", text)
	}
}

// Containers run on while the cluster is away. What ended meanwhile is told with its real status, and no output is lost or
// written twice.
func TestDockerRecovery(t *testing.T) {
	makeImage(t)
	cfg := real(t)
	removeContainers(t, cfg.WorkDir)
	first, err := cluster.Start(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	f := subscribe(t, first.Addr(), framework())
	o := f.offer()
	f.launch(o,
		container("stays", "echo one; while [ ! -e /mnt/mesos/sandbox/go ]; do sleep 0.1; done; echo two; exec sleep 1000", onHost),
		container("ends", "echo one; while [ ! -e /mnt/mesos/sandbox/go ]; do sleep 0.1; done; exit 7", onHost))
	sandbox := func(task string) string {
		return filepath.Join(cfg.WorkDir, "agent-1/slaves", o.AgentID.Value, "frameworks", f.id, "executors", task, "runs/latest")
	}
	for _, task := range []string{"stays", "ends"} {
		f.states(task, mesos.TASK_RUNNING)
		awaitText(t, filepath.Join(sandbox(task), "stdout"), "one\n")
	}
	first.Close()
	for _, task := range []string{"stays", "ends"} {
		if err := os.WriteFile(filepath.Join(sandbox(task), "go"), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	deadline := time.Now().Add(patience)
	for docker(t, "ps", "-q", "--filter", "label=run.pacer.task=ends", "--filter", "label=run.pacer.work-dir="+cfg.WorkDir) != "" {
		if time.Now().After(deadline) {
			t.Fatal("the container does not end")
		}
		time.Sleep(20 * time.Millisecond)
	}

	second := start(t, cfg)
	g := subscribe(t, second.Addr(), framework(func(i *mesos.FrameworkInfo) { i.ID = &mesos.FrameworkID{Value: f.id} }))
	end := g.status("ends")
	for end.GetState() == mesos.TASK_RUNNING {
		end = g.status("ends")
	}
	if end.GetState() != mesos.TASK_FAILED || end.GetMessage() != "Container exited with status 7" {
		t.Errorf("end %v", end)
	}
	awaitText(t, filepath.Join(sandbox("stays"), "stdout"), "one\ntwo\n")
	g.kill("stays")
	got := g.states("stays", mesos.TASK_KILLED)
	if diff := cmp.Diff([]string{"TASK_KILLING", "TASK_KILLED"}, got[max(0, len(got)-2):]); diff != "" {
		t.Error(diff)
	}
}

func awaitText(t *testing.T, file, want string) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for {
		text, err := os.ReadFile(file)
		if string(text) == want {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s: %q %v, want %q", file, text, err, want)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// Health checks look at the container from where it listens: its own address, or a command inside of it.
func TestDockerHealth(t *testing.T) {
	_, f := dockerWorld(t)
	zero := 0.0
	quick := func(h mesos.HealthCheck) func(*mesos.TaskInfo) {
		second := 0.2
		h.DelaySeconds, h.IntervalSeconds, h.GracePeriodSeconds = &zero, &second, &zero
		h.ConsecutiveFailures = new(uint32)
		*h.ConsecutiveFailures = 100
		return func(i *mesos.TaskInfo) { i.HealthCheck = &h }
	}
	f.launch(f.offer(), container("http.1", "mkdir /w; echo x > /w/index.html; httpd -f -p 80 -h /w", onBridge, quick(mesos.HealthCheck{
		Type: mesos.HealthCheck_HTTP, HTTP: &mesos.HealthCheck_HTTPCheckInfo{Port: 80, Path: new("/")},
	})))
	awaitHealthy(f, "http.1")
	f.launch(f.offer(), container("command.1", "touch /inside; exec sleep 1000", onBridge, quick(mesos.HealthCheck{
		Type: mesos.HealthCheck_COMMAND, Command: &mesos.CommandInfo{Shell: new(true), Value: new("test -e /inside")},
	})))
	awaitHealthy(f, "command.1")
}

func awaitHealthy(f *client, task string) {
	f.t.Helper()
	for {
		if s := f.status(task); s.GetReason() == mesos.REASON_TASK_HEALTH_CHECK_STATUS_UPDATED && s.GetHealthy() {
			return
		}
	}
}

// The containers of a framework that is gone are removed.
func TestDockerTeardown(t *testing.T) {
	cfg, f := dockerWorld(t)
	f.launch(f.offer(), container("left.1", "exec sleep 1000", onHost))
	f.states("left.1", mesos.TASK_RUNNING)
	f.call(&scheduler.Call{Type: scheduler.Call_TEARDOWN})
	deadline := time.Now().Add(patience)
	for docker(t, "ps", "-aq", "--filter", "label=run.pacer.work-dir="+cfg.WorkDir) != "" {
		if time.Now().After(deadline) {
			t.Fatal("the container is still there")
		}
		time.Sleep(50 * time.Millisecond)
	}
}
