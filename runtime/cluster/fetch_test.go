package cluster_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mesos/mesos-go/api/v1/lib"

	"github.com/pacer-run/pacer/runtime/cluster"
)

// uris are a command's, each to be unpacked, which is what a URI without a word on it is.
func uris(values ...string) func(*mesos.TaskInfo) {
	return func(i *mesos.TaskInfo) {
		for _, v := range values {
			i.Command.URIs = append(i.Command.URIs, mesos.CommandInfo_URI{Value: v})
		}
	}
}

// artifacts serves an archive with a script in it, a script, and one file whose transfer never ends.
func artifacts(t *testing.T) (url string, begun chan struct{}) {
	t.Helper()
	var archive bytes.Buffer
	packed := gzip.NewWriter(&archive)
	files := tar.NewWriter(packed)
	must(t, files.WriteHeader(&tar.Header{Name: "app/run.sh", Mode: 0o755, Size: 32}))
	fmt.Fprintf(files, "%-32s", "#!/bin/sh\necho from the archive\n")
	must(t, files.Close())
	must(t, packed.Close())
	begun = make(chan struct{}, 10)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/app.tgz":
			_, _ = w.Write(archive.Bytes())
		case "/start.sh":
			fmt.Fprint(w, "#!/bin/sh\necho from the script\n")
		case "/endless":
			fmt.Fprint(w, "begin")
			_ = http.NewResponseController(w).Flush()
			begun <- struct{}{}
			<-r.Context().Done()
		default:
			http.NotFound(w, r)
		}
	}))
	t.Cleanup(s.Close)
	return s.URL, begun
}

// sandboxOf is the folder of a task of the first agent.
func sandboxOf(cfg cluster.Config, f *client, task string) string {
	return filepath.Join(cfg.WorkDir, "agent-1/slaves/latest/frameworks", f.id, "executors", task, "runs/latest")
}

// What the command's URIs name is in the sandbox when it starts.
func TestFetch(t *testing.T) {
	url, _ := artifacts(t)
	cfg := real(t)
	c := start(t, cfg)
	f := subscribe(t, c.Addr(), framework())
	yes := true
	f.launch(f.offer(), shell("t", "./app/run.sh; ./start.sh", uris(url+"/app.tgz"), func(i *mesos.TaskInfo) {
		i.Command.URIs = append(i.Command.URIs, mesos.CommandInfo_URI{Value: url + "/start.sh", Executable: &yes, Cache: &yes})
	}))
	f.states("t", mesos.TASK_FINISHED)
	out, err := os.ReadFile(filepath.Join(sandboxOf(cfg, f, "t"), "stdout"))
	must(t, err)
	if string(out) != "from the archive\nfrom the script\n" {
		t.Errorf("stdout %q", out)
	}
	log, err := os.ReadFile(filepath.Join(sandboxOf(cfg, f, "t"), "stderr"))
	must(t, err)
	for _, want := range []string{"Fetching '" + url + "/app.tgz'\n", "Fetched '" + url + "/start.sh', 31 bytes\n"} {
		if !strings.Contains(string(log), want) {
			t.Errorf("stderr %q, expected %q in it", log, want)
		}
	}
}

// What a task's label says of its URIs is checked, and what it breaks is in the status.
func TestFetchChecks(t *testing.T) {
	url, _ := artifacts(t)
	c := start(t, real(t))
	f := subscribe(t, c.Addr(), framework())
	labelled := func(text string) func(*mesos.TaskInfo) {
		return func(i *mesos.TaskInfo) {
			i.Labels = &mesos.Labels{Labels: []mesos.Label{{Key: "PACER_FETCH", Value: &text}}}
		}
	}
	const script = "#!/bin/sh\necho from the script\n"
	right := fmt.Sprintf("%x", sha256.Sum256([]byte(script)))
	wrong := fmt.Sprintf("%x", sha256.Sum256(nil))
	f.launch(f.offer(),
		shell("right", "true", uris(url+"/app.tgz", url+"/start.sh"), labelled(`[{"entries":1},{"sha256":"`+right+`","bytes":31}]`)),
		shell("wrong", "true", uris(url+"/start.sh"), labelled(`[{"sha256":"`+wrong+`"}]`)),
		shell("bomb", "true", uris(url+"/app.tgz"), labelled(`[{"bytes":31}]`)),
		shell("deep", "true", uris(url+"/app.tgz"), labelled(`[{"depth":1}]`)),
		shell("short", "true", uris(url+"/app.tgz"), labelled(`[]`)),
		shell("strange", "true", uris(url+"/app.tgz"), labelled(`[{"md5":"x"}]`)),
		shell("digest", "true", uris(url+"/app.tgz"), labelled(`[{"sha256":"x"}]`)))
	f.states("right", mesos.TASK_FINISHED)
	for task, want := range map[string]string{
		"wrong":   "/start.sh: its SHA-256 is " + right + ", expected " + wrong,
		"bomb":    "/app.tgz: the file has more than 31 bytes",
		"deep":    "/app.tgz: archive bomb: an entry is 2 folders deep, expected 1 at the most",
		"short":   "Could not fetch: the label PACER_FETCH: it is about 0 URIs, and the command has 1",
		"strange": `Could not fetch: the label PACER_FETCH: json: unknown field "md5"`,
		"digest":  `/app.tgz: its SHA-256 is "x", expected 64 digits of lower-case hexadecimal`,
	} {
		s := f.status(task)
		if s.GetState() != mesos.TASK_FAILED || s.GetReason() != mesos.REASON_CONTAINER_LAUNCH_FAILED || !strings.HasSuffix(s.GetMessage(), want) {
			t.Errorf("%s: %v, want %q", task, s, want)
		}
	}
}

