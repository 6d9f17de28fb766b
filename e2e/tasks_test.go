package e2e

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// testImage is made of this machine's busybox.
const testImage = "pacer-e2e-busybox:1"

// makeImage makes the image, once.
func makeImage(t *testing.T) {
	t.Helper()
	if shell(t, "docker images -q "+testImage) != "" {
		return
	}
	shell(t, `set -e; dir=$(mktemp -d); trap 'rm -rf $dir' EXIT; mkdir $dir/bin $dir/tmp; cp /bin/busybox $dir/bin
		for name in sh echo mkdir httpd sleep; do ln -s busybox $dir/bin/$name; done
		tar -C $dir -c . | docker import - `+testImage)
}

// TestContainer is a web server in a container on a bridge: it answers on the port
// that the API shows, survives a crash of Pacer, and is gone with its app.
func TestContainer(t *testing.T) {
	makeImage(t)
	dir := dataDir(t)
	p, a := dev(t, dir)
	t.Cleanup(func() {
		_ = exec.Command("/bin/sh", "-c", "docker ps -aq --filter label=run.pacer.work-dir="+filepath.Join(dir, "agents")+" | xargs -r docker rm -f").Run()
	})
	a.must(t, "POST", "/v2/apps", `{"id":"/web","cmd":"mkdir /w; echo $GREETING > /w/index.html; httpd -f -p 80 -h /w","env":{"GREETING":"hello"},
		"cpus":0.1,"mem":64,"taskKillGracePeriodSeconds":1,
		"container":{"type":"DOCKER","docker":{"image":"`+testImage+`","network":"BRIDGE",
			"portMappings":[{"containerPort":80,"hostPort":0,"name":"http"}]}},
		"healthChecks":[{"protocol":"MESOS_HTTP","portIndex":0,"path":"/","intervalSeconds":1,"delaySeconds":0}]}`)
	before := a.running(t, "/web", 1)
	page := fmt.Sprintf("http://127.0.0.1:%d/", before.Tasks[0].Ports[0])
	until(t, "the server says hello", func() bool { return read(page) == "hello\n" })
	until(t, "it is healthy", func() bool { return strings.Contains(a.must(t, "GET", "/v2/apps/web", ""), `"tasksHealthy":1`) })

	p.kill()
	_, a = dev(t, dir)
	after := a.running(t, "/web", 1)
	if after.Tasks[0].ID != before.Tasks[0].ID || read(page) != "hello\n" {
		t.Errorf("after a crash the task is %s (before %s), and the server says %q", after.Tasks[0].ID, before.Tasks[0].ID, read(page))
	}
	a.must(t, "DELETE", "/v2/apps/web", "")
	until(t, "the container is gone", func() bool {
		return shell(t, "docker ps -aq --filter label=run.pacer.task="+before.Tasks[0].ID) == ""
	})
}

// read fetches a page; "" when nobody answers.
func read(url string) string {
	answer, err := http.Get(url)
	if err != nil {
		return ""
	}
	defer answer.Body.Close()
	text, _ := io.ReadAll(answer.Body)
	return string(text)
}

// TestLaunchFaults is what users get wrong most: each is named in the app's last
// failure.
func TestLaunchFaults(t *testing.T) {
	makeImage(t)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/broken.tgz":
			_, _ = io.WriteString(w, "this is no archive")
		case "/evil.tgz":
			_, _ = w.Write(archive("../../evil", "x"))
		default:
			http.NotFound(w, r)
		}
	}))
	defer server.Close()
	_, a := dev(t, dataDir(t))
	const once = `,"cpus":0.1,"mem":32,"backoffSeconds":3600,"maxLaunchDelaySeconds":3600`
	for name, tt := range map[string]struct{ app, want string }{
		"not-there": {`"cmd":"true","fetch":[{"uri":"` + server.URL + `/none.tgz"}]`, "404"},
		"broken":    {`"cmd":"true","fetch":[{"uri":"` + server.URL + `/broken.tgz"}]`, "broken.tgz"},
		"outside":   {`"cmd":"true","fetch":[{"uri":"` + server.URL + `/evil.tgz"}]`, "../../evil"},
		"no-image":  {`"cmd":"true","container":{"type":"DOCKER","docker":{"image":"registry.invalid/none:1"}}`, "Failed to pull image 'registry.invalid/none:1'"},
		"ucr":       {`"cmd":"true","container":{"type":"MESOS","docker":{"image":"busybox"}}`, "Container images are not supported by this agent"},
		"exit":      {`"cmd":"exit 3"`, "Command exited with status 3"},
		"no-program": {
			`"args":["nosuchprogram"],"container":{"type":"DOCKER","docker":{"image":"` + testImage + `"}}`, "Container exited with status 127",
		},
		"memory": {
			`"cmd":"x=aaaaaaaaaaaaaaaa; while :; do x=$x$x; done","container":{"type":"DOCKER","docker":{"image":"` + testImage +
				`","parameters":[{"key":"memory-swap","value":"32m"}]}}`, "Container exited with status 137",
		},
	} {
		t.Run(name, func(t *testing.T) {
			a.must(t, "POST", "/v2/apps", `{"id":"/`+name+`",`+tt.app+once+`}`)
			until(t, "it has failed", func() bool { v, _ := a.app(t, name); return v.LastTaskFailure != nil })
			v, _ := a.app(t, name)
			if v.LastTaskFailure.State != "TASK_FAILED" || !strings.Contains(v.LastTaskFailure.Message, tt.want) {
				t.Errorf("last failure %+v, want %s", v.LastTaskFailure, tt.want)
			}
		})
	}
}

