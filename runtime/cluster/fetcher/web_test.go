package fetcher

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// one fetches a single URI as the file x of a new sandbox and returns what is in it.
func one(t *testing.T, cfg Config, uri string) (string, error) {
	t.Helper()
	dir := sandbox(t)
	err := open(t, cfg).Fetch(t.Context(), dir, nil, []Item{{URI: uri, OutputFile: "x"}}, nil)
	got := tree(t, dir)
	if err != nil {
		same(t, map[string]string{}, got)
	}
	return got["x"], err
}

// fetched fails unless the URI has the text.
func fetched(t *testing.T, cfg Config, uri, text string) {
	t.Helper()
	got, err := one(t, cfg, uri)
	if err != nil || got != "644 "+text {
		t.Errorf("%s: %q %v, expected %q", Redacted(uri), got, err, text)
	}
}

// failed fails unless fetching the URI fails with all the texts.
func failed(t *testing.T, cfg Config, uri string, texts ...string) {
	t.Helper()
	_, err := one(t, cfg, uri)
	refused(t, err, append(texts, "fetch "+Redacted(uri))...)
}

// authority has a certificate that the pool trusts, for this machine.
func authority() (*tls.Config, *x509.CertPool) {
	s := httptest.NewTLSServer(http.NotFoundHandler())
	defer s.Close()
	pool := x509.NewCertPool()
	pool.AddCert(s.Certificate())
	return &tls.Config{Certificates: s.TLS.Certificates}, pool
}

func TestHTTP(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/headers":
			fmt.Fprint(w, r.Method, " ", r.Header)
		case "/204":
			w.WriteHeader(http.StatusNoContent)
		case "/206":
			w.WriteHeader(http.StatusPartialContent)
		case "/500":
			http.Error(w, "sorry", http.StatusInternalServerError)
		case "/gzip":
			w.Header().Set("Content-Encoding", "gzip") // though nobody asked for it
			fmt.Fprint(w, "as sent")
		case "/truncated":
			w.Header().Set("Content-Length", "100")
			fmt.Fprint(w, "short")
		case "/loop":
			http.Redirect(w, r, "/loop", http.StatusFound)
		case "/elsewhere":
			http.Redirect(w, r, "file:///etc/passwd", http.StatusFound)
		default:
			http.NotFound(w, r)
		}
	}))
	defer s.Close()
	fetched(t, Config{}, s.URL+"/headers", "GET map[Accept:[*/*] User-Agent:[Pacer]]")
	fetched(t, Config{}, s.URL+"/gzip", "as sent")
	fetched(t, Config{}, strings.ToUpper(s.URL[:4])+s.URL[4:]+"/gzip", "as sent")
	failed(t, Config{}, s.URL+"/missing", "404 Not Found")
	failed(t, Config{}, s.URL+"/204", "204 No Content")
	failed(t, Config{}, s.URL+"/206", "206")
	failed(t, Config{}, s.URL+"/500", "500")
	failed(t, Config{}, s.URL+"/truncated", "broke off after 5 bytes")
	failed(t, Config{}, s.URL+"/loop", "more than 20 redirects")
	failed(t, Config{}, s.URL+"/elsewhere", "unsupported protocol scheme")
	s.Close()
	failed(t, Config{}, s.URL+"/headers", "connection refused")
}

func TestHTTPS(t *testing.T) {
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "secure") }))
	defer s.Close()
	pool := x509.NewCertPool()
	pool.AddCert(s.Certificate())
	fetched(t, Config{RootCAs: pool}, s.URL+"/x", "secure")
	failed(t, Config{}, s.URL+"/x", "certificate")
}

