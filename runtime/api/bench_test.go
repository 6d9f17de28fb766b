package api

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/pacer-run/pacer/runtime/scheduler"
	"github.com/pacer-run/pacer/runtime/spec"
)

const appOfMany = `{"id":"/group-%02d/app-%05d","cmd":"%s","instances":0,"cpus":0.5,"mem":256,` +
	`"env":{"SERVICE_NAME":"web","JAVA_OPTS":"-Xmx200m -XX:+UseG1GC"},"labels":{"team":"shop","HAPROXY_GROUP":"external"},` +
	`"container":{"type":"DOCKER","docker":{"image":"registry.example.com/shop/web:1.4.2"}},"networks":[{"mode":"host"}],` +
	`"portDefinitions":[{"port":0,"name":"http","protocol":"tcp"}],"requirePorts":false,` +
	`"healthChecks":[{"protocol":"MESOS_HTTP","path":"/health","portIndex":0,"gracePeriodSeconds":30}]}`

// manyApps is a world of so many apps, in up to a hundred groups, that were
// deployed as one change.
func manyApps(tb testing.TB, apps int) *world {
	tb.Helper()
	w := newWorld(func(c *Config) { c.MaxBodyBytes = 64 << 20 })
	list := make([]string, apps)
	for i := range list {
		list[i] = fmt.Sprintf(appOfMany, i%100, i, "run")
	}
	answer := ask(w.handler, http.MethodPut, "/v2/apps", "["+strings.Join(list, ",")+"]")
	if answer.Code >= 300 || w.Snapshot().Apps.Len() != apps || len(w.Snapshot().Deployments) != 0 {
		tb.Fatalf("%d apps, %d deployments: %d %.300s", w.Snapshot().Apps.Len(), len(w.Snapshot().Deployments), answer.Code, answer.Body)
	}
	return w
}

// putOne changes the command of the first app.
func putOne(tb testing.TB, w *world, n int) {
	tb.Helper()
	body := fmt.Sprintf(appOfMany, 0, 0, fmt.Sprintf("run-%09d", n))
	if answer := ask(w.handler, http.MethodPut, "/v2/apps/group-00/app-00000", body); answer.Code != http.StatusOK {
		tb.Fatalf("%d %s", answer.Code, answer.Body)
	}
	if n := len(w.Snapshot().Deployments); n != 0 {
		tb.Fatalf("%d deployments have not ended", n)
	}
}

// sink is a connection that takes everything at once and counts it.
type sink struct {
	header http.Header
	code   int
	bytes  int
}

func (s *sink) Header() http.Header  { return s.header }
func (s *sink) WriteHeader(code int) { s.code = code }
func (s *sink) Write(p []byte) (int, error) {
	s.bytes += len(p)
	return len(p), nil
}

// reader returns a request as a function, which asserts what comes back.
func reader(b *testing.B, h http.Handler, path string, code, size int, headers ...string) func() {
	b.Helper()
	r := httptest.NewRequestWithContext(b.Context(), http.MethodGet, path, nil)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	return func() {
		s := sink{header: http.Header{}, code: http.StatusOK}
		h.ServeHTTP(&s, r)
		if s.code != code || s.bytes != size {
			b.Fatalf("%s: status %d and %d bytes, want %d and %d", path, s.code, s.bytes, code, size)
		}
	}
}

// same returns the answer of a handler and another that is encoded from structs,
// after it has compared their bytes.
func same(b *testing.B, h http.Handler, path string) (text []byte, plain http.Handler) {
	b.Helper()
	text = ask(h, http.MethodGet, path, "").Body.Bytes()
	plain = plainHandler(b, text)
	if got := ask(plain, http.MethodGet, path, "").Body.Bytes(); !bytes.Equal(bytes.TrimSuffix(got, []byte("\n")), text) {
		b.Fatalf("the plain handler answers other bytes at %s", path)
	}
	return text, plain
}