// archive is a tar.gz with one file.
func archive(name, text string) []byte {
	var b bytes.Buffer
	packed := gzip.NewWriter(&b)
	files := tar.NewWriter(packed)
	_ = files.WriteHeader(&tar.Header{Name: name, Mode: 0o755, Size: int64(len(text))})
	_, _ = io.WriteString(files, text)
	_ = files.Close()
	_ = packed.Close()
	return b.Bytes()
}

// TestFetched: what is fetched is unpacked, of the right mode, and once for all
// where the cache is asked for.
func TestFetched(t *testing.T) {
	asked := make(chan string, 100)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked <- r.Method + " " + r.URL.Path
		switch r.URL.Path {
		case "/a.tar.gz":
			_, _ = w.Write(archive("bin/run", "#!/bin/sh\necho unpacked; sleep 1000\n"))
		case "/tool":
			_, _ = io.WriteString(w, "#!/bin/sh\necho executable\n")
		}
	}))
	defer server.Close()
	_, a := dev(t, dataDir(t))
	a.must(t, "POST", "/v2/apps", `{"id":"/f","cmd":"./tool && exec bin/run","instances":3,"cpus":0.1,"mem":32,
		"fetch":[{"uri":"`+server.URL+`/a.tar.gz","cache":true},{"uri":"`+server.URL+`/tool","executable":true}]}`)
	app := a.running(t, "/f", 3)
	for _, task := range app.Tasks {
		until(t, "it has written", func() bool {
			return a.must(t, "GET", "/pacer/v1/tasks/"+task.ID+"/stdout", "") == "executable\nunpacked\n"
		})
	}
	count := map[string]int{}
	for len(asked) > 0 {
		count[<-asked]++
	}
	if count["GET /a.tar.gz"] != 1 || count["GET /tool"] != 3 {
		t.Errorf("asked for %v, want the archive once and the tool thrice", count)
	}
}

// TestAgentCutOff: the instance of an agent that is cut off is replaced; when the
// agent is back, there is one again and nobody runs beside it.
func TestAgentCutOff(t *testing.T) {
	dir := dataDir(t)
	p, a := dev(t, dir, "--control", "127.0.0.1:0", "--agent-ping-timeout", "500ms")
	control := p.printed(t, `(?m)^Faults are made at (http://[0-9.:]+/cluster)$`)[1]
	const command = "exec sleep 12345"
	a.must(t, "POST", "/v2/apps", `{"id":"/lost","cmd":"`+command+`","instances":1,"cpus":0.1,"mem":32}`)
	before := a.running(t, "/lost", 1).Tasks[0]
	order := func(what string) {
		answer, err := http.Post(control+"/agents/"+before.SlaveID+"/"+what, "", nil)
		if err != nil || answer.StatusCode != http.StatusOK {
			t.Fatalf("%s: %v %v", what, answer, err)
		}
		_ = answer.Body.Close()
	}
	order("lose")
	var after task
	until(t, "it runs on another agent", func() bool {
		v, _ := a.app(t, "/lost")
		if v.TasksRunning != 1 || len(v.Tasks) != 1 {
			return false
		}
		after = v.Tasks[0]
		return after.State == "TASK_RUNNING" && after.ID != before.ID && after.SlaveID != before.SlaveID
	})
	awaitProcesses(t, dir, "sleep 12345", 2) // nobody can reach the first
	order("return")
	awaitProcesses(t, dir, "sleep 12345", 1) // the one that came back is ended
	if v := a.running(t, "/lost", 1); v.Tasks[0].ID != after.ID {
		t.Errorf("task %s, want %s", v.Tasks[0].ID, after.ID)
	}
}

// TestOutputOfATalker: a task that writes very much does not fill the disk with one
// file.
func TestOutputOfATalker(t *testing.T) {
	dir := dataDir(t)
	_, a := dev(t, dir)
	a.must(t, "POST", "/v2/apps", `{"id":"/talker","cmd":"head -c 200000000 /dev/zero; sleep 1000","cpus":0.1,"mem":32}`)
	id := a.running(t, "/talker", 1).Tasks[0].ID
	until(t, "its output has moved on", func() bool {
		return strings.Contains(a.must(t, "GET", "/pacer/v1/tasks/"+id+"/files", ""), `"name":"stdout.1"`)
	})
	if matches, _ := filepath.Glob(filepath.Join(dir, "agents/agent-*/slaves/latest/frameworks/*/executors/*/runs/latest/stdout.1")); len(matches) != 1 {
		t.Errorf("stdout.1: %v", matches)
	} else if info, err := os.Stat(matches[0]); err != nil || info.Size() == 0 {
		t.Errorf("stdout.1: %v %v", info, err)
	}
}