// A password goes to the host that it is for, also when that one redirects to itself, and nowhere else.
func TestPasswordsStay(t *testing.T) {
	show := func(w http.ResponseWriter, r *http.Request) {
		user, password, _ := r.BasicAuth()
		fmt.Fprint(w, user, ":", password, r.Header["Referer"])
	}
	other := httptest.NewServer(http.HandlerFunc(show))
	defer other.Close()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/away":
			http.Redirect(w, r, other.URL+"/x", http.StatusFound)
		case "/here":
			http.Redirect(w, r, "/x", http.StatusFound)
		case "/x":
			show(w, r)
		default:
			http.NotFound(w, r)
		}
	}))
	defer s.Close()
	base := strings.Replace(s.URL, "://", "://me:sesame@", 1)
	fetched(t, Config{}, base+"/x", "me:sesame[]")
	fetched(t, Config{}, base+"/here", "me:sesame[]")
	fetched(t, Config{}, base+"/away", ":[]")
	_, err := one(t, Config{}, base+"/missing?token=sesame&a=b")
	refused(t, err, "me:xxxxx@", "token=xxxxx&a=b")
	s.Close()
	_, err = one(t, Config{}, base+"/x?X-Amz-Signature=sesame")
	if strings.Contains(err.Error(), "sesame") {
		t.Error(err)
	}
}

func TestRedacted(t *testing.T) {
	for uri, want := range map[string]string{
		"http://h/x":                       "http://h/x",
		"ftp://a:b@h/x@y":                  "ftp://a:xxxxx@h/x@y",
		"ftp://a:b@c@h":                    "ftp://a:xxxxx@h",
		"ftp://a@h/x":                      "ftp://a@h/x",
		"http://h/%zz?Signature=s&x=1&sig": "http://h/%zz?Signature=xxxxx&x=1&sig",
		"http://h/x?%74oken=s":             "http://h/x?%74oken=xxxxx",
		"/a/b":                             "/a/b",
	} {
		same(t, want, Redacted(uri))
	}
}

func TestLocalFiles(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a%20b")
	must(t, os.WriteFile(path, []byte("local"), 0o600))
	fetched(t, Config{}, path, "local")
	fetched(t, Config{}, "file://"+path, "local")
	fetched(t, Config{}, "file://localhost"+path, "local")
	failed(t, Config{}, "file://"+path+"c", "no such file")
	failed(t, Config{}, "file://"+dir, "is no file")
	failed(t, Config{}, "file:///dev/null", "is no file")
	must(t, syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o600))
	failed(t, Config{}, filepath.Join(dir, "pipe"), "is no file")
	failed(t, Config{DenyLocal: true}, path, "not allowed")
	must(t, os.Chmod(path, 0o755))
	if got, err := one(t, Config{}, path); err != nil || got != "755 local" {
		t.Errorf("%q %v, expected the mode that cp would leave", got, err)
	}
}

// Who fetches for another account reads what that one may read, and gives it all that it makes.
func TestOwner(t *testing.T) {
	owner := &Owner{User: "nobody", UID: 65534, GID: 65534}
	secret := filepath.Join(t.TempDir(), "secret")
	must(t, os.WriteFile(secret, []byte("x"), 0o600))
	for at := filepath.Dir(secret); at != "/" && at != "/tmp"; at = filepath.Dir(at) {
		must(t, os.Chmod(at, 0o755))
	}
	dir, f := sandbox(t), open(t, Config{})
	if os.Geteuid() != 0 { // the same words come from another place: nothing can be given away
		archive := serve(t, map[string][]byte{"/a.tar": tarOf(member{name: "d/f", mode: 0o644})})
		refused(t, f.Fetch(t.Context(), dir, owner, []Item{{URI: archive.URL + "/a.tar"}}, nil), "not permitted")
		return
	}
	refused(t, f.Fetch(t.Context(), dir, owner, []Item{{URI: secret}}, nil), "permission denied")
	must(t, os.Chmod(secret, 0o644))
	s := serve(t, map[string][]byte{"/a.tar": tarOf(member{name: "d/f", mode: 0o644}, member{name: "e/", mode: 0o755}, member{name: "l", kind: '2', link: "d"})})
	must(t, f.Fetch(t.Context(), dir, owner, []Item{{URI: secret, OutputFile: "o/s"}, {URI: s.URL + "/a.tar", Extract: true}}, nil))
	for name := range tree(t, dir) {
		info, err := os.Lstat(filepath.Join(dir, name))
		must(t, err)
		if stat := info.Sys().(*syscall.Stat_t); stat.Uid != owner.UID || stat.Gid != owner.GID {
			t.Errorf("%s belongs to %d:%d", name, stat.Uid, stat.Gid)
		}
	}
	if uid, _, _ := syscall.RawSyscall(syscall.SYS_GETEUID, 0, 0, 0); uid != 0 {
		t.Errorf("this thread has become %d", uid)
	}
}

