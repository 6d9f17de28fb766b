package e2e

import (
	"bytes"
	"compress/gzip"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
	"goftp.io/server/v2"
	"goftp.io/server/v2/driver/file"
)

// TestFetchedFromEverywhere has a task for each scheme print what was fetched for
// it. Pacer is set up by its environment, as its users do.
func TestFetchedFromEverywhere(t *testing.T) {
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "file"), []byte("from a file\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	secure := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "from https\n") }))
	defer secure.Close()
	authority := filepath.Join(folder, "ca.pem")
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: secure.Certificate().Raw})
	if err := os.WriteFile(authority, certificate, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("SSL_CERT_FILE", authority)
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL": bucketServer(t), "AWS_REGION": "eu-north-1", "AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "secret",
	} {
		t.Setenv(name, value)
	}
	_, a := dev(t, dataDir(t))
	for scheme, uri := range map[string]string{
		"file":    "file://" + folder + "/file",
		"https":   secure.URL + "/file",
		"ftp":     "ftp://me:sesame@" + ftpServer(t) + "/file",
		"s3":      "s3://bucket/file",
		"s3a":     "s3a://bucket/file",
		"webhdfs": "webhdfs://" + hadoop(t) + "/data/file",
	} {
		t.Run(scheme, func(t *testing.T) {
			a.must(t, "POST", "/v2/apps", `{"id":"/`+scheme+`","cmd":"cat file; exec sleep 1000","cpus":0.1,"mem":32,"fetch":[{"uri":"`+uri+`"}]}`)
			t.Cleanup(func() {
				if v, _ := a.app(t, scheme); t.Failed() {
					t.Logf("last failure: %+v", v.LastTaskFailure)
				}
			})
			task := a.running(t, "/"+scheme, 1).Tasks[0]
			until(t, "it has printed the file", func() bool {
				return strings.HasPrefix(a.must(t, "GET", "/pacer/v1/tasks/"+task.ID+"/stdout", ""), "from ")
			})
		})
	}
}

// bucketServer is an S3 with a file in a bucket.
func bucketServer(t *testing.T) string {
	t.Helper()
	backend := s3mem.New()
	if err := backend.CreateBucket("bucket"); err != nil {
		t.Fatal(err)
	}
	text := "from s3\n"
	if _, err := backend.PutObject("bucket", "file", map[string]string{"Last-Modified": time.Now().UTC().Format(http.TimeFormat)}, strings.NewReader(text), int64(len(text)), nil); err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(gofakes3.New(backend).Server())
	t.Cleanup(s.Close)
	return s.URL
}

// silence is a log of the FTP server's that says when it listens.
type silence struct{ listens chan struct{} }

func (s silence) Print(_ string, message any) {
	if strings.Contains(fmt.Sprint(message), "listening on") {
		close(s.listens)
	}
}

func (s silence) Printf(id, format string, args ...any) { s.Print(id, fmt.Sprintf(format, args...)) }
func (s silence) PrintCommand(string, string, string)   {}
func (s silence) PrintResponse(string, int, string)     {}

// ftpServer is an FTP server with a file; its address.
func ftpServer(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	if err := os.WriteFile(filepath.Join(root, "file"), []byte("from ftp\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	driver, err := file.NewDriver(root)
	if err != nil {
		t.Fatal(err)
	}
	port := freePort(t)
	log := silence{make(chan struct{})}
	s, err := server.NewServer(&server.Options{
		Driver: driver, Auth: &server.SimpleAuth{Name: "me", Password: "sesame"}, Perm: server.NewSimplePerm("me", "me"),
		Hostname: "127.0.0.1", Port: port, Logger: log,
	})
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- s.ListenAndServe() }()
	t.Cleanup(func() { _ = s.Shutdown(); <-ended })
	select {
	case <-log.listens:
	case err := <-ended:
		t.Fatal(err)
	}
	return fmt.Sprintf("127.0.0.1:%d", port)
}

// hadoop is a WebHDFS: the name node sends its clients on to a data node.
func hadoop(t *testing.T) string {
	t.Helper()
	data := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "from hdfs\n") }))
	t.Cleanup(data.Close)
	name := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path != "/webhdfs/v1/data/file":
			http.NotFound(w, r)
		case r.URL.Query().Get("op") == "GETFILESTATUS":
			_, _ = io.WriteString(w, `{"FileStatus":{"type":"FILE","length":10,"permission":"644","pathSuffix":""}}`)
		default:
			http.Redirect(w, r, data.URL+"/data/file", http.StatusTemporaryRedirect)
		}
	}))
	t.Cleanup(name.Close)
	return strings.TrimPrefix(name.URL, "http://")
}

