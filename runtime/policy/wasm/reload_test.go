//go:build !race

package wasm

import (
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"
)

// held is what the process holds: live bytes of Go's heap, and pages of memory.
func held(t *testing.T) (heap, resident uint64) {
	t.Helper()
	runtime.GC()
	debug.FreeOSMemory()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		t.Fatal(err)
	}
	pages, err := strconv.ParseUint(strings.Fields(string(text))[1], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return stats.HeapAlloc, pages * uint64(os.Getpagesize())
}

// A module that is loaded, called and closed leaves nothing behind, in Go's memory or
// in that of the engine. Ten thousand reloads cost what a thousand do.
func TestReloadsLeaveNothing(t *testing.T) {
	const reloads, settled = 10_000, 1_000
	loader, err := NewLoader(tight(), filepath.Join(t.TempDir(), "cache"), quiet())
	if err != nil {
		t.Fatal(err)
	}
	code := fixture(t, "zoo")
	var heap, resident uint64
	for i := range reloads {
		m, err := loader.Load(t.Context(), code, Options{})
		if err != nil {
			t.Fatal(err)
		}
		p := prepare(t, m, "ZOO", "z")
		wantCalls(t, p, 1)
		p.Close()
		closeModule(t, m)
		if i == settled {
			heap, resident = held(t)
		}
	}
	heapAfter, residentAfter := held(t)
	t.Logf("heap %d, then %d; resident %d, then %d", heap, heapAfter, resident, residentAfter)
	const moreHeap, moreResident = 4 << 20, 32 << 20 // 9,000 memories of an instance are 576 MiB, their code is 90 MiB
	if heapAfter > heap+moreHeap {
		t.Errorf("the heap grew from %d to %d bytes", heap, heapAfter)
	}
	if residentAfter > resident+moreResident {
		t.Errorf("the process grew from %d to %d bytes", resident, residentAfter)
	}
	if err := loader.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

// Policies that are prepared and wait keep no memory of instances that are gone.
func TestReloadsOfInstancesLeaveNothing(t *testing.T) {
	const policies, room = 300, 4 << 20 // 300 memories of an instance are 19 MiB
	m := loadZoo(t, Options{Fresh: true})
	before, _ := held(t)
	for range policies {
		p := prepare(t, m, "ZOO", "z")
		defer p.Close()
		wantCalls(t, p, 1)
	}
	if after, _ := held(t); after > before+room {
		t.Errorf("the heap grew from %d to %d bytes", before, after)
	}
}
