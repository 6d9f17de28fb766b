package store

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pacer-run/pacer/runtime/zookeeper"
	"github.com/pacer-run/pacer/runtime/zookeeper/zktest"
)

// TestAFailedCommitEndsTheTerm: the outcome is unknown, so nothing may follow.
func TestAFailedCommitEndsTheTerm(t *testing.T) {
	server := SharedServer()
	server.Up(t)
	path := zktest.Path(t)
	proxy, err := zktest.NewProxy(server)
	if err != nil {
		t.Fatal(err)
	}
	defer proxy.Close()
	s := OpenZooKeeper(connect(t, proxy.URL(path)), path)
	defer s.Close()
	term := begin(t, s)
	if err := term.Commit(within(t), []Change{{"a", []byte("1")}}); err != nil {
		t.Fatal(err)
	}
	// The server is frozen with the request on its way; then the connection breaks.
	if err := server.Pause(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- term.Commit(within(t), []Change{{"a", []byte("2")}, {"b", []byte("2")}}) }()
	proxy.Cut()
	if err := <-ended; !errors.Is(err, zookeeper.ErrLost) || !errors.Is(err, ErrOver) {
		t.Errorf("commit on a broken connection: %v", err)
	}
	proxy.Mend()
	if err := server.Resume(); err != nil {
		t.Fatal(err)
	}
	if err := term.Commit(within(t), []Change{{"c", []byte("3")}}); !errors.Is(err, ErrOver) {
		t.Errorf("commit of a term that is over: %v", err)
	}
	next := begin(t, s)
	got := records(t, next)
	if len(got) == 1 && got["a"] != "1" || len(got) == 2 && (got["a"] != "2" || got["b"] != "2") || len(got) > 2 {
		t.Errorf("records %v: neither all of the commit nor nothing", got)
	}
	if err := next.Commit(within(t), []Change{{"c", []byte("3")}}); err != nil {
		t.Error(err)
	}
}

// TestAForeignPathIsLeftAlone: a path that holds nodes of somebody else is refused
// before anything is written.
func TestAForeignPathIsLeftAlone(t *testing.T) {
	server := SharedServer()
	server.Up(t)
	path := zktest.Path(t)
	conn := connect(t, server.URL(path))
	if err := conn.EnsurePath(within(t), path+"/apps"); err != nil {
		t.Fatal(err)
	}
	s := OpenZooKeeper(conn, path)
	defer s.Close()
	if _, err := s.Begin(within(t)); !errors.Is(err, ErrForeign) || !strings.Contains(err.Error(), `holds the node "apps"`) {
		t.Errorf("begin: %v, want a refusal that names apps", err)
	}
	if names, err := conn.Children(within(t), path); err != nil || !slices.Equal(names, []string{"apps"}) {
		t.Errorf("afterwards it holds %q (%v)", names, err)
	}
}

func TestRecordsSurviveARestartOfTheServer(t *testing.T) {
	server := SharedServer()
	server.Up(t)
	path := zktest.Path(t)
	s := openTree(connect(t, server.URL(path)), path)
	defer s.Close()
	sure, _ := drive(within(t), s, 0, map[string]string{})
	if s.Stats().Folds == 0 {
		t.Error("nothing was folded")
	}
	if err := server.Restart(); err != nil {
		t.Fatal(err)
	}
	next := openTree(connect(t, server.URL(path)), path)
	defer next.Close()
	term := begin(t, next)
	if got := records(t, term); !maps.Equal(got, sure) {
		t.Errorf("%d records after the restart, want %d", len(got), len(sure))
	}
}