// BenchmarkRead is goal G6: how many times the throughput of a plain handler reads
// have. The rows "cpu" are handlers alone; "http" is one connection on loopback, by
// the clock, whose client and kernel cost both alike; in "changed" an app changed
// before each read of either, so that no answer can be one that was made before.
func BenchmarkRead(b *testing.B) {
	for _, path := range []string{"/v2/apps", "/v2/groups"} {
		for _, apps := range []int{1000, 10_000} {
			w := manyApps(b, apps)
			text, plain := same(b, w.handler, path)
			ours, theirs := reader(b, w.handler, path, http.StatusOK, len(text)), reader(b, plain, path, http.StatusOK, len(text)+1)
			name := fmt.Sprintf("%s/apps=%d/", strings.TrimPrefix(path, "/v2/"), apps)
			b.Run(name+"cpu", func(b *testing.B) {
				r := ratioOf(b, func() float64 { return cost(nil, theirs) }, func() float64 { return cost(nil, ours) })
				b.ReportMetric(r, "x-plain(goal>=3)")
			})
			b.Run(name+"http", func(b *testing.B) {
				client, other := fetcher(b, w.handler, path, len(text)), fetcher(b, plain, path, len(text)+1)
				b.ReportMetric(ratioOf(b, other, client), "x-plain(goal>=3)")
			})
			b.Run(name+"changed", func(b *testing.B) {
				n := 0
				changed := reader(b, w.handler, path, http.StatusOK, len(text)+len("-000000000"))
				ready := func() { n++; putOne(b, w, n) }
				r := ratioOf(b, func() float64 { return cost(ready, theirs) }, func() float64 { return cost(ready, changed) })
				b.ReportMetric(r, "x-plain(goal>=3)")
			})
		}
	}
}

// BenchmarkReadSome is goal G6 for lists that clients ask for besides the two: with a
// filter, with tasks, of a group.
func BenchmarkReadSome(b *testing.B) {
	w := manyTasks(b, 300, 5)
	for name, path := range map[string]string{
		"filter": "/v2/apps?label=team==shop&id=app&cmd=run", "tasks": "/v2/apps?embed=apps.tasks", "below": "/v2/apps/*",
		"members": "/v2/groups/apps", "member-tasks": "/v2/groups?embed=group.groups&embed=group.apps&embed=group.apps.tasks",
		"all-tasks": "/v2/tasks",
	} {
		b.Run(name, func(b *testing.B) {
			text, plain := same(b, w.handler, path)
			ours, theirs := reader(b, w.handler, path, http.StatusOK, len(text)), reader(b, plain, path, http.StatusOK, len(text)+1)
			r := ratioOf(b, func() float64 { return cost(nil, theirs) }, func() float64 { return cost(nil, ours) })
			if name == "all-tasks" { // no fragment helps there, and no goal speaks of it
				b.ReportMetric(r, "x-plain")
			} else {
				b.ReportMetric(r, "x-plain(goal>=3)")
			}
		})
	}
}

// manyTasks is a world of apps that have so many running tasks each.
func manyTasks(tb testing.TB, apps, tasks int) *world {
	tb.Helper()
	w := newWorld(func(c *Config) { c.MaxBodyBytes = 64 << 20 })
	list := make([]string, apps)
	for i := range list {
		list[i] = strings.NewReplacer(`"instances":0`, fmt.Sprintf(`"instances":%d`, tasks), `"cpus":0.5`, `"cpus":0.01`, `"mem":256`, `"mem":1`).
			Replace(fmt.Sprintf(appOfMany, i%100, i, "run"))
	}
	ask(w.handler, http.MethodPut, "/v2/apps", "["+strings.Join(list, ",")+"]")
	for n := 0; w.Snapshot().Counts.Staged < apps*tasks; n++ {
		w.offer(fmt.Sprintf("host-%d", n))
	}
	for i := range apps {
		for n := range tasks {
			if err := w.status(spec.PathID(fmt.Sprintf("/group-%02d/app-%05d", i%100, i)), n, scheduler.TaskRunning, "", true); err != nil {
				tb.Fatal(err)
			}
		}
	}
	if c := w.Snapshot().Counts; c.Running != apps*tasks || c.Deployments != 0 {
		tb.Fatalf("%d tasks run, %d deployments", c.Running, c.Deployments)
	}
	return w
}

// fetcher is the time that a GET over loopback takes, over ten of them.
func fetcher(b *testing.B, h http.Handler, path string, size int) func() float64 {
	server := httptest.NewServer(h)
	b.Cleanup(server.Close)
	client := server.Client()
	client.Transport.(*http.Transport).DisableCompression = true
	return func() float64 {
		began := time.Now()
		for range 10 {
			answer, err := client.Get(server.URL + path)
			if err != nil {
				b.Fatal(err)
			}
			n, err := io.Copy(io.Discard, answer.Body)
			answer.Body.Close()
			if err != nil || n != int64(size) {
				b.Fatalf("%d bytes of %d: %v", n, size, err)
			}
		}
		return float64(time.Since(began))
	}
}

