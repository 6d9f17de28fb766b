// Command peers measures policy modules beside what else such questions could be put to:
// OPA's WASM, which takes whole offers as JSON, and CEL, which is interpreted in the
// process. It is a Go module of its own: nothing else of Pacer depends on either, and OPA
// takes minutes to build.
//
// Figures are ratios of processor time within one run, by turns. What both sides say is
// compared before it is measured.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime"
)

// likeRacks is the expression of all questions, a full match.
const likeRacks = `rack-[0-2][0-9]-row[0-5]`

func main() {
	rounds := flag.Int("rounds", 15, "samples of each figure")
	flag.Parse()
	if err := run(context.Background(), os.Stdout, *rounds); err != nil {
		fmt.Fprintln(os.Stderr, "peers:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, w io.Writer, rounds int) (err error) {
	if rounds < 1 {
		return fmt.Errorf("-rounds: %d is not a number from 1 on", rounds)
	}
	g, err := openGuests(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, g.close(ctx)) }()
	fmt.Fprintf(w, "%s, GOMAXPROCS %d, %d rounds\n\n", runtime.Version(), runtime.GOMAXPROCS(0), rounds)
	fmt.Fprintf(w, "%-70s    %9s %10s %10s\n", "target", "goal", "median", "least")
	values, rows := rackValues(40, 1000)
	r := &report{w: w, rounds: rounds}
	for _, part := range []func(context.Context, *report, *guests, []string, []string) error{overOPA, overCEL} {
		if err := part(ctx, r, g, values, rows); err != nil {
			return err
		}
	}
	return errors.Join(r.missed...)
}

// rackValues is a dictionary of so many racks behind the slot of those without, and the
// rack of each offer.
func rackValues(distinct, offers int) (values, rows []string) {
	values = []string{""}
	for i := range distinct {
		values = append(values, fmt.Sprintf("rack-%02d-row%d", i/10, i%10))
	}
	for i := range offers {
		rows = append(rows, values[1+i%distinct])
	}
	return values, rows
}