// namenode answers as WebHDFS does: the data is on another server, and of unknown length.
func namenode(t *testing.T, names map[string]string) *httptest.Server {
	exception := func(w http.ResponseWriter, code int, kind, text string) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(code)
		_ = json.NewEncoder(w).Encode(map[string]any{"RemoteException": map[string]string{"exception": kind, "javaClassName": "java.io." + kind, "message": text}})
	}
	datanode := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = http.NewResponseController(w).Flush()
		text := names[strings.TrimPrefix(r.URL.Path, "/webhdfs/v1")]
		if r.URL.Path == "/webhdfs/v1/cut" {
			text = text[:1]
		}
		fmt.Fprint(w, text)
	}))
	t.Cleanup(datanode.Close)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := strings.TrimPrefix(r.URL.Path, "/webhdfs/v1")
		text, ok := names[name]
		user, kind := r.URL.Query().Get("user.name"), "FILE"
		if name == "/dir" {
			kind = "DIRECTORY"
		}
		switch op := r.URL.Query().Get("op"); {
		case user != "hugo":
			exception(w, http.StatusForbidden, "AccessControlException", "Permission denied: user="+user)
		case !ok:
			exception(w, http.StatusNotFound, "FileNotFoundException", "File does not exist: "+name)
		case op == "GETFILESTATUS":
			_ = json.NewEncoder(w).Encode(map[string]any{"FileStatus": map[string]any{"type": kind, "length": len(text), "pathSuffix": ""}})
		case op == "OPEN":
			w.Header().Set("Location", datanode.URL+(&url.URL{Path: r.URL.Path}).EscapedPath()+"?"+r.URL.RawQuery)
			w.WriteHeader(http.StatusTemporaryRedirect)
		default:
			exception(w, http.StatusBadRequest, "IllegalArgumentException", "op="+op)
		}
	}))
	t.Cleanup(s.Close)
	return s
}

func TestWebHDFS(t *testing.T) {
	nn := namenode(t, map[string]string{"/a/x": "from hdfs", "/a/b%20c?d": "odd name", "/dir": "", "/cut": "text"})
	cfg := Config{HDFS: HDFS{WebHDFS: nn.URL, User: "hugo"}}
	fetched(t, cfg, "hdfs://cluster/a/x", "from hdfs")
	fetched(t, cfg, "hdfs:///a/x", "from hdfs")
	fetched(t, cfg, "hdfs://cluster/a/b%20c?d", "odd name")
	fetched(t, cfg, "webhdfs"+strings.TrimPrefix(nn.URL, "http")+"/a/x", "from hdfs")
	fetched(t, Config{}, "webhdfs://hugo@"+strings.TrimPrefix(nn.URL, "http://")+"/a/x", "from hdfs")
	failed(t, cfg, "hdfs://cluster/a/missing", "404 FileNotFoundException: File does not exist: /a/missing")
	failed(t, cfg, "hdfs://cluster/dir", "is a folder")
	failed(t, cfg, "hdfs://cluster/cut", "1 bytes arrived, expected 4")
	failed(t, Config{HDFS: HDFS{WebHDFS: nn.URL, User: "eve"}}, "hdfs://cluster/a/x", "Permission denied: user=eve")
	failed(t, Config{HDFS: HDFS{WebHDFS: serve(t, nil).URL}}, "hdfs://cluster/a/x", "404 Not Found")
	failed(t, Config{HDFS: HDFS{WebHDFS: "nowhere"}}, "hdfs://cluster/a/x", `WebHDFS at "nowhere"`)
	// It has a known size, so it can be cached.
	f := open(t, cfg)
	must(t, f.Fetch(t.Context(), sandbox(t), nil, []Item{{URI: "hdfs://cluster/a/x", Cache: true}}, nil))
	nn.Close()
	must(t, f.Fetch(t.Context(), sandbox(t), nil, []Item{{URI: "hdfs://cluster/a/x", Cache: true}}, nil))
}

func TestCancelBeforeAnything(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err := open(t, Config{}).Fetch(ctx, sandbox(t), nil, []Item{{URI: "http://127.0.0.1:1/x"}}, nil)
	if !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