// BenchmarkNotModified is goal G6: what an answer costs that the client has
// already, as a multiple of a ping. Where there is no tag that is the whole answer.
func BenchmarkNotModified(b *testing.B) {
	for _, path := range []string{"/v2/apps", "/v2/groups"} {
		b.Run(strings.TrimPrefix(path, "/v2/"), func(b *testing.B) {
			w := manyApps(b, 10_000)
			answer := ask(w.handler, http.MethodGet, path, "")
			tag, status, size := answer.Header().Get("ETag"), http.StatusNotModified, 0
			if tag == "" {
				status, size = http.StatusOK, answer.Body.Len()
			}
			pong := ask(w.handler, http.MethodGet, "/ping", "").Body.Len()
			ping := reader(b, w.handler, "/ping", http.StatusOK, pong)
			known := reader(b, w.handler, path, status, size, "If-None-Match", tag)
			r := ratioOf(b, func() float64 { return cost(nil, known) }, func() float64 { return cost(nil, ping) })
			b.ReportMetric(r, "x-ping(goal<=2)")
		})
	}
}

// BenchmarkReadGrowth is goal G6's law: how the cost of lists grows with their bytes
// from 100 to 10,000 apps, when an app changed before each read.
func BenchmarkReadGrowth(b *testing.B) {
	for _, path := range []string{"/v2/apps", "/v2/groups"} {
		b.Run(strings.TrimPrefix(path, "/v2/"), func(b *testing.B) {
			var worlds []*world
			var sizes []float64
			for _, apps := range []int{100, 300, 1000, 3000, 10_000} {
				w := manyApps(b, apps)
				putOne(b, w, 0)
				worlds, sizes = append(worlds, w), append(sizes, float64(ask(w.handler, http.MethodGet, path, "").Body.Len()))
			}
			var exponents []float64
			n := 0
			for b.Loop() {
				costs := make([]float64, len(worlds))
				for i, w := range worlds {
					get := reader(b, w.handler, path, http.StatusOK, int(sizes[i]))
					costs[i] = cost(func() { n++; putOne(b, w, n) }, get)
				}
				exponents = append(exponents, exponent(sizes, costs))
			}
			b.ReportMetric(median(exponents), "exponent(goal<=1.0)")
		})
	}
}

// BenchmarkReadOne compares the read of one app among 10,000 with one among 100.
func BenchmarkReadOne(b *testing.B) {
	const path = "/v2/apps/group-00/app-00000"
	few, many := manyApps(b, 100), manyApps(b, 10_000)
	size := ask(few.handler, http.MethodGet, path, "").Body.Len()
	small, large := reader(b, few.handler, path, http.StatusOK, size), reader(b, many.handler, path, http.StatusOK, size)
	r := ratioOf(b, func() float64 { return cost(nil, large) }, func() float64 { return cost(nil, small) })
	b.ReportMetric(r, "10000/100-apps")
}

// BenchmarkPut compares a new version of one app among 10,000 with one among 100:
// its cost from the request to its answer, the core's part included, and the records
// to write.
func BenchmarkPut(b *testing.B) {
	few, many := manyApps(b, 100), manyApps(b, 10_000)
	n := 0
	put := func(w *world) func() { return func() { n++; putOne(b, w, n) } }
	for range 60 { // beyond what is kept of versions
		put(few)()
		put(many)()
	}
	few.written, many.written = written{}, written{}
	put(few)()
	put(many)()
	one, other := few.written, many.written
	if one.records == 0 || one.records != other.records {
		b.Errorf("%d records among 100 apps, %d among 10,000", one.records, other.records)
	}
	r := ratioOf(b, func() float64 { return cost(nil, put(many)) }, func() float64 { return cost(nil, put(few)) })
	b.ReportMetric(r, "10000/100-apps")
	b.ReportMetric(float64(other.records), "records/put")
	b.ReportMetric(float64(other.bytes)/float64(one.bytes), "10000/100-bytes")
}
