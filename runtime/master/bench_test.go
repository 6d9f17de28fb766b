package master_test

import (
	"fmt"
	"syscall"
	"testing"
	"time"

	sched "github.com/mesos/mesos-go/api/v1/lib/scheduler"

	"github.com/pacer-run/pacer/runtime/master"
)

func decodeOurs(b *testing.B, d master.Decoder, record []byte) {
	if _, err := d.Offers(record); err != nil {
		b.Fatal(err)
	}
}

func decodeGogo(b *testing.B, record []byte) {
	var e sched.Event
	if err := e.Unmarshal(record); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkOffers decodes an event of 10,000 offers. A decoder that is new knows
// no agent; one that is not has seen them all.
func BenchmarkOffers(b *testing.B) {
	const offers = 10_000
	record := benchEvent(offers)
	b.Logf("%d bytes per offer", len(record)/offers)
	perOffer := func(b *testing.B) {
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/offers, "ns/offer")
	}
	b.Run("known", func(b *testing.B) {
		b.ReportAllocs()
		d := master.NewDecoder()
		decodeOurs(b, d, record)
		for b.Loop() {
			decodeOurs(b, d, record)
		}
		perOffer(b)
	})
	b.Run("new", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			decodeOurs(b, master.NewDecoder(), record)
		}
		perOffer(b)
	})
	b.Run("gogo", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			decodeGogo(b, record)
		}
		perOffer(b)
	})
}

// BenchmarkOffersRatio takes turns with mesos-go's decoding of the same bytes, so
// that both meet the same noise: how much more processor time that takes.
func BenchmarkOffersRatio(b *testing.B) {
	for _, offers := range []int{1_000, 10_000} {
		b.Run(fmt.Sprintf("%d", offers), func(b *testing.B) {
			record, d := benchEvent(offers), master.NewDecoder()
			decodeOurs(b, d, record)
			var ours, gogo time.Duration
			for b.Loop() {
				began := processorTime(b)
				decodeOurs(b, d, record)
				middle := processorTime(b)
				decodeGogo(b, record)
				ours, gogo = ours+middle-began, gogo+processorTime(b)-middle
			}
			b.ReportMetric(float64(gogo)/float64(ours), "gogo/ours")
			b.ReportMetric(float64(ours.Nanoseconds())/float64(b.N*offers), "cpu-ns/offer")
		})
	}
}

// processorTime is what this process has used, its garbage collector included.
func processorTime(b *testing.B) time.Duration {
	var use syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &use); err != nil {
		b.Fatal(err)
	}
	return time.Duration(use.Utime.Nano() + use.Stime.Nano())
}
