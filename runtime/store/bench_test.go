package store_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/pacer-run/pacer/runtime/store"
	"github.com/pacer-run/pacer/runtime/store/storetest"
	"github.com/pacer-run/pacer/runtime/zookeeper"
	"github.com/pacer-run/pacer/runtime/zookeeper/zktest"
)

// recordBytes is the size of a benchmark's record.
const recordBytes = 1 << 10

// size is how many records a benchmark writes; PACER_BENCH_RECORDS=100000 is the
// full size.
func size(b *testing.B, usual int) int {
	if n, err := strconv.Atoi(os.Getenv("PACER_BENCH_RECORDS")); err == nil && n > 0 {
		return n
	}
	return usual
}

func instance(i int) string { return fmt.Sprintf("/instances/app-%08d", i) }

// commit writes n records, so many at a time, and returns the time per record.
func commit(b *testing.B, term store.Term, n, batch int) time.Duration {
	b.Helper()
	value := make([]byte, recordBytes)
	start := time.Now()
	for i := 0; i < n; i += batch {
		changes := make([]store.Change, min(batch, n-i))
		for j := range changes {
			changes[j] = store.Change{Key: instance(i + j), Value: value}
		}
		if err := term.Commit(context.Background(), changes); err != nil {
			b.Fatal(err)
		}
	}
	return time.Since(start) / time.Duration(n)
}

// BenchmarkBatching compares records in commits of 100 with one commit for each,
// by turns, on the same store.
func BenchmarkBatching(b *testing.B) {
	b.Run("bolt", func(b *testing.B) {
		benchmarkBatching(b, boltBackend{path: filepath.Join(b.TempDir(), "state.db")})
	})
	b.Run("zookeeper", func(b *testing.B) {
		server().Up(b)
		benchmarkBatching(b, zkBackend{server().URL(zktest.Path(b))})
	})
}

func benchmarkBatching(b *testing.B, backend storetest.Backend) {
	term := storetest.Begin(b, backend.Open(b))
	commit(b, term, 2000, 100) // the server warms up
	var single, batched time.Duration
	for b.Loop() {
		batched += commit(b, term, size(b, 5000), 100)
		single += commit(b, term, size(b, 5000)/20, 1)
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(b.N)/batched.Seconds(), "records/s-of-100")
	b.ReportMetric(float64(b.N)/single.Seconds(), "records/s-one-by-one")
	b.ReportMetric(float64(single)/float64(batched), "ratio")
}

// BenchmarkLoad compares loading the store after a failover with reading the same
// records from a node each.
func BenchmarkLoad(b *testing.B) {
	server().Up(b)
	n := size(b, 10_000)
	backend := zkBackend{server().URL(zktest.Path(b))}
	s := backend.Open(b)
	commit(b, storetest.Begin(b, s), n, 100)
	conn, nodes := dial(b, server().URL("/")), zktest.Path(b)+"-nodes"
	spread(b, conn, nodes, n)
	var packed, single time.Duration
	for b.Loop() {
		packed += timed(b, n, func() int {
			count := 0
			err := storetest.Begin(b, s).Load(context.Background(), func(_ string, value []byte) error {
				count += len(value) / recordBytes
				return nil
			})
			if err != nil {
				b.Fatal(err)
			}
			return count
		})
		single += timed(b, n, func() int { return gather(b, conn, nodes) })
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(packed.Milliseconds())/float64(b.N), "ms/packed")
	b.ReportMetric(float64(single.Milliseconds())/float64(b.N), "ms/node-each")
	b.ReportMetric(float64(single)/float64(packed), "ratio")
}

func timed(b *testing.B, want int, read func() int) time.Duration {
	b.Helper()
	start := time.Now()
	if got := read(); got != want {
		b.Fatalf("read %d records, want %d", got, want)
	}
	return time.Since(start)
}

// spread writes a node for each record, a thousand below one parent.
func spread(b *testing.B, conn *zookeeper.Conn, root string, n int) {
	b.Helper()
	ctx, value := context.Background(), make([]byte, recordBytes)
	for i := 0; i < n; i += 100 {
		parent := zookeeper.Join(root, strconv.Itoa(i/1000))
		if err := conn.EnsurePath(ctx, parent); err != nil {
			b.Fatal(err)
		}
		var ops []zookeeper.Op
		for j := i; j < min(i+100, n); j++ {
			ops = append(ops, zookeeper.CreateOp{Path: zookeeper.Join(parent, strconv.Itoa(j)), Data: value})
		}
		if err := conn.Multi(ctx, ops...); err != nil {
			b.Fatal(err)
		}
	}
}

// gather reads them with 256 requests under way, and counts them.
func gather(b *testing.B, conn *zookeeper.Conn, root string) int {
	b.Helper()
	ctx := context.Background()
	parents, err := conn.Children(ctx, root)
	if err != nil {
		b.Fatal(err)
	}
	var readers sync.WaitGroup
	paths := make(chan string)
	counts := make([]int, 256)
	for i := range counts {
		readers.Go(func() {
			for path := range paths {
				if data, _, err := conn.Data(ctx, path); err == nil {
					counts[i] += len(data) / recordBytes
				}
			}
		})
	}
	for _, parent := range parents {
		names, err := conn.Children(ctx, zookeeper.Join(root, parent))
		if err != nil {
			b.Error(err)
		}
		for _, name := range names {
			paths <- zookeeper.Join(root, parent, name)
		}
	}
	close(paths)
	readers.Wait()
	total := 0
	for _, n := range counts {
		total += n
	}
	return total
}
