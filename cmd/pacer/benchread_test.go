package main

import (
	"bytes"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// BenchmarkReadWhileDeploying is goal G6: how much later the list of 1,000 apps
// arrives, at the 99th percentile, while a deployment starts many instances on the
// embedded cluster, which is in this process too: master, agents and executors take
// their part of the processors.
func BenchmarkReadWhileDeploying(b *testing.B) {
	const apps = 1000
	for _, instances := range []int{1000, 10_000} {
		b.Run(fmt.Sprintf("instances=%d", instances), func(b *testing.B) {
			url := startNode(b, 100*time.Millisecond)
			list := make([]string, apps)
			for i := range list {
				list[i] = fmt.Sprintf(`{"id":"/idle-%d","cmd":"sleep 1000","instances":0,"labels":{"team":"%s"}}`, i, strings.Repeat("x", 200))
			}
			ask(b, http.MethodPut, url+"/v2/apps", "["+strings.Join(list, ",")+"]")
			awaitRunning(b, url, 0)
			var ratios, reads []float64
			for b.Loop() {
				idle := readUntil(b, url, func(_ []byte, n int) bool { return n == 500 })
				ask(b, http.MethodPost, url+"/v2/apps", fmt.Sprintf(`{"id":"/big","cmd":"sleep 1000","cpus":0.1,"mem":16,"instances":%d}`, instances))
				all := fmt.Appendf(nil, `"tasksRunning":%d,`, instances)
				busy := readUntil(b, url, func(body []byte, _ int) bool { return bytes.Contains(body, all) })
				ask(b, http.MethodDelete, url+"/v2/apps/big", "")
				awaitRunning(b, url, 0)
				ratios = append(ratios, float64(busy)/float64(idle))
				reads = append(reads, float64(busy.Microseconds()))
			}
			slices.Sort(ratios)
			slices.Sort(reads)
			b.ReportMetric(ratios[len(ratios)/2], "p99/idle(goal<=2)")
			b.ReportMetric(reads[len(reads)/2], "us-p99")
		})
	}
}

// readUntil reads the list of apps every five milliseconds, as long as over does not
// hold for an answer and how many there were, and returns the 99th percentile of the
// times that it took.
func readUntil(b *testing.B, url string, over func(body []byte, n int) bool) time.Duration {
	b.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	var times []time.Duration
	for range tick.C {
		began := time.Now()
		body := ask(b, http.MethodGet, url+"/v2/apps", "")
		times = append(times, time.Since(began))
		if strings.Count(body, `"id":"/idle-`) != 1000 {
			b.Fatalf("a list of %d bytes lacks apps", len(body))
		}
		if over([]byte(body), len(times)) {
			break
		}
	}
	slices.Sort(times)
	return times[len(times)*99/100]
}
