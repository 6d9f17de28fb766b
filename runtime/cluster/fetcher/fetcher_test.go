package fetcher

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// open makes a fetcher that ends with the test, and fails if it leaves transfers behind.
func open(t testing.TB, cfg Config) *Fetcher {
	t.Helper()
	if cfg.CacheDir == "" {
		cfg.CacheDir = t.TempDir()
	}
	f, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.Close)
	return f
}

// sandbox is a folder in one of its own, so that what leaves it shows.
func sandbox(t testing.TB) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "outside", "sandbox")
	must(t, os.MkdirAll(dir, 0o755))
	return dir
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// tree lists what is in a folder: mode and contents of files, targets of links.
func tree(t testing.TB, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	must(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || path == dir {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		name, _ := filepath.Rel(dir, path)
		switch info.Mode().Type() {
		case fs.ModeDir:
			name += "/"
			out[name] = fmt.Sprintf("%o", info.Mode().Perm())
		case fs.ModeSymlink:
			target, err := os.Readlink(path)
			out[name] = "-> " + target
			return err
		case 0:
			text, err := os.ReadFile(path)
			if len(text) > 100 {
				text = fmt.Appendf(nil, "%d bytes", len(text))
			}
			out[name] = fmt.Sprintf("%o %s", info.Mode().Perm(), text)
			return err
		default:
			out[name] = info.Mode().String()
		}
		return nil
	}))
	return out
}

func same(t *testing.T, want, got any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

// refused checks that an error has all the texts.
func refused(t *testing.T, err error, texts ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, expected one with %q", texts)
	}
	for _, text := range texts {
		if !strings.Contains(err.Error(), text) {
			t.Errorf("error %q, expected %q in it", err, text)
		}
	}
}

// files serves files by their path and counts how often each is asked for.
type files struct {
	*httptest.Server
	bodies map[string][]byte
	asked  map[string]*atomic.Int64
}

func serve(t testing.TB, bodies map[string][]byte) *files {
	f := &files{bodies: bodies, asked: map[string]*atomic.Int64{}}
	for path := range bodies {
		f.asked[path] = new(atomic.Int64)
	}
	f.Server = httptest.NewServer(f)
	t.Cleanup(f.Close)
	return f
}

func (f *files) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, ok := f.bodies[r.URL.Path]
	if !ok {
		http.NotFound(w, r)
		return
	}
	f.asked[r.URL.Path].Add(1)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(body))
}

// The list and the outcome are those of a recorded agent of Mesos 1.11, but for the log in stderr.
func TestAsMesosDoes(t *testing.T) {
	app := tarOf(
		member{name: "app/hello.txt", body: "hello from archive\n", mode: 0o644},
		member{name: "app/run.sh", body: "echo run from archive\n", mode: 0o755})
	s := serve(t, map[string][]byte{
		"/app.tgz": gz(app), "/start.sh": []byte("start"), "/plain.txt": []byte("plain\n"), "/app.tar.xz": []byte("not opened"),
		"/z.zip": zipOf(member{name: "zipped.txt", body: "from zip\n", mode: 0o600}), "/single.txt.gz": gz([]byte("single\n")),
	})
	redirect := httptest.NewServer(http.RedirectHandler(s.URL+"/plain.txt", http.StatusFound))
	defer redirect.Close()
	dir := sandbox(t)
	err := open(t, Config{}).Fetch(t.Context(), dir, nil, []Item{
		{URI: s.URL + "/app.tgz", Extract: true},
		{URI: s.URL + "/start.sh", Extract: true, Executable: true},
		{URI: s.URL + "/plain.txt", Extract: true, OutputFile: "sub/dir/renamed.txt"},
		{URI: s.URL + "/z.zip", Extract: true},
		{URI: s.URL + "/app.tar.xz"},
		{URI: s.URL + "/single.txt.gz", Extract: true},
		{URI: redirect.URL + "/redir/plain.txt", Extract: true},
		{URI: s.URL + "/plain.txt?x=1&y=2", Extract: true},
	}, nil)
	must(t, err)
	got := tree(t, dir)
	for _, name := range []string{"app.tgz", "z.zip", "single.txt.gz"} {
		if !strings.HasPrefix(got[name], "644 ") {
			t.Errorf("%s: %q, expected the archive", name, got[name])
		}
		delete(got, name)
	}
	same(t, map[string]string{
		"app/": "755", "app/hello.txt": "644 hello from archive\n", "app/run.sh": "755 echo run from archive\n",
		"start.sh": "755 start", "sub/": "755", "sub/dir/": "755", "sub/dir/renamed.txt": "644 plain\n", "zipped.txt": "600 from zip\n",
		"app.tar.xz": "644 not opened", "single.txt": "644 single\n", "plain.txt": "644 plain\n", "plain.txt?x=1&y=2": "644 plain\n",
	}, got)
}

