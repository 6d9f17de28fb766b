package fetcher

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
)

// origin is where a cache's files come from: the text of a URI is its own, as often as size says.
type origin struct {
	mu      sync.Mutex
	begun   map[string]int
	ended   map[string]error
	gate    map[string]chan struct{} // holds a transfer up when half of it is there
	failing map[string]error
	unknown bool // sizes are
}

func newOrigin() *origin {
	return &origin{begun: map[string]int{}, ended: map[string]error{}, gate: map[string]chan struct{}{}, failing: map[string]error{}}
}

// body is ten bytes.
func body(uri string) string { return fmt.Sprintf("%-10s", uri) }

func (o *origin) transfer(ctx context.Context, req request, create func(*blob) (io.WriteCloser, error), report func(bytes, total int64)) (err error) {
	o.mu.Lock()
	o.begun[req.uri]++
	gate, failing, unknown := o.gate[req.uri], o.failing[req.uri], o.unknown
	o.mu.Unlock()
	defer func() {
		o.mu.Lock()
		o.ended[req.uri] = err
		o.mu.Unlock()
	}()
	size := int64(10)
	if unknown {
		size = -1
	}
	file, err := create(&blob{size: size})
	if err != nil {
		return err
	}
	defer file.Close()
	if _, err := io.WriteString(file, body(req.uri)[:5]); err != nil {
		return err
	}
	report(5, size)
	if gate != nil {
		select {
		case <-gate:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	if failing != nil {
		return failing
	}
	_, err = io.WriteString(file, body(req.uri)[5:])
	return err
}

func quiet(int64, int64) {}

func openCache(t testing.TB, o *origin, limit int64) *cache {
	t.Helper()
	c, err := newCache(t.TempDir(), limit, o.transfer)
	must(t, err)
	return c
}

// take acquires a file, checks that it is whole and gives it back.
func take(t *testing.T, c *cache, uri string) error {
	t.Helper()
	e, err := c.acquire(t.Context(), request{uri: uri}, quiet)
	if err != nil {
		return err
	}
	defer c.release(e)
	if text, err := os.ReadFile(e.path); err != nil || string(text) != body(uri) {
		t.Errorf("%s: %q %v", uri, text, err)
	}
	return nil
}

// Fifty at once are one transfer, and each hears how it goes.
func TestCacheSharesTransfers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOrigin()
		o.gate["a"] = make(chan struct{})
		c := openCache(t, o, 100)
		defer c.close()
		heard := make([]string, 50)
		var all sync.WaitGroup
		for n := range heard {
			all.Go(func() {
				e, err := c.acquire(t.Context(), request{uri: "a"}, func(bytes, total int64) { heard[n] += fmt.Sprint(bytes, "/", total, " ") })
				if err != nil {
					t.Error(err)
					return
				}
				c.release(e)
			})
		}
		synctest.Wait()
		if len(c.entries) != 1 || c.entries[cacheKey{uri: "a"}].pins != 50 {
			t.Error("not all wait for one")
		}
		close(o.gate["a"])
		all.Wait()
		same(t, map[string]int{"a": 1}, o.begun)
		for n, text := range heard { // who came late misses the first half
			if text != "10/10 " && text != "5/10 10/10 " {
				t.Errorf("%d heard %q", n, text)
			}
		}
		must(t, take(t, c, "a"))
		same(t, map[string]int{"a": 1}, o.begun)
	})
}

// A transfer belongs to none of those who wait: the first one may leave. When all have left it ends, nothing of it stays,
// and the next one starts anew.
func TestCacheLeave(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOrigin()
		o.gate["a"] = make(chan struct{})
		c := openCache(t, o, 100)
		defer c.close()
		wait := func() (context.CancelFunc, chan error) {
			ctx, cancel := context.WithCancel(t.Context())
			out := make(chan error, 1)
			go func() {
				e, err := c.acquire(ctx, request{uri: "a"}, quiet)
				if err == nil {
					c.release(e)
				}
				out <- err
			}()
			synctest.Wait()
			return cancel, out
		}
		leaveFirst, first := wait()
		leaveSecond, second := wait()
		leaveFirst()
		if err := <-first; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		synctest.Wait()
		if len(o.ended) > 0 {
			t.Error("the transfer ended though one waits")
		}
		leaveSecond()
		<-second
		synctest.Wait()
		if !errors.Is(o.ended["a"], context.Canceled) || c.used != 0 || len(c.entries) != 0 {
			t.Errorf("%v, %d bytes and %d entries are left", o.ended["a"], c.used, len(c.entries))
		}
		same(t, map[string]string{"whole/": "700", "partial/": "700"}, tree(t, c.dir))
		leaveThird, third := wait()
		defer leaveThird()
		close(o.gate["a"])
		must(t, <-third)
		same(t, map[string]int{"a": 2}, o.begun)
	})
}