// TestBombsAndFullDisks: an archive that becomes too large, and a disk that is full,
// end the task with that cause; nothing else is harmed.
func TestBombsAndFullDisks(t *testing.T) {
	var bomb bytes.Buffer
	packed := gzip.NewWriter(&bomb)
	zeros := make([]byte, 1<<20)
	for range 200 {
		_, _ = packed.Write(zeros)
	}
	_ = packed.Close()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/bomb.gz" {
			_, _ = w.Write(bomb.Bytes())
			return
		}
		_, _ = w.Write(zeros[:1<<20])
		for range 63 {
			_, _ = w.Write(zeros)
		}
	}))
	defer s.Close()
	for name, tt := range map[string]struct{ dir, uri, want string }{
		"bomb":  {dataDir(t), s.URL + "/bomb.gz", "archive bomb"},
		"large": {smallDisk(t, 32), s.URL + "/large", "no space left on device"},
	} {
		t.Run(name, func(t *testing.T) {
			_, a := dev(t, tt.dir)
			a.must(t, "POST", "/v2/apps", `{"id":"/`+name+`","cmd":"true","cpus":0.1,"mem":32,"backoffSeconds":3600,"maxLaunchDelaySeconds":3600,
				"fetch":[{"uri":"`+tt.uri+`"}]}`)
			until(t, "it has failed", func() bool { v, _ := a.app(t, name); return v.LastTaskFailure != nil })
			if v, _ := a.app(t, name); !strings.Contains(v.LastTaskFailure.Message, tt.want) {
				t.Errorf("last failure %+v, want %s", v.LastTaskFailure, tt.want)
			}
			a.must(t, "POST", "/v2/apps", `{"id":"/fine","cmd":"exec sleep 1000","cpus":0.1,"mem":32}`)
			a.running(t, "/fine", 1)
		})
	}
}

// smallDisk is a data folder on a disk of its own of so many MiB.
func smallDisk(t *testing.T, mib int) string {
	t.Helper()
	mount := t.TempDir()
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", fmt.Sprintf("size=%dm", mib), "pacer-e2e", mount).CombinedOutput(); err != nil {
		t.Fatalf("mount: %v: %s (the e2e tests need root)", err, out)
	}
	t.Cleanup(func() { _ = exec.Command("umount", "-l", mount).Run() })
	dir := filepath.Join(mount, "data")
	t.Cleanup(func() {
		until(t, "the processes of "+dir+" end", func() bool {
			for _, pid := range processesOf(dir) {
				_ = exec.Command("kill", "-9", fmt.Sprint(pid)).Run()
			}
			return len(processesOf(dir)) == 0
		})
	})
	return dir
}

// TestPortTaken: a task that cannot have its port fails with docker's word for it.
func TestPortTaken(t *testing.T) {
	makeImage(t)
	dir := dataDir(t)
	_, a := dev(t, dir, "--agents", "1")
	a.must(t, "POST", "/v2/apps", `{"id":"/first","cmd":"exec sleep 1000","cpus":0.1,"mem":32}`)
	port := a.running(t, "/first", 1).Tasks[0].Ports[0] + 1
	l, err := net.Listen("tcp", fmt.Sprintf("0.0.0.0:%d", port))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	a.must(t, "POST", "/v2/apps", fmt.Sprintf(`{"id":"/taken","cmd":"exec sleep 1000","cpus":0.1,"mem":32,"backoffSeconds":3600,"maxLaunchDelaySeconds":3600,
		"container":{"type":"DOCKER","docker":{"image":"`+testImage+`","network":"BRIDGE","portMappings":[{"containerPort":80,"hostPort":%d}]}}}`, port))
	until(t, "it has failed", func() bool { v, _ := a.app(t, "/taken"); return v.LastTaskFailure != nil })
	if v, _ := a.app(t, "/taken"); !strings.Contains(v.LastTaskFailure.Message, "address already in use") {
		t.Errorf("last failure %+v, want an address already in use", v.LastTaskFailure)
	}
}
