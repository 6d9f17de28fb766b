// Command latency prints how long it takes from a POST until the tasks run: one
// instance, one app of many, many apps of one. It starts the binary it is given
// with an embedded cluster whose tasks are acted out in memory, so that what is
// measured is Pacer, and polls the API as any client would.
//
// Times are wall-clock of this machine and minute: compare them with a peer's
// that were taken in the same way right before or after.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"time"
)

func main() {
	binary := flag.String("pacer", "bin/pacer", "the binary to measure")
	agents := flag.Int("agents", 10, "agents of the embedded cluster")
	rounds := flag.Int("rounds", 5, "rounds; figures are medians")
	instances := flag.Int("instances", 1000, "instances of the large app")
	apps := flag.Int("apps", 200, "apps of one instance that are submitted one after the other")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *binary, *agents, *rounds, *instances, *apps); err != nil {
		fmt.Fprintln(os.Stderr, "latency:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, binary string, agents, rounds, instances, apps int) error {
	s, err := start(ctx, binary, agents)
	if err != nil {
		return err
	}
	defer s.stop()
	fmt.Printf("POST to TASK_RUNNING, %d agents, %d rounds, median [min-max]; waiting = until the last offer was accepted\n", agents, rounds)
	for _, c := range []struct {
		name            string
		apps, instances int
	}{
		{"1 instance", 1, 1},
		{fmt.Sprintf("1 app of %d instances", instances), 1, instances},
		{fmt.Sprintf("%d apps of 1 instance", apps), apps, 1},
	} {
		var totals, waits []time.Duration
		for range rounds {
			total, wait, err := s.wave(ctx, c.apps, c.instances)
			if err != nil {
				return fmt.Errorf("%s: %w", c.name, err)
			}
			totals, waits = append(totals, total), append(waits, wait)
		}
		fmt.Printf("  %-26s %s   waiting %.0f %%\n", c.name, spread(totals), 100*float64(median(waits))/float64(median(totals)))
	}
	return nil
}

func median(d []time.Duration) time.Duration {
	sorted := slices.Sorted(slices.Values(d))
	return sorted[len(sorted)/2]
}

func spread(d []time.Duration) string {
	ms := func(d time.Duration) string { return fmt.Sprintf("%.1f", float64(d.Microseconds())/1000) }
	return fmt.Sprintf("%9s ms [%s-%s]", ms(median(d)), ms(slices.Min(d)), ms(slices.Max(d)))
}
