package cluster_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/mesos/mesos-go/api/v1/lib"
)

// fileWorld is a cluster with one task that wrote files, and the forms of its run's path.
type fileWorld struct {
	t          *testing.T
	base       string
	virtual    string
	real       string
	latestReal string
}

func newFileWorld(t *testing.T, script string) fileWorld {
	cfg := real(t)
	c := start(t, cfg)
	f := subscribe(t, c.Addr(), framework())
	o := f.offer()
	f.launch(o, shell("files.1", script))
	f.states("files.1", mesos.TASK_FINISHED)
	virtual := "/frameworks/" + f.id + "/executors/files.1/runs/latest"
	folder := filepath.Join(cfg.WorkDir, "agent-1/slaves", o.AgentID.Value)
	run, err := filepath.EvalSymlinks(folder + virtual)
	if err != nil {
		t.Fatal(err)
	}
	return fileWorld{t: t, base: "http://" + c.Addr(), virtual: virtual, real: run, latestReal: folder + virtual}
}

// ask returns the status and the body of a GET.
func (w fileWorld) ask(endpoint string, query ...string) (int, string, http.Header) {
	w.t.Helper()
	values := url.Values{}
	for i := 0; i < len(query); i += 2 {
		values.Set(query[i], query[i+1])
	}
	res, err := http.Get(w.base + endpoint + "?" + values.Encode())
	if err != nil {
		w.t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return res.StatusCode, string(text), res.Header
}

// call is a call of the operator API; the answer's member of the given name.
func (w fileWorld) call(body, member string) (int, map[string]any) {
	w.t.Helper()
	res, err := http.Post(w.base+"/api/v1", "application/json", strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	defer res.Body.Close()
	var out map[string]any
	_ = json.NewDecoder(res.Body).Decode(&out)
	inner, _ := out[member].(map[string]any)
	return res.StatusCode, inner
}

const threeLines = `printf 'line 0\nline 1\nline 2\n'; mkdir d; echo x > d/f; ln -s /etc/passwd out; ln -s d/f in; mkfifo p`

func TestBrowse(t *testing.T) {
	w := newFileWorld(t, threeLines)
	for _, form := range []string{w.virtual, w.real, w.latestReal, w.virtual + "/"} {
		status, text, header := w.ask("/files/browse", "path", form)
		var entries []struct {
			Path, Mode, UID, GID string
			Size, Nlink          int
			MTime                float64
		}
		if err := json.Unmarshal([]byte(text), &entries); status != 200 || err != nil {
			t.Fatalf("%s: %d %s", form, status, text)
		}
		if header.Get("Content-Type") != "application/json" {
			t.Errorf("content type %q", header.Get("Content-Type"))
		}
		var got []string
		for _, e := range entries {
			got = append(got, fmt.Sprintf("%s %s %v", e.Mode, strings.TrimPrefix(e.Path, strings.TrimSuffix(form, "/")), e.UID != "" && e.MTime > 1e9))
		}
		want := []string{
			"drwxr-xr-x /d true", "lrwxrwxrwx /in true", "lrwxrwxrwx /out true", "prw-r--r-- /p true",
			"-rw-r--r-- /stderr true", "-rw-r--r-- /stdout true",
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", form, diff)
		}
	}
	if _, text, _ := w.ask("/files/browse", "path", w.virtual+"/stdout"); text != "[]" {
		t.Errorf("a file: %s", text)
	}
	if _, text, _ := w.ask("/slave(1)/files/browse", "path", w.virtual+"/d"); !strings.Contains(text, "/d/f") {
		t.Errorf("below the agent's own path: %s", text)
	}
	if _, text, header := w.ask("/files/browse", "path", w.virtual+"/d", "jsonp", "cb"); !strings.HasPrefix(text, "cb([") || header.Get("Content-Type") != "text/javascript" {
		t.Errorf("jsonp: %s", text)
	}
	if status, _, _ := w.ask("/files/browse", "path", w.virtual, "jsonp", "alert(1)//"); status != 400 {
		t.Errorf("jsonp with code: %d", status)
	}
}

// What leads nowhere, and what leads out of the run, with the words of an agent.
func TestFilesRefused(t *testing.T) {
	w := newFileWorld(t, threeLines)
	foreign := path.Dir(path.Dir(w.virtual)) + "/../nosuch.1/runs/latest"
	for _, c := range []struct {
		endpoint, path string
		status         int
		text           string
	}{
		{"browse", "", 400, "Expecting 'path=value' in query.\n"},
		{"browse", "/etc", 404, ""},
		{"browse", foreign, 404, ""},
		{"browse", strings.Replace(w.virtual, "files.1", "nosuch.1", 1), 404, ""},
		{"browse", w.real + "/../../../..", 400, "'" + w.real + "/../../../..' is inaccessible.\n"},
		{"browse", w.virtual + "/..", 400, "'" + w.virtual + "/..' is inaccessible.\n"},
		{"read", w.virtual + "/out", 400, "'" + w.virtual + "/out' is inaccessible.\n"},
		{"download", w.virtual + "/out", 400, "'" + w.virtual + "/out' is inaccessible.\n"},
		{"read", w.virtual, 400, "Cannot read a directory.\n"},
		{"read", w.virtual + "/p", 400, "'" + w.virtual + "/p' is inaccessible.\n"},
		{"read", w.virtual + "/stdoutx", 404, ""},
		{"read", w.virtual + "/stdout/x", 404, ""},
		{"read", "", 400, "Expecting 'path=value' in query.\n"},
		{"download", w.virtual + "/nosuch", 404, ""},
		{"download", w.virtual + "/d", 404, "404 Not Found."},
	} {
		var query []string
		if c.path != "" {
			query = []string{"path", c.path}
		}
		status, text, _ := w.ask("/files/"+c.endpoint, query...)
		if status != c.status || text != c.text {
			t.Errorf("%s %s: %d %q, expected %d %q", c.endpoint, c.path, status, text, c.status, c.text)
		}
	}
}

func TestRead(t *testing.T) {
	w := newFileWorld(t, threeLines)
	for _, c := range []struct {
		query  []string
		status int
		text   string
	}{
		{nil, 200, `{"data":"","offset":21}`},
		{[]string{"offset", "-1"}, 200, `{"data":"","offset":21}`},
		{[]string{"offset", "-1", "length", "10"}, 200, `{"data":"","offset":21}`},
		{[]string{"offset", "0", "length", "6"}, 200, `{"data":"line 0","offset":0}`},
		{[]string{"offset", "7", "length", "-1"}, 200, `{"data":"line 1\nline 2\n","offset":7}`},
		{[]string{"offset", "14", "length", "500"}, 200, `{"data":"line 2\n","offset":14}`},
		{[]string{"offset", "0", "length", "0"}, 200, `{"data":"","offset":0}`},
		{[]string{"offset", "999"}, 200, `{"data":"","offset":999}`},
		{[]string{"offset", "-2"}, 400, "Negative offset provided: -2.\n"},
		{[]string{"offset", "0", "length", "-2"}, 400, "Negative length provided: -2.\n"},
		{[]string{"offset", "abc"}, 400, "Failed to parse offset: Failed to convert 'abc' to number.\n"},
	} {
		status, text, _ := w.ask("/files/read", append([]string{"path", w.virtual + "/stdout"}, c.query...)...)
		if status != c.status || text != c.text {
			t.Errorf("%v: %d %q, expected %d %q", c.query, status, text, c.status, c.text)
		}
	}
	if _, text, _ := w.ask("/files/read", "path", w.virtual+"/in", "offset", "0"); text != `{"data":"x\n","offset":0}` {
		t.Errorf("a link inside of the sandbox: %s", text)
	}
}

func TestDownload(t *testing.T) {
	w := newFileWorld(t, `printf 'all \377 bytes'; echo '{}' > a.json; head -c 200000 /dev/zero > big`)
	status, text, header := w.ask("/files/download", "path", w.virtual+"/stdout")
	if status != 200 || text != "all \xff bytes" || header.Get("Content-Disposition") != "attachment; filename=stdout" ||
		header.Get("Content-Type") != "application/octet-stream" {
		t.Errorf("%d %q %v", status, text, header)
	}
	if _, _, header := w.ask("/files/download", "path", w.virtual+"/a.json"); header.Get("Content-Type") != "application/json" {
		t.Errorf("type by extension: %v", header)
	}
	if _, text, _ := w.ask("/files/download", "path", w.virtual+"/big"); len(text) != 200000 {
		t.Errorf("big: %d bytes", len(text))
	}
	_, text, _ = w.ask("/files/read", "path", w.virtual+"/big", "offset", "0")
	var read struct{ Data string }
	if err := json.Unmarshal([]byte(text), &read); err != nil || len(read.Data) != 65536 {
		t.Errorf("one read has %d bytes, expected sixteen pages (%v)", len(read.Data), err)
	}
}

func TestOperatorFiles(t *testing.T) {
	w := newFileWorld(t, `printf 'all \377 bytes'`)
	status, got := w.call(fmt.Sprintf(`{"type":"READ_FILE","read_file":{"path":%q,"offset":4,"length":3}}`, w.virtual+"/stdout"), "read_file")
	data, _ := base64.StdEncoding.DecodeString(got["data"].(string))
	if status != 200 || got["size"] != 11.0 || string(data) != "\xff b" {
		t.Errorf("read: %d %v %q", status, got, data)
	}
	if status, got := w.call(fmt.Sprintf(`{"type":"READ_FILE","read_file":{"path":%q,"offset":40}}`, w.virtual+"/stdout"), "read_file"); status != 200 || got["data"] != "" {
		t.Errorf("beyond the end: %d %v", status, got)
	}
	status, got = w.call(fmt.Sprintf(`{"type":"LIST_FILES","list_files":{"path":%q}}`, w.virtual), "list_files")
	infos := got["file_infos"].([]any)
	first := infos[0].(map[string]any)
	if status != 200 || len(infos) != 2 || first["path"] != w.virtual+"/stderr" || first["mode"] != float64(0o100644) ||
		first["mtime"].(map[string]any)["nanoseconds"].(float64) < 1e18 {
		t.Errorf("list: %d %v", status, got)
	}
	for body, want := range map[string]int{
		fmt.Sprintf(`{"type":"READ_FILE","read_file":{"path":%q}}`, w.virtual): 400,
		`{"type":"READ_FILE"}`:                               400,
		`{"type":"LIST_FILES","list_files":{"path":"/etc"}}`: 404,
		`{"type":"GET_STATE"}`:                               501,
		`{`:                                                  400,
	} {
		if status, _ := w.call(body, ""); status != want {
			t.Errorf("%s: %d, expected %d", body, status, want)
		}
	}
}