// All who wait hear of a failure, and it is not remembered.
func TestCacheFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOrigin()
		o.failing["a"] = errors.New("broken")
		c := openCache(t, o, 100)
		defer c.close()
		var all sync.WaitGroup
		for range 5 {
			all.Go(func() { refused(t, take(t, c, "a"), "broken") })
		}
		all.Wait()
		delete(o.failing, "a")
		must(t, take(t, c, "a"))
		if c.used != 10 {
			t.Errorf("%d bytes", c.used)
		}
	})
}

// The file that was not asked for for the longest time goes first, but none that is in use.
func TestCacheEviction(t *testing.T) {
	o := newOrigin()
	c := openCache(t, o, 30)
	defer c.close()
	for _, uri := range []string{"a", "b", "c", "a", "d"} {
		must(t, take(t, c, uri))
	}
	has := func(uris string) {
		t.Helper()
		var got strings.Builder
		for uri := range strings.SplitSeq("a b c d e f", " ") {
			if c.entries[cacheKey{uri: uri}] != nil {
				got.WriteString(uri)
			}
		}
		same(t, uris, got.String())
		if n := int64(len(uris) * 10); c.used != n || len(tree(t, filepath.Join(c.dir, wholeFolder))) != len(uris) {
			t.Errorf("%d bytes in %v", c.used, tree(t, c.dir))
		}
	}
	has("acd")
	held := []*entry{}
	for _, uri := range []string{"c", "a", "d"} {
		e, err := c.acquire(t.Context(), request{uri: uri}, quiet)
		must(t, err)
		held = append(held, e)
	}
	if err := take(t, c, "e"); !errors.Is(err, errBypass) {
		t.Errorf("%v, expected no room while all are in use", err)
	}
	has("acd")
	c.release(held[1])
	must(t, take(t, c, "e"))
	has("cde")
	same(t, map[string]int{"a": 1, "b": 1, "c": 1, "d": 1, "e": 2}, o.begun)
}

func TestCacheBypass(t *testing.T) {
	o := newOrigin()
	for name, c := range map[string]*cache{"too large": openCache(t, o, 9), "switched off": openCache(t, o, -1)} {
		if err := take(t, c, "a"); !errors.Is(err, errBypass) || len(c.entries) > 0 {
			t.Errorf("%s: %v", name, err)
		}
		c.close()
	}
	o.unknown = true
	c := openCache(t, o, 100)
	defer c.close()
	if err := take(t, c, "a"); !errors.Is(err, errBypass) || len(c.entries) > 0 {
		t.Errorf("unknown size: %v", err)
	}
}

// Close ends what is under way and leaves no part of it.
func TestCacheClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOrigin()
		o.gate["a"] = make(chan struct{})
		c := openCache(t, o, 100)
		ended := make(chan error, 1)
		go func() { ended <- take(t, c, "a") }()
		synctest.Wait()
		c.close()
		if err := <-ended; !errors.Is(err, errClosed) {
			t.Error(err)
		}
		if err := take(t, c, "a"); !errors.Is(err, errClosed) {
			t.Error(err)
		}
		same(t, map[string]string{"whole/": "700", "partial/": "700"}, tree(t, c.dir))
	})
}

// A new cache is empty, and removes nothing that is not a cache's.
func TestCacheIsEmptyAtStart(t *testing.T) {
	dir := t.TempDir()
	must(t, os.WriteFile(filepath.Join(dir, "precious"), []byte("x"), 0o644))
	s := serve(t, map[string][]byte{"/x": []byte("text")})
	for want := int64(1); want <= 2; want++ {
		f := open(t, Config{CacheDir: dir})
		for range 2 {
			must(t, f.Fetch(t.Context(), sandbox(t), nil, []Item{{URI: s.URL + "/x", Cache: true}}, nil))
		}
		if n := s.asked["/x"].Load(); n != want {
			t.Errorf("asked %d times, expected %d", n, want)
		}
	}
	same(t, map[string]string{"precious": "644 x", "partial/": "700", "whole/": "700", "whole/1": "600 text"}, tree(t, dir))
}

