package e2e

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/pacer-run/pacer/runtime/zookeeper/zktest"
)

// freePort is a port that was free a moment ago.
func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// serve starts `pacer serve` with the flags that people have in their scripts, and more.
func serve(t *testing.T, zk *zktest.Server, more ...string) (*process, api) {
	t.Helper()
	port := freePort(t)
	p := start(t, append([]string{
		"serve", "--master", zk.URL("/mesos"), "--zk", zk.URL("/marathon"),
		"--hostname", "127.0.0.1", "--http_port", fmt.Sprint(port), "--framework-name", "marathon",
		"--zk_session_timeout", "4000", "--min_revive_offers_interval", "200", "--logging_level", "info",
	}, more...)...)
	return p, api(fmt.Sprintf("http://127.0.0.1:%d", port))
}

// leads waits until a server knows a leader and returns it.
func (a api) leads(t *testing.T) string {
	t.Helper()
	var body struct{ Leader string }
	until(t, string(a)+" knows the leader", func() bool {
		status, text := a.try(t, "GET", "/v2/leader", "")
		return status == http.StatusOK && json.Unmarshal([]byte(text), &body) == nil && body.Leader != ""
	})
	return body.Leader
}

// framework waits for the framework's id.
func (a api) framework(t *testing.T) string {
	t.Helper()
	var info struct{ FrameworkID string }
	until(t, "there is a framework id", func() bool {
		status, text := a.try(t, "GET", "/v2/info", "")
		return status == http.StatusOK && json.Unmarshal([]byte(text), &info) == nil && info.FrameworkID != ""
	})
	return info.FrameworkID
}

// TestTakeOver runs two servers beside a cluster that announces itself in
// ZooKeeper, kills the one that leads, and then the cluster.
func TestTakeOver(t *testing.T) {
	zk, dir := zktest.New(t), dataDir(t)
	clusterArgs := []string{"cluster", "--agents", "3", "--zk", zk.URL("/mesos"), "--data-dir", dir, "--listen", "127.0.0.1:0"}
	mesos := start(t, clusterArgs...)
	mesos.printed(t, "ready")
	first, firstAPI := serve(t, zk)
	if leader := firstAPI.leads(t); "http://"+leader != string(firstAPI) {
		t.Fatalf("%s leads, want %s", leader, firstAPI)
	}
	_, standby := serve(t, zk)
	if leader := standby.leads(t); "http://"+leader != string(firstAPI) {
		t.Fatalf("the standby says that %s leads, want %s", leader, firstAPI)
	}

	const command = "sleep 141421"
	standby.must(t, "POST", "/v2/apps", `{"id":"/kept","cmd":"exec `+command+`","cpus":0.1,"mem":16,"instances":3}`)
	before := standby.running(t, "/kept", 3)
	pids := awaitProcesses(t, dir, command, 3)
	framework := firstAPI.framework(t)

	first.kill()
	until(t, "the standby leads", func() bool {
		status, text := standby.try(t, "GET", "/v2/leader", "")
		return status == http.StatusOK && strings.Contains(text, strings.TrimPrefix(string(standby), "http://"))
	})
	after := standby.running(t, "/kept", 3)
	if got := standby.framework(t); got != framework {
		t.Errorf("framework %s, before %s", got, framework)
	}
	if !slices.Equal(after.taskIDs(), before.taskIDs()) {
		t.Errorf("tasks %v, before %v", after.taskIDs(), before.taskIDs())
	}
	if now := processesWith(dir, command); !slices.Equal(now, pids) {
		t.Errorf("processes %v, before %v", now, pids)
	}

	t.Run("the new leader works", func(t *testing.T) {
		standby.must(t, "PUT", "/v2/apps/kept", `{"instances":4}`)
		standby.running(t, "/kept", 4)
		awaitProcesses(t, dir, command, 4)
	})
	t.Run("the cluster is killed and comes back", func(t *testing.T) {
		mesos.kill()
		victim := processesWith(dir, command)[0]
		if err := syscall.Kill(victim, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		start(t, clusterArgs...).printed(t, "ready")
		until(t, "the dead one is replaced", func() bool {
			now := processesWith(dir, command)
			return len(now) == 4 && !slices.Contains(now, victim)
		})
		standby.running(t, "/kept", 4)
	})
}

// awaitProcesses waits for exactly n of them. A task runs from the moment that its
// shell does, a little before the shell becomes the command.
func awaitProcesses(t *testing.T, dir, command string, n int) (pids []int) {
	t.Helper()
	until(t, fmt.Sprintf("%d processes of %q", n, command), func() bool {
		pids = processesWith(dir, command)
		return len(pids) == n
	})
	return pids
}

// processesWith are the task processes below a folder that became a command.
func processesWith(dir, command string) []int {
	pids := processes(func(proc string) bool { return worksIn(proc, dir) && argsOf(proc) == command })
	slices.Sort(pids)
	return pids
}

// TestServeStopsGently: SIGTERM leaves the election, and the framework stays.
func TestServeStopsGently(t *testing.T) {
	zk, dir := zktest.New(t), dataDir(t)
	start(t, "cluster", "--agents", "1", "--zk", zk.URL("/mesos"), "--data-dir", dir, "--listen", "127.0.0.1:0").printed(t, "ready")
	first, a := serve(t, zk)
	a.leads(t)
	a.must(t, "POST", "/v2/apps", `{"id":"/kept","cmd":"exec sleep 173205","cpus":0.1,"mem":16,"instances":1}`)
	before := a.running(t, "/kept", 1)
	first.signal(syscall.SIGTERM)
	if code := first.code(t); code != 0 {
		t.Errorf("exit code %d, want 0", code)
	}
	_, a = serve(t, zk)
	a.leads(t)
	if after := a.running(t, "/kept", 1); !slices.Equal(after.taskIDs(), before.taskIDs()) {
		t.Errorf("tasks %v, before %v", after.taskIDs(), before.taskIDs())
	}
}

// TestStoreDump prints the state for a person, while the leader goes on.
func TestStoreDump(t *testing.T) {
	zk, dir := zktest.New(t), dataDir(t)
	start(t, "cluster", "--agents", "1", "--zk", zk.URL("/mesos"), "--data-dir", dir, "--listen", "127.0.0.1:0").printed(t, "ready")
	_, a := serve(t, zk)
	a.leads(t)
	a.must(t, "POST", "/v2/apps", `{"id":"/shown","cmd":"exec sleep 223606","cpus":0.1,"mem":16,"instances":1}`)
	a.running(t, "/shown", 1)
	dump := start(t, "store", "dump", "--zk", zk.URL("/marathon"))
	if code := dump.code(t); code != 0 {
		t.Fatalf("exit code %d: %s", code, &dump.stderr)
	}
	for _, want := range []string{"framework", "app/shown", "instance/"} {
		if !strings.Contains(dump.stdout.String(), want) {
			t.Errorf("no %s in %s", want, &dump.stdout)
		}
	}
	a.running(t, "/shown", 1)
}
