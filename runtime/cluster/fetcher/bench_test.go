package fetcher

import (
	"flag"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

var benchSize = flag.Int64("fetch-mib", 64, "size of the file that the benchmark fetches, in MiB; 1024 is the goal's")

// link is a server behind a line of so many bytes per second for all its clients together; 0 = as fast as this machine.
type link struct {
	size int64
	rate int64
	sent atomic.Int64
	mu   sync.Mutex
	free time.Time // when the line has sent all that was given to it
}

func (l *link) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Length", strconv.FormatInt(l.size, 10))
	piece := make([]byte, bufferSize)
	for left := l.size; left > 0; {
		n, err := w.Write(piece[:min(left, bufferSize)])
		if err != nil {
			return
		}
		left -= int64(n)
		l.sent.Add(int64(n))
		l.wait(int64(n))
	}
}

// wait takes the time that the line needs.
func (l *link) wait(n int64) {
	if l.rate == 0 {
		return
	}
	l.mu.Lock()
	now := time.Now()
	if l.free.Before(now) {
		l.free = now
	}
	l.free = l.free.Add(time.Duration(n * int64(time.Second) / l.rate))
	pause := l.free.Sub(now)
	l.mu.Unlock()
	time.Sleep(pause)
}

// BenchmarkTenTasks fetches one file for ten tasks at once: each for itself, and through an empty cache. The figures are
// how many times as long and as many bytes the former takes.
func BenchmarkTenTasks(b *testing.B) {
	for name, rate := range map[string]int64{"loopback": 0, "gigabit": 125_000_000} {
		b.Run(name, func(b *testing.B) {
			l := &link{size: *benchSize << 20, rate: rate}
			s := httptest.NewServer(l)
			defer s.Close()
			var took [2]time.Duration
			var sent [2]int64
			for b.Loop() {
				for n, cache := range []bool{false, true} {
					before, start := l.sent.Load(), time.Now()
					tenTasks(b, Item{URI: s.URL + "/x", Cache: cache})
					took[n] += time.Since(start)
					sent[n] += l.sent.Load() - before
				}
			}
			b.ReportMetric(float64(took[0])/float64(took[1]), "time-ratio")
			b.ReportMetric(float64(sent[0])/float64(sent[1]), "bytes-ratio")
			b.ReportMetric(float64(took[1].Milliseconds())/float64(b.N), "ms-cached/op")
		})
	}
}

func tenTasks(b *testing.B, item Item) {
	b.Helper()
	f := open(b, Config{CacheDir: b.TempDir()})
	defer f.cache.evictAll()
	var all sync.WaitGroup
	for range 10 {
		dir := b.TempDir()
		all.Go(func() {
			if err := f.Fetch(b.Context(), dir, nil, []Item{item}, nil); err != nil {
				b.Error(err)
			}
			if err := os.RemoveAll(dir); err != nil { // ten files at the end of a run are enough
				b.Error(err)
			}
		})
	}
	all.Wait()
}

// evictAll empties the disk before the next round.
func (c *cache) evictAll() {
	c.mu.Lock()
	limit := c.limit
	c.limit = 0
	c.mu.Unlock()
	c.reserve(&entry{}, 0)
	c.limit = limit
}
