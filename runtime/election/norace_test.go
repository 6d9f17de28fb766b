//go:build !race

// A client that comes back with watches to its session sets them again, for which
// go-zookeeper/zk 1.0.4 reads a field (lastZxid in sendSetWatches) that another of
// its goroutines writes by then. The race is the library's and does no harm on
// 64-bit machines; under the race detector it would fail these tests now and then.
// They run without it, see the Makefile.

package election_test

import (
	"testing"

	"github.com/pacer-run/pacer/runtime/election"
)

func TestOneLeaderAfterARestartOfTheServer(t *testing.T) {
	w := newWorld(t)
	url := server.URL(w.path)
	a := w.run(t, "a:1", url)
	w.await(t, "a leads", a.elected)
	b := w.run(t, "b:1", url)
	w.awaitSeats(t, a, 2)
	if err := server.Restart(); err != nil {
		t.Fatal(err)
	}
	w.awaitEnd(t, a, election.ErrLost)
	w.await(t, "b leads", b.elected)
	w.awaitLeader(t, a, "b:1")
	if n := w.leading.Load(); n != 1 {
		t.Errorf("%d lead", n)
	}
}