// An archive lands in the sandbox itself, wherever output_file puts it; a query hides its ending; upper case is no ending.
func TestWhatIsUnpacked(t *testing.T) {
	archive := tarOf(member{name: "inner", body: "x", mode: 0o644})
	s := serve(t, map[string][]byte{"/a.tar": archive, "/A.TAR": archive, "/data": archive, "/x.gz": gz([]byte("text"))})
	inner := map[string]string{"inner": "644 x"}
	cases := map[string]struct {
		item Item
		want []string // names beside inner
		bare bool     // without inner
	}{
		"output file in a folder": {item: Item{URI: "/a.tar", Extract: true, OutputFile: "d/b.tar"}, want: []string{"d/", "d/b.tar"}},
		"by the output file":      {item: Item{URI: "/data", Extract: true, OutputFile: "b.tar"}, want: []string{"b.tar"}},
		"query":                   {item: Item{URI: "/a.tar?v=1", Extract: true}, want: []string{"a.tar?v=1"}, bare: true},
		"upper case":              {item: Item{URI: "/A.TAR", Extract: true}, want: []string{"A.TAR"}, bare: true},
		"executable":              {item: Item{URI: "/a.tar", Extract: true, Executable: true}, want: []string{"a.tar"}, bare: true},
		"not asked for":           {item: Item{URI: "/a.tar"}, want: []string{"a.tar"}, bare: true},
		"cached":                  {item: Item{URI: "/a.tar", Extract: true, Cache: true}},
		"gz beside output file":   {item: Item{URI: "/x.gz", Extract: true, OutputFile: "d/y.gz"}, want: []string{"d/", "d/y", "d/y.gz"}, bare: true},
		"gz cached":               {item: Item{URI: "/x.gz", Extract: true, Cache: true}, want: []string{"x"}, bare: true},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			dir := sandbox(t)
			c.item.URI = s.URL + c.item.URI
			must(t, open(t, Config{}).Fetch(t.Context(), dir, nil, []Item{c.item}, nil))
			want := map[string]bool{}
			for _, name := range c.want {
				want[name] = true
			}
			if !c.bare {
				want["inner"] = true
				same(t, inner["inner"], tree(t, dir)["inner"])
			}
			got := map[string]bool{}
			for name := range tree(t, dir) {
				got[name] = true
			}
			same(t, want, got)
		})
	}
}

func TestBadItems(t *testing.T) {
	dir := sandbox(t)
	f := open(t, Config{})
	cases := []struct {
		item Item
		text string
	}{
		{Item{URI: "http://host"}, "no path"},
		{Item{URI: "http://host/"}, "no path"},
		{Item{URI: "http://host/dir/"}, "expected the name of a file"},
		{Item{URI: "http://host/.."}, "expected the name of a file"},
		{Item{URI: ""}, "expected the name of a file"},
		{Item{URI: `http://host/a\b`}, "illegal character"},
		{Item{URI: "http://host/it's"}, "illegal character"},
		{Item{URI: "ftp://host/a\r\nDELE b"}, "illegal character"},
		{Item{URI: "http://host/a", OutputFile: "/etc/x"}, "absolute"},
		{Item{URI: "http://host/a", OutputFile: "../x"}, "leaves the sandbox"},
		{Item{URI: "http://host/a", OutputFile: "a/../../x"}, "leaves the sandbox"},
		{Item{URI: "http://host/a", OutputFile: "."}, "not the name of a file"},
		{Item{URI: "http://host/a", OutputFile: "a\x00b"}, "not the name of a file"},
		{Item{URI: "http://user:sesame@/x"}, "no host"},
		{Item{URI: "foo://x/y"}, `scheme "foo" is unknown`},
		{Item{URI: "plain.txt"}, "relative path"},
		{Item{URI: "file://plain.txt/x"}, "relative path"},
		{Item{URI: "s3://key:sesame@bucket/x"}, "settings of the cluster"},
	}
	for _, c := range cases {
		err := f.Fetch(t.Context(), dir, nil, []Item{c.item}, nil)
		refused(t, err, c.text, "fetch ")
		var e *Error
		if !errors.As(err, &e) || strings.Contains(err.Error(), "sesame") {
			t.Errorf("%q: %#v, expected *Error without the password", c.item.URI, err)
		}
	}
	same(t, map[string]string{}, tree(t, dir))
}

// A failure ends the other transfers, names its URI, and leaves no part of a file.
func TestFailureEndsTheOthers(t *testing.T) {
	begun := make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/missing" {
			<-begun
			http.NotFound(w, r)
			return
		}
		_, _ = w.Write(bytes.Repeat([]byte("x"), 4<<20))
		_ = http.NewResponseController(w).Flush()
		close(begun)
		<-r.Context().Done() // the client hangs up
	}))
	defer s.Close()
	dir := sandbox(t)
	err := open(t, Config{}).Fetch(t.Context(), dir, nil, []Item{{URI: s.URL + "/endless"}, {URI: s.URL + "/missing"}}, nil)
	refused(t, err, s.URL+"/missing", "404 Not Found")
	same(t, map[string]string{}, tree(t, dir))
}

