package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pacer-run/pacer/runtime/cluster"
	"github.com/pacer-run/pacer/runtime/election"
	"github.com/pacer-run/pacer/runtime/master"
	"github.com/pacer-run/pacer/runtime/placement"
	"github.com/pacer-run/pacer/runtime/scheduler"
	"github.com/pacer-run/pacer/runtime/store"
)

// startNode runs a whole server on a cluster of tasks that are acted out, as
// `pacer dev` puts it together, and returns the address of its API.
func startNode(t testing.TB, interval time.Duration) string {
	t.Helper()
	agents := make([]cluster.AgentConfig, 100)
	for i := range agents {
		agents[i] = cluster.AgentConfig{
			Attributes: fmt.Sprintf("rack_id:rack-%d", i%10), Resources: "cpus:16;mem:65536;disk:100000;ports:[31000-32000]",
		}
	}
	c, err := cluster.Start(t.Context(), cluster.Config{Agents: agents, Executor: cluster.Fake, AllocationInterval: interval})
	if err != nil {
		t.Fatal(err)
	}
	bolt, err := store.OpenBolt(filepath.Join(t.TempDir(), stateFile))
	if err != nil {
		t.Fatal(err)
	}
	policies, err := loadPolicies(t.Context(), policyConfig{}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	listener, err := listen("--http_port", "127.0.0.1", 0)
	if err != nil {
		t.Fatal(err)
	}
	address, registered := advertised("127.0.0.1", listener), make(chan struct{}, 1)
	n := newNode(nodeConfig{
		log: slog.New(slog.DiscardHandler), store: bolt, detector: master.Fixed(c.Addr()), policies: policies,
		framework: master.Framework{Name: "bench", User: "root", Roles: []string{"*"}, FailoverTimeout: time.Hour},
		core:      scheduler.Config{ReviveInterval: devRevive}, matcher: placement.Matcher{Spread: true},
		listener: listener, hostname: "127.0.0.1", registered: func() { registered <- struct{}{} },
	}, election.NewAlways(address))
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- n.run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		c.Close()
		policies.close()
		bolt.Close()
	})
	<-registered
	return "http://" + address
}

// ask makes one request of the API and returns the body.
func ask(b *testing.B, method, url, body string) string {
	b.Helper()
	r, err := http.NewRequestWithContext(b.Context(), method, url, strings.NewReader(body))
	if err != nil {
		b.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		b.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode >= 300 {
		b.Fatalf("%s %s: %d %s %v", method, url, answer.StatusCode, text, err)
	}
	return string(text)
}

// awaitRunning polls, as any client can, until that many tasks run in all.
func awaitRunning(b *testing.B, url string, want int) {
	b.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for range tick.C {
		var list struct{ Apps []struct{ TasksRunning int } }
		if err := json.Unmarshal([]byte(ask(b, http.MethodGet, url+"/v2/apps", "")), &list); err != nil {
			b.Fatal(err)
		}
		running := 0
		for _, app := range list.Apps {
			running += app.TasksRunning
		}
		// An app that is being removed shows no more; its deployment does.
		if running == want && (want > 0 || ask(b, http.MethodGet, url+"/v2/deployments", "") == "[]") {
			return
		}
	}
}

// BenchmarkPostToRunning is goal G3: the time from the first POST until all of
// the tasks run, as a client sees it. The interval is how often the master makes
// offers: with Mesos' own, a second, most of the time is spent waiting for them.
func BenchmarkPostToRunning(b *testing.B) {
	for _, interval := range []time.Duration{10 * time.Millisecond, time.Second} {
		for _, load := range []struct{ apps, instances int }{{1, 1}, {1, 100}, {1, 1000}, {200, 1}} {
			b.Run(fmt.Sprintf("interval=%v/apps=%d/instances=%d", interval, load.apps, load.instances), func(b *testing.B) {
				url := startNode(b, interval)
				var times []time.Duration
				for b.Loop() {
					times = append(times, postAndAwait(b, url, load.apps, load.instances))
				}
				slices.Sort(times)
				b.ReportMetric(float64(times[len(times)/2].Microseconds())/1000, "ms-p50")
				b.ReportMetric(float64(times[len(times)-1].Microseconds())/1000, "ms-max")
			})
		}
	}
}

// postAndAwait starts apps and removes them again; only the start is timed.
func postAndAwait(b *testing.B, url string, apps, instances int) time.Duration {
	b.Helper()
	began := time.Now()
	for i := range apps {
		ask(b, http.MethodPost, url+"/v2/apps", fmt.Sprintf(`{"id":"/a%d","cmd":"sleep 1000","cpus":0.1,"mem":16,"instances":%d}`, i, instances))
	}
	awaitRunning(b, url, apps*instances)
	took := time.Since(began)
	for i := range apps {
		ask(b, http.MethodDelete, fmt.Sprintf("%s/v2/apps/a%d", url, i), "")
	}
	awaitRunning(b, url, 0)
	return took
}