// Users share nothing, tasks change what is theirs alone, and a file that is there needs no server.
func TestCacheApart(t *testing.T) {
	s := serve(t, map[string][]byte{"/x": []byte("text")})
	f := open(t, Config{})
	me := uint32(os.Getuid())
	var dirs []string
	for _, user := range []string{"ann", "bob", "ann"} {
		dir := sandbox(t)
		owner := &Owner{User: user, UID: me, GID: uint32(os.Getgid())}
		must(t, f.Fetch(t.Context(), dir, owner, []Item{{URI: s.URL + "/x", Cache: true}}, nil))
		must(t, os.WriteFile(filepath.Join(dir, "x"), []byte("mine"), 0o644))
		dirs = append(dirs, dir)
	}
	if n := s.asked["/x"].Load(); n != 2 {
		t.Errorf("asked %d times, expected once per user", n)
	}
	s.Close()
	must(t, f.Fetch(t.Context(), dirs[0], &Owner{User: "ann", UID: me, GID: uint32(os.Getgid())}, []Item{{URI: s.URL + "/x", Cache: true}}, nil))
	same(t, map[string]string{"x": "644 text"}, tree(t, dirs[0]))
}

// Fifty tasks at once, over real connections: one request.
func TestFiftyTasks(t *testing.T) {
	archive := gz(tarOf(member{name: "d/a", body: "x", mode: 0o644}))
	s := serve(t, map[string][]byte{"/x.tgz": archive, "/y": []byte("y")})
	f := open(t, Config{})
	var all sync.WaitGroup
	for range 50 {
		dir := sandbox(t)
		all.Go(func() {
			items := []Item{{URI: s.URL + "/x.tgz", Extract: true, Cache: true}, {URI: s.URL + "/y", Cache: true}}
			if err := f.Fetch(t.Context(), dir, nil, items, nil); err != nil {
				t.Error(err)
			}
			same(t, map[string]string{"d/": "755", "d/a": "644 x", "y": "644 y"}, tree(t, dir))
		})
	}
	all.Wait()
	if x, y := s.asked["/x.tgz"].Load(), s.asked["/y"].Load(); x != 1 || y != 1 {
		t.Errorf("asked %d and %d times, expected once each", x, y)
	}
}

// What cannot be cached is transferred all the same.
func TestUncachable(t *testing.T) {
	chunked := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_ = http.NewResponseController(w).Flush()
		fmt.Fprint(w, "text")
	}))
	defer chunked.Close()
	s := serve(t, map[string][]byte{"/x": []byte("text")})
	for _, c := range []struct {
		uri   string
		limit int64
	}{{chunked.URL + "/x", 0}, {s.URL + "/x", 3}, {s.URL + "/x", -1}} {
		dir := sandbox(t)
		must(t, open(t, Config{CacheBytes: c.limit}).Fetch(t.Context(), dir, nil, []Item{{URI: c.uri, Cache: true}}, nil))
		same(t, map[string]string{"x": "644 text"}, tree(t, dir))
	}
}

// Whatever order things happen in, files are whole, the limit holds, and the books are right in the end.
func TestCacheUnderLoad(t *testing.T) {
	o := newOrigin()
	o.failing["uri-3"] = errors.New("broken")
	c := openCache(t, o, 50)
	var all sync.WaitGroup
	for n := range 32 {
		all.Go(func() {
			r := rand.New(rand.NewPCG(1, uint64(n)))
			for range 50 {
				ctx, cancel := context.WithCancel(t.Context())
				if r.IntN(4) == 0 {
					cancel()
				}
				uri := fmt.Sprint("uri-", r.IntN(12))
				e, err := c.acquire(ctx, request{uri: uri}, quiet)
				if err == nil {
					if text, err := os.ReadFile(e.path); err != nil || !bytes.Equal(text, []byte(body(uri))) {
						t.Errorf("%s: %q %v", uri, text, err)
					}
					c.mu.Lock()
					if c.used > c.limit {
						t.Errorf("%d bytes, more than %d", c.used, c.limit)
					}
					c.mu.Unlock()
					c.release(e)
				}
				cancel()
			}
		})
	}
	all.Wait()
	c.close()
	var bytes int64
	for key, e := range c.entries {
		if e.pins != 0 {
			t.Errorf("%v has %d pins", key, e.pins)
		}
		bytes += e.bytes
	}
	if on := len(tree(t, filepath.Join(c.dir, wholeFolder))); bytes != c.used || on != len(c.entries) || len(tree(t, filepath.Join(c.dir, partialFolder))) != 0 {
		t.Errorf("%d bytes of %d entries, counted are %d, files are %d", bytes, len(c.entries), c.used, on)
	}
}
