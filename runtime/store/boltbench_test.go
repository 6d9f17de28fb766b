package store_test

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"github.com/pacer-run/pacer/runtime/store"
	"github.com/pacer-run/pacer/runtime/store/storetest"
)

// BenchmarkBoltCommit compares commits to the log with transactions of bbolt
// alone, by turns, and counts folding in.
func BenchmarkBoltCommit(b *testing.B) {
	for _, records := range []int{1, 100} {
		b.Run(fmt.Sprintf("records=%d", records), func(b *testing.B) { benchmarkBoltCommit(b, records) })
	}
}

func benchmarkBoltCommit(b *testing.B, records int) {
	s := boltBackend{path: filepath.Join(b.TempDir(), "state.db")}.Open(b)
	term, alone := storetest.Begin(b, s), newAlone(b)
	var logged, plain []time.Duration
	const keys = 10_000
	for at := 0; b.Loop(); at = (at + records*20) % keys {
		for i := range 20 {
			changes := changesAt(at+i*records, records)
			logged = append(logged, took(b, func() error { return term.Commit(context.Background(), changes) }))
		}
		for i := range 20 {
			changes := changesAt(at+i*records, records)
			plain = append(plain, took(b, func() error { return alone.commit(changes) }))
		}
	}
	b.ReportMetric(0, "ns/op")
	for name, times := range map[string][]time.Duration{"log": logged, "bbolt": plain} {
		slices.Sort(times)
		b.ReportMetric(float64(times[len(times)/2].Microseconds()), "us-p50-"+name)
		b.ReportMetric(float64(times[len(times)*99/100].Microseconds()), "us-p99-"+name)
		b.ReportMetric(mean(times), "us-mean-"+name)
	}
	b.ReportMetric(mean(plain)/mean(logged), "ratio")
}

func changesAt(first, n int) []store.Change {
	changes, value := make([]store.Change, n), make([]byte, recordBytes)
	for i := range changes {
		changes[i] = store.Change{Key: instance((first + i) * 7919 % 10_000), Value: value}
	}
	return changes
}

func took(b *testing.B, do func() error) time.Duration {
	b.Helper()
	begin := time.Now()
	if err := do(); err != nil {
		b.Fatal(err)
	}
	return time.Since(begin)
}

func mean(times []time.Duration) float64 {
	sum := time.Duration(0)
	for _, d := range times {
		sum += d
	}
	return float64(sum.Microseconds()) / float64(len(times))
}

// alone is bbolt without a log.
type alone struct{ db *bbolt.DB }

func newAlone(b *testing.B) alone {
	b.Helper()
	db, err := bbolt.Open(filepath.Join(b.TempDir(), "alone.db"), 0o600, &bbolt.Options{FreelistType: bbolt.FreelistMapType})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { db.Close() })
	return alone{db}
}

func (a alone) commit(changes []store.Change) error {
	return a.db.Update(func(tx *bbolt.Tx) error {
		records, err := tx.CreateBucketIfNotExists([]byte("records"))
		if err != nil {
			return err
		}
		for _, c := range changes {
			if err := records.Put([]byte(c.Key), c.Value); err != nil {
				return err
			}
		}
		return nil
	})
}