// TestDamageIsNamed flips a byte of each node in turn.
func TestDamageIsNamed(t *testing.T) {
	server := SharedServer()
	server.Up(t)
	path := zktest.Path(t)
	conn := connect(t, server.URL(path))
	s := openTree(conn, path)
	defer s.Close()
	drive(within(t), s, 0, map[string]string{})
	ctx := within(t)
	nodes := nodesOf(t, conn, s)
	for _, node := range nodes {
		data, _, err := conn.Data(ctx, node)
		if err != nil {
			t.Fatal(err)
		}
		for what, damaged := range map[string][]byte{
			"flipped": append(slices.Clone(data[:len(data)-1]), data[len(data)-1]^1),
			"cut":     data[:len(data)-1],
			"short":   data[:3],
			"foreign": []byte("something else"),
		} {
			if _, err := conn.Set(ctx, node, damaged, zookeeper.AnyVersion); err != nil {
				t.Fatal(err)
			}
			err := s.Dump(ctx, func(string, []byte) error { return nil })
			if !errors.Is(err, ErrCorrupt) || !strings.Contains(fmt.Sprint(err), node) {
				t.Errorf("%s %s: %v", node, what, err)
			}
		}
		if _, err := conn.Set(ctx, node, data, zookeeper.AnyVersion); err != nil {
			t.Fatal(err)
		}
	}
	if err := conn.Delete(ctx, nodes[2], zookeeper.AnyVersion); err != nil {
		t.Fatal(err)
	}
	if err := s.Dump(ctx, func(string, []byte) error { return nil }); !errors.Is(err, ErrCorrupt) {
		t.Errorf("missing segment: %v", err)
	}
}

// nodesOf are the manifest, a log node and a segment.
func nodesOf(t *testing.T, conn *zookeeper.Conn, s *ZooKeeper) []string {
	t.Helper()
	nodes := []string{s.manifestPath()}
	for _, parent := range []string{s.logPath(), s.segmentsPath()} {
		names, err := conn.Children(within(t), parent)
		if err != nil || len(names) == 0 {
			t.Fatal(names, err)
		}
		nodes = append(nodes, zookeeper.Join(parent, names[0]))
	}
	return nodes
}

// churn overwrites a fifth of its records often and the rest seldom, and returns
// how many there are.
func churn(t *testing.T, term Term) int {
	t.Helper()
	value := []byte(strings.Repeat("v", 900))
	const keys, batch = 1000, 20
	written := map[string]bool{}
	for i := 0; i < 12*keys; i += batch {
		var changes []Change
		for j := i; j < i+batch; j++ {
			key := j * 7919 % keys
			if j%2 == 0 {
				key %= keys / 5
			}
			c := Change{fmt.Sprintf("r%04d", key), value}
			changes, written[c.Key] = append(changes, c), true
		}
		if err := term.Commit(within(t), changes); err != nil {
			t.Fatal(err)
		}
	}
	return len(written)
}

// TestChurnLeavesNoGarbage overwrites the same records for long and looks at how
// many nodes, and how full ones, remain.
func TestChurnLeavesNoGarbage(t *testing.T) {
	server := SharedServer()
	server.Up(t)
	path := zktest.Path(t)
	conn := connect(t, server.URL(path))
	s := openTree(conn, path)
	defer s.Close()
	term := begin(t, s)
	written := churn(t, term)
	s.folds.Wait()
	m := term.(*zkTerm).manifest
	live, size := 0, 0
	for _, g := range m.segments {
		live, size = live+g.live, size+g.size
	}
	limit := 2*live + manySparse*segmentBytes
	names, err := conn.Children(within(t), s.logPath())
	if err != nil {
		t.Fatal(err)
	}
	if size > limit || len(names) >= foldNodes || s.Stats().LogNodes != len(names) {
		t.Errorf("%d bytes in %d segments, %d live, and %d log nodes (%+v): want at most %d bytes",
			size, len(m.segments), live, len(names), s.Stats(), limit)
	}
	names, err = conn.Children(within(t), s.segmentsPath())
	if err != nil || len(names) != len(m.segments) || s.Stats().Segments != len(m.segments) {
		t.Errorf("%d segments are stored, %d count, %v", len(names), len(m.segments), err)
	}
	if diff := cmp.Diff(written, len(records(t, term))); diff != "" {
		t.Errorf("records: %s", diff)
	}
}
