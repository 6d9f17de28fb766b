// Command bench prints what placement costs: per instance, as clusters and apps
// grow, and per offer. Costs are processor time of this process, garbage
// collection included, on a matcher that has seen the agents before; compare them
// only with figures of the same machine and minute. A law is fitted to each round
// by itself, and the median of the rounds is what counts.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
)

func main() {
	agents := flag.String("agents", "100,300,1000,3000,10000", "sizes of clusters")
	instances := flag.String("instances", "100,1000", "sizes of apps, at most 1000")
	rounds := flag.Int("rounds", 5, "samples of each figure")
	offers := flag.Int("offers", 10000, "offers of the event that is taken in")
	wasm := flag.Bool("wasm", false, "measure the share of throughput that is left with constraints in WASM, and nothing else")
	in := flag.String("guests", "rust,c,go", "with -wasm: the languages of the guests")
	modules := flag.Bool("modules", false, "measure what is aimed at with policy modules, and nothing else")
	only := flag.String("only", "", "with -modules: the number of the targets to measure; all, if it is empty")
	flag.Parse()
	var err error
	switch {
	case *wasm:
		err = runShare(*agents, *in, *rounds)
	case *modules:
		err = runTargets(*only, *rounds)
	default:
		err = run(*agents, *instances, *rounds, *offers)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(agents, instances string, rounds, offers int) error {
	a, err := sizes("agents", agents, 1<<20)
	if err != nil {
		return err
	}
	n, err := sizes("instances", instances, mostTasks)
	if err != nil {
		return err
	}
	if rounds < 1 {
		return fmt.Errorf("-rounds: %d is not a number from 1 on", rounds)
	}
	fmt.Printf("%s, GOMAXPROCS %d, load average %s, %d rounds, median [min-max]\n\n",
		runtime.Version(), runtime.GOMAXPROCS(0), load(), rounds)
	g := newGrowth(a, n, rounds, sustained(), fastDecoder)
	if err := g.run(); err != nil {
		return err
	}
	fmt.Println("placement: decode + match + task infos + accept calls, placed == asked")
	g.print(os.Stdout)
	k := newIntake(offers, mostTasks, rounds, fastDecoder)
	if err := k.run(); err != nil {
		return err
	}
	fmt.Printf("\nintake: an event of %d offers (%d bytes each) until all are accepted or declined\n",
		offers, len(k.world.event)/offers)
	k.print(os.Stdout)
	fmt.Printf("\nload average %s\n", load())
	return nil
}

// runShare measures the share of WASM on clusters of these sizes, with guests in these
// languages.
func runShare(agents, languages string, rounds int) (err error) {
	a, err := sizes("agents", agents, 1<<20)
	if err != nil {
		return err
	}
	if rounds < 1 {
		return fmt.Errorf("-rounds: %d is not a number from 1 on", rounds)
	}
	fmt.Printf("%s, GOMAXPROCS %d, load average %s, %d rounds, median [min-max]\n\n", runtime.Version(), runtime.GOMAXPROCS(0), load(), rounds)
	ctx := context.Background()
	names := strings.Split(languages, ",")
	s := newShare(a, mostTasks, rounds, shareSampling(), fastDecoder)
	s.cells = slices.DeleteFunc(s.cells, func(c *shareCell) bool { return !slices.Contains(names, c.guest) })
	if len(s.cells) == 0 {
		return fmt.Errorf("-guests: %q names none of rust, c, go", languages)
	}
	end, err := s.open(ctx, names...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, end()) }()
	fmt.Printf("%d placements with constraints in WASM, metered, against the same ones natively: share of the throughput (goal %.2f, floor %.2f)\n",
		mostTasks, shareGoal, shareFloor)
	defer func() { fmt.Printf("\nload average %s\n", load()) }()
	return s.run(ctx, os.Stdout)
}

// runTargets measures policy modules. The figures are of one process, in turns; the
// goals are the design's. Times are those of a machine with nothing else to do.
func runTargets(only string, rounds int) (err error) {
	if rounds < 1 {
		return fmt.Errorf("-rounds: %d is not a number from 1 on", rounds)
	}
	ctx := context.Background()
	m, err := openModules(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, m.close(ctx)) }()
	fmt.Printf("%s, GOMAXPROCS %d, load average %s, %d rounds\n\n", runtime.Version(), runtime.GOMAXPROCS(0), load(), 3*rounds)
	defer func() { fmt.Printf("\nload average %s\n", load()) }()
	return (&targets{modules: m, w: os.Stdout, only: only, rounds: 3 * rounds}).run(ctx)
}

// sizes reads a list of numbers from 1 to most.
func sizes(name, list string, most int) (out []int, err error) {
	for text := range strings.SplitSeq(list, ",") {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > most {
			return nil, fmt.Errorf("-%s: %q is not a number from 1 to %d", name, text, most)
		}
		out = append(out, n)
	}
	return out, nil
}
