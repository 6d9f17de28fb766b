package e2e

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestFetchPolicies: an app gets from a mirror what it asks for elsewhere; what the
// operator forbids is refused when it is submitted, and what he forbids later is not
// launched any more, with the reason where users look.
func TestFetchPolicies(t *testing.T) {
	asked := make(chan string, 100)
	mirror := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked <- r.URL.Path
		if r.URL.Path == "/files/tool" {
			_, _ = io.WriteString(w, "#!/bin/sh\necho from the mirror; exec sleep 100000\n")
		} else {
			http.NotFound(w, r)
		}
	}))
	defer mirror.Close()
	dir := dataDir(t)
	p, a := dev(t, dir, "--fetch-policies", "mirror:http://old.invalid/="+mirror.URL+"/files/,schemes:ftp")

	const app = `{"id":"/f","cmd":"exec ./tool","instances":1,"cpus":0.1,"mem":32,"fetch":[{"uri":"http://old.invalid/tool","executable":true}]}`
	a.must(t, "POST", "/v2/apps", app)
	task := a.running(t, "/f", 1).Tasks[0]
	until(t, "it has written", func() bool {
		return a.must(t, "GET", "/pacer/v1/tasks/"+task.ID+"/stdout", "") == "from the mirror\n"
	})
	if path := <-asked; path != "/files/tool" {
		t.Errorf("asked for %s", path)
	}
	status, text := a.try(t, "POST", "/v2/apps", strings.NewReplacer("/f", "/g", "http:", "ftp:").Replace(app))
	if status != http.StatusUnprocessableEntity || !strings.Contains(text, `"/fetch(0)/uri"`) ||
		!strings.Contains(text, "denied by the fetch policy schemes: the scheme ftp is forbidden") {
		t.Errorf("%d %s", status, text)
	}

	// The next server has other policies: what runs goes on, and nothing is added.
	p.kill()
	_, a = dev(t, dir, "--fetch-policies", "sources:"+mirror.URL+"/")
	a.running(t, "/f", 1)
	a.must(t, "PUT", "/v2/apps/f", `{"instances":2}`)
	const reason = "http://old.invalid/tool: denied by the fetch policy sources: "
	until(t, "why names the policy", func() bool {
		text := a.must(t, "GET", "/pacer/v1/apps/f/why", "")
		return strings.Contains(text, `"state":"denied"`) && strings.Contains(text, reason)
	})
	until(t, "the queue counts it as a constraint", func() bool {
		text := a.must(t, "GET", "/v2/queue", "")
		return strings.Contains(text, `"denied":"`+reason) && strings.Contains(text, `{"reason":"UnfulfilledConstraint","declined":3,"processed":3}`)
	})
	if now, _ := a.app(t, "/f"); len(now.Tasks) != 1 || now.Tasks[0].ID != task.ID || now.TasksRunning != 1 {
		t.Errorf("%+v, want the task %s and no other", now, task.ID)
	}
	a.must(t, "PATCH", "/v2/apps/f?force=true", `{"fetch":[{"uri":"`+mirror.URL+`/files/tool","executable":true}]}`)
	a.running(t, "/f", 2)
}

// TestFetchChecks: what has the digest that the operator or the app has set runs, and
// what has another, or becomes more than it may, fails with the cause.
func TestFetchChecks(t *testing.T) {
	const tool = "#!/bin/sh\necho checked; exec sleep 100000\n"
	var bomb bytes.Buffer
	packed := gzip.NewWriter(&bomb)
	_, _ = packed.Write(make([]byte, 1<<20))
	_ = packed.Close()
	files := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/tool", "/changed":
			_, _ = io.WriteString(w, tool)
		case "/bomb.gz":
			_, _ = w.Write(bomb.Bytes())
		}
	}))
	defer files.Close()
	right, wrong := fmt.Sprintf("%x", sha256.Sum256([]byte(tool))), strings.Repeat("0", 64)
	_, a := dev(t, dataDir(t), "--fetch-policies", "pin:"+files.URL+"/tool="+right+";label,limits:bytes=64KiB")

	app := func(id, file, labels string) string {
		return `{"id":"` + id + `","cmd":"exec ./tool","instances":1,"cpus":0.1,"mem":32,"labels":{` + labels + `},
			"fetch":[{"uri":"` + files.URL + file + `","executable":` + fmt.Sprint(file == "/tool") + `,"cache":true}]}`
	}
	a.must(t, "POST", "/v2/apps", app("/right", "/tool", ""))
	a.must(t, "POST", "/v2/apps", app("/wrong", "/changed", `"PACER_FETCH_SHA256":"`+files.URL+`/changed=`+wrong+`"`))
	a.must(t, "POST", "/v2/apps", app("/bomb", "/bomb.gz", ""))
	task := a.running(t, "/right", 1).Tasks[0]
	until(t, "it has written", func() bool { return a.must(t, "GET", "/pacer/v1/tasks/"+task.ID+"/stdout", "") == "checked\n" })
	for id, cause := range map[string]string{
		"/wrong": "/changed: its SHA-256 is " + right + ", expected " + wrong,
		"/bomb":  "/bomb.gz: archive bomb: more than 65536 bytes",
	} {
		until(t, id+" fails with its cause", func() bool {
			return strings.Contains(a.must(t, "GET", "/v2/apps"+id+"?embed=app.lastTaskFailure", ""), cause)
		})
	}
	status, text := a.try(t, "POST", "/v2/apps", app("/none", "/changed", `"PACER_FETCH_SHA256":"x"`))
	if status != http.StatusUnprocessableEntity || !strings.Contains(text, "PACER_FETCH_SHA256 must have pairs") {
		t.Errorf("%d %s", status, text)
	}
}

// TestWrongFetchPolicies: the start ends with what is wrong.
func TestWrongFetchPolicies(t *testing.T) {
	p := start(t, "dev", "--data-dir", dataDir(t), "--http-port", "0", "--fetch-policies", "mirror")
	if code := p.code(t); code != 112 || !strings.Contains(p.stderr.String(), `--fetch_policies: "mirror": the fetch policy mirror needs settings`) {
		t.Errorf("exit code %d, %q", code, &p.stderr)
	}
}