func TestCancel(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write([]byte("begin"))
		_ = http.NewResponseController(w).Flush()
		cancel(errors.New("the task was killed"))
		<-r.Context().Done()
	}))
	defer s.Close()
	dir := sandbox(t)
	err := open(t, Config{}).Fetch(ctx, dir, nil, []Item{{URI: s.URL + "/x"}}, nil)
	refused(t, err, "the task was killed")
	same(t, map[string]string{}, tree(t, dir))
}

// A transfer in which nothing arrives for too long fails, one that is slow does not.
func TestStall(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/silent" {
			<-r.Context().Done()
			return
		}
		_, _ = w.Write([]byte("begin"))
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	}))
	defer s.Close()
	for _, path := range []string{"/silent", "/begins"} {
		err := open(t, Config{Stall: 50 * time.Millisecond}).Fetch(t.Context(), sandbox(t), nil, []Item{{URI: s.URL + path}}, nil)
		refused(t, err, "nothing arrived for 50ms")
	}
}

func TestProgress(t *testing.T) {
	s := serve(t, map[string][]byte{"/x": bytes.Repeat([]byte("x"), 3<<20)})
	var got []Progress
	uri := strings.Replace(s.URL, "://", "://me:sesame@", 1) + "/x"
	for _, cache := range []bool{false, true} {
		got = nil
		must(t, open(t, Config{}).Fetch(t.Context(), sandbox(t), nil, []Item{{URI: uri, Cache: cache}}, func(p Progress) { got = append(got, p) }))
		last := int64(-1)
		for _, p := range got {
			if p.Total != 3<<20 || p.Bytes < last || strings.Contains(p.URI, "sesame") {
				t.Errorf("after %d bytes: %+v", last, p)
			}
			last = p.Bytes
		}
		if end := got[len(got)-1]; !end.Done || end.Bytes != 3<<20 || len(got) < 4 {
			t.Errorf("%d reports, the last %+v", len(got), end)
		}
	}
}

func TestDownloadLimit(t *testing.T) {
	s := serve(t, map[string][]byte{"/x": make([]byte, 1000)})
	chunked := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_ = http.NewResponseController(w).Flush() // now it has no length
		_, _ = w.Write(make([]byte, 1000))
	}))
	defer chunked.Close()
	for _, url := range []string{s.URL, chunked.URL} {
		for _, limit := range []int64{999, 1000} {
			err := open(t, Config{Limits: Limits{Download: limit}}).Fetch(t.Context(), sandbox(t), nil, []Item{{URI: url + "/x"}}, nil)
			if limit == 1000 {
				must(t, err)
			} else {
				refused(t, err, "more than 999 bytes")
			}
		}
	}
}

// The same item twice is one file, as in Mesos; two of one name leave the later one.
func TestRepeatedItems(t *testing.T) {
	s := serve(t, map[string][]byte{"/a/x": []byte("first"), "/b/x": []byte("second")})
	dir := sandbox(t)
	items := []Item{{URI: s.URL + "/a/x"}, {URI: s.URL + "/a/x"}, {URI: s.URL + "/b/x"}}
	must(t, open(t, Config{}).Fetch(t.Context(), dir, nil, items, nil))
	same(t, map[string]string{"x": "644 second"}, tree(t, dir))
	if n := s.asked["/a/x"].Load(); n != 1 {
		t.Errorf("asked %d times, expected once", n)
	}
}

// A disk that takes no more fails the task with the system's word for it. The disk is a limit on the size of files, and a
// process of its own has it.
func TestDiskFull(t *testing.T) {
	const child = "FETCHER_TEST_DISK_FULL"
	if os.Getenv(child) == "" {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestDiskFull$", "-test.v")
		cmd.Env = append(os.Environ(), child+"=1")
		out, err := cmd.CombinedOutput()
		if err != nil || !strings.Contains(string(out), "--- PASS: TestDiskFull") {
			t.Errorf("%v\n%s", err, out)
		}
		return
	}
	signal.Ignore(syscall.SIGXFSZ)
	must(t, syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: 64 << 10, Max: 64 << 10}))
	archive := gz(tarOf(member{name: "a", body: strings.Repeat("x", 128<<10), mode: 0o644}))
	s := serve(t, map[string][]byte{"/x": make([]byte, 1<<20), "/x.tgz": archive})
	for _, item := range []Item{{URI: s.URL + "/x"}, {URI: s.URL + "/x", Cache: true}, {URI: s.URL + "/x.tgz", Extract: true, Cache: true}} {
		dir, f := sandbox(t), open(t, Config{})
		refused(t, f.Fetch(t.Context(), dir, nil, []Item{item}, nil), item.URI, syscall.EFBIG.Error())
		same(t, map[string]string{}, tree(t, dir))
		if partial := tree(t, filepath.Join(f.cfg.CacheDir, partialFolder)); f.cache.used > int64(len(archive)) || len(partial) > 0 {
			t.Errorf("the cache counts %d bytes and has parts %v", f.cache.used, partial)
		}
	}
}
