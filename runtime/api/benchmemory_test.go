package api

import (
	"net/http"
	"runtime"
	"testing"
)

// BenchmarkListMemory is goal G9 with what is remembered for lists: heap per app, as
// the difference quotient of two sizes, after all lists have been read.
func BenchmarkListMemory(b *testing.B) {
	grow := func(apps int) float64 {
		before := heapInUse()
		w := manyApps(b, apps)
		for _, path := range []string{"/v2/apps", "/v2/groups", "/v2/groups/apps"} {
			if n := ask(w.handler, http.MethodGet, path, "").Body.Len(); n < apps*500 {
				b.Fatalf("%s: %d bytes", path, n)
			}
		}
		after := heapInUse()
		runtime.KeepAlive(w)
		return after - before
	}
	var sizes []float64
	for b.Loop() {
		sizes = append(sizes, (grow(4000)-grow(1000))/3000)
	}
	b.ReportMetric(median(sizes), "B/app(goal<=8192)")
}

// heapInUse is the heap after the garbage is gone, pools included.
func heapInUse() float64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc)
}