// A failed fetch is the only update of its task. It begins with a real agent's words and ends with the cause.
func TestFetchFails(t *testing.T) {
	url, _ := artifacts(t)
	cfg := real(t)
	c := start(t, cfg)
	f := subscribe(t, c.Addr(), framework())
	withPassword := strings.Replace(url, "://", "://me:sesame@", 1)
	f.launch(f.offer(), shell("missing", "true", uris(url+"/app.tgz", withPassword+"/missing")), shell("bad", "true", uris(url)))
	for task, want := range map[string][2]string{
		"missing": {
			"Failed to launch container: Failed to fetch all URIs for container '",
			"': fetch " + strings.Replace(url, "://", "://me:xxxxx@", 1) + "/missing: the server answered 404 Not Found, expected 200",
		},
		"bad": {"Failed to launch container: Could not fetch: ", url + ": the URI has no path"},
	} {
		s := f.status(task)
		if s.GetState() != mesos.TASK_FAILED || s.GetSource() != mesos.SOURCE_AGENT || s.GetReason() != mesos.REASON_CONTAINER_LAUNCH_FAILED ||
			!strings.HasPrefix(s.GetMessage(), want[0]) || !strings.HasSuffix(s.GetMessage(), want[1]) {
			t.Errorf("%s: %v", task, s)
		}
	}
	log, err := os.ReadFile(filepath.Join(sandboxOf(cfg, f, "missing"), "stderr"))
	must(t, err)
	if !strings.Contains(string(log), "404 Not Found") || strings.Contains(string(log), "sesame") {
		t.Errorf("stderr %q", log)
	}
}

// A kill ends the fetching, and the task was never started.
func TestKillWhileFetching(t *testing.T) {
	url, begun := artifacts(t)
	c := start(t, real(t))
	f := subscribe(t, c.Addr(), framework())
	f.launch(f.offer(), shell("t", "true", uris(url+"/endless")))
	<-begun
	f.kill("t")
	if s := f.status("t"); s.GetState() != mesos.TASK_KILLED || s.GetReason() != mesos.REASON_TASK_KILLED_DURING_LAUNCH {
		t.Errorf("got %v", s)
	}
}

// A cluster that closes does not wait for transfers; the next one knows the task, and that it was not started.
func TestCloseWhileFetching(t *testing.T) {
	url, begun := artifacts(t)
	cfg := real(t)
	c := start(t, cfg)
	f := subscribe(t, c.Addr(), framework())
	f.launch(f.offer(), shell("t", "true", uris(url+"/endless")))
	<-begun
	c.Close()
	again := subscribe(t, start(t, cfg).Addr(), framework(withID(f.id)))
	if s := again.status("t"); s.GetState() != mesos.TASK_DROPPED || s.GetReason() != mesos.REASON_AGENT_RESTARTED {
		t.Errorf("got %v", s)
	}
}

// Tasks that fetch hold up no others, however many they are.
func TestFetchingHoldsUpNobody(t *testing.T) {
	url, begun := artifacts(t)
	c := start(t, real(t))
	f := subscribe(t, c.Addr(), framework())
	tasks := []mesos.TaskInfo{}
	for n := range 10 {
		tasks = append(tasks, shell(fmt.Sprint("slow", n), "true", uris(url+"/endless"), small))
	}
	f.launch(f.offer(), tasks...)
	for range tasks {
		<-begun
	}
	f.launch(f.offer(), shell("quick", "true", small))
	f.states("quick", mesos.TASK_FINISHED)
}

// small asks for so little that an agent has room for many.
func small(i *mesos.TaskInfo) {
	i.Resources = []mesos.Resource{scalar("cpus", 0.01), scalar("mem", 32)}
}
