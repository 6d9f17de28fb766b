package scheduler

import (
	"testing"

	"github.com/pacer-run/pacer/runtime/spec"
)

// TestNextFree looks for ports across the words of the book, whose range need not
// fill them.
func TestNextFree(t *testing.T) {
	b := newPortBook(10_000, 10_129)
	take := func(from, to int) {
		for port := from; port <= to; port++ {
			b.claim(&spec.App{PortDefinitions: []spec.PortDefinition{{Port: port}}})
		}
	}
	expect := func(from, want int, wantOK bool) {
		t.Helper()
		if got, ok := b.nextFree(from); ok != wantOK || ok && got != want {
			t.Errorf("from %d: %d, %v; want %d, %v", from, got, ok, want, wantOK)
		}
	}
	expect(10_000, 10_000, true)
	take(9_999, 10_128)
	expect(10_000, 10_129, true)
	expect(10_129, 10_129, true)
	take(10_129, 10_130)
	expect(10_000, 0, false)
	expect(10_130, 0, false)
	b.release(&spec.App{PortDefinitions: []spec.PortDefinition{{Port: 10_063}, {Port: 10_064}}})
	expect(10_000, 10_063, true)
	expect(10_064, 10_064, true)
	expect(10_065, 0, false)
}
